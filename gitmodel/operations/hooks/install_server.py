"""Set up a bare repository on a server: the hook, and what git itself can refuse."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from gitmodel import resources
from gitmodel.adapters.git.repository import Repository
from gitmodel.errors import ConflictError, OutsideError

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    from gitmodel.domain.digest import Digest

TEMPLATE = "hooks/server/pre-receive"
_MARK = "gitmodel pre-receive hook"
#: git refuses malformed objects, and packs that are larger than anybody may push.
_SETTINGS = {
    "receive.fsckObjects": "true",
    "receive.maxInputSize": str(1 << 30),
    "core.logAllRefUpdates": "true",
}


@dataclass(frozen=True, slots=True)
class Installed:
    """A repository whose pushes are judged.

    Attributes:
        hook: The file that git runs.
        changed: Whether anything had to be done.
        settings: What git's configuration says there now.
    """

    path: Path
    hook: Path
    changed: bool
    settings: dict[str, tuple[str, ...]]


def install_server(
    directory: Path,
    program: Path,
    *,
    protect: Sequence[str] = (),
    root: Digest | None = None,
    lfs: Path | None = None,
) -> Installed:
    """Install the hook into a repository that people push to.

    Running it again changes nothing but what is given anew.

    Args:
        directory: The repository, bare or the ``.git`` of one.
        program: The gitmodel that the hook runs.
        protect: Branches that hold the registry; none for the one that HEAD names.
        root: Digest that policy 1 must have.
        lfs: Directory of LFS objects on this machine.

    Raises:
        ConflictError: Another hook is there already.
        OutsideError: The repository cannot be written.
    """
    repository = Repository.receiving(directory, {})
    hook = _hooks(repository) / "pre-receive"
    text = resources.template(TEMPLATE)
    before = _read(hook)
    if before is not None and _MARK not in before:
        raise ConflictError(
            f"There is another hook at {hook}",
            "Let it call  gitmodel hook pre-receive  with the same standard input, and "
            "end with its exit code;",
            "or move it away, then run the command again.",
            code="E_HOOK_EXISTS",
        )
    wanted: dict[str, tuple[str, ...]] = {
        **{key: (value,) for key, value in _SETTINGS.items()},
        "gitmodel.program": (str(program),),
    }
    if protect:
        wanted["gitmodel.protected"] = tuple(protect)
    if root is not None:
        wanted["gitmodel.root"] = (str(root),)
    if lfs is not None:
        wanted["gitmodel.lfs"] = (str(lfs),)
    changed = before != text
    for key, values in wanted.items():
        if repository.config_all(key) != values:
            changed = True
            _set(repository, key, values)
    try:
        hook.parent.mkdir(parents=True, exist_ok=True)
        hook.write_text(text, encoding="utf-8")
        hook.chmod(0o755)
    except OSError as error:
        raise OutsideError(f"{hook} cannot be written: {error.strerror}") from error
    return Installed(repository.git_dir, hook, changed, wanted)


def _hooks(repository: Repository) -> Path:
    """Return where git looks for hooks; ours are off whenever gitmodel runs git."""
    for scope in ("--local", "--global", "--system"):
        _, found = repository.git.attempt("config", scope, "--path", "core.hooksPath")
        if found:
            return repository.git_dir / found.decode().rstrip("\n")
    return repository.git_dir / "hooks"


def _read(path: Path) -> str | None:
    try:
        return path.read_text(encoding="utf-8", errors="replace")
    except FileNotFoundError:
        return None


def _set(repository: Repository, key: str, values: Sequence[str]) -> None:
    repository.git.run("config", "--local", "--unset-all", key, accept=(0, 5))
    for value in values:
        repository.git.run("config", "--local", "--add", key, value)
