from __future__ import annotations

import os
import subprocess
from typing import TYPE_CHECKING, Protocol

import pytest

from gitmodel.adapters.capture.code import (
    CodeState,
    capture_code,
    without_credentials,
)
from gitmodel.errors import InputError, OutsideError

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    class Git(Protocol):
        def __call__(self, directory: Path, *arguments: str) -> str: ...


def state(directory: Path, exclude: Path | None = None) -> CodeState:
    found = capture_code(directory, exclude=exclude)
    assert found is not None
    return found


def why_none(directory: Path, exclude: Path | None = None) -> str:
    heard: list[str] = []
    assert capture_code(directory, exclude=exclude, notice=heard.append) is None
    return " ".join(heard)


def test_a_clean_commit(repo: Path, git: Git) -> None:
    git(repo, "remote", "add", "origin", "https://a:secret@example.org/code.git")
    commit = git(repo, "rev-parse", "HEAD")

    assert state(repo / "src").to_dict() == {
        "repo": "https://example.org/code.git",
        "commit": commit,
        "dirty": False,
        "path": "src",
    }
    assert len(commit) == 40


def test_the_root_without_a_remote(repo: Path, git: Git) -> None:
    found = state(repo)
    assert found.path == ""
    assert found.to_dict() == {
        "commit": git(repo, "rev-parse", "HEAD"),
        "dirty": False,
    }


def test_sha256_repositories_have_longer_commits(tmp_path: Path, git: Git) -> None:
    git(tmp_path, "init", "-q", "--object-format=sha256")
    git(tmp_path, "commit", "-q", "--allow-empty", "-m", "Start")
    assert len(state(tmp_path).commit) == 64


def test_a_directory_reached_by_a_link_is_where_it_really_is(
    repo: Path, tmp_path: Path
) -> None:
    (tmp_path / "link").symlink_to(repo / "src")
    assert state(tmp_path / "link").path == "src"


def test_tokens_in_insteadof_stay_out(repo: Path, git: Git) -> None:
    git(repo, "remote", "add", "origin", "https://example.org/code.git")
    git(
        repo,
        "config",
        "url.https://x-access-token:SECRET@example.org/.insteadOf",
        "https://example.org/",
    )
    assert state(repo).repo == "https://example.org/code.git"


@pytest.mark.parametrize(
    ("url", "kept"),
    [
        ("https://example.org/a/b.git", "https://example.org/a/b.git"),
        ("https://token@example.org:8443/a", "https://example.org:8443/a"),
        ("https://me@corp.org:pw@example.org/a", "https://example.org/a"),
        ("https://example.org/a?private_token=x#y", "https://example.org/a"),
        ("HTTPS://u:p@example.org/a@b", "HTTPS://example.org/a@b"),
        ("ssh://git@example.org:22/a", "ssh://git@example.org:22/a"),
        ("ssh://git:pw@example.org/a", "ssh://git@example.org/a"),
        ("git+ssh://git@example.org/a", "git+ssh://git@example.org/a"),
        ("helper::https://u:p@example.org/a", "helper::https://example.org/a"),
        ("git@example.org:a/b.git", "git@example.org:a/b.git"),
        ("../code.git", "../code.git"),
        ("file:///srv/code.git", "file:///srv/code.git"),
    ],
)
def test_credentials_are_removed(url: str, kept: str) -> None:
    assert without_credentials(url) == kept


def test_outside_a_repository(tmp_path: Path, git: Git) -> None:
    del git
    assert "not inside a git repository" in why_none(tmp_path)


def test_without_commits(tmp_path: Path, git: Git) -> None:
    git(tmp_path, "init", "-q")
    assert "no commit yet" in why_none(tmp_path)


def test_in_a_bare_repository_or_a_git_directory(
    repo: Path, tmp_path: Path, git: Git
) -> None:
    git(tmp_path, "clone", "-q", "--bare", str(repo), "bare.git")
    assert "not inside the work tree" in why_none(tmp_path / "bare.git")
    assert "not inside the work tree" in why_none(repo / ".git")


