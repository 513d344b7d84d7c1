"""Gitea and Forgejo: API v1, which both have in common."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any
from urllib.parse import quote

from gitmodel.adapters.forge.answers import Fields
from gitmodel.adapters.forge.comments import upsert
from gitmodel.adapters.forge.http import PAGE_SIZE, Api
from gitmodel.domain.forge import Protection, PullRequest, Review, ReviewState
from gitmodel.errors import NotFoundError, OutsideError

if TYPE_CHECKING:
    from gitmodel.domain.forge import Place, Token

_STATES: dict[str, ReviewState] = {
    "APPROVED": "approved",
    "REQUEST_CHANGES": "changes_requested",
    "COMMENT": "commented",
    "PENDING": "pending",
}


class Gitea:
    """One repository at a Gitea or Forgejo; see ``domain.forge.Forge``."""

    def __init__(self, place: Place, token: Token | None) -> None:
        self.place = place
        self.api = Api(
            base=place.api,
            secret={"Authorization": f"token {token.value}"} if token else {},
            headers={},
            token_help=(
                f"{place.kind.upper()}_TOKEN must hold a token with the scopes "
                "write:repository, write:issue and read:user."
            ),
        )
        self._repo = f"/repos/{quote(place.path)}"

    def repository_id(self) -> int:
        """Return the number of the repository."""
        return self._fields(self.api.get(self._repo)).number("id")

    def pull_request(self, number: int) -> PullRequest:
        """Return a pull request."""
        return self._pull_request(self.api.get(f"{self._repo}/pulls/{number}"))

    def find_pull_request(self, branch: str, base: str) -> PullRequest | None:
        """Return the open pull request of a branch; None if there is none."""
        found = self.api.pages(f"{self._repo}/pulls", state="open", limit=PAGE_SIZE)
        for data in found:
            request = self._pull_request(data)
            if (request.branch, request.base) == (branch, base) and not request.foreign:
                return request
        return None

    def open_pull_request(
        self, branch: str, base: str, title: str, body: str
    ) -> PullRequest:
        """Open a pull request."""
        content = {"head": branch, "base": base, "title": title, "body": body}
        return self._pull_request(self.api.send("POST", f"{self._repo}/pulls", content))

    def reviews(self, request: PullRequest) -> tuple[Review, ...]:
        """Return every review, oldest first."""
        path = f"{self._repo}/pulls/{request.number}/reviews"
        found = map(self._fields, self.api.pages(path, limit=PAGE_SIZE))
        return tuple(
            Review(
                id=each.number("id"),
                user=user,
                bot=False,  # neither forge tells; the policy names people
                state=_state(each),
                commit=each.maybe_commit("commit_id"),
                submitted_at=each.maybe_moment("submitted_at"),
            )
            for each in found
            if (user := each.account("user.id")) is not None
        )

    def upsert_comment(self, number: int, marker: str, body: str) -> str:
        """Post a comment, or replace our own with that marker."""
        path = f"{self._repo}/issues/{number}/comments"
        me = self._me()
        comments = map(self._fields, self.api.pages(path, limit=PAGE_SIZE))
        old = upsert(comments, marker, lambda comment: comment.account("user.id") == me)
        if old is None:
            answer = self.api.send("POST", path, {"body": body})
        else:
            place = f"{self._repo}/issues/comments/{old}"
            answer = self.api.send("PATCH", place, {"body": body})
        return self._fields(answer).text("html_url")

    def protection(self, branch: str) -> Protection:
        """Return how a branch is protected by the rule of its name."""
        name = quote(branch, safe="")
        try:
            path = f"{self._repo}/branch_protections/{name}"
            found = self._fields(self.api.get(path))
        except NotFoundError:
            return Protection()
        return Protection(
            force_push=found.flag("enable_force_push"),
            deletion=False,
            pull_requests=not found.flag("enable_push"),
            approvals=found.maybe_number("required_approvals") or 0,
            dismisses_stale=found.flag("dismiss_stale_approvals")
            or found.flag("ignore_stale_approvals"),
        )

    def login(self, user: int) -> str | None:
        """Return the name of an account; None if there is none."""
        answer = self._fields(self.api.get("/users/search", uid=user, limit=1))
        found = [each for each in answer.each("data") if each.account("id") == user]
        return found[0].text("login") if found else None

    def _me(self) -> int | None:
        """Return our own account; None for a job's, which has none of its own."""
        try:
            return self._fields(self.api.get("/user")).account("id")
        except NotFoundError:
            return None
        except OutsideError as error:
            if error.code == "E_FORGE_RIGHTS":
                return None
            raise

    def _pull_request(self, data: Any) -> PullRequest:
        found = self._fields(data)
        state = found.text("state")
        return PullRequest(
            number=found.number("number"),
            url=found.text("html_url"),
            state="merged"
            if found.flag("merged")
            else "open"
            if state == "open"
            else "closed",
            head=found.commit("head.sha"),
            branch=found.text("head.ref"),
            base=found.text("base.ref"),
            author=found.account("user.id"),
            foreign=found.maybe_number("head.repo_id")
            != found.maybe_number("base.repo_id"),
        )

    def _fields(self, data: Any) -> Fields:
        return Fields(self.api.host, data)


def _state(review: Fields) -> ReviewState:
    if review.flag("dismissed"):
        return "dismissed"
    state = _STATES.get(review.text("state"), "commented")
    return "stale" if state == "approved" and review.flag("stale") else state
