"""Puts gitmodel's hooks into a clone, beside those that are there, and takes them out.

A hook that somebody else put there, such as that of git-lfs, is kept under the name
``HOOK.before-gitmodel``; ours runs it first, and uninstalling puts it back as it was.
Where another tool did the same to ours (``pre-commit install`` calls it
``HOOK.legacy``), ours is left where it is, for that tool runs it.
"""

from __future__ import annotations

import shlex
import shutil
from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal

from gitmodel import resources
from gitmodel.adapters.git.hooks_dir import HooksDirectory, hooks_directory
from gitmodel.errors import ConflictError, OutsideError

if TYPE_CHECKING:
    from pathlib import Path

    from gitmodel.adapters.git.repository import Repository

HOOKS = (
    "pre-commit",
    "pre-merge-commit",
    "prepare-commit-msg",
    "commit-msg",
    "post-commit",
    "pre-push",
)
_MARK = b"# gitmodel hook "
_KEPT = ".before-gitmodel"
_LEGACY = ".legacy"
#: More of a file than says whose hook it is; some people have programs there.
_HEAD = 4096
_EXECUTABLE = 0o755
_OWNERS = (
    (b"git lfs", "git-lfs"),
    (b"pre-commit.com", "pre-commit"),
    (b"husky", "husky"),
)

State = Literal["installed", "outdated", "chained", "foreign", "absent"]


@dataclass(frozen=True, slots=True)
class Program:
    """What the hooks start.

    Attributes:
        python: The interpreter.
        package: Where it finds gitmodel.
    """

    python: Path
    package: Path


@dataclass(frozen=True, slots=True)
class HookRow:
    """One hook of a clone.

    Attributes:
        state: ``installed``; ``outdated`` if it is ours, but not as it would be
            written now; ``chained`` if another tool's hook runs ours; ``foreign`` if
            there is only somebody else's; ``absent``.
        other: Whose hook runs with ours, or in its place; "" for nobody's.
    """

    hook: str
    path: Path
    state: State
    other: str = ""


def install(
    repository: Repository, program: Program, *, shared: bool = False
) -> tuple[HookRow, ...]:
    """Put every hook in place; those that are there already are left as they are.

    Args:
        repository: The clone.
        program: What the hooks start.
        shared: Also where other repositories use the same hooks.

    Raises:
        ConflictError: Others use them too, or somebody's hook would be lost.
        OutsideError: They cannot be written.
    """
    directory = _directory(repository, shared=shared)
    places = {hook: _place(directory.path / hook) for hook in HOOKS}
    for path in places.values():
        _require_room(path)
    try:
        directory.path.mkdir(parents=True, exist_ok=True)
        for hook, path in places.items():
            _write(path, _script(hook, program))
    except OSError as error:
        raise _unwritable(directory.path, error) from error
    return status(repository, program)


def uninstall(repository: Repository, program: Program) -> tuple[HookRow, ...]:
    """Take out what :func:`install` put there, and put back what was there before.

    Raises:
        OutsideError: They cannot be written.
    """
    directory = hooks_directory(repository).path
    try:
        for hook in HOOKS:
            path, kept = _place(directory / hook), directory / f"{hook}{_KEPT}"
            if not _is_ours(path):
                continue  # never installed, or somebody has written over it
            if _exists(kept):
                kept.replace(path)
            else:
                path.unlink()
    except OSError as error:
        raise _unwritable(directory, error) from error
    return status(repository, program)


def status(repository: Repository, program: Program) -> tuple[HookRow, ...]:
    """Say what there is of each hook."""
    directory = hooks_directory(repository).path
    return tuple(_row(directory / hook, program) for hook in HOOKS)


def summary(repository: Repository) -> tuple[bool, str]:
    """Say whether plain commits are checked here, and by what, for ``doctor``."""
    path = hooks_directory(repository).path / HOOKS[0]
    missing = [h for h in HOOKS if not _is_ours(_place(path.with_name(h)))]
    if not missing:
        return True, "installed"
    if _owner(path) == "pre-commit":
        return True, "left to pre-commit"
    if len(missing) < len(HOOKS):
        return False, f"not installed: {', '.join(missing)}"
    return False, "not installed; commits and pushes with plain git are not checked"