def test_the_registry_is_not_code(repo: Path, tmp_path: Path, git: Git) -> None:
    git(repo, "worktree", "add", "-q", str(tmp_path / "linked"))
    assert "registry" in why_none(repo / "src", exclude=repo)
    assert "registry" in why_none(tmp_path / "linked", exclude=repo)
    (tmp_path / "plain").mkdir()
    for other in ("missing", "plain"):
        assert capture_code(repo, exclude=tmp_path / other) is not None


def test_a_registry_inside_the_code_does_not_make_it_dirty(
    repo: Path, make_repo: Callable[[str], Path]
) -> None:
    registry = make_repo("code/registry")
    assert state(repo).dirty
    assert not state(repo, exclude=registry).dirty
    (repo / "registry2").write_text("")
    assert state(repo, exclude=registry).dirty


def test_a_linked_worktree_has_its_own_commit(
    repo: Path, tmp_path: Path, git: Git
) -> None:
    linked = tmp_path / "linked"
    git(repo, "worktree", "add", "-q", "-b", "side", str(linked))
    git(linked, "commit", "-q", "--allow-empty", "-m", "Side")
    (linked / "src" / "train.py").write_text("fit(more)\n")

    assert state(linked / "src").commit == git(linked, "rev-parse", "HEAD")
    assert state(linked / "src").dirty
    assert state(repo).commit != state(linked).commit
    assert not state(repo).dirty


def test_what_is_no_directory_is_refused(repo: Path) -> None:
    with pytest.raises(InputError, match="is not a directory"):
        capture_code(repo / "src" / "train.py", exclude=None)


def test_a_name_outside_utf8_is_refused(repo: Path) -> None:
    odd = repo / os.fsdecode(b"caf\xe9")
    odd.mkdir()
    with pytest.raises(InputError, match="not UTF-8"):
        capture_code(odd, exclude=None)


def test_odd_names_are_kept(repo: Path) -> None:
    odd = repo / 'a "b"\nc' / "é"
    odd.mkdir(parents=True)
    assert state(odd).path == 'a "b"\nc/é'


def test_surrounding_git_variables_do_not_mislead(
    repo: Path,
    make_repo: Callable[[str], Path],
    monkeypatch: pytest.MonkeyPatch,
    git: Git,
) -> None:
    expected = git(repo, "rev-parse", "HEAD")
    other = make_repo("other")
    git(other, "commit", "-q", "--allow-empty", "-m", "Other")
    monkeypatch.setenv("GIT_DIR", str(other / ".git"))
    monkeypatch.setenv("GIT_WORK_TREE", str(other))
    monkeypatch.setenv("GIT_INDEX_FILE", str(other / ".git" / "index"))
    assert state(repo / "src") == CodeState(commit=expected, dirty=False, path="src")


def test_git_is_missing(
    repo: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PATH", str(tmp_path / "empty"))
    with pytest.raises(OutsideError, match="git cannot be started"):
        capture_code(repo, exclude=None)


@pytest.mark.skipif(os.geteuid() != 0, reason="only root can give files away")
def test_a_repository_of_another_user_is_not_trusted(repo: Path) -> None:
    subprocess.run(["chown", "-R", "12345", str(repo)], check=True)
    with pytest.raises(OutsideError, match="another user owns it") as caught:
        capture_code(repo, exclude=None)
    assert "safe.directory" in caught.value.hints[0]


def test_a_damaged_repository_is_reported(repo: Path) -> None:
    (repo / ".git" / "config").write_text("[core\n")
    with pytest.raises(OutsideError, match="git cannot read"):
        capture_code(repo, exclude=None)


def test_a_damaged_index_is_reported(repo: Path) -> None:
    (repo / ".git" / "index").write_bytes(b"garbage that is long enough for a header")
    with pytest.raises(OutsideError, match="git status failed"):
        capture_code(repo, exclude=None)
