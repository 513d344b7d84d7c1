"""What this machine lets a registry run or write, beyond the registry itself.

A registry may name programs and files: of a sink, a probe, a check. Whoever can push
can write such a name, so it counts for nothing until somebody at this machine says the
same: ``gitmodel.allow`` in git's configuration, any number of times, each an absolute
path. That configuration never travels with a clone. Includes are not followed, since
many people include a file of the work tree.

Addresses are named there as well: what a registry sends to, or shows a secret to.
"""

from __future__ import annotations

import os
import re
import shlex
import urllib.parse
from pathlib import Path
from typing import TYPE_CHECKING

from gitmodel.adapters.programs import find_program
from gitmodel.errors import NotFoundError, RefusedError

if TYPE_CHECKING:
    from gitmodel.adapters.git.repository import Repository

KEY = "gitmodel.allow"
#: Their arguments are programs.
_RUNS_ANYTHING = re.compile(
    r"(?:|ba|da|a|z|k|c|tc|fi)sh|busybox|env|sudo|doas|ssh|xargs|find|node|php|lua|"
    r"[gm]?awk|(?:python|pypy|perl|ruby)[0-9.]*"
)
_WARNING = (
    "Better not: everybody who pushes chooses what it is to run. Allow a program that "
    "does one thing."
)
_PORTS = {"http": 80, "https": 443}


def require_allowed(repository: Repository, program_or_path: str) -> Path:
    """Return the path of a program, or of a file to write, if this machine allows it.

    Both sides are compared after resolving symbolic links. What is returned is spelt
    as the machine spells it: another name for the same program may make it behave in
    another way (R143).

    Args:
        repository: Whose configuration is asked.
        program_or_path: An absolute path, or the bare name of a program on PATH.

    Raises:
        NotFoundError: PATH has no program of that name.
        RefusedError: It is not allowed here (``E_NOT_ALLOWED``).
    """
    wanted = _absolute(program_or_path)
    target = _resolved(wanted)
    spellings = [path for path in _allowed(repository) if _resolved(path) == target]
    if target is None or not spellings:
        named = shlex.quote(str(wanted))
        hints = [f"git config --add {KEY} {named}  allows it, in this clone alone."]
        if _RUNS_ANYTHING.fullmatch(wanted.name):
            hints.insert(0, _WARNING)
        raise RefusedError(
            f"This machine does not let a registry use {wanted}",
            *hints,
            code="E_NOT_ALLOWED",
        )
    if _travels(repository, target):
        raise RefusedError(
            f"{wanted} is in the work tree, where everybody who pushes can change it.",
            f"Copy it out of the registry, and allow the copy:  git config --add {KEY} "
            "PATH",
            code="E_NOT_ALLOWED",
        )
    return wanted if wanted in spellings else spellings[0]


def require_allowed_address(repository: Repository, address: str) -> None:
    """Insist that this machine lets a registry send something to an address.

    Allowing an address allows what is below it: ``https://hooks.example.com`` a whole
    server, ``https://hooks.example.com/ops`` a part of it.

    Args:
        repository: Whose configuration is asked.
        address: Such as ``https://hooks.example.com/ops/7`` or ``smtp://HOST:587``.

    Raises:
        RefusedError: It is not allowed here (``E_NOT_ALLOWED``).
    """
    wanted = _parts(address)
    if wanted is None:
        raise RefusedError(
            f"{address!r} is no plain address, so nothing can allow it.",
            code="E_NOT_ALLOWED",
        )
    allowed = (_parts(value) for value in _values(repository) if "://" in value)
    if any(each is not None and _is_below(wanted, each) for each in allowed):
        return
    parts = urllib.parse.urlsplit(address)
    shown = f"{wanted[0]}://{parts.netloc}{parts.path}"
    raise RefusedError(
        f"This machine does not let a registry send anything to {shown}",
        f"git config --add {KEY} {shlex.quote(shown)}  allows it, in this clone alone.",
        code="E_NOT_ALLOWED",
    )


def _parts(address: str) -> tuple[str, str, list[str]] | None:
    """Return scheme, host with port, and path; None if that is not for certain."""
    try:
        found = urllib.parse.urlsplit(address)
        # A mail server is one, on whichever of its ports.
        port = 0 if found.scheme == "smtp" else found.port or _PORTS[found.scheme]
    except (ValueError, KeyError):
        return None
    # No server reads these in the same way as every other one.
    strange = any(odd in found.path for odd in ("%", "//")) or "\\" in address
    names = [name for name in found.path.split("/") if name]
    upwards = any(name.partition(";")[0] in {".", ".."} for name in names)
    if strange or upwards or not address.isprintable():
        return None
    if "@" in found.netloc or not found.hostname:
        return None
    host = f"[{found.hostname}]" if ":" in found.hostname else found.hostname
    return found.scheme, f"{host}:{port}", names


def _is_below(
    wanted: tuple[str, str, list[str]], allowed: tuple[str, str, list[str]]
) -> bool:
    depth = len(allowed[2])
    return wanted[:2] == allowed[:2] and wanted[2][:depth] == allowed[2]


def _absolute(text: str) -> Path:
    if os.path.isabs(text) and "\0" not in text:  # noqa: PTH117 as it is spelt
        return Path(text)
    if not text or "/" in text or "\0" in text or text in {".", ".."}:
        raise RefusedError(
            f"{text!r} is neither an absolute path nor the name of a program.",
            "Name a program as PATH has it, or a file by its whole path.",
            code="E_NOT_ALLOWED",
        )
    found = find_program(text)
    if found is None:
        raise NotFoundError(
            f"There is no program {text!r} on PATH.",
            "Install it, or name it by its absolute path.",
        )
    return found


def _allowed(repository: Repository) -> list[Path]:
    return [path for path in map(Path, _values(repository)) if path.is_absolute()]


def _values(repository: Repository) -> list[str]:
    _, listed = repository.git.attempt(
        "config", "--no-includes", "--type=path", "-z", "--get-all", KEY
    )
    return [os.fsdecode(value) for value in listed.split(b"\0") if value]


def _resolved(path: Path) -> Path | None:
    """Return the path without symbolic links; None if they go round in circles."""
    try:
        found = path.resolve()
    except (OSError, RuntimeError):
        return None
    return None if found.is_symlink() else found


def _travels(repository: Repository, target: Path) -> bool:
    """Say whether commits can change what is at ``target``."""
    tree = repository.work_tree
    if tree is None or not target.is_relative_to(tree.resolve()):
        return False
    private = (repository.common_dir.resolve(), repository.git_dir.resolve())
    return not any(target.is_relative_to(place) for place in private)
