"""The log of a stage: its transitions, read in order and checked as a chain."""

from __future__ import annotations

from typing import TYPE_CHECKING

from gitmodel.domain.digest import Digest
from gitmodel.domain.history import StageHistory
from gitmodel.domain.problem import Problem
from gitmodel.domain.quorum import shortfall
from gitmodel.domain.transition import Transition
from gitmodel.errors import IntegrityError
from gitmodel.formats import schema, yaml_quick, yaml_reader
from gitmodel.registry import layout
from gitmodel.registry.forge_approvals import hear
from gitmodel.registry.hold_releases import read_released
from gitmodel.registry.incidents import incident_ids
from gitmodel.registry.parsing import as_found
from gitmodel.registry.records import Record, read_record

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from gitmodel.registry.view import View


def logged_stages(view: View) -> tuple[str, ...]:
    """Return the registry's stages, and any other that has a log.

    ``gitmodel.yaml`` is not signed: who takes a stage out of it hides nothing.
    """
    return tuple(dict.fromkeys((*view.settings.stages, *sorted(view.names("log")))))


def sequence_numbers(view: View, stage: str, model: str) -> tuple[int, ...]:
    """Return the numbers of the transitions of a pin, ascending."""
    directory = layout.log_dir(stage, model)
    return tuple(
        sorted(
            place.seq
            for name in view.names(directory)
            if (place := layout.classify(f"{directory}/{name}")).kind == "transition"
        )
    )


def read_records(view: View, stage: str, model: str) -> tuple[Record, ...]:
    """Return the signed transitions of a pin, oldest first."""
    return view.once(("log", stage, model), lambda: _read_records(view, stage, model))


def _read_records(view: View, stage: str, model: str) -> tuple[Record, ...]:
    paths = [
        layout.transition_path(stage, model, seq)
        for seq in sequence_numbers(view, stage, model)
    ]
    signatures = view.signatures_in(layout.log_dir(stage, model))
    view.read_ahead(
        each for path in paths for each in (path, *signatures.get(path, ()))
    )
    records = (read_record(view, path, "transition") for path in paths)
    return tuple(record for record in records if record is not None)


def read_proved(
    view: View, stage: str, model: str
) -> Iterator[tuple[Transition, Digest]]:
    """Yield the transitions of a pin, oldest first, with no look at signatures.

    For a commit that was verified before, or is being verified beside this.
    """
    paths = [
        layout.transition_path(stage, model, seq)
        for seq in sequence_numbers(view, stage, model)
    ]
    oids = [entry.oid for path in paths if (entry := view.entry(path)) is not None]
    for path, (_, data) in zip(paths, view.reader.read_many(oids), strict=True):
        document = yaml_quick.value_of(data) or yaml_reader.read(data, path).value
        yield Transition.from_document(document), Digest.of(data)


def transition_of(record: Record) -> Transition:
    """Return the transition that a record holds.

    Raises:
        IntegrityError: It is malformed.
    """
    with as_found():
        schema.require("Transition", record.document, record.path)
        return Transition.from_document(record.document)


def read_history(view: View, stage: str, model: str) -> StageHistory:
    """Return what a stage has held, as its log tells it, for people to look at."""
    records = read_records(view, stage, model)
    transitions = tuple(map(transition_of, records))
    digests = [record.digest for record in records]
    return StageHistory(
        transitions, read_released(view, stage, model, transitions, digests)
    )


def read_histories(view: View, model: str) -> dict[str, StageHistory]:
    """Return the history of a model in every stage, in the registry's order."""
    return {stage: read_history(view, stage, model) for stage in view.settings.stages}


def require_sound_history(
    view: View, stage: str, model: str
) -> tuple[StageHistory, tuple[Record, ...]]:
    """Return a history that decisions may rest on, with its records.

    Every link must be signed as the policy of its time asks and follow the one
    before; the pin must be, byte for byte, what the newest recorded.

    Raises:
        IntegrityError: One is not.
    """
    records = read_records(view, stage, model)
    done: list[Transition] = []
    prior: Digest | None = None
    for number, record in enumerate(records, start=1):
        transition = transition_of(record)
        record.require_seal(role_for(view, transition))
        place = layout.classify(record.path)
        problems = link_problems(view, record, transition, done, prior)
        if place.seq != number:
            problems.insert(0, missing_link(number, record.path))
        if problems:
            raise _broken(problems[0])
        done.append(transition)
        prior = record.digest
    path = layout.pin_path(stage, model)
    data = view.blob(path)
    recorded = done[-1].pin if done else None
    if (Digest.of(data) if data is not None else None) != recorded:
        raise _broken(unrecorded(path))
    digests = [record.digest for record in records]
    released = read_released(view, stage, model, done, digests)
    history = StageHistory(tuple(done), released)
    pin = view.pin(stage, model)
    if (pin.release if pin else None) != history.current:
        raise _broken(unrecorded(path))
    return history, records


