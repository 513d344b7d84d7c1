"""Keys that only ssh-agent holds sign documents and commits; the agent is real."""

from __future__ import annotations

import subprocess
import sys
from dataclasses import dataclass
from typing import TYPE_CHECKING

import pytest

from tests.support.cli import gitmodel
from tests.support.ssh_agent import SshAgent, false_agent
from tests.support.workbench import Workbench

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path


@dataclass(frozen=True)
class Held:
    """A registry whose principal's key was moved into an agent."""

    bench: Workbench
    agent: SshAgent
    private: Path
    public: Path


@pytest.fixture
def agent(
    tmp_path_factory: pytest.TempPathFactory, monkeypatch: pytest.MonkeyPatch
) -> Iterator[SshAgent]:
    started = SshAgent.start(tmp_path_factory.mktemp("a"))
    monkeypatch.setenv("SSH_AUTH_SOCK", str(started.socket))
    yield started
    if started.socket.exists():
        started.stop()


@pytest.fixture
def held(stocked: Workbench, home: Path, agent: SshAgent) -> Held:
    kept = home / ".config/gitmodel/keys/id_ecdsa"
    agent.add(kept)
    private, public = kept.rename(home / "away"), kept.with_name("id_ecdsa.pub")
    public.rename(home / "ada.pub")
    stocked.git("config", "--unset", "user.signingkey")
    return Held(stocked, agent, private, home / "ada.pub")


def _key(home: Path, name: str, kind: str = "ecdsa", passphrase: str = "") -> Path:
    path = home / name
    subprocess.run(
        ["ssh-keygen", "-q", "-t", kind, "-N", passphrase, "-f", path], check=True
    )
    return path


def _refused(held: Held, exit_code: int, code: str, key: str | Path = "") -> str:
    """Assert that nothing can be signed, and that trying changed nothing."""
    before = held.bench.snapshot()
    named = ("--key", str(key or held.public))
    answer = held.bench.run("--json", *named, "promote", "fraud@2.0.0", "dev")
    assert (answer.code, answer.json["error"]["code"]) == (exit_code, code), answer.err
    assert held.bench.snapshot() == before
    return answer.err


