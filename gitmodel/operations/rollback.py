"""Take a stage back to what it held before: a revert that keeps the log.

The pin gets back the very bytes it had; the commits that moved it since are
named as git's own revert would name them; a signed rollback joins the log. The
target's signatures and bytes are verified before anything moves (R141 to R144;
seeds D1 to D3, D13: the promotion gate has no say here). Where the stage asks for
approvals first, the rollback waits for them on a branch, as a promotion does (R145).
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Literal

from gitmodel.adapters.git.history import first_parent_line
from gitmodel.domain.digest import Digest
from gitmodel.domain.metrics import Delta, compare
from gitmodel.domain.names import model_name
from gitmodel.domain.semver import Version
from gitmodel.errors import (
    ConflictError,
    GitmodelError,
    IntegrityError,
    NotFoundError,
)
from gitmodel.operations.asking import ask
from gitmodel.operations.fetching import fetch_sound_version
from gitmodel.operations.gates import approvals_needed
from gitmodel.operations.moves import Move, record_move
from gitmodel.operations.sighting import look
from gitmodel.registry import layout
from gitmodel.registry.change import Plan
from gitmodel.registry.requests import branch_of
from gitmodel.registry.stage_log import require_sound_history
from gitmodel.registry.transaction import Mode, transact
from gitmodel.registry.versions import load
from gitmodel.registry.view import View

if TYPE_CHECKING:
    from gitmodel.domain.history import StageHistory, Tenure
    from gitmodel.domain.pin import Release
    from gitmodel.operations.moves import Moved
    from gitmodel.registry.handle import RegistryHandle


@dataclass(frozen=True, slots=True, kw_only=True)
class RollbackResult:
    """What a rollback did, or would do.

    Attributes:
        origin: The version that the stage held before.
        target: The version that it holds now.
        reverts: The commits that were undone, newest first.
        skipped: Versions that were passed over as last known good, with the reason.
        target_since: When the target was promoted to the stage.
        origin_since: When what is live now came in.
        deltas: How the metrics change from ``origin`` to ``target``.
        commit: None for a plan or a dry run.
        branch: The branch that has the commit; a request's own while it is pending.
        needed: What a pending rollback still lacks.
    """

    status: Literal["rolled_back", "pending", "planned", "unchanged"]
    model: str
    stage: str
    origin: str
    target: str
    reverts: tuple[str, ...]
    incident: str | None
    transition: str | None
    seq: int
    target_since: str
    origin_since: str
    deltas: tuple[Delta, ...]
    skipped: tuple[tuple[str, str], ...]
    commit: str | None = None
    branch: str = ""
    needed: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class _Outcome:
    """A result, and the change that must wait for approvals on a branch."""

    result: RollbackResult
    proposal: tuple[View, Moved] | None = None


def rollback(
    handle: RegistryHandle,
    model: str,
    stage: str,
    *,
    to: str | None = None,
    reason: str,
    incident: str | None = None,
    mode: Mode | None = None,
) -> RollbackResult:
    """Take ``stage`` back to its last known good, or to version ``to``.

    Raises:
        NotFoundError: The stage is empty, or has nothing to go back to.
        ConflictError: ``to`` was never live there, or somebody else moved the stage
            first.
        RefusedError: The signer may not roll back this stage.
        IntegrityError: The target's bytes or signatures, or the log, are not sound.
    """
    mode = mode or Mode()
    branch = handle.writable_branch().removeprefix("refs/heads/")
    seen = look(handle, model, stage)

    def build(view: View) -> Plan[_Outcome]:
        view.settings.require_stage(stage)
        view.versions(model_name(model))
        rules = view.policy.rules_for(stage, model)
        role = rules.requester_role("rollback") if rules else "responder"
        principal = handle.acting_as(view, role)
        history, records = require_sound_history(view, stage, model)
        seen.require_unmoved(history, records)
        if history.current is None:
            raise NotFoundError(f"Stage {stage} holds no version of {model}")
        tenure, skipped = (
            (_named(handle, view, model, stage, history, to), ())
            if to is not None
            else _last_known_good(handle, view, model, stage, history)
        )
        result = RollbackResult(
            status="unchanged",
            model=model,
            stage=stage,
            origin=history.current.version,
            target=tenure.release.version,
            reverts=(),
            incident=incident,
            transition=None,
            seq=len(records),
            target_since=tenure.began.created_at,
            origin_since=history.transitions[-1].created_at,
            deltas=_deltas(view, model, history.current, tenure.release),
            skipped=skipped,
            branch=branch,
        )
        if tenure.ended is None:
            return Plan(None, _Outcome(result))
        pin, reverts = undone(handle, view, tenure)
        moved = record_move(
            handle,
            view,
            Move(
                action="rollback",
                model=model,
                stage=stage,
                target=tenure.release,
                pin=pin,
                history=history,
                records=records,
                principal=principal,
                role=role,
                reason=reason,
                incident=incident,
                reverts=reverts,
            ),
        )
        done = replace(
            result,
            status="planned" if mode.dry_run else "rolled_back",
            reverts=reverts,
            transition=str(moved.digest),
            seq=moved.transition.seq,
        )
        needed = approvals_needed(view, stage, model, "rollback")
        if not needed and not mode.by_request:
            return Plan(moved.change, _Outcome(done))
        done = replace(
            done,
            status=done.status if mode.dry_run else "pending",
            branch=branch_of(stage, model, moved.transition.seq),
            needed=tuple(refusal.message for refusal in needed),
        )
        return Plan(None, _Outcome(done, (view, moved)))

    done = transact(handle, build, mode)
    result, proposal = done.result.result, done.result.proposal
    if proposal is None:
        return replace(result, commit=done.commit)
    commit, waiting = ask(handle, *proposal, result.branch, mode)
    return replace(result, commit=commit, transition=waiting)


def _named(
    handle: RegistryHandle,
    view: View,
    model: str,
    stage: str,
    history: StageHistory,
    to: str,
) -> Tenure:
    version = str(Version.parse(to))
    found = load(view, model, version)
    tenure = history.latest_tenure(found.version.digest)
    if tenure is None:
        lived = dict.fromkeys(stay.release.version for stay in history.tenures())
        raise ConflictError(
            f"{model}@{version} has never been in {stage}: that would be a promotion.",
            f"Versions that were: {', '.join(lived)}",
            f"gitmodel promote {model}@{version} {stage}",
            code="E_ROLLBACK_TO_NEVER_PROMOTED",
        )
    fetch_sound_version(handle, view, model, tenure.release)
    return tenure


def _last_known_good(
    handle: RegistryHandle,
    view: View,
    model: str,
    stage: str,
    history: StageHistory,
) -> tuple[Tenure, tuple[tuple[str, str], ...]]:
    """Return the first good candidate, and why better ones were passed over."""
    skipped: list[tuple[str, str]] = []
    failure: GitmodelError | None = None
    for release in history.last_known_good():
        try:
            fetch_sound_version(handle, view, model, release)
        except GitmodelError as error:
            skipped.append((release.version, error.message))
            failure = failure or error
            continue
        tenure = history.latest_tenure(release.manifest)
        if tenure is None:
            raise AssertionError("a candidate comes from the history")
        return tenure, tuple(skipped)
    hint = (
        f"gitmodel rollback {model} {stage} --to VERSION -m REASON  goes further back;",
        f"gitmodel log {model} --stage {stage}  shows them.",
    )
    if failure is not None:
        # What stands in the way decides the exit code: missing bytes or bad ones.
        tried = "; ".join(f"{version}: {why}" for version, why in skipped)
        raise type(failure)(
            f"Stage {stage} has no version of {model} to go back to that verifies "
            f"now. {tried}",
            *failure.hints,
            *hint,
            code=failure.code,
            problems=failure.problems,
        )
    raise NotFoundError(
        f"Stage {stage} has no last known good of {model}: nothing else was live "
        "there that did not itself leave by a rollback.",
        *hint,
        code="E_NO_KNOWN_GOOD",
    )


def undone(
    handle: RegistryHandle, view: View, tenure: Tenure
) -> tuple[bytes, tuple[str, ...]]:
    """Return the pin's bytes in ``tenure``, and the commits that moved it since.

    Raises:
        IntegrityError: The history never had such a pin.
    """
    path = layout.pin_path(tenure.began.stage, tenure.began.model)
    reverts: list[str] = []
    for commit, _ in first_parent_line(
        handle.repository, str(view.commit), paths=(path,)
    ):
        data = View(handle.reader, commit).blob(path)
        if data is not None and Digest.of(data) == tenure.began.pin:
            return data, tuple(reverts)
        reverts.append(commit)
    raise IntegrityError(
        f"The history has no pin such as transition {tenure.began.seq} recorded.",
        "gitmodel verify  shows everything that is wrong.",
        code="E_TRANSITION_UNRECORDED",
    )


def _deltas(
    view: View, model: str, origin: Release, target: Release
) -> tuple[Delta, ...]:
    before = load(view, model, origin.version).version.metrics
    after = load(view, model, target.version).version.metrics
    return compare(before, after)
