"""Keys that are missing, open to others, locked, foreign or no keys (design 4.2)."""

from __future__ import annotations

import subprocess
from typing import TYPE_CHECKING

import pytest

from tests.support.cli import gitmodel
from tests.support.workbench import Workbench

if TYPE_CHECKING:
    from pathlib import Path

_PEM = b"-----BEGIN %s PRIVATE KEY-----\n%s\n-----END %s PRIVATE KEY-----\n"


@pytest.fixture
def ready(bench: Workbench) -> Workbench:
    """Return a registry in which all three writing commands have something to do."""
    for version in ("1.0.0", "1.1.0"):
        bench.register(version=version)
        bench.promote(f"fraud@{version}", "dev")
    bench.register(version="1.2.0")
    return bench


@pytest.fixture
def key(home: Path) -> Path:
    """Return the place of the principal's key."""
    return home / ".config/gitmodel/keys/id_ecdsa"


def _refused(bench: Workbench, exit_code: int, code: str, *options: str) -> str:
    """Assert that every write is refused and changes nothing; return what was said."""
    before = bench.snapshot()
    said = ""
    for command in (
        ("register", "fraud", bench.file("new.bin"), "--no-capture"),
        ("promote", "fraud@1.2.0", "dev"),
        ("rollback", "fraud", "dev", "-m", "x"),
    ):
        answer = bench.run("--json", *options, *command)
        assert (answer.code, answer.json["error"]["code"]) == (exit_code, code), command
        said += answer.err
    assert bench.snapshot() == before
    return said


def _make(bench: Workbench, name: str = "other") -> Path:
    made = gitmodel("key", "new", "--out", bench.outside / name)
    assert made.code == 0, made.err
    return bench.outside / name


def test_without_a_key_nothing_is_written_and_reading_goes_on(
    ready: Workbench, key: Path
) -> None:
    key.unlink()
    assert "gitmodel key new" in _refused(ready, 1, "E_NO_KEY")
    assert ready.live("fraud", "dev") == "1.1.0"
    assert ready.verify() == (0, [])


def test_a_named_key_that_is_not_there_is_not_replaced_by_another(
    ready: Workbench,
) -> None:
    said = _refused(ready, 1, "E_NOT_FOUND", "--key", str(ready.outside / "nowhere"))
    assert str(ready.outside / "nowhere") in said


@pytest.mark.parametrize("mode", [0o644, 0o640, 0o604, 0o660])
def test_a_key_that_others_can_read_is_not_used(
    mode: int, ready: Workbench, key: Path
) -> None:
    key.chmod(mode)
    assert f"chmod 600 {key}" in _refused(ready, 1, "E_KEY_MODE")
    key.chmod(0o600)
    ready.promote("fraud@1.2.0", "dev")


@pytest.fixture
def locked(home: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Workbench:
    """Return a registry whose principal has a key with the passphrase "open"."""
    del home
    monkeypatch.setenv("GITMODEL_KEY_PASSPHRASE", "open")
    assert gitmodel("key", "new", "--passphrase").code == 0
    (tmp_path / "outside").mkdir()
    bench = Workbench(tmp_path / "locked", tmp_path / "outside")
    assert gitmodel("init", bench.path, "--principal", "ada").code == 0
    for version in ("1.0.0", "1.1.0"):
        bench.register(version=version)
        bench.promote(f"fraud@{version}", "dev")
    bench.register(version="1.2.0")
    return bench


def test_the_right_passphrase_comes_from_the_environment(locked: Workbench) -> None:
    locked.do("rollback", "fraud", "dev", "-m", "x")
    assert locked.verify() == (0, [])


@pytest.mark.parametrize("passphrase", ["wrong", "", None])
def test_a_wrong_or_missing_passphrase_opens_nothing(
    passphrase: str | None, locked: Workbench, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("GITMODEL_KEY_PASSPHRASE")
    if passphrase is not None:
        monkeypatch.setenv("GITMODEL_KEY_PASSPHRASE", passphrase)
    said = _refused(locked, 1, "E_PASSPHRASE")
    assert "wrong" not in said
    assert locked.live("fraud", "dev") == "1.1.0"


def test_reading_asks_for_no_passphrase(
    locked: Workbench, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("GITMODEL_KEY_PASSPHRASE")
    assert locked.verify() == (0, [])
    assert locked.do("key", "show")["principal"] == "ada"


@pytest.mark.parametrize("way", ["option", "environment", "git"])
def test_the_key_of_nobody_here_is_refused(
    way: str, ready: Workbench, monkeypatch: pytest.MonkeyPatch
) -> None:
    other = _make(ready)
    options: tuple[str, ...] = ()
    match way:
        case "option":
            options = ("--key", str(other))
        case "environment":
            monkeypatch.setenv("GITMODEL_KEY", str(other))
        case _:
            ready.git("config", "user.signingkey", other)
    said = _refused(ready, 3, "E_UNTRUSTED_KEY", *options)
    assert "ada" in said


def test_an_ed25519_signing_key_of_git_is_passed_over_for_the_default_key(
    ready: Workbench, tmp_path: Path
) -> None:
    path = tmp_path / "id_ed25519"
    subprocess.run(
        ["ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-f", path], check=True
    )
    ready.git("config", "user.signingkey", path)
    ready.promote("fraud@1.2.0", "dev")
    assert ready.verify() == (0, [])


def test_an_ed25519_key_alone_is_said_to_be_of_the_wrong_kind(
    ready: Workbench, key: Path, tmp_path: Path
) -> None:
    path = tmp_path / "id_ed25519"
    subprocess.run(
        ["ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-f", path], check=True
    )
    ready.git("config", "user.signingkey", path)
    key.unlink()
    assert "ed25519" in _refused(ready, 2, "E_KEY_TYPE")
    assert "ed25519" in _refused(ready, 2, "E_KEY_TYPE", "--key", str(path))


@pytest.mark.parametrize(
    "content",
    [
        b"",
        b"not a key\n",
        b"\x00\xff" * 100,
        _PEM % (b"OPENSSH", b"AAAA", b"OPENSSH"),
        _PEM % (b"EC", b"MAA=", b"EC"),
    ],
    ids=["empty", "text", "binary", "truncated", "pem"],
)
def test_a_file_that_is_no_key_is_malformed_input(
    content: bytes, ready: Workbench
) -> None:
    path = ready.file("broken", content)
    path.chmod(0o600)
    _refused(ready, 2, "E_KEY", "--key", str(path))


def test_a_key_cut_short_is_malformed_not_a_crash(ready: Workbench, key: Path) -> None:
    whole = key.read_bytes()
    lines = whole.splitlines(keepends=True)
    key.write_bytes(b"".join(lines[:3] + lines[-1:]))
    _refused(ready, 2, "E_KEY")
    key.write_bytes(whole)
    ready.promote("fraud@1.2.0", "dev")


def test_a_directory_or_a_pipe_is_no_key(ready: Workbench) -> None:
    _refused(ready, 2, "E_KEY", "--key", str(ready.outside))


def test_the_public_half_stands_for_the_private_key_beside_it(
    ready: Workbench, key: Path
) -> None:
    ready.git("config", "user.signingkey", f"{key}.pub")
    ready.promote("fraud@1.2.0", "dev")
    assert ready.verify() == (0, [])