@pytest.mark.parametrize("way", ["option", "environment", "git", "git literal"])
def test_a_key_in_the_agent_signs_documents_and_commits(
    held: Held, way: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    bench = held.bench
    options: tuple[str, ...] = ()
    match way:
        case "option":
            options = ("--key", str(held.public))
        case "environment":
            monkeypatch.setenv("GITMODEL_KEY", f"key::{held.public.read_text()}")
        case "git":
            bench.git("config", "user.signingkey", held.public)
        case _:
            line = " ".join(held.public.read_text().split()[:2])
            bench.git("config", "user.signingkey", f"key::{line}")
    bench.do(*options, "promote", "fraud@2.0.0", "dev")
    file = bench.file("new.bin", b"by an agent")
    bench.do(*options, "register", "fraud", file, "--no-capture")
    assert bench.verify("--history", "--full") == (0, [])
    assert bench.git("log", "-2", "--format=%G?%GS") == "Gada\nGada"


def test_what_the_agent_signed_is_a_model_signature(held: Held) -> None:
    bench = held.bench
    file = bench.file("new.bin", b"by an agent")
    bench.do("--key", held.public, "register", "spam", file, "--no-capture")
    pulled = bench.outside / "pulled"
    bench.do("pull", "spam@latest", "-o", pulled)
    pem = bench.file(
        "ada.pem", bench.run("--key", held.public, "key", "show", "--pem").out.encode()
    )
    done = subprocess.run(
        [
            sys.executable, "-m", "model_signing", "verify", "key", pulled,
            "--signature", pulled / "model.sig", "--public_key", pem,
        ],
        capture_output=True, text=True, check=False,
    )  # fmt: skip
    assert done.returncode == 0, done.stdout + done.stderr


def test_a_registry_begun_with_the_agent_goes_on_with_it(
    agent: SshAgent, home: Path, tmp_path: Path
) -> None:
    key = _key(home, "mine")
    agent.add(key)
    key.unlink()
    made = gitmodel("--key", f"{key}.pub", "init", tmp_path / "r", "--principal", "eve")
    assert made.code == 0, made.err
    key.with_suffix(".pub").unlink()
    (tmp_path / "outside").mkdir()
    bench = Workbench(tmp_path / "r", tmp_path / "outside")
    bench.register()
    bench.git("commit", "-S", "-q", "--allow-empty", "-m", "plain git, same key")
    assert bench.git("log", "--format=%G?%GS") == "Geve\nGeve\nGeve"
    assert bench.do("key", "show")["kind"] == "agent"
    assert bench.verify() == (0, [])
    assert not (home / ".config/gitmodel").exists()


def test_a_passphrase_is_not_asked_for_what_the_agent_has_unlocked(
    agent: SshAgent, home: Path, tmp_path: Path
) -> None:
    key = _key(home, "locked", "ecdsa", "open")
    init = ("--json", "--key", key, "init", tmp_path / "r")
    refused = gitmodel(*init)
    assert (refused.code, refused.json["error"]["code"]) == (1, "E_PASSPHRASE")
    agent.add(key, answer="open")
    assert gitmodel(*init).code == 0
    assert gitmodel("verify", cwd=tmp_path / "r").code == 0


def test_a_locked_agent_says_so_and_signs_once_unlocked(held: Held) -> None:
    held.agent.lock()
    assert "ssh-add -X" in _refused(held, 1, "E_AGENT_KEY")
    held.agent.unlock()
    held.bench.do("--key", held.public, "promote", "fraud@2.0.0", "dev")


def test_a_key_that_nobody_confirms_does_not_sign(held: Held) -> None:
    """The agent asks a person, through a program that is not there."""
    held.agent.stop()
    started = SshAgent.start(held.agent.directory.parent)
    try:
        started.add(held.private, "-c")
        with pytest.MonkeyPatch.context() as patch:
            patch.setenv("SSH_AUTH_SOCK", str(started.socket))
            assert "nobody confirmed" in _refused(held, 5, "E_AGENT")
    finally:
        started.stop()


def test_a_key_that_the_agent_lacks_is_named(held: Held, home: Path) -> None:
    other = _key(home, "other")
    other.unlink()
    said = _refused(held, 1, "E_AGENT_KEY", f"{other}.pub")
    keyid = held.bench.do("--key", held.public, "key", "show")["keyid"]
    assert "does not hold key" in said
    assert keyid[:8] not in said


def test_without_an_agent_a_public_key_alone_does_not_sign(
    held: Held, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("SSH_AUTH_SOCK")
    assert "SSH_AUTH_SOCK" in _refused(held, 1, "E_AGENT_KEY")


def test_an_agent_that_is_gone_is_an_outside_failure(
    held: Held, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("SSH_AUTH_SOCK", str(held.agent.directory / "gone"))
    _refused(held, 5, "E_AGENT")


def test_a_key_of_a_kind_that_documents_do_not_take_is_refused(
    held: Held, home: Path
) -> None:
    other = _key(home, "other", "ed25519")
    held.agent.add(other)
    other.unlink()
    assert "ed25519" in _refused(held, 2, "E_KEY_TYPE", f"{other}.pub")


def test_the_key_of_nobody_here_is_refused(held: Held, home: Path) -> None:
    other = _key(home, "other")
    held.agent.add(other)
    _refused(
        held, 3, "E_UNTRUSTED_KEY", f"key::{other.with_suffix('.pub').read_text()}"
    )


def test_an_agent_that_answers_nonsense_changes_nothing(
    held: Held, monkeypatch: pytest.MonkeyPatch
) -> None:
    place = held.agent.directory / "false"
    monkeypatch.setenv("SSH_AUTH_SOCK", str(place))
    with false_agent(place, b"HTTP/1.1 200 OK\r\n\r\n"):
        _refused(held, 5, "E_AGENT")


def test_show_list_and_doctor_say_where_a_key_lives(held: Held, home: Path) -> None:
    spare = _key(home, "spare")
    held.agent.add(spare)
    bench = held.bench
    bench.git("config", "user.signingkey", held.public)
    shown = bench.do("key", "show")
    assert (shown["kind"], shown["where"]) == ("agent", str(held.agent.socket))
    rows = bench.do("key", "list")["keys"]
    assert [(row["kind"], row["principal"], row["signs"]) for row in rows] == [
        ("agent", "ada", True), ("agent", None, False),
    ]  # fmt: skip
    assert f"ssh-agent {held.agent.socket}" in bench.run("key", "list").out
    doctor = {check["name"]: check for check in bench.do("doctor")["checks"]}
    assert doctor["key"]["ok"]
    assert "ssh-agent" in doctor["key"]["found"]
    held.agent.lock()
    doctor = {check["name"]: check for check in bench.do("doctor")["checks"]}
    assert not doctor["key"]["ok"]
    assert "ssh-add -X" in doctor["key"]["hint"]


def test_a_list_of_keys_does_without_an_agent_that_fails(
    stocked: Workbench, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("SSH_AUTH_SOCK", str(tmp_path / "gone"))
    answer = stocked.run("key", "list")
    assert (answer.code, "ada" in answer.out) == (0, True)
    assert "Warning: Cannot reach the ssh-agent" in answer.err
    # Nor does signing with a file ask it.
    stocked.promote("fraud@2.0.0", "dev")
