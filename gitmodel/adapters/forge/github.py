"""GitHub, and GitHub Enterprise Server: REST API 2022-11-28."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any
from urllib.parse import quote

from gitmodel.adapters.forge.answers import Fields
from gitmodel.adapters.forge.comments import upsert
from gitmodel.adapters.forge.http import PAGE_SIZE, Api
from gitmodel.domain.forge import Protection, PullRequest, Review, ReviewState
from gitmodel.errors import NotFoundError, OutsideError

if TYPE_CHECKING:
    from collections.abc import Iterator

    from gitmodel.domain.forge import Place, Token

_HELP = (
    "GITHUB_TOKEN must hold a token with read and write access to pull requests, and "
    "read access to contents (and to administration, for forge check)."
)
_STATES: dict[str, ReviewState] = {
    "APPROVED": "approved",
    "CHANGES_REQUESTED": "changes_requested",
    "COMMENTED": "commented",
    "DISMISSED": "dismissed",
    "PENDING": "pending",
}


class GitHub:
    """One repository at GitHub; see ``domain.forge.Forge``."""

    def __init__(self, place: Place, token: Token | None) -> None:
        self.place = place
        self.api = Api(
            base=place.api,
            secret={"Authorization": f"Bearer {token.value}"} if token else {},
            headers={
                "Accept": "application/vnd.github+json, application/json",
                "X-GitHub-Api-Version": "2022-11-28",
            },
            token_help=_HELP,
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
        owner = self.place.path.partition("/")[0]
        found = self.api.pages(
            f"{self._repo}/pulls",
            state="open", head=f"{owner}:{branch}", base=base, per_page=PAGE_SIZE,
        )  # fmt: skip
        requests = map(self._pull_request, found)
        return next(
            (each for each in requests if each.branch == branch and not each.foreign),
            None,
        )

    def open_pull_request(
        self, branch: str, base: str, title: str, body: str
    ) -> PullRequest:
        """Open a pull request."""
        content = {"head": branch, "base": base, "title": title, "body": body}
        return self._pull_request(self.api.send("POST", f"{self._repo}/pulls", content))

    def reviews(self, request: PullRequest) -> tuple[Review, ...]:
        """Return every review, oldest first."""
        path = f"{self._repo}/pulls/{request.number}/reviews"
        found = map(self._fields, self.api.pages(path, per_page=PAGE_SIZE))
        return tuple(
            Review(
                id=each.number("id"),
                user=user,
                bot=each.value("user.type") != "User",
                state=_STATES.get(each.text("state"), "commented"),
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

        def ours(comment: Fields) -> bool:
            # A job's own token may not ask who it is; what it writes is by a bot.
            if me is None:
                return comment.text("user.type") == "Bot"
            return comment.account("user.id") == me

        found = map(self._fields, self.api.pages(path, per_page=PAGE_SIZE))
        old = upsert(found, marker, ours)
        if old is None:
            answer = self.api.send("POST", path, {"body": body})
        else:
            place = f"{self._repo}/issues/comments/{old}"
            answer = self.api.send("PATCH", place, {"body": body})
        return self._fields(answer).text("html_url")

    def protection(self, branch: str) -> Protection:
        """Return how a branch is protected, by rulesets and by the older way."""
        rules = list(self._rules(branch))
        kinds = {rule.value("type") for rule in rules}
        reviews = [
            rule for rule in rules if rule.value("type") == "pull_request"
        ]  # each ruleset may have one; the strictest counts
        old = self._old_protection(branch)
        pull = "required_pull_request_reviews"
        count = f"{pull}.required_approving_review_count"
        stale, owners = "dismiss_stale_reviews_on_push", "require_code_owner_review"
        return Protection(
            force_push="non_fast_forward" not in kinds
            and (old is None or old.flag("allow_force_pushes.enabled")),
            deletion="deletion" not in kinds
            and (old is None or old.flag("allow_deletions.enabled")),
            pull_requests=bool(reviews)
            or bool(old and isinstance(old.value(pull), dict)),
            approvals=max(
                [
                    each.maybe_number("parameters.required_approving_review_count") or 0
                    for each in reviews
                ]
                + [(old.maybe_number(count) or 0) if old else 0]
            ),
            dismisses_stale=any(each.flag(f"parameters.{stale}") for each in reviews)
            or bool(old and old.flag(f"{pull}.dismiss_stale_reviews")),
            code_owners=any(each.flag(f"parameters.{owners}") for each in reviews)
            or bool(old and old.flag(f"{pull}.require_code_owner_reviews")),
        )

    def login(self, user: int) -> str | None:
        """Return the name of an account; None if there is none."""
        try:
            return self._fields(self.api.get(f"/user/{user}")).text("login")
        except NotFoundError:
            return None

    def _me(self) -> int | None:
        try:
            return self._fields(self.api.get("/user")).account("id")
        except OutsideError as error:
            if error.code == "E_FORGE_RIGHTS":
                return None
            raise

    def _rules(self, branch: str) -> Iterator[Fields]:
        path = f"{self._repo}/rules/branches/{quote(branch, safe='')}"
        yield from map(self._fields, self.api.pages(path, per_page=PAGE_SIZE))

    def _old_protection(self, branch: str) -> Fields | None:
        path = f"{self._repo}/branches/{quote(branch, safe='')}/protection"
        try:
            return self._fields(self.api.get(path))
        except NotFoundError:
            return None
        except OutsideError as error:
            if error.code == "E_FORGE_RIGHTS":
                return None  # only administrators may look; rulesets are for everyone
            raise

    def _pull_request(self, data: Any) -> PullRequest:
        found = self._fields(data)
        merged = found.value("merged_at") is not None
        state = found.text("state")
        return PullRequest(
            number=found.number("number"),
            url=found.text("html_url"),
            state="merged" if merged else "open" if state == "open" else "closed",
            head=found.commit("head.sha"),
            branch=found.text("head.ref"),
            base=found.text("base.ref"),
            author=found.account("user.id"),
            foreign=found.maybe_number("head.repo.id")
            != found.maybe_number("base.repo.id"),
        )

    def _fields(self, data: Any) -> Fields:
        return Fields(self.api.host, data)
