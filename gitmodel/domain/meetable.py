"""Whether the approvals that a policy asks for could ever come together."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator

    from gitmodel.domain.policy import Policy
    from gitmodel.domain.quorum import Quorum
    from gitmodel.domain.stage_rules import StageRules


def unmeetable(policy: Policy) -> tuple[str, ...]:
    """Say which moves nobody could ever bring about, whoever asks for them.

    Whoever asks cannot approve; so one of those who may ask must leave enough others.
    """
    return tuple(dict.fromkeys(_unmeetable(policy)))


def _unmeetable(policy: Policy) -> Iterator[str]:
    known: set[tuple[str, str, str]] = set()  # what holds for all, holds for some
    for who, stages in policy.variants():
        for stage, rules in stages.items():
            for action in ("promote", "rollback"):
                why = _lacking(policy, rules, action)
                if why and (stage, action, why) not in known:
                    known.add((stage, action, why))
                    of = f" of {who}" if who else ""
                    move = "promotion to" if action == "promote" else "rollback in"
                    yield f"a {move} {stage}{of} asks for {why}"


def _lacking(policy: Policy, rules: StageRules, action: str) -> str | None:
    quorums = rules.quorums(action) or rules.reviews(action)
    asking = _members(policy, rules.requester_role(action)) & _signers(policy)
    reason = None
    for requester in sorted(asking):
        reason = next(
            (
                f"{quorum}, and beside {requester}, who asks, only {_can(others)}"
                for quorum in quorums
                if len(others := _able(policy, rules, quorum) - {requester})
                < quorum.threshold
                or len(others := others & _signers(policy)) < quorum.direct
            ),
            None,
        )
        if reason is None:
            return None
    return reason


def _able(policy: Policy, rules: StageRules, quorum: Quorum) -> set[str]:
    """Return who can approve in a role: by signature, or by a review if those count."""
    members = _members(policy, quorum.role)
    return members if rules.forges else members & _signers(policy)


def _signers(policy: Policy) -> set[str]:
    return {each.name for each in policy.principals if each.keyids}


def _can(others: set[str]) -> str:
    return f"{len(others)} {'has' if len(others) == 1 else 'have'} it and can"


def _members(policy: Policy, role: str) -> set[str]:
    found = policy.role(role)
    return set(found.members) if found else set()
