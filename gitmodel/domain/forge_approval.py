"""What a forge said of a promotion, as a collector signed it, and what counts of it.

A ``ForgeApproval`` stands beside the transition that was reviewed and is bound to its
digest. It is a snapshot: of several, the newest decides. The rules are here, and pure
(``design`` §4.9):

* of an account, its newest verdict counts; comments are no verdicts;
* an approval counts of the commit that is proposed, or of one before it that proposed
  the same and lacked no more than evidence;
* who opened the pull request, who asked for the promotion, robots, and accounts that
  the policy does not name have no say;
* a principal counts once, however many accounts it has.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from gitmodel.domain.digest import Digest
from gitmodel.domain.forge import KINDS, ForgeKind, Review
from gitmodel.domain.pin import API_VERSION
from gitmodel.errors import InputError

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

#: Forges that most people mean by their name alone.
_HOSTS: Mapping[str, str] = {
    "github": "github.com",
    "gitlab": "gitlab.com",
    "gitea": "gitea.com",
    "forgejo": "codeberg.org",
}
_SOURCE = re.compile(
    r"(?P<forge>[a-z]+)(@(?P<host>[a-z0-9.-]{1,250}(:[0-9]{1,5})?))?"
    r":(?P<number>[1-9][0-9]{0,14})"
)
_VERDICTS = frozenset({"approved", "changes_requested", "dismissed", "stale"})


@dataclass(frozen=True, slots=True, kw_only=True)
class Source:
    """A repository at a forge, by what nobody can take over.

    Attributes:
        repository: The forge's number of it.
    """

    forge: ForgeKind
    host: str
    repository: int

    @classmethod
    def parse(cls, text: str) -> Source:
        """Read ``FORGE[@HOST]:NUMBER``; ``parse(str(source)) == source``.

        Raises:
            InputError: It is not of that form, or lacks a host that is not known.
        """
        match = _SOURCE.fullmatch(text)
        kind = match["forge"] if match else ""
        host = (match["host"] or _HOSTS.get(kind)) if match else None
        if match is None or kind not in KINDS or host is None:
            raise InputError(
                f"{text[:100]!a} names no repository at a forge.",
                "Write github:NUMBER, gitlab@git.example.com:NUMBER and so on; the "
                "number is the id that the forge's API gives.",
            )
        return cls(forge=kind, host=host, repository=int(match["number"]))

    @classmethod
    def from_dict(cls, data: Mapping[str, Any]) -> Source:
        """Read it as documents have it."""
        return cls(
            forge=data["forge"], host=data["host"], repository=data["repository"]
        )

    def to_dict(self) -> dict[str, Any]:
        """Return it as documents have it."""
        return {"forge": self.forge, "host": self.host, "repository": self.repository}

    def __str__(self) -> str:
        host = "" if _HOSTS.get(self.forge) == self.host else f"@{self.host}"
        return f"{self.forge}{host}:{self.repository}"


@dataclass(frozen=True, slots=True, kw_only=True)
class ForgeApproval:
    """The reviews of one pull request, about one transition.

    Attributes:
        number: 1, 2, 3 … among those of the same transition.
        transition: Digest of what was reviewed.
        author: The account that opened the pull request; None if it is gone.
        head: The commit that the pull request proposed.
        unchanged: Commits before it that proposed the same.
        collector: The principal who asked the forge.
        collected_at: RFC 3339, as written.
    """

    number: int
    transition: Digest
    source: Source
    pull_request: int
    author: int | None
    head: str
    unchanged: tuple[str, ...]
    reviews: tuple[Review, ...]
    collector: str
    collected_at: str

    @classmethod
    def from_document(cls, document: Mapping[str, Any]) -> ForgeApproval:
        """Read a schema-valid ``ForgeApproval`` document."""
        return cls(
            number=document["number"],
            transition=Digest.parse(document["transition"]),
            source=Source.from_dict(document),
            pull_request=document["pullRequest"],
            author=document["author"],
            head=document["head"],
            unchanged=tuple(document["unchanged"]),
            reviews=tuple(
                Review(
                    id=review["id"],
                    user=review["user"],
                    bot=review["bot"],
                    state=review["state"],
                    commit=review["commit"],
                    submitted_at=review["submittedAt"],
                )
                for review in document["reviews"]
            ),
            collector=document["collector"],
            collected_at=document["collectedAt"],
        )

    def to_document(self) -> dict[str, Any]:
        """Return the document in its stable key order."""
        return {
            "apiVersion": API_VERSION,
            "kind": "ForgeApproval",
            "number": self.number,
            "transition": str(self.transition),
            **self.source.to_dict(),
            "pullRequest": self.pull_request,
            "author": self.author,
            "head": self.head,
            "unchanged": list(self.unchanged),
            "reviews": [
                {
                    "id": review.id,
                    "user": review.user,
                    "bot": review.bot,
                    "state": review.state,
                    "commit": review.commit,
                    "submittedAt": review.submitted_at,
                }
                for review in self.reviews
            ],
            "collector": self.collector,
            "collectedAt": self.collected_at,
        }

    def says_as(self, other: ForgeApproval) -> bool:
        """Say whether it tells no more than another does, but for who and when."""

        def content(approval: ForgeApproval) -> tuple[object, ...]:
            return (
                approval.transition,
                approval.source,
                approval.pull_request,
                approval.author,
                approval.reviews,
            )

        return content(self) == content(other)


@dataclass(frozen=True, slots=True)
class PassedOver:
    """A review that does not count, and why not, in words."""

    review: Review
    why: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Voices:
    """What counts of a snapshot: principals, each once, in order of their names."""

    approvals: tuple[str, ...] = ()
    rejections: tuple[str, ...] = ()
    passed_over: tuple[PassedOver, ...] = ()


def weigh(
    said: ForgeApproval,
    *,
    owner_of: Callable[[int], str | None],
    may_approve: Callable[[str], bool],
    requester: str,
) -> Voices:
    """Say who approved and who refused, by the rules above.

    Args:
        said: The snapshot.
        owner_of: Returns the principal whose account at that forge has a number.
        may_approve: Says whether a principal has the stage's approver role.
        requester: Who asked for the promotion.
    """
    approvals: set[str] = set()
    rejections: set[str] = set()
    passed_over: list[PassedOver] = []
    proposed = {said.head, *said.unchanged}
    for review in _newest_verdicts(said.reviews):
        owner = owner_of(review.user)
        why = _no_say(said, review, owner, requester)
        if why is None and owner is not None and not may_approve(owner):
            why = f"{owner} is no approver of this stage."
        if why is None and review.state == "approved" and review.commit not in proposed:
            why = "it is of another commit than the one proposed."
        if why is None and review.state in {"dismissed", "stale"}:
            why = f"it is {review.state}."
        if why is not None or owner is None:
            passed_over.append(PassedOver(review, why or ""))
        elif review.state == "approved":
            approvals.add(owner)
        else:
            rejections.add(owner)
    return Voices(
        approvals=tuple(sorted(approvals - rejections)),
        rejections=tuple(sorted(rejections)),
        passed_over=tuple(passed_over),
    )


def _no_say(
    said: ForgeApproval, review: Review, owner: str | None, requester: str
) -> str | None:
    """Return why an account has no say, whatever it says; None if it has one."""
    if review.bot:
        return "it is by a robot."
    if review.user == said.author:
        return "it is by the author of the pull request."
    if owner is None:
        return "the policy knows no principal with that account."
    if owner == requester:
        return f"{owner} asked for this promotion."
    return None


def _newest_verdicts(reviews: tuple[Review, ...]) -> list[Review]:
    """Return each account's newest verdict, by time and then by number."""
    newest: dict[int, Review] = {}
    for review in sorted(reviews, key=lambda each: (each.submitted_at or "", each.id)):
        if review.state in _VERDICTS:
            newest[review.user] = review
    return [newest[user] for user in sorted(newest)]
