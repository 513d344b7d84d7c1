"""The log of a stage: its transitions, read in order and checked as a chain."""

from __future__ import annotations

from typing import TYPE_CHECKING

from gitmodel.domain.digest import Digest
from gitmodel.domain.history import StageHistory
from gitmodel.domain.transition import Transition
from gitmodel.errors import IntegrityError
from gitmodel.formats import schema, yaml_quick, yaml_reader
from gitmodel.registry import layout
from gitmodel.registry.records import Record, read_record

if TYPE_CHECKING:
    from collections.abc import Iterator

    from gitmodel.registry.view import View


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
    records = []
    for seq in sequence_numbers(view, stage, model):
        path = layout.transition_path(stage, model, seq)
        record = read_record(view, path, "transition")
        if record is not None:
            records.append(record)
    return tuple(records)


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
        InputError: It is malformed.
    """
    try:
        return Transition.from_document(record.document)
    except (KeyError, TypeError, AttributeError):
        schema.require("Transition", record.document, record.path)
        raise


def read_history(view: View, stage: str, model: str) -> StageHistory:
    """Return what a stage has held, as its log tells it, for people to look at."""
    records = read_records(view, stage, model)
    return StageHistory(tuple(map(transition_of, records)))


def read_histories(view: View, model: str) -> dict[str, StageHistory]:
    """Return the history of a model in every stage, in the registry's order."""
    return {stage: read_history(view, stage, model) for stage in view.settings.stages}


def require_sound_history(
    view: View, stage: str, model: str
) -> tuple[StageHistory, tuple[Record, ...]]:
    """Return a history that decisions may rest on, with its records.

    Every link must be signed by its requester, numbered without a gap and name
    the digest of the link before; the newest must agree with the pin.

    Raises:
        IntegrityError: One is not.
    """
    records = read_records(view, stage, model)
    history = StageHistory(tuple(map(transition_of, records)))
    prior = None
    for number, (record, transition) in enumerate(
        zip(records, history.transitions, strict=True), start=1
    ):
        role = role_for(view, transition)
        record.require_seal(role)
        if transition.requester not in record.sealed_by(role):
            raise _broken(record.path, "its requester has not signed it", "E_UNSIGNED")
        if (transition.seq, transition.stage, transition.model) != (
            number,
            stage,
            model,
        ):
            raise _broken(record.path, "it is out of sequence", "E_TRANSITION_SEQ")
        if transition.prior != prior:
            raise _broken(
                record.path, "it does not follow the one before", "E_TRANSITION_PRIOR"
            )
        prior = record.digest
    pin = view.pin(stage, model)
    held = pin.release if pin else None
    if held != history.current:
        raise _broken(
            layout.pin_path(stage, model),
            "the pin is not what the log says",
            "E_TRANSITION_UNRECORDED",
        )
    return history, records


def role_for(view: View, transition: Transition) -> str:
    """Return the role in which a transition's requester must act."""
    if transition.action != "rollback":
        return "promoter"
    edition = view.edition_of(transition.policy) or view.edition
    rules = edition.policy.rules_for(transition.stage)
    return rules.rollback_role if rules else "responder"


def _broken(path: str, what: str, code: str) -> IntegrityError:
    return IntegrityError(
        f"The log of this stage is broken at {path}: {what}.",
        "gitmodel verify  shows everything that is wrong.",
        code=code,
    )
