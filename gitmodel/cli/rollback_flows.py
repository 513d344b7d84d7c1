"""What ``gitmodel rollback`` goes through: one pin, several together, an emergency."""

from __future__ import annotations

import sys
from dataclasses import dataclass
from typing import TYPE_CHECKING

import click

from gitmodel.cli.forges import find_place, open_pull_request
from gitmodel.cli.rollback_rendering import (
    emergency_json,
    emergency_text,
    follow_up_json,
    follow_up_text,
    next_steps,
    review_steps,
    rollback_json,
    rollback_text,
)
from gitmodel.errors import GitmodelError
from gitmodel.operations import recovery
from gitmodel.operations.rollback import rollback, rollback_all

if TYPE_CHECKING:
    from gitmodel.cli.forges import At
    from gitmodel.cli.session import Session
    from gitmodel.operations.delivery import Delivery
    from gitmodel.operations.recovery import FollowUp
    from gitmodel.operations.rollback_plan import RollbackResult
    from gitmodel.registry.transaction import Mode

#: What is live now failed its validation, as ``gitmodel validate`` says it.
FAILED = 3


@dataclass(frozen=True, slots=True, kw_only=True)
class Wish:
    """What somebody wants to be taken back.

    Attributes:
        places: Pairs of model and stage.
        skip: Carry out no checks afterwards.
        yes: Ask no question.
        at: Where a pull request would be opened.
    """

    places: tuple[tuple[str, str], ...]
    reason: str
    incident: str | None
    to: str | None
    mode: Mode
    skip: bool
    yes: bool
    at: At

    def command(self, *, emergency: bool = False) -> str:
        """Return what to run once a plan has been looked at."""
        (model, stage), *others = self.places
        words = [f"gitmodel rollback {model} {stage}"]
        words += [f"--also {other}#{where}" for other, where in others]
        words += [f"--to {self.to}"] if self.to else []
        words += ["--emergency"] if emergency else []
        words += [f"--incident {self.incident}"] if self.incident else []
        words += ["--skip-validation"] if self.skip else []
        words += ["--pr"] if self.mode.by_request else []
        return " ".join((*words, "-m REASON"))

    def care(self, session: Session, *, emergency: bool = False) -> recovery.Care:
        """Return how what was taken back is looked after."""
        return recovery.Care(
            mode=self.mode, emergency=emergency, skip=self.skip, tell=session.step
        )


def one_flow(session: Session, wish: Wish) -> int:
    """Take one pin back, or ask others for it; return the exit code."""
    [place] = wish.places
    asked = follow_up = None
    told: tuple[Delivery, ...] = ()
    with session.open_closing() as handle:
        handle.writable_branch()  # where nothing can be changed, nobody is alarmed
        forge = find_place(handle, wish.at) if wish.mode.by_request else None
        try:
            result = rollback(
                handle,
                *place,
                to=wish.to,
                reason=wish.reason,
                incident=wish.incident,
                mode=wish.mode,
            )
        except GitmodelError as error:
            if not wish.mode.dry_run:
                recovery.report_failure(handle, place, error, incident=wish.incident)
            raise
        if result.status == "pending" and not wish.mode.dry_run:
            asked = open_pull_request(handle, forge, result.branch)
        if result.status == "rolled_back":
            follow_up = recovery.look_after(handle, (result,), wish.care(session))
            told = recovery.report(handle, (result,), follow_up, reason=wish.reason)
    session.answer(
        rollback_json(result) | follow_up_json(follow_up, told, asked),
        _joined(session, [rollback_text(session, result, asked)], follow_up),
    )
    _hint(session, result, wish)
    return _code(follow_up)


def several_flow(session: Session, wish: Wish) -> int:
    """Take several pins back in one commit, or none; return the exit code."""
    follow_up = None
    told: tuple[Delivery, ...] = ()
    with session.open_closing() as handle:
        result = rollback_all(
            handle,
            wish.places,
            reason=wish.reason,
            incident=wish.incident,
            mode=wish.mode,
        )
        made = [each for each in result.members if each.commit]
        if made:
            follow_up = recovery.look_after(handle, made, wish.care(session))
            told = recovery.report(handle, made, follow_up, reason=wish.reason)
    answer = {
        "status": result.status,
        "incident": wish.incident,
        "rollbacks": [rollback_json(each) for each in result.members],
        "branch": result.branch,
        "commit": result.commit,
    }
    texts = [rollback_text(session, each) for each in result.members]
    session.answer(
        answer | follow_up_json(follow_up, told), _joined(session, texts, follow_up)
    )
    if result.status == "planned":
        session.hint(wish.command())
    for step in review_steps(result.members):
        session.hint(step)
    return _code(follow_up)


def emergency_flow(session: Session, wish: Wish) -> int:
    """Take pins back whatever stands in the way; return the exit code."""
    if not wish.yes and not wish.mode.dry_run:
        _confirm(wish.places)
    # An ordinary rollback needs nothing of this.
    from gitmodel.operations.emergency import emergency

    incident = str(wish.incident)
    follow_up = None
    told: tuple[Delivery, ...] = ()
    with session.open_closing() as handle:
        handle.writable_branch()
        wait = None
        if not wish.mode.dry_run:
            wait = recovery.announce(
                handle, wish.places, reason=wish.reason, incident=incident
            )
        result = emergency(
            handle,
            wish.places,
            incident=incident,
            reason=wish.reason,
            to=wish.to,
            mode=wish.mode,
        )
        if wait is not None:
            made = [each for each in result.members if each.commit]
            care = wish.care(session, emergency=True)
            follow_up = recovery.look_after(handle, made, care)
            after = recovery.report_emergency(
                handle, result, follow_up, reason=wish.reason
            )
            told = (*wait(), *after)
        has_remote = bool(handle.repository.remotes())
    session.answer(
        emergency_json(result, has_remote=has_remote) | follow_up_json(follow_up, told),
        _joined(session, [emergency_text(result)], follow_up),
    )
    if result.status == "planned":
        session.hint(wish.command(emergency=True))
    for step in next_steps(result, has_remote=has_remote):
        session.hint(step)
    if result.failure is not None:
        return result.failure.exit_code
    return _code(follow_up)


def _joined(session: Session, texts: list[str], follow_up: FollowUp | None) -> str:
    after = follow_up_text(session, follow_up) if follow_up is not None else ""
    return "\n\n".join(filter(None, (*texts, after)))


def _code(follow_up: FollowUp | None) -> int:
    return 0 if follow_up is None or follow_up.is_well else FAILED


def _hint(session: Session, result: RollbackResult, wish: Wish) -> None:
    model, stage = result.model, result.stage
    if result.status == "pending":
        session.hint(f"gitmodel approve {model}#{stage}  by somebody else.")
    elif result.status == "planned":
        session.hint(wish.command())
    elif result.status == "rolled_back":
        session.hint(f"gitmodel verify {model}#{stage}")
        for step in review_steps((result,)):
            session.hint(step)


def _confirm(places: tuple[tuple[str, str], ...]) -> None:
    """Ask once, where somebody can answer.

    Raises:
        click.UsageError: Nobody can.
        click.Abort: They said no.
    """
    names = ", ".join(f"{model}#{stage}" for model, stage in places)
    if not sys.stdin.isatty():
        raise click.UsageError("Nobody can be asked here: add --yes.")
    click.confirm(
        f"Take {names} back now, and quarantine what is live?", abort=True, err=True
    )
