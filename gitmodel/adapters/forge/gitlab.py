"""GitLab, its own and other people's: REST API v4.

GitLab's approvals do not say of which commit they are. What an approval is of follows
from its time: the version of the merge request that was the newest then. Older GitLabs
give no time; there, approvals count only if the project lets each push take them away.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any
from urllib.parse import quote

from gitmodel.adapters.forge.answers import Fields
from gitmodel.adapters.forge.comments import upsert
from gitmodel.adapters.forge.http import PAGE_SIZE, Api
from gitmodel.domain.forge import Protection, PullRequest, Review
from gitmodel.errors import NotFoundError, OutsideError

if TYPE_CHECKING:
    from gitmodel.domain.forge import Place, Token

_HELP = (
    "GITLAB_TOKEN must hold a token with the scope api; forge check also needs the "
    "role of a maintainer. CI_JOB_TOKEN may do little of this."
)
_JOB_TOKEN = "CI_JOB_TOKEN"  # noqa: S105 the name of a variable
_NOBODY = 0  # access level


class GitLab:
    """One project at a GitLab; see ``domain.forge.Forge``."""

    def __init__(self, place: Place, token: Token | None) -> None:
        self.place = place
        self.api = Api(
            base=place.api, secret=_secret(token), headers={}, token_help=_HELP
        )
        self._project = f"/projects/{quote(place.path, safe='')}"

    def repository_id(self) -> int:
        """Return the number of the project."""
        return self._fields(self.api.get(self._project)).number("id")

    def pull_request(self, number: int) -> PullRequest:
        """Return a merge request."""
        return self._merge_request(
            self.api.get(f"{self._project}/merge_requests/{number}")
        )

    def find_pull_request(self, branch: str, base: str) -> PullRequest | None:
        """Return the open merge request of a branch; None if there is none."""
        found = self.api.pages(
            f"{self._project}/merge_requests",
            state="opened", source_branch=branch, target_branch=base,
            per_page=PAGE_SIZE,
        )  # fmt: skip
        requests = map(self._merge_request, found)
        return next(
            (each for each in requests if each.branch == branch and not each.foreign),
            None,
        )

    def open_pull_request(
        self, branch: str, base: str, title: str, body: str
    ) -> PullRequest:
        """Open a merge request."""
        content = {
            "source_branch": branch,
            "target_branch": base,
            "title": title,
            "description": body,
        }
        path = f"{self._project}/merge_requests"
        return self._merge_request(self.api.send("POST", path, content))

    def reviews(self, request: PullRequest) -> tuple[Review, ...]:
        """Return what each account says now, in the order of time."""
        path = f"{self._project}/merge_requests/{request.number}"
        approvals = self._fields(self.api.get(f"{path}/approvals")).each("approved_by")
        found: list[Review] = []
        history = self._history(path) if approvals else []
        resets = None
        for each in approvals:
            user = each.account("user.id")
            if user is None:
                continue
            at = each.maybe_moment("approved_at")
            if at is None and resets is None:
                resets = self._resets()
            commit = _newest_at(history, at) if at else request.head
            found.append(
                Review(
                    id=user,
                    user=user,
                    bot=self._is_bot(user),
                    state="approved",
                    commit=commit if at or resets else None,
                    submitted_at=at,
                )
            )
        refusals = self._refusals(path)
        # Whoever asks for changes now has taken back an approval of before.
        refusers = {each.user for each in refusals}
        found = [each for each in found if each.user not in refusers]
        return tuple(sorted(found, key=lambda each: each.submitted_at or "") + refusals)

    def upsert_comment(self, number: int, marker: str, body: str) -> str:
        """Post a note, or replace our own with that marker."""
        place = f"{self._project}/merge_requests/{number}"
        me = self._fields(self.api.get("/user")).account("id")
        notes = self.api.pages(
            f"{place}/notes", per_page=PAGE_SIZE, sort="asc", order_by="created_at"
        )
        found = map(self._fields, notes)
        old = upsert(found, marker, lambda note: note.account("author.id") == me)
        if old is None:
            answer = self.api.send("POST", f"{place}/notes", {"body": body})
        else:
            answer = self.api.send("PUT", f"{place}/notes/{old}", {"body": body})
        written = self._fields(answer).number("id")
        return f"{self.place.web}/-/merge_requests/{number}#note_{written}"

    def protection(self, branch: str) -> Protection:
        """Return how a branch is protected."""
        name = quote(branch, safe="")
        try:
            path = f"{self._project}/protected_branches/{name}"
            found = self._fields(self.api.get(path))
        except NotFoundError:
            return Protection()
        pushers = found.each("push_access_levels")
        approvals = self._approval_settings()
        return Protection(
            force_push=found.flag("allow_force_push"),
            deletion=False,
            pull_requests=bool(pushers)
            and all(each.maybe_number("access_level") == _NOBODY for each in pushers),
            approvals=(
                approvals.maybe_number("approvals_before_merge") or 0
                if approvals
                else 0
            ),
            dismisses_stale=bool(
                approvals and approvals.flag("reset_approvals_on_push")
            ),
            code_owners=found.flag("code_owner_approval_required"),
        )

    def login(self, user: int) -> str | None:
        """Return the name of an account; None if there is none."""
        try:
            return self._fields(self.api.get(f"/users/{user}")).text("username")
        except NotFoundError:
            return None

    def _history(self, path: str) -> list[tuple[str, str]]:
        """Return when each version of a merge request came, with its commit."""
        versions = map(
            self._fields, self.api.pages(f"{path}/versions", per_page=PAGE_SIZE)
        )
        found = (
            (each.maybe_moment("created_at"), each.maybe_commit("head_commit_sha"))
            for each in versions
        )
        return sorted((at, commit) for at, commit in found if at and commit)

    def _refusals(self, path: str) -> list[Review]:
        try:
            reviewers = list(self.api.pages(f"{path}/reviewers", per_page=PAGE_SIZE))
        except NotFoundError:
            return []  # older than 13.8
        found = map(self._fields, reviewers)
        return [
            Review(
                id=user,
                user=user,
                bot=False,
                state="changes_requested",
                commit=None,
                submitted_at=None,
            )
            for each in found
            if each.value("state") == "requested_changes"
            and (user := each.account("user.id")) is not None
        ]

    def _resets(self) -> bool:
        settings = self._approval_settings()
        return settings is not None and settings.flag("reset_approvals_on_push")

    def _approval_settings(self) -> Fields | None:
        """Return the project's rules for approvals; None where there are none."""
        try:
            return self._fields(self.api.get(f"{self._project}/approvals"))
        except NotFoundError:
            return None  # they are not in every edition
        except OutsideError as error:
            if error.code == "E_FORGE_RIGHTS":
                return None
            raise

    def _is_bot(self, user: int) -> bool:
        return self._fields(self.api.get(f"/users/{user}")).flag("bot")

    def _merge_request(self, data: Any) -> PullRequest:
        found = self._fields(data)
        state = found.text("state")
        return PullRequest(
            number=found.number("iid"),
            url=found.text("web_url"),
            state="merged"
            if state == "merged"
            else "open"
            if state == "opened"
            else "closed",
            head=found.commit("sha"),
            branch=found.text("source_branch"),
            base=found.text("target_branch"),
            author=found.account("author.id"),
            foreign=found.maybe_number("source_project_id")
            != found.maybe_number("target_project_id"),
        )

    def _fields(self, data: Any) -> Fields:
        return Fields(self.api.host, data)


def _secret(token: Token | None) -> dict[str, str]:
    if token is None:
        return {}
    name = "JOB-TOKEN" if token.source == _JOB_TOKEN else "PRIVATE-TOKEN"
    return {name: token.value}


def _newest_at(history: list[tuple[str, str]], moment: str) -> str | None:
    """Return the commit that a merge request proposed at a moment.

    What came in the same second is not known to have been seen.
    """
    return next((commit for at, commit in reversed(history) if at < moment), None)
