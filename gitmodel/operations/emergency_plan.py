"""What an emergency would do, upon one view of the registry: steps, and one change.

What is live is captured before anything is planned (seed D1), and what this very commit
puts into quarantine is no target of it. What cannot be done is a step that failed, and
keeps nothing else from being planned (R181).
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Literal

from gitmodel.domain.quarantine import VersionSubject
from gitmodel.domain.quarantine_state import Marks
from gitmodel.domain.rollback_rules import RESPONDER
from gitmodel.errors import ConflictError, GitmodelError
from gitmodel.formats.commit_message import CommitMessage
from gitmodel.operations.incident import Words, entry_files
from gitmodel.operations.quarantine import quarantine_files
from gitmodel.operations.quarantine_drafting import draft
from gitmodel.operations.rollback_plan import Asked, RollbackResult, plan_rollback
from gitmodel.operations.together import join
from gitmodel.registry.change import Change
from gitmodel.registry.incidents import read_incident
from gitmodel.registry.quarantines import marks_of, origins_of, refusal
from gitmodel.registry.stage_log import require_sound_history

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from gitmodel.operations.rollback_target import Unfit
    from gitmodel.registry.handle import RegistryHandle
    from gitmodel.registry.view import View

Outcome = Literal["done", "unchanged", "failed"]

#: Characters that an incident's title and text may have.
_TITLE = 200
_TEXT = 4000


@dataclass(frozen=True, slots=True, kw_only=True)
class Step:
    """One thing that an emergency does, and what came of it.

    Attributes:
        name: rollback, quarantine, incident or push.
        subject: What it was done to, such as ``fraud#production``.
        error: Why it failed; None if it did not.
    """

    name: str
    subject: str
    outcome: Outcome
    detail: str
    error: GitmodelError | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class EmergencyResult:
    """What an emergency did.

    Attributes:
        status: ``partial`` if a pin could not go back, ``unchanged`` if this incident
            took all of them back before.
        members: The rollbacks that were made, or had been.
        quarantined: What was live, as ``MODEL@VERSION``.
        elsewhere: Model, version and stage of what is in quarantine by this, and still
            live in another stage.
        commit: None for a plan, or if nothing changed.
        pushed: Whether the remote has it; None if nobody asked for that, or there is
            none.
    """

    status: Literal["rolled_back", "partial", "planned", "unchanged"]
    incident: str
    members: tuple[RollbackResult, ...]
    quarantined: tuple[str, ...]
    elsewhere: tuple[tuple[str, str, str], ...]
    steps: tuple[Step, ...]
    branch: str
    commit: str | None = None
    pushed: bool | None = None

    @property
    def failure(self) -> GitmodelError | None:
        """The first thing that could not be done; None if everything was."""
        return next((step.error for step in self.steps if step.error), None)


class Night:
    """One plan of an emergency, upon one view of the registry."""

    def __init__(
        self,
        handle: RegistryHandle,
        view: View,
        incident: str,
        reason: str,
        every: Sequence[Asked],
    ) -> None:
        self._handle = handle
        self._view = view
        self._incident = incident
        self._reason = reason
        self._every = every
        self._steps: list[Step] = []
        self._captured: dict[VersionSubject, None] = {}

    def plan(self) -> tuple[EmergencyResult, Change | None]:
        """Return what comes of it, and the change; None if all is so already.

        Raises:
            GitmodelError: Nothing at all can be done; the first reason why.
        """
        principal = self._handle.acting_as(self._view, RESPONDER)
        pending = [asked for asked in self._every if self._capture(asked)]
        if not pending:
            self._require_done()
        members, changes = self._rollbacks(pending)
        files = self._quarantine(principal) if pending else {}
        # Who asks in vain, again and again, does not fill the log with it.
        is_news = bool(changes or files) or not self._is_open()
        change = None
        if pending and is_news:
            files |= self._entry(members)
            change = self._change(principal, changes, files)
        failed = any(step.outcome == "failed" for step in self._steps)
        status: Literal["rolled_back", "partial", "unchanged"] = "unchanged"
        if change is not None or failed:
            status = "partial" if failed else "rolled_back"
        result = EmergencyResult(
            status=status,
            incident=self._incident,
            members=tuple(members),
            quarantined=tuple(map(str, self._captured)),
            elsewhere=tuple(self._elsewhere()),
            steps=tuple(self._steps),
            branch="",
        )
        return result, change

    def _is_open(self) -> bool:
        found = read_incident(self._view, self._incident)
        return found is not None and found.is_open

    def _require_done(self) -> None:
        for step in self._steps:
            if step.error is not None:
                raise step.error

    def _tell(
        self,
        name: str,
        subject: str,
        outcome: Outcome,
        detail: str,
        error: GitmodelError | None = None,
    ) -> None:
        self._steps.append(
            Step(
                name=name, subject=subject, outcome=outcome, detail=detail, error=error
            )
        )

    def _capture(self, asked: Asked) -> bool:
        """Take note of what is live; say whether there is anything to do about it."""
        view, subject = self._view, f"{asked.model}#{asked.stage}"
        try:
            view.settings.require_stage(asked.stage)
            view.versions(asked.model)
            history, _ = require_sound_history(view, asked.stage, asked.model)
        except GitmodelError as error:
            self._tell("rollback", subject, "failed", error.message, error)
            return False
        last = history.transitions[-1] if history.transitions else None
        if (
            last is not None
            and last.emergency
            and last.incident == self._incident
            and asked.to is None
        ):
            back = last.target.version if last.target else "nothing"
            said = f"{self._incident} took it back to {back} already"
            self._tell("rollback", subject, "unchanged", said)
            return False
        live = history.current
        if asked.expect is not None and (live is None or live.manifest != asked.expect):
            moved = ConflictError(
                f"{subject} holds something else by now, which this is not about.",
                f"gitmodel log {asked.model} --stage {asked.stage}  shows who moved it",
                code="E_STAGE_MOVED",
            )
            self._tell("rollback", subject, "failed", moved.message, moved)
            return False
        if live is not None:
            self._captured[VersionSubject(asked.model, live.version, live.manifest)] = (
                None
            )
        return True

    def _unfit(self) -> Unfit | None:
        """Return what raises for a version that this very commit makes unfit."""
        if not self._captured:
            return None
        view, captured = self._view, tuple(self._captured)
        document = draft(
            self._handle, view, "quarantine", captured, self._reason, self._incident
        )
        marks = Marks(
            {**marks_of(view).subjects, **dict.fromkeys(captured, document)},
            lambda model, version: origins_of(view, model, version),
        )

        def require_fit(model: str, version: str) -> None:
            reason = marks.reason(model, version)
            if reason is not None:
                raise refusal(f"{model}@{version}", reason)

        return require_fit

    def _rollbacks(
        self, pending: Sequence[Asked]
    ) -> tuple[list[RollbackResult], list[Change]]:
        members, changes = [], []
        unfit = self._unfit()
        for asked in pending:
            subject = f"{asked.model}#{asked.stage}"
            try:
                planned = plan_rollback(self._handle, self._view, asked, unfit)
            except GitmodelError as error:
                self._tell("rollback", subject, "failed", error.message, error)
                continue
            members.append(planned.result)
            if planned.moved is None:
                said = f"it holds {planned.result.target} already"
                self._tell("rollback", subject, "unchanged", said)
                continue
            changes.append(planned.moved.change)
            said = f"{planned.result.origin} -> {planned.result.target}"
            self._tell("rollback", subject, "done", said)
        return members, changes

    def _quarantine(self, principal: str) -> dict[str, bytes]:
        if not self._captured:
            return {}
        names = ", ".join(map(str, self._captured))
        signed = quarantine_files(
            self._handle,
            self._view,
            tuple(self._captured),
            self._reason,
            self._incident,
            principal,
        )
        if signed is None:
            self._tell("quarantine", names, "unchanged", "it was in quarantine already")
            return {}
        self._tell("quarantine", names, "done", signed.path)
        return dict(signed.files)

    def _entry(self, members: Sequence[RollbackResult]) -> dict[str, bytes]:
        told = [
            f"{member.model} in {member.stage}: {member.origin} -> {member.target}"
            for member in members
        ]
        told += [f"quarantined {each}" for each in self._captured]
        told += [
            f"could not go back: {step.subject}: {step.detail}"
            for step in self._steps
            if step.outcome == "failed"
        ]
        words = Words(
            title=self._reason.strip().partition("\n")[0][:_TITLE],
            text="\n".join((self._reason, *told))[:_TEXT],
            severity="critical",
            models=tuple(dict.fromkeys(asked.model for asked in self._every)),
            stages=tuple(dict.fromkeys(asked.stage for asked in self._every)),
        )
        signed = entry_files(self._handle, self._view, self._incident, words)
        self._tell("incident", self._incident, "done", signed.path)
        return dict(signed.files)

    def _elsewhere(self) -> Iterator[tuple[str, str, str]]:
        """Yield where what was captured is live, and nobody asked to take it back."""
        asked = {(each.model, each.stage) for each in self._every}
        for subject in self._captured:
            for stage in self._view.settings.stages:
                pin = self._view.pin(stage, subject.model)
                held = pin is not None and pin.release.manifest == subject.manifest
                if held and (subject.model, stage) not in asked:
                    yield subject.model, subject.version, stage

    def _change(
        self, principal: str, changes: Sequence[Change], files: dict[str, bytes]
    ) -> Change:
        stages = ", ".join(dict.fromkeys(asked.stage for asked in self._every))
        if changes:
            change = join(changes, where=stages, reason=self._reason)
            return replace(change, files={**change.files, **files})
        names = ", ".join(f"{asked.model}#{asked.stage}" for asked in self._every)
        return Change(
            message=CommitMessage(
                subject=f"incident({self._incident}): no way back for {names}",
                body=self._reason,
                trailers=(
                    ("Gitmodel-Action", "incident"),
                    ("Gitmodel-Incident", self._incident),
                    ("Gitmodel-Principal", principal),
                ),
            ),
            principal=principal,
            files=dict(files),
        )
