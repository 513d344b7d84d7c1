"""Land requests whose approvals suffice, in one commit on the main line."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from gitmodel.domain.digest import Digest
from gitmodel.domain.pin import Pin
from gitmodel.errors import GitmodelError, InputError, RefusedError
from gitmodel.formats.commit_message import CommitMessage
from gitmodel.operations.gates import decide_promotion
from gitmodel.operations.requests import (
    asking_role,
    move_row,
    require_fresh,
    version_of,
)
from gitmodel.operations.rollback_target import undone
from gitmodel.operations.soundness import require_sound_version, require_verified
from gitmodel.operations.together import join, together
from gitmodel.registry import layout, request_branches, requests
from gitmodel.registry.change import Change, Plan
from gitmodel.registry.forge_approvals import paths as statement_paths
from gitmodel.registry.parsing import as_found, parse
from gitmodel.registry.quarantines import require_not_quarantined
from gitmodel.registry.stage_log import require_sound_history
from gitmodel.registry.transaction import Mode, transact
from gitmodel.registry.versions import load

if TYPE_CHECKING:
    from collections.abc import Sequence

    from gitmodel.operations.requests import RequestRow
    from gitmodel.registry.handle import RegistryHandle
    from gitmodel.registry.requests import Request
    from gitmodel.registry.view import View


def finalize(handle: RegistryHandle, name: str, mode: Mode) -> RequestRow:
    """Land a request, and remove its branch.

    Raises:
        NotFoundError: There is no such request.
        ConflictError: It is stale.
        RefusedError: Approvals are lacking, someone rejected it, or a gate says no.
        IntegrityError: What it moves to, or the stage's log, is not sound.
    """

    def build(main: View) -> Plan[RequestRow]:
        return Plan(*_landing(handle, main, name))

    done = transact(handle, build, mode)
    if done.commit is not None:
        request_branches.drop(handle, done.result.branch, push=mode.push)
    return replace(done.result, commit=done.commit)


def finalize_batch(
    handle: RegistryHandle, names: Sequence[str], mode: Mode
) -> tuple[RequestRow, ...]:
    """Land several requests in one commit, or none, and remove their branches.

    Raises:
        InputError: Two of the names are of the same request.
        GitmodelError: As for one request, of any; all that is wrong is said at once.
    """

    def build(main: View) -> Plan[tuple[RequestRow, ...]]:
        changes: list[Change] = []
        rows: list[RequestRow] = []
        failures: list[tuple[str, GitmodelError]] = []
        for name in names:
            try:
                change, row = _landing(handle, main, name)
            except GitmodelError as error:
                failures.append((name, error))
                continue
            changes.append(change)
            rows.append(row)
        if failures:
            raise together(failures, len(names), "moves") from failures[0][1]
        for place, row in enumerate(rows):
            if row.branch in {each.branch for each in rows[:place]}:
                raise InputError(f"{names[place]} is named twice.")
        stages = dict.fromkeys(str(row.stage) for row in rows)
        return Plan(join(changes, where=", ".join(stages), reason=""), tuple(rows))

    done = transact(handle, build, mode)
    if done.commit is not None:
        for row in done.result:
            request_branches.drop(handle, row.branch, push=mode.push)
    return tuple(replace(row, commit=done.commit) for row in done.result)


def _landing(
    handle: RegistryHandle, main: View, name: str
) -> tuple[Change, RequestRow]:
    """Return the change that lands a request, and how it is told afterwards."""
    principal = handle.principal(main)
    request = requests.find(handle, main, name)
    _require_complete(main, request)
    _require_allowed(handle, main, request)
    change = Change(
        message=_message(request, _reverts(handle, main, request)),
        principal=principal,
        files=_files(request),
    )
    back = request.transition.action == "rollback"
    status = "rolled_back" if back else "promoted"
    return change, replace(move_row(request), status=status)


def _require_complete(main: View, request: Request) -> None:
    """Insist that everybody has said yes whom it takes, and nobody no."""
    require_fresh(request)
    role = asking_role(main, request)
    request.record.require_seal(role)
    if request.transition.requester not in request.record.sealed_by(role):
        raise RefusedError("Its requester has not signed it.", code="E_UNSIGNED")
    if request.rejections:
        raise RefusedError(
            f"{', '.join(request.rejections)} rejected this request.",
            "It can land when they approve it instead.",
            code="E_REJECTED",
        )
    if request.lacking:
        raise RefusedError(
            f"{request.lacking} of {request.threshold} approvals are lacking.",
            f"gitmodel approve {request.branch}  by another approver;  git fetch  "
            "brings those of others.",
            code="E_THRESHOLD",
        )


def _require_allowed(handle: RegistryHandle, main: View, request: Request) -> None:
    """Insist that the move itself still makes sense."""
    transition = request.transition
    stage, model = transition.stage, transition.model
    history, _ = require_sound_history(main, stage, model)
    if transition.action == "rollback":
        target = transition.target
        if target is None or not history.was_live(target.manifest):
            raise RefusedError(
                "It goes back to what was never live in this stage.",
                code="E_ROLLBACK_TO_NEVER_PROMOTED",
            )
        require_not_quarantined(main, model, target.version)
        require_sound_version(handle, main, model, target)
        return
    found = load(main, model, version_of(request))
    require_verified(main, found, late=False)
    now = handle.context.clock.now()
    decide_promotion(main, found, stage, now=now).require(
        f"Promoting {model}@{version_of(request)} to {stage}"
    )


def _reverts(handle: RegistryHandle, main: View, request: Request) -> tuple[str, ...]:
    """Return the commits that a rollback undoes."""
    transition = request.transition
    if transition.action != "rollback" or transition.target is None:
        return ()
    history, _ = require_sound_history(main, transition.stage, transition.model)
    tenure = history.latest_tenure(transition.target.manifest)
    return undone(handle, main, tenure)[1] if tenure is not None else ()


def _message(request: Request, reverts: tuple[str, ...]) -> CommitMessage:
    transition = request.transition
    before = transition.origin.version if transition.origin else "nothing"
    return CommitMessage(
        subject=f"{transition.action}({transition.model}): {transition.stage} "
        f"{before} -> {version_of(request)}",
        body=transition.reason,
        reverts=reverts,
        trailers=(
            ("Gitmodel-Action", transition.action),
            ("Gitmodel-Model", transition.model),
            ("Gitmodel-Stage", transition.stage),
            ("Gitmodel-To", version_of(request)),
            ("Gitmodel-Transition", str(request.record.digest)),
            ("Gitmodel-Incident", transition.incident or ""),
            ("Gitmodel-Principal", transition.requester),
            *(("Gitmodel-Approved-By", who) for who in request.approvals),
        ),
    )


def _files(request: Request) -> dict[str, bytes | None]:
    """Return the pin, the transition, every signature of it, and forges' words."""
    transition = request.transition
    pin_path = layout.pin_path(transition.stage, transition.model)
    directory = request.path.rpartition("/")[0]
    signatures = request.view.signatures_in(directory)
    # What a forge said wrongly counts for nothing, and must not stand in the log.
    said = [] if request.problems else statement_paths(request.view, transition)
    paths = [
        pin_path,
        *(
            each
            for path in (request.path, *said)
            for each in (path, *signatures.get(path, ()))
        ),
    ]
    files: dict[str, bytes | None] = {
        path: request.view.blob(path) or b"" for path in paths
    }
    with as_found():
        pin = parse("ModelPin", files[pin_path] or b"", pin_path, Pin.from_document)
    recorded = Digest.of(files[pin_path] or b"") == transition.pin
    if pin.release != transition.target or not recorded:
        raise RefusedError(
            f"{request.branch} moves the pin to {pin.release.version}, which is not "
            "what was approved.",
            code="E_PIN_MISMATCH",
        )
    return files
