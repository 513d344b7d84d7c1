"""What an incident still asks for before it is over (R180 to R182).

A rollback brings a stage back; it mends nothing. What is to be done follows from the
registry, so nobody keeps a list: only the root cause and the fix have to be said, and
they are said by closing.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from gitmodel.errors import GitmodelError
from gitmodel.registry import layout
from gitmodel.registry.attestations import read_rows
from gitmodel.registry.incident_links import (
    live_suspects,
    suspects_of,
    transitions_of,
)
from gitmodel.registry.late_reviews import review_of
from gitmodel.registry.model_checks import read_checks
from gitmodel.registry.quarantines import marks_of, require_not_quarantined
from gitmodel.registry.records import read_record
from gitmodel.registry.stage_log import require_sound_history
from gitmodel.registry.versions import load

if TYPE_CHECKING:
    from collections.abc import Iterator

    from gitmodel.registry.incident_links import Linked
    from gitmodel.registry.incidents import Incident
    from gitmodel.registry.view import View


@dataclass(frozen=True, slots=True, kw_only=True)
class Task:
    """One thing to do about an incident.

    Attributes:
        required: Whether the incident cannot be closed before.
        detail: What it is about, as a clause.
        command: What to run about it; "" for nothing.
    """

    name: str
    done: bool
    required: bool
    detail: str
    command: str = ""


def tasks_of(view: View, incident: str, found: Incident | None) -> tuple[Task, ...]:
    """Return what there is to do about an incident, and what of it is done.

    Args:
        view: The registry.
        incident: Its id.
        found: The incident; None if nobody opened it, and it is only named.

    Raises:
        IntegrityError: What it rests on is malformed.
    """
    tasks = [*_stopped(view, incident), *_quarantined(view, incident)]
    for linked in transitions_of(view, incident):
        if linked.transition.action == "rollback":
            tasks += [*_validated(view, linked), *_reviewed(view, linked)]
    closing = found.closing if found else None
    cause = closing.root_cause if closing else "say what caused it"
    fix = f"fixed in {closing.fixed_in}" if closing else "say what mends it"
    command = (
        f"gitmodel incident close {incident} --root-cause TEXT --fixed-in MODEL@V"
        if found
        else f"gitmodel incident open {incident} -m TITLE"
    )
    for name, detail in (("root cause", cause), ("fix", fix)):
        tasks.append(
            Task(
                name=name,
                done=closing is not None,
                required=True,
                detail=detail,
                command="" if closing else command,
            )
        )
    return tuple(tasks)


def unfinished(
    view: View, incident: str, fix: tuple[str, str] | None
) -> tuple[Task, ...]:
    """Return what stands in the way of closing an incident with a fix.

    Args:
        view: The registry.
        incident: Its id.
        fix: Model and version of what mends it; None for a fix elsewhere.

    Raises:
        IntegrityError: A log that this rests on is not sound.
        RefusedError: The fix is in quarantine (``E_QUARANTINED``).
    """
    suspects = suspects_of(view, incident)
    for model in sorted({suspect.model for suspect in suspects}):
        for stage in view.settings.stages:
            require_sound_history(view, stage, model)
    tasks = [task for task in _stopped(view, incident) if not task.done]
    if fix is not None:
        require_not_quarantined(view, *fix)
        manifest = load(view, *fix).version.digest
        if any(suspect.release.manifest == manifest for suspect in suspects):
            name = "@".join(fix)
            detail = f"{name} was taken out by it, so it cannot be what mends it"
            tasks.append(Task(name="fix", done=False, required=True, detail=detail))
    return tuple(tasks)


def _stopped(view: View, incident: str) -> Iterator[Task]:
    """Yield whether what the incident is about is out of use."""
    live = live_suspects(view, incident)
    for model, version, stage in live:
        yield Task(
            name="out of use",
            done=False,
            required=True,
            detail=f"{model}@{version} is still live in {stage}",
            command=f"gitmodel rollback {model} {stage} -m REASON "
            f"--incident {incident}",
        )
    if not live and (suspects := suspects_of(view, incident)):
        names = ", ".join(f"{each.model}@{each.release.version}" for each in suspects)
        yield Task(
            name="out of use",
            done=True,
            required=True,
            detail=f"{names} is live nowhere",
        )


def _quarantined(view: View, incident: str) -> Iterator[Task]:
    """Yield whether what was taken out can be used by nobody else either."""
    for model, release in suspects_of(view, incident):
        name = f"{model}@{release.version}"
        done = marks_of(view).reason(model, release.version) is not None
        yield Task(
            name="quarantine",
            done=done,
            required=False,
            detail=f"{name} is {'' if done else 'not '}in quarantine",
            command=""
            if done
            else f"gitmodel quarantine {name} -m REASON --incident {incident}",
        )


def _validated(view: View, linked: Linked) -> Iterator[Task]:
    """Yield whether what a rollback brought back was looked at, if there is a way."""
    move = linked.transition
    if not _has_checks(view, move.model):
        return
    target = move.target.version if move.target else ""
    said = [
        row.attestation.result
        for row in read_rows(view, move.model, target)
        if row.attestation is not None
        and not row.problem
        and row.attestation.aftermath is not None
        and row.attestation.aftermath.transition == linked.digest
    ]
    name = f"{move.model}@{target} in {move.stage}"
    passed = bool(said) and said[-1] == "passed"
    yield Task(
        name="validation",
        done=passed,
        required=False,
        detail=f"{name} {said[-1]} its validation after the rollback"
        if said
        else f"{name} was not validated after the rollback",
        command="" if passed else f"gitmodel validate {move.model} {move.stage}",
    )


def _has_checks(view: View, model: str) -> bool:
    try:
        return bool(read_checks(view, model))
    except GitmodelError:
        return False  # verify says what is wrong with its model.yaml


def _reviewed(view: View, linked: Linked) -> Iterator[Task]:
    """Yield whether a rollback that did not wait for approvals has them now."""
    move = linked.transition
    path = layout.transition_path(move.stage, move.model, move.seq)
    record = read_record(view, path, "transition")
    review = review_of(view, record) if record is not None else None
    if review is None:
        return
    name = f"rollback {move.seq} of {move.model} in {move.stage}"
    lacking = any(each.lacking for each in review.counts)
    if review.rejections:
        detail = f"{name} was rejected by {', '.join(review.rejections)}"
    elif lacking:
        detail = f"{name} asks for {review}"
    else:
        detail = f"{name} was approved afterwards"
    waits = lacking and not review.rejections
    yield Task(
        name="approval",
        done=not lacking and not review.rejections,
        required=False,
        detail=detail,
        command=f"gitmodel approve {move.model}#{move.stage}" if waits else "",
    )
