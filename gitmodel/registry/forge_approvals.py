"""What forges said of a transition, as collectors signed it, beside it in the log.

The newest decides. It counts only if it is bound to this very transition, signed by
its collector in that role, who did not ask for the move, of a repository that the
policy names for the stage, and if those before it are all there.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from gitmodel.domain.forge_approval import ForgeApproval, Voices, weigh
from gitmodel.domain.problem import Problem
from gitmodel.domain.quorum import Voice
from gitmodel.formats import schema
from gitmodel.registry import layout
from gitmodel.registry.records import Record, read_record

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from gitmodel.domain.policy import Policy
    from gitmodel.domain.transition import Transition
    from gitmodel.registry.view import View

KIND = "forge-approval"
ROLE = "collector"


@dataclass(frozen=True, slots=True, kw_only=True)
class Heard:
    """What a forge adds to the signatures of a transition.

    Attributes:
        voices: Who approved there, in each role that they have; none of them direct.
        rejections: Who refused there.
        said: The newest statement, whether all of it counts or not; None for none.
        weighed: Whom it names, and what was passed over.
        problems: What is wrong with the statements; then nothing of them counts.
    """

    voices: tuple[Voice, ...] = ()
    rejections: tuple[str, ...] = ()
    said: ForgeApproval | None = None
    weighed: Voices = field(default_factory=Voices)
    problems: tuple[Problem, ...] = ()

    def refused(self, record: Record) -> tuple[str, ...]:
        """Return who refused there and has not signed the transition instead."""
        signed = {voice.principal for voice in record.voices()}
        return tuple(who for who in self.rejections if who not in signed)


def numbers(view: View, transition: Transition) -> tuple[int, ...]:
    """Return the numbers of the statements about a transition, ascending."""
    stage, model = transition.stage, transition.model
    return all_numbers(view, stage, model).get(transition.seq, ())


def paths(view: View, transition: Transition) -> list[str]:
    """Return where the statements about a transition stand, in their order."""
    stage, model, seq = transition.stage, transition.model, transition.seq
    return [
        layout.forge_approval_path(stage, model, seq, number)
        for number in numbers(view, transition)
    ]


def all_numbers(view: View, stage: str, model: str) -> Mapping[int, tuple[int, ...]]:
    """Return the numbers of all statements in a log, by their transition's."""
    return view.once(("forge", stage, model), lambda: _all_numbers(view, stage, model))


def _all_numbers(view: View, stage: str, model: str) -> dict[int, tuple[int, ...]]:
    directory = layout.log_dir(stage, model)
    found: dict[int, list[int]] = {}
    for name in view.names(directory):
        place = layout.classify(f"{directory}/{name}")
        if place.kind == "forge_approval":
            found.setdefault(place.seq, []).append(int(place.name))
    return {seq: tuple(sorted(each)) for seq, each in found.items()}


def hear(
    view: View,
    transition: Transition,
    record: Record,
    policy: Policy,
    *,
    trusted: View | None = None,
) -> Heard:
    """Return what the statements beside a transition add to it.

    Args:
        view: Where they stand.
        transition: What they must be about.
        record: Its document.
        policy: By which it was made.
        trusted: Whose policies say which signatures count; None for ``view`` itself.
    """
    found = (
        read_record(view, path, KIND, trusted=trusted)
        for path in paths(view, transition)
    )
    records = [each for each in found if each is not None]
    return judge(records, transition, record, policy)


def judge(
    records: Iterable[Record], transition: Transition, record: Record, policy: Policy
) -> Heard:
    """Return what statements add to a transition, by the policy it was made under.

    Args:
        records: The statements, in the order of their numbers.
        transition: What they must be about.
        record: Its document.
        policy: By which it was made.
    """
    problems: list[Problem] = []
    said: ForgeApproval | None = None
    for expected, found in enumerate(records, start=1):
        problems += found.problems
        malformed = schema.problems("ForgeApproval", found.document, found.path)
        problems += malformed
        if malformed:
            continue
        said = ForgeApproval.from_document(found.document)
        problems += [
            Problem(code, message, found.path)
            for code, message in _wrong(said, found, expected, transition, record)
        ]
        problems += _not_admitted(said, found.path, transition, policy)
    if said is None or problems:
        return Heard(said=said, problems=tuple(problems))
    return count(said, transition, policy)


def _wrong(
    said: ForgeApproval,
    found: Record,
    expected: int,
    transition: Transition,
    record: Record,
) -> list[tuple[str, str]]:
    place = layout.classify(found.path)
    wrong = []
    if said.transition != record.digest:
        wrong.append(
            ("E_FORGE_APPROVAL", "it is about another transition than the one here.")
        )
    if (place.stage, place.model, place.seq) != (
        transition.stage,
        transition.model,
        transition.seq,
    ) or (said.number, place.name) != (expected, str(expected)):
        wrong.append(("E_FORGE_APPROVAL", f"it is not number {expected} of its place."))
    if said.collector == transition.requester:
        message = f"{said.collector} asked for this move, and cannot collect for it."
        wrong.append(("E_SELF_APPROVAL", message))
    if said.collector not in found.sealed_by(ROLE) and not found.problems:
        message = f"{said.collector} has not signed it as {ROLE}."
        wrong.append(("E_UNSIGNED", message))
    return wrong


def _not_admitted(
    said: ForgeApproval, path: str, transition: Transition, policy: Policy
) -> list[Problem]:
    rules = policy.rules_for(transition.stage, transition.model)
    if rules is not None and said.source in rules.forges:
        return []
    message = f"the policy lets no review at {said.source} count in {transition.stage}."
    return [Problem("E_FORGE_SOURCE", message, path)]


def count(said: ForgeApproval, transition: Transition, policy: Policy) -> Heard:
    """Return what a statement adds, taken for right."""
    rules = policy.rules_for(transition.stage, transition.model)
    quorums = rules.quorums(transition.move) if rules is not None else ()
    roles = [quorum.role for quorum in quorums]
    weighed = weigh(
        said,
        owner_of=lambda number: policy.owner_of_account(said.source.forge, number),
        may_approve=lambda who: any(policy.has_role(who, role) for role in roles),
        requester=transition.requester,
    )
    return Heard(
        voices=tuple(
            Voice(who, role, direct=False)
            for who in weighed.approvals
            for role in roles
            if policy.has_role(who, role)
        ),
        rejections=weighed.rejections,
        said=said,
        weighed=weighed,
    )