def _row(path: Path, program: Program) -> HookRow:
    hook, place = path.name, _place(path)
    if not _is_ours(place):
        state: State = "foreign" if _exists(path) else "absent"
        return HookRow(hook, path, state, _owner(path))
    if place != path:
        return HookRow(hook, path, "chained", _owner(path))
    current = place.read_bytes() == _script(hook, program)
    kept = path.with_name(f"{hook}{_KEPT}")
    return HookRow(hook, path, "installed" if current else "outdated", _owner(kept))


def _place(path: Path) -> Path:
    """Return where ours is, or would be: another tool may have moved it."""
    legacy = path.with_name(f"{path.name}{_LEGACY}")
    return legacy if not _is_ours(path) and _is_ours(legacy) else path


def _directory(repository: Repository, *, shared: bool) -> HooksDirectory:
    if repository.work_tree is None:
        raise ConflictError(
            "This is a bare repository: these hooks are for clones in which people "
            "commit.",
            "gitmodel hook pre-receive  is for servers.",
            code="E_BARE",
        )
    found = hooks_directory(repository)
    if found.path.exists() and not found.path.is_dir():
        raise ConflictError(
            f"Hooks are switched off here: core.hooksPath is {found.path}",
            "git config --unset core.hooksPath  switches them on.",
            code="E_HOOKS_PATH",
        )
    if found.shared and not shared:
        raise ConflictError(
            f"All your repositories have their hooks in {found.path}, by "
            "core.hooksPath.",
            f"git config core.hooksPath {shlex.quote(str(repository.common_dir))}/hooks"
            "  gives this clone its own;",
            "gitmodel hooks install --shared  installs for all of them; in what is no "
            "registry it does nothing.",
            code="E_HOOKS_PATH",
        )
    return found


def _require_room(path: Path) -> None:
    """Insist that nobody's hook would be lost.

    Raises:
        ConflictError: There are two: one that was kept, and one that came later.
    """
    kept = path.with_name(f"{path.name.removesuffix(_LEGACY)}{_KEPT}")
    if _is_ours(path) or not (_exists(path) and _exists(kept)):
        return
    if _content(path) != _content(kept):
        raise ConflictError(
            f"Somebody has written over gitmodel's hook {path}, and an older one is "
            f"kept in {kept}",
            f"diff {shlex.quote(str(kept))} {shlex.quote(str(path))}  shows both; "
            "remove the one that you do not want, then run the command again.",
            code="E_HOOK_KEPT",
        )


def _write(path: Path, script: bytes) -> None:
    """Write one hook, so that at any moment there is a whole one."""
    if _exists(path) and not _is_ours(path):
        kept = path.with_name(f"{path.name}{_KEPT}")
        if not _exists(kept):
            shutil.copy2(path, kept, follow_symlinks=False)
    elif _exists(path) and path.read_bytes() == script and _runs(path):
        return
    temporary = path.with_name(f".{path.name}.gitmodel-tmp")
    temporary.write_bytes(script)
    temporary.chmod(_EXECUTABLE)
    temporary.replace(path)


def _script(hook: str, program: Program) -> bytes:
    body = resources.template(f"hooks/client/{hook}.sh").rstrip("\n")
    text = resources.template("hooks/client/hook.sh")
    for name, value in (
        ("@HOOK@", hook),
        ("@PYTHON@", shlex.quote(str(program.python))),
        ("@PACKAGE@", shlex.quote(str(program.package))),
        ("@BODY@", body),
    ):
        text = text.replace(name, value)
    return text.encode("utf-8", "surrogateescape")


def _is_ours(path: Path) -> bool:
    return _MARK in _content(path)


def _owner(path: Path) -> str:
    """Return whose hook it is, as far as one can tell; "" for none."""
    if not _exists(path):
        return ""
    content = _content(path)
    named = (name for words, name in _OWNERS if words in content)
    return next(named, "another hook")


def _content(path: Path) -> bytes:
    try:
        with path.open("rb") as file:
            return file.read(_HEAD)
    except OSError:
        return b""


def _exists(path: Path) -> bool:
    return path.is_symlink() or path.exists()


def _runs(path: Path) -> bool:
    return bool(path.stat().st_mode & 0o100)


def _unwritable(path: Path, error: OSError) -> OutsideError:
    return OutsideError(
        f"The hooks in {path} cannot be written: {error.strerror}",
        "Look who owns the directory.",
    )
