"""Forges: what is asked of GitHub, GitLab, Gitea and Forgejo, and what they answer.

A forge is where the registry's repository lives and where people review. Its word is
evidence, never authority: what counts of it, the policy says (``design`` §4.9).
Accounts are numbers, because names can be changed and taken by others.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Literal, Protocol, get_args

ForgeKind = Literal["github", "gitlab", "gitea", "forgejo"]
KINDS: tuple[ForgeKind, ...] = get_args(ForgeKind)

ReviewState = Literal[
    "approved", "changes_requested", "commented", "dismissed", "stale", "pending"
]


@dataclass(frozen=True, slots=True)
class Token:
    """A secret that a forge takes; it is sent to that forge's API and nowhere else.

    Attributes:
        source: The variable that it comes from, to be named in errors.
    """

    source: str
    value: str = field(repr=False)


@dataclass(frozen=True, slots=True, kw_only=True)
class Place:
    """A repository at a forge.

    Attributes:
        host: Of the forge as people know it, such as ``github.com``.
        api: Where its API begins, without a slash at the end.
        web: Where people look at the repository.
        path: Owner and name, or GitLab's groups and name.
    """

    kind: ForgeKind
    host: str
    api: str
    web: str
    path: str

    def compare_url(self, base: str, branch: str) -> str:
        """Return the page on which a person opens the pull request by hand."""
        if self.kind == "gitlab":
            return (
                f"{self.web}/-/merge_requests/new?merge_request%5Bsource_branch%5D="
                f"{branch.replace('/', '%2F')}&merge_request%5Btarget_branch%5D={base}"
            )
        return f"{self.web}/compare/{base}...{branch}"


@dataclass(frozen=True, slots=True, kw_only=True)
class PullRequest:
    """A pull request, or merge request, as the forge has it now.

    Attributes:
        head: The commit that it proposes.
        branch: The branch that has it.
        author: The account that opened it; None if that is gone.
        foreign: Whether the branch is in another repository, a fork.
    """

    number: int
    url: str
    state: Literal["open", "closed", "merged"]
    head: str
    branch: str
    base: str
    author: int | None
    foreign: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class Review:
    """What one account said of a pull request.

    Attributes:
        id: The forge's number of it; GitLab numbers none, and has the account's.
        user: Number of the account.
        bot: Whether the forge calls the account a robot.
        commit: What was looked at; None if the forge cannot tell.
        submitted_at: RFC 3339, UTC, whole seconds; None if the forge cannot tell.
    """

    id: int
    user: int
    bot: bool
    state: ReviewState
    commit: str | None
    submitted_at: str | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Protection:
    """How a forge protects a branch; the defaults are no protection at all.

    Attributes:
        pull_requests: Nobody pushes to it directly.
        approvals: How many reviews it takes.
        dismisses_stale: Reviews fall when the branch moves.
        code_owners: Those whom CODEOWNERS names must agree.
    """

    force_push: bool = True
    deletion: bool = True
    pull_requests: bool = False
    approvals: int = 0
    dismisses_stale: bool = False
    code_owners: bool = False


def mark(marker: str) -> str:
    """Return the line by which a comment is found again; forges do not show it."""
    return f"<!-- {marker} -->"


class Forge(Protocol):
    """One repository at one forge, through its API.

    Every method raises:
        OutsideError: The forge cannot be reached, does not let the token do it, has
            had enough requests, or answers nonsense.
        NotFoundError: There is no such thing there, or the token may not see it.
    """

    @property
    def place(self) -> Place:
        """Which repository it is."""

    def repository_id(self) -> int:
        """Return the number of the repository, which outlives its name."""

    def pull_request(self, number: int) -> PullRequest:
        """Return a pull request."""

    def find_pull_request(self, branch: str, base: str) -> PullRequest | None:
        """Return the open pull request of a branch; None if there is none."""

    def open_pull_request(
        self, branch: str, base: str, title: str, body: str
    ) -> PullRequest:
        """Open a pull request."""

    def reviews(self, request: PullRequest) -> tuple[Review, ...]:
        """Return every review, oldest first."""

    def upsert_comment(self, number: int, marker: str, body: str) -> str:
        """Post a comment, or replace the one with that marker; return its address."""

    def protection(self, branch: str) -> Protection:
        """Return how a branch is protected."""

    def login(self, user: int) -> str | None:
        """Return the name of an account; None if there is none."""
