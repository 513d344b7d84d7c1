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
def key(home: Path) -> Path:
    """Return the place of the principal's key."""
    return home / ".config/gitmodel/keys/id_ecdsa"


def _refused(bench: Workbench, exit_code: int, code: str, *options: str) -> str:
    """Assert that every write is refused and changes nothing; return what was said."""
    before = bench.snapshot()
    said = ""
    for command in (
        ("register", "fraud", bench.file("new.bin"), "--no-capture"),
        ("promote", "fraud@2.0.0", "dev"),
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
    stocked: Workbench, key: Path
) -> None:
    key.unlink()
    assert "gitmodel key new" in _refused(stocked, 1, "E_NO_KEY")
    assert stocked.live("fraud", "dev") == "1.1.0"
    assert stocked.verify() == (0, [])


def test_a_named_key_that_is_not_there_is_not_replaced_by_another(
    stocked: Workbench,
) -> None:
    said = _refused(
        stocked, 1, "E_NOT_FOUND", "--key", str(stocked.outside / "nowhere")
    )
    assert str(stocked.outside / "nowhere") in said


def test_a_key_that_others_can_read_is_not_used(stocked: Workbench, key: Path) -> None:
    for mode in (0o644, 0o640, 0o604, 0o660):
        key.chmod(mode)
        assert f"chmod 600 {key}" in _refused(stocked, 1, "E_KEY_MODE")
    key.chmod(0o600)
    stocked.promote("fraud@2.0.0", "dev")


@pytest.fixture
def locked(home: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Workbench:
    """Return a registry whose principal has a key with the passphrase "open"."""
    del home
    monkeypatch.setenv("GITMODEL_KEY_PASSPHRASE", "open")
    assert gitmodel("key", "new", "--passphrase").code == 0
    (tmp_path / "outside").mkdir()
    bench = Workbench(tmp_path / "locked", tmp_path / "outside")
    assert gitmodel("init", bench.path, "--principal", "ada").code == 0
    return bench


def test_a_locked_key_opens_with_the_right_passphrase_and_no_other(
    locked: Workbench, monkeypatch: pytest.MonkeyPatch
) -> None:
    # The passphrase is in the environment, and opening takes time on purpose.
    locked.register(version="2.0.0")
    locked.promote("fraud@2.0.0", "dev")
    for passphrase in ("wrong", "", None):
        monkeypatch.delenv("GITMODEL_KEY_PASSPHRASE")
        if passphrase is not None:
            monkeypatch.setenv("GITMODEL_KEY_PASSPHRASE", passphrase)
        said = _refused(locked, 1, "E_PASSPHRASE")
        assert "wrong" not in said
        # Reading asks for none.
        assert locked.verify() == (0, [])
        assert locked.do("key", "show")["principal"] == "ada"
        monkeypatch.setenv("GITMODEL_KEY_PASSPHRASE", "")
    assert locked.live("fraud", "dev") == "2.0.0"


@pytest.mark.parametrize("way", ["option", "environment", "git"])
def test_the_key_of_nobody_here_is_refused(
    way: str, stocked: Workbench, monkeypatch: pytest.MonkeyPatch
) -> None:
    other = _make(stocked)
    options: tuple[str, ...] = ()
    match way:
        case "option":
            options = ("--key", str(other))
        case "environment":
            monkeypatch.setenv("GITMODEL_KEY", str(other))
        case _:
            stocked.git("config", "user.signingkey", other)
    said = _refused(stocked, 3, "E_UNTRUSTED_KEY", *options)
    assert "ada" in said


def test_an_ed25519_signing_key_of_git_is_passed_over_for_the_default_key(
    stocked: Workbench, key: Path, tmp_path: Path
) -> None:
    path = tmp_path / "id_ed25519"
    subprocess.run(
        ["ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-f", path], check=True
    )
    stocked.git("config", "user.signingkey", path)
    stocked.promote("fraud@2.0.0", "dev")
    assert stocked.verify() == (0, [])
    # Alone, it is said to be of the wrong kind.
    key.unlink()
    assert "ed25519" in _refused(stocked, 2, "E_KEY_TYPE")
    assert "ed25519" in _refused(stocked, 2, "E_KEY_TYPE", "--key", str(path))


def test_a_file_that_is_no_key_is_malformed_input(stocked: Workbench) -> None:
    for number, content in enumerate(
        (
            b"",
            b"not a key\n",
            b"\x00\xff" * 100,
            _PEM % (b"OPENSSH", b"AAAA", b"OPENSSH"),
            _PEM % (b"EC", b"MAA=", b"EC"),
        )
    ):
        path = stocked.file(f"broken-{number}", content)
        path.chmod(0o600)
        assert str(path) in _refused(stocked, 2, "E_KEY", "--key", str(path))
    _refused(stocked, 2, "E_KEY", "--key", str(stocked.outside))


def test_a_key_cut_short_is_malformed_not_a_crash(
    stocked: Workbench, key: Path
) -> None:
    whole = key.read_bytes()
    lines = whole.splitlines(keepends=True)
    key.write_bytes(b"".join(lines[:3] + lines[-1:]))
    _refused(stocked, 2, "E_KEY")
    key.write_bytes(whole)
    stocked.promote("fraud@2.0.0", "dev")


def test_the_public_half_stands_for_the_private_key_beside_it(
    stocked: Workbench, key: Path
) -> None:
    stocked.git("config", "user.signingkey", f"{key}.pub")
    stocked.promote("fraud@2.0.0", "dev")
    assert stocked.verify() == (0, [])
