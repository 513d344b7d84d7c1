"""Which command gets people out of a refusal: first undo, then the right way."""

from __future__ import annotations

import shlex
from typing import TYPE_CHECKING

from gitmodel.domain.pin import Pin
from gitmodel.errors import GitmodelError
from gitmodel.registry import layout
from gitmodel.registry.parsing import parse

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from gitmodel.domain.problem import Problem
    from gitmodel.operations.hooks.staged import Staged

#: What has gone wrong inside a file that people may edit, so that they go on editing.
_EDITABLE = frozenset({"settings", "model"})
_TEXT = frozenset(
    {"E_SCHEMA", "E_YAML", "E_YAML_ALIAS", "E_API_VERSION", "E_KIND", "E_LIMIT"}
)


_REGISTER = "gitmodel register {0.model} FILE… --bump patch"
#: What makes such a document by the rules, as a format of its place.
_WAYS: Mapping[layout.Kind, str] = {
    "manifest": _REGISTER,
    "artifact": _REGISTER,
    "oms": _REGISTER,
    "attestation": "gitmodel attest {0.model}@{0.version} {0.name} FILE",
    "transition": "gitmodel rollback {0.model} {0.stage} -m REASON",
    "forge_approval": "gitmodel approvals collect {0.model}#{0.stage} --pr N",
    "policy": "gitmodel policy --help",
    "review": "gitmodel policy review --sign-off",
    "incident": "gitmodel incident note {0.name} -m TEXT",
    "quarantine": "gitmodel quarantine MODEL@VERSION -m WHY",
}


def remedies(staged: Staged, problem: Problem) -> tuple[str, ...]:
    """Return what to run, in order."""
    return tuple(dict.fromkeys(_remedies(staged, problem)))


def _remedies(staged: Staged, problem: Problem) -> Iterator[str]:
    path = problem.path
    change = next((c for c in staged.changes if c.path == path), None)
    place = layout.classify(path)
    if problem.code == "E_ATTRIBUTES":
        yield f"echo '{_LFS_LINE}' >> {_FILE} && git add {_FILE}"
        return
    if problem.code == "E_MODE" and change and change.new_mode == _EXECUTABLE:
        yield f"git update-index --chmod=-x -- {shlex.quote(path)}"
        return
    if (
        problem.code in _TEXT
        and place.kind in _EDITABLE
        and (change is None or change.status != "D")
    ):
        yield f"git add -- {shlex.quote(path)}  once it is mended"
        return
    if change is None:
        yield "gitmodel verify"
        return
    if change.status == "A":
        yield f"git rm --cached -- {shlex.quote(path)}"
    else:
        yield f"git restore --staged --worktree -- {shlex.quote(path)}"
    if problem.code != "E_SECRET" and (way := right_way(path, _data(staged, path))):
        yield way


def _data(staged: Staged, path: str) -> bytes | None:
    if layout.classify(path).kind != "pin":
        return None
    return staged.blobs([c for c in staged.changes if c.path == path]).get(path)


_EXECUTABLE = 0o100755
_FILE = layout.ATTRIBUTES
_LFS_LINE = f"{layout.ARTIFACTS_PATTERN} filter=lfs diff=lfs merge=lfs -text"


def right_way(path: str, data: bytes | None) -> str:
    """Return the command that makes such a change by the rules; "" for none.

    Args:
        path: What was changed by hand.
        data: Its new bytes; None if it is gone, or they do not matter.
    """
    place = layout.classify(path)
    document = layout.classify(place.document) if place.document else place
    if document.kind == "pin":
        return _move(path, data, place.model, place.stage)
    if document.kind == "attestation" and document.name == "postrollback":
        return f"gitmodel validate {place.model} STAGE"
    if document.kind == "attestation" and document.name == "drill":
        return f"gitmodel drill {place.model} STAGE --record"
    return _WAYS.get(document.kind, "").format(document)


def _move(path: str, data: bytes | None, model: str, stage: str) -> str:
    """Return the command that moves a pin to where somebody wrote it by hand."""
    try:
        pin = parse("ModelPin", data, path, Pin.from_document) if data else None
    except GitmodelError:
        pin = None
    if pin is None:
        return f"gitmodel rollback {model} {stage} -m REASON"
    return f"gitmodel promote {model}@{pin.release.version} {stage}"
