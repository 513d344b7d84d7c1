"""The Python API signs as the command line does, and says what people should know."""

from __future__ import annotations

import json
import logging
from typing import TYPE_CHECKING

import pytest

import gitmodel
from gitmodel import errors
from tests.support import cli
from tests.support.robot import ROBOT, Robot
from tests.support.ssh_agent import SshAgent

if TYPE_CHECKING:
    from pathlib import Path

    from tests.support.sigstore_local import LocalSigstore
    from tests.support.workbench import Workbench


def test_an_identity_registers_and_promotes(robot: Robot) -> None:
    keyless = gitmodel.Keyless(robot.token, robot.config)
    file = robot.bench.file("model.bin", b"by a robot")
    with gitmodel.open_registry(robot.bench.path, keyless=keyless) as registry:
        registry.register("spam", [file], version="1.0.0")
        assert registry.promote("spam@1.0.0", "dev").status == "promoted"
        assert registry.verify().problems == ()
    [event] = robot.bench.do("log", "spam", "--stage", "dev")["events"]
    assert event["actor"] == "robot"


def test_the_identity_of_a_ci_job_is_found(
    robot: Robot, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("GITHUB_ACTIONS", "true")
    keyless = gitmodel.Keyless(trust_config=robot.config)
    before = robot.bench.snapshot()
    with (
        gitmodel.open_registry(robot.bench.path, keyless=keyless) as registry,
        pytest.raises(errors.OutsideError) as caught,
    ):
        registry.promote("fraud@1.0.0", "dev")
    assert "id-token: write" in " ".join(caught.value.hints)
    assert robot.bench.snapshot() == before


def test_an_identity_begins_a_registry(
    sigstore: LocalSigstore, tmp_path: Path, home: Path
) -> None:
    config = tmp_path / "config.json"
    config.write_text(json.dumps(sigstore.trust_config()))
    keyless = gitmodel.Keyless(sigstore.token(ROBOT), config)
    with gitmodel.init_registry(tmp_path / "r", keyless=keyless) as registry:
        assert registry.verify(root=registry.root).problems == ()
    assert not (home / ".config/gitmodel").exists()


def test_a_key_and_an_identity_exclude_each_other(bench: Workbench) -> None:
    with pytest.raises(errors.InputError):
        gitmodel.open_registry(bench.path, key="k", keyless=gitmodel.Keyless("t"))


def test_a_trust_configuration_that_is_missing_is_named(robot: Robot) -> None:
    keyless = gitmodel.Keyless(robot.token, robot.bench.outside / "nowhere.json")
    with (
        gitmodel.open_registry(robot.bench.path, keyless=keyless) as registry,
        pytest.raises(errors.InputError, match=r"nowhere\.json"),
    ):
        registry.promote("fraud@1.0.0", "dev")


def test_a_key_in_an_agent_signs(
    stocked: Workbench, home: Path, tmp_path_factory: pytest.TempPathFactory
) -> None:
    private = home / ".config/gitmodel/keys/id_ecdsa"
    agent = SshAgent.start(tmp_path_factory.mktemp("a"))
    try:
        agent.add(private)
        private.unlink()
        key = private.with_name("id_ecdsa.pub")
        with (
            gitmodel.open_registry(stocked.path, key=key) as registry,
            pytest.raises(errors.NotFoundError),
        ):
            registry.promote("fraud@2.0.0", "dev")
        with gitmodel.open_registry(
            stocked.path, key=key, agent=agent.socket
        ) as registry:
            registry.promote("fraud@2.0.0", "dev")
    finally:
        agent.stop()
    assert stocked.verify("--history") == (0, [])


def test_warnings_are_logged_or_told(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    """Without a name in git, the principal gets one that nobody chose."""
    monkeypatch.setenv("GIT_CONFIG_GLOBAL", "/dev/null")
    with (
        caplog.at_level(logging.WARNING, "gitmodel"),
        gitmodel.init_registry(tmp_path / "logged"),
    ):
        pass
    assert "user.name" in caplog.text
    caplog.clear()
    told: list[str] = []
    with gitmodel.init_registry(tmp_path / "told", warn=told.append):
        pass
    assert (len(told), caplog.text) == (1, "")
    answer = cli.gitmodel("init", tmp_path / "said")
    assert answer.err.startswith(f"Warning: {told[0]}\n")
