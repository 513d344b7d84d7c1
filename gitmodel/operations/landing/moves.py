"""What a change does to the pins: from where to where, by which gates and approvals."""

from __future__ import annotations

from contextlib import suppress
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from gitmodel.domain.gate_words import gate_words
from gitmodel.domain.gates import SoakGate
from gitmodel.domain.gating import Occasion, Standing, refused
from gitmodel.domain.moment import from_text
from gitmodel.domain.quorum import count
from gitmodel.domain.selector import Selector
from gitmodel.domain.semver import Version
from gitmodel.errors import GitmodelError
from gitmodel.operations.diff import diff
from gitmodel.registry import layout
from gitmodel.registry.attestations import require_attested
from gitmodel.registry.forge_approvals import hear
from gitmodel.registry.records import read_record
from gitmodel.registry.stage_log import read_history, transition_of
from gitmodel.registry.versions import load

if TYPE_CHECKING:
    from collections.abc import Iterator

    from gitmodel.domain.gates import Freeze, Gate
    from gitmodel.domain.stage_rules import StageRules
    from gitmodel.domain.transition import Transition
    from gitmodel.operations.diff import DiffResult
    from gitmodel.operations.landing.trial import Trial
    from gitmodel.registry.forge_approvals import Heard
    from gitmodel.registry.records import Record
    from gitmodel.registry.view import View


@dataclass(frozen=True, slots=True)
class GateRow:
    """One rule of a stage, and whether a version meets it.

    Attributes:
        gate: Its kind.
        asked: What it asks for.
        met: None where it cannot be told.
        message: What is found instead, if it is not met.
    """

    gate: str
    asked: str
    met: bool | None
    message: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class MoveRow:
    """One pin that would move.

    Attributes:
        action: promote, rollback or retire; None for a pin that moves without a
            transition.
        origin: The version that the stage holds now; None while it is empty.
        target: The version that it would hold; None if it becomes empty, or if that
            cannot be read.
        approvals: Who approved it, the requester aside.
        threshold: How many approvals it takes.
        needed: What it still lacks, in words.
        comparison: Of the two versions; None where one is missing.
    """

    model: str
    stage: str
    action: str | None
    origin: str | None
    target: str | None
    requester: str | None = None
    reason: str = ""
    incident: str | None = None
    approvals: tuple[str, ...] = ()
    rejections: tuple[str, ...] = ()
    threshold: int = 0
    needed: tuple[str, ...] = ()
    gates: tuple[GateRow, ...] = ()
    comparison: DiffResult | None = None


def moves_of(trial: Trial) -> Iterator[MoveRow]:
    """Yield every pin that a change moves, or whose log it extends."""
    numbers: dict[tuple[str, str], int] = {}
    for change in trial.changes:
        place = layout.classify(change.path)
        if place.kind in {"pin", "transition"}:
            key = place.stage, place.model
            seq = place.seq if change.status == "A" else 0
            numbers[key] = max(numbers.get(key, 0), seq)
    for (stage, model), seq in sorted(numbers.items()):
        row = _bare(trial, stage, model)
        if seq:
            with suppress(GitmodelError):  # what it is about is told as a problem
                row = _recorded(trial, row, seq)
        yield _compared(trial, row)


def _bare(trial: Trial, stage: str, model: str) -> MoveRow:
    held = []
    for view in (trial.base, trial.merged):
        pin = None
        with suppress(GitmodelError):
            pin = view.pin(stage, model)
        held.append(pin.release.version if pin else None)
    return MoveRow(
        model=model, stage=stage, action=None, origin=held[0], target=held[1]
    )


def _recorded(trial: Trial, row: MoveRow, seq: int) -> MoveRow:
    path = layout.transition_path(row.stage, row.model, seq)
    record = read_record(trial.merged, path, "transition", trusted=trial.base)
    if record is None:
        return row
    transition = transition_of(record)
    target = transition.target
    policy = trial.base.policy
    rules = policy.rules_for(row.stage, row.model)
    heard = hear(trial.merged, transition, record, policy, trusted=trial.base)
    return replace(
        _with_voices(row, transition, record, rules, heard),
        action=transition.action,
        target=target.version if target else None,
        requester=transition.requester,
        reason=transition.reason,
        incident=transition.incident,
        needed=tuple(
            each.message
            for each in trial.problems
            if each.code == "E_THRESHOLD" and each.path == path
        ),
        gates=tuple(_gates(trial, row, transition, rules)) if rules else (),
    )


def _with_voices(
    row: MoveRow,
    transition: Transition,
    record: Record,
    rules: StageRules | None,
    heard: Heard,
) -> MoveRow:
    """Return a row with who said what, by signature or by review."""
    quorums = rules.quorums(transition.move) if rules else ()
    judges = rules.judging_roles(transition.move) if rules else ()
    voices = (*record.voices(), *heard.voices)
    counts = count(quorums, voices, requester=transition.requester)
    rejections = {*record.rejected_by(*judges), *heard.refused(record)}
    return replace(
        row,
        approvals=tuple(sorted({who for each in counts for who in each.who})),
        rejections=tuple(sorted(rejections)),
        threshold=sum(each.quorum.threshold for each in counts),
    )


def _gates(
    trial: Trial, row: MoveRow, transition: Transition, rules: StageRules
) -> Iterator[GateRow]:
    target = transition.target
    if transition.action != "promote" or target is None:
        return
    view, model = trial.base, row.model
    if rules.source is not None:
        lived = read_history(view, rules.source, model).was_live(target.manifest)
        message = "" if lived else f"it has never been in {rules.source}"
        yield GateRow("from", f"it has been in {rules.source}", lived, message)
    gates: tuple[Gate | Freeze, ...] = (*rules.freeze, *rules.gates)
    if not gates:
        return
    try:
        version = _standing(trial.merged, model, target.version)
        held = _standing(view, model, row.origin) if row.origin else None
    except GitmodelError as error:
        for gate in gates:
            yield GateRow(*gate_words(gate), None, error.message)
        return
    soaks = {gate.stage for gate in rules.gates if isinstance(gate, SoakGate)}
    occasion = Occasion(
        now=from_text(transition.created_at),  # as history is judged
        held=held,
        histories={stage: read_history(view, stage, model) for stage in soaks},
    )
    nothing = replace(rules, freeze=(), gates=())
    for freeze in rules.freeze:
        yield _gate(freeze, replace(nothing, freeze=(freeze,)), version, occasion)
    for each in rules.gates:
        yield _gate(each, replace(nothing, gates=(each,)), version, occasion)


def _gate(
    gate: Gate | Freeze, rules: StageRules, version: Standing, occasion: Occasion
) -> GateRow:
    said = "; ".join(each.message for each in refused(rules, version, occasion))
    return GateRow(*gate_words(gate), not said, said)


def _standing(view: View, model: str, number: str) -> Standing:
    version = load(view, model, number).version
    attested = require_attested(view, model, number)
    return Standing.of(version.document, version.digest, attested)


def _compared(trial: Trial, row: MoveRow) -> MoveRow:
    if row.origin is None or row.target is None or row.origin == row.target:
        return row
    with suppress(GitmodelError):
        one, other = (
            Selector(model=row.model, kind="version", version=Version.parse(each))
            for each in (row.origin, row.target)
        )
        return replace(row, comparison=diff(trial.merged, one, other))
    return row
