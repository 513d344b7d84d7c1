"""Which command gets people out of a refusal: first undo, then the right way."""

from __future__ import annotations

import shlex
from typing import TYPE_CHECKING

from gitmodel.domain.pin import Pin
from gitmodel.errors import GitmodelError
from gitmodel.registry import layout
from gitmodel.registry.parsing import parse

if TYPE_CHECKING:
    from collections.abc import Iterator

    from gitmodel.domain.problem import Problem
    from gitmodel.operations.hooks.staged import Staged

#: What has gone wrong inside a file that people may edit, so that they go on editing.
_EDITABLE = frozenset({"settings", "model"})
_TEXT = frozenset(
    {"E_SCHEMA", "E_YAML", "E_YAML_ALIAS", "E_API_VERSION", "E_KIND", "E_LIMIT"}
)


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
    if problem.code != "E_SECRET":
        yield from _right_way(staged, path, place)


_EXECUTABLE = 0o100755
_FILE = layout.ATTRIBUTES
_LFS_LINE = f"{layout.ARTIFACTS_PATTERN} filter=lfs diff=lfs merge=lfs -text"


def _right_way(staged: Staged, path: str, place: layout.Place) -> Iterator[str]:
    """Yield the command that makes such a change by the rules."""
    document = layout.classify(place.document) if place.document else place
    model, stage = place.model or "MODEL", place.stage or "STAGE"
    match document.kind:
        case "manifest" | "artifact" | "oms":
            yield f"gitmodel register {model} FILE… --bump patch"
        case "attestation":
            yield f"gitmodel attest {model}@{place.version} {document.name} FILE"
        case "pin":
            yield _move(staged, path, model, stage)
        case "transition":
            yield f"gitmodel rollback {model} {stage} -m REASON"
        case "policy":
            yield "gitmodel policy --help"
        case "review":
            yield "gitmodel policy review --sign-off"
        case _:
            return


def _move(staged: Staged, path: str, model: str, stage: str) -> str:
    """Return the command that moves a pin to where somebody wrote it by hand."""
    data = staged.blobs([c for c in staged.changes if c.path == path]).get(path)
    try:
        pin = parse("ModelPin", data, path, Pin.from_document) if data else None
    except GitmodelError:
        pin = None
    if pin is None:
        return f"gitmodel rollback {model} {stage} -m REASON"
    return f"gitmodel promote {model}@{pin.release.version} {stage}"
