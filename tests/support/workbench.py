"""A real registry in a temporary directory, and hands to work on it."""

from __future__ import annotations

import hashlib
import shutil
import subprocess
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from tests.support.cli import Answer, gitmodel

if TYPE_CHECKING:
    from pathlib import Path


def git(cwd: Path, *args: str | Path, ok: bool = True) -> str:
    """Run plain git, as a user without gitmodel would."""
    done = subprocess.run(
        ["git", *map(str, args)], cwd=cwd, capture_output=True, text=True, check=False
    )
    assert done.returncode == 0 or not ok, done.stderr
    return done.stdout.rstrip("\n")


@dataclass(frozen=True)
class Snapshot:
    """Everything that a refused command must leave as it was."""

    refs: str
    status: str
    staged: str
    files: tuple[tuple[str, str], ...]
    objects: frozenset[str]


@dataclass(frozen=True)
class Workbench:
    """A registry at ``path``; ``outside`` is a directory beside it for files."""

    path: Path
    outside: Path

    def run(self, *args: str | Path) -> Answer:
        """Run a command in the registry, whatever comes out."""
        return gitmodel(*args, cwd=self.path)

    def do(self, *args: str | Path) -> Any:
        """Run a command that must succeed; return its JSON."""
        answer = gitmodel("--json", *args, cwd=self.path)
        assert answer.code == 0, f"{args}: {answer.code}\n{answer.err}{answer.out}"
        return answer.json

    def git(self, *args: str | Path, ok: bool = True) -> str:
        """Run plain git in the registry."""
        return git(self.path, *args, ok=ok)

    def file(self, name: str, data: bytes = b"weights") -> Path:
        """Write a file outside the registry."""
        path = self.outside / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(data)
        return path

    def register(
        self, model: str = "fraud", version: str = "1.0.0", data: bytes | None = None
    ) -> Any:
        """Register one file whose bytes differ from version to version."""
        content = data if data is not None else f"{model} {version}".encode()
        file = self.file(f"{model}-{version}/model.bin", content)
        return self.do("register", model, file, "--version", version, "--no-capture")

    def promote(self, selector: str, *stages: str) -> list[Any]:
        """Promote through stages in turn."""
        return [self.do("promote", selector, stage) for stage in stages]

    def live(self, model: str, stage: str) -> str | None:
        """Return the version that a stage holds."""
        for row in self.do("list")["models"]:
            if row["model"] == model:
                version: str | None = row["stages"][stage]
                return version
        return None

    def object_path(self, digest: str) -> Path:
        """Return where the LFS object of a sha256 is."""
        oid = digest.removeprefix("sha256:")
        return self.path / ".git/lfs/objects" / oid[:2] / oid[2:4] / oid

    def tamper(self, selector: str) -> None:
        """Change the bytes of a version's only artifact in the store, not its size."""
        [artifact] = self.do("show", selector)["artifacts"]
        path = self.object_path(artifact["sha256"])
        path.chmod(0o644)
        path.write_bytes(b"X" * artifact["size"])

    def commit_file(self, path: str, data: bytes | None, message: str = "hand") -> str:
        """Commit a change with plain git and no filters, as an attacker would."""
        target = self.path / path
        if data is None:
            self.git("rm", "-q", "--", path)
        else:
            target.parent.mkdir(parents=True, exist_ok=True)
            target.write_bytes(data)
            off = ("-c", "filter.lfs.process=", "-c", "filter.lfs.clean=")
            self.git(*off, "-c", "filter.lfs.required=false", "add", "-f", "--", path)
        self.git("commit", "-qm", message)
        return self.git("rev-parse", "HEAD")

    def verify(self, *args: str) -> tuple[int, list[str]]:
        """Return the exit code of verify, and the codes of all problems."""
        answer = self.run("--json", "verify", *args)
        return answer.code, [problem["code"] for problem in answer.json["problems"]]

    def snapshot(self) -> Snapshot:
        """Remember refs, index, work tree and LFS objects."""
        lfs = self.path / ".git/lfs/objects"
        files = tuple(
            (str(path.relative_to(self.path)), _digest(path))
            for path in sorted(self.path.rglob("*"))
            if ".git" not in path.relative_to(self.path).parts
            and (path.is_symlink() or path.is_file())
        )
        return Snapshot(
            refs=self.git("for-each-ref") + self.git("rev-parse", "HEAD", ok=False),
            status=self.git("status", "--porcelain=v2", "--untracked-files=all"),
            staged=self.git("ls-files", "-s"),
            files=files,
            objects=frozenset(path.name for path in lfs.rglob("*") if path.is_file()),
        )

    def copy(self, to: Path) -> Workbench:
        """Return a copy of the registry, clone state and all."""
        shutil.copytree(self.path, to, symlinks=True)
        # Files of a copy look touched; let git see that they are not, without LFS.
        off = ("-c", "filter.lfs.process=", "-c", "filter.lfs.clean=")
        required = ("-c", "filter.lfs.required=false")
        git(to, *off, *required, "update-index", "-q", "--refresh", ok=False)
        return Workbench(to, self.outside)


def unpack(template: Path, home: Path, place: Path) -> Workbench:
    """Copy a template, which holds ``home`` and the registry ``r``, for one test."""
    shutil.copytree(template / "home", home, dirs_exist_ok=True)
    shutil.copytree(template / "r", place / "r", symlinks=True)
    config = place / "r/.git/config"
    text = config.read_text().replace(str(template / "home"), str(home))
    config.write_text(text.replace(str(template), str(place)))
    (place / "outside").mkdir(exist_ok=True)
    return Workbench(place / "r", place / "outside")


def _digest(path: Path) -> str:
    if path.is_symlink():
        return f"-> {path.readlink()}"
    return hashlib.sha256(path.read_bytes()).hexdigest()