def link_problems(
    view: View,
    record: Record,
    transition: Transition,
    done: Sequence[Transition],
    prior: Digest | None,
) -> list[Problem]:
    """Say what is wrong with the next link of a log, besides its own signatures.

    Args:
        view: Where it stands.
        record: The document.
        transition: What it says.
        done: The transitions before it, oldest first.
        prior: Digest of the last of them; None before the first.
    """
    path = record.path
    place = layout.classify(path)
    found: list[Problem] = []
    role = role_for(view, transition)
    landed = record.under(transition.policy)  # who approved later did not let it land
    if record.seals and transition.requester not in landed.sealed_by(role):
        said = f"its requester {transition.requester} has not signed it as {role}."
        found.append(Problem("E_UNSIGNED", said, path))
    if (transition.stage, transition.model, transition.seq) != (
        place.stage,
        place.model,
        place.seq,
    ):
        said = (
            f"it is transition {transition.seq} of {transition.model} in "
            f"{transition.stage}, not of its place."
        )
        found.append(Problem("E_TRANSITION_PATH", said, path))
    if transition.prior != prior:
        said = "it does not follow the one before."
        found.append(Problem("E_TRANSITION_PRIOR", said, path))
    if transition.origin != (done[-1].target if done else None):
        said = "it starts from what the stage did not hold."
        found.append(Problem("E_TRANSITION_PRIOR", said, path))
    if transition.emergency and transition.incident not in incident_ids(view):
        found.append(Problem("E_INCIDENT", unopened(transition), path))
    target = transition.target
    if transition.action == "rollback" and (
        target is None or not StageHistory(tuple(done)).was_live(target.manifest)
    ):
        said = "it goes back to what was never live in this stage."
        found.append(Problem("E_ROLLBACK_TO_NEVER_PROMOTED", said, path))
    return found + _policy_problems(view, record, transition)


def _policy_problems(
    view: View, record: Record, transition: Transition
) -> list[Problem]:
    """Say how a transition falls short of the policy that it was made under."""
    edition = view.edition_of(transition.policy)
    if edition is None:
        said = f"it was made under policy {transition.policy}, which is not here."
        return [Problem("E_OTHER_POLICY", said, record.path)]
    rules = edition.policy.rules_for(transition.stage, transition.model)
    if rules is None:
        said = f"the policy knows no stage {transition.stage}"
        return [Problem("E_STAGE", said, record.path)]
    heard = hear(view, transition, record, edition.policy)
    return [
        *heard.problems,
        *(
            Problem("E_THRESHOLD", f"{transition.stage} asks for {short}.", record.path)
            for short in shortfall(
                rules.quorums(transition.move),
                (*record.under(transition.policy).voices(), *heard.voices),
                requester=transition.requester,
            )
        ),
    ]


def unopened(transition: Transition) -> str:
    """Return what to say of an emergency in an incident that nobody opened."""
    return f"it is an emergency of incident {transition.incident}, which is not here."


def missing_link(number: int, path: str) -> Problem:
    """Return the problem of a log that has a gap before ``path``."""
    return Problem("E_TRANSITION_SEQ", f"transition {number} is missing.", path)


def unrecorded(path: str) -> Problem:
    """Return the problem of a pin that its log does not account for."""
    said = "the pin is not what the newest transition recorded."
    return Problem("E_TRANSITION_UNRECORDED", said, path)


def role_for(view: View, transition: Transition) -> str:
    """Return the role in which a transition's requester must act."""
    edition = view.edition_of(transition.policy) or view.edition
    rules = edition.policy.rules_for(transition.stage, transition.model)
    if rules is None:
        return "responder" if transition.action == "rollback" else "promoter"
    return rules.requester_role(transition.move)


def _broken(problem: Problem) -> IntegrityError:
    return IntegrityError(
        f"The log of this stage is broken: {problem.path}: {problem.message}",
        "gitmodel verify  shows everything that is wrong.",
        code=problem.code,
        problems=[problem.to_dict()],
    )
