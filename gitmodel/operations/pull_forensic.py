"""What is in quarantine is pulled by nobody, but by those who look into it (R177).

They get it with a note that says why, and so that no program of theirs writes to it.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from gitmodel.domain.quarantine import FORENSIC_ROLES
from gitmodel.errors import RefusedError
from gitmodel.operations.pull_target import NOTE, expected_files, files_in
from gitmodel.registry.quarantines import quarantined, refusal

if TYPE_CHECKING:
    from pathlib import Path

    from gitmodel.domain.manifest import ModelVersion
    from gitmodel.registry.handle import RegistryHandle
    from gitmodel.registry.view import View

_MODE = 0o400
_ADVICE = """
Nothing here is to be run, loaded or deployed. It was pulled to be looked into.
"""


def require_usable(view: View, model: str, version: str) -> None:
    """Insist that a version is not in quarantine.

    Raises:
        RefusedError: It is (``E_QUARANTINED``).
    """
    reason = quarantined(view, model, version)
    if reason is not None:
        said = refusal(f"{model}@{version}", reason)
        raise RefusedError(
            said.message,
            *said.hints,
            f"gitmodel pull {model}@{version} --forensic  by a responder or an "
            "auditor gets it, to look into it.",
            code=said.code,
        )


def forensic_note(
    handle: RegistryHandle, view: View, model: str, version: str
) -> bytes:
    """Return what a forensic pull leaves beside the files.

    Raises:
        RefusedError: The signer is neither responder nor auditor.
    """
    principal = handle.principal(view)
    if not any(view.policy.has_role(principal, role) for role in FORENSIC_ROLES):
        raise RefusedError(
            f"{principal} is neither responder nor auditor, and cannot pull for "
            "forensics.",
            "gitmodel policy show  lists who is.",
            code="E_ROLE",
        )
    reason = quarantined(view, model, version)
    why = (
        f"{model}@{version} is in quarantine: {reason}"
        if reason is not None
        else f"{model}@{version} was pulled for forensics; it is not in quarantine"
    )
    return f"{why}.\n{_ADVICE}".encode()


def seal_off(directory: Path, note: bytes) -> None:
    """Add the note, and let nobody write to any file.

    Raises:
        OSError: The file system does not take it.
    """
    (directory / NOTE).write_bytes(note)
    for path in directory.rglob("*"):
        if path.is_file():
            path.chmod(_MODE)


def holds_note(target: Path, version: ModelVersion, note: bytes | None) -> bool:
    """Say whether a directory has the files of a pull, and the note that it must have.

    Raises:
        OSError: It cannot be looked at.
    """
    expected = expected_files(version)
    if note is None:
        return files_in(target) == expected
    return (
        files_in(target) == expected | {NOTE} and (target / NOTE).read_bytes() == note
    )
