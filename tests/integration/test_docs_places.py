"""The guide to where keys live happens as it is told: a real agent, a real token."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

import pytest

from tests.support import softhsm, transcript
from tests.support.signing import a_private_key
from tests.support.ssh_agent import SshAgent
from tests.support.terminal import ROOT

if TYPE_CHECKING:
    from pathlib import Path

PAGE = (ROOT / "docs/guides/where-keys-live.md").read_text()
_PREPARED = re.compile(r"<!-- (?:ssh-add ada|SoftHSM) -->")


def _rehearse(page: str, cwd: Path) -> None:
    steps = transcript.steps(page)
    assert steps
    for ran in transcript.run(steps, cwd):
        shown, printed = "\n".join(ran.step.shown), "\n".join(ran.lines)
        assert ran.as_shown, f"$ {ran.step.command}\n{printed}\n-- shown as --\n{shown}"


@pytest.mark.skipif(
    softhsm.module() is None,
    reason="SoftHSM is not installed: apt-get install softhsm2",
)
def test_the_guide_to_where_keys_live_happens_as_it_is_told(
    tmp_path: Path,
    tmp_path_factory: pytest.TempPathFactory,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    here = tmp_path / "guide"
    here.mkdir()
    alone, held, in_token = _PREPARED.split(PAGE)
    agent = SshAgent.start(tmp_path_factory.mktemp("a"))
    try:
        monkeypatch.setenv("SSH_AUTH_SOCK", str(agent.socket))
        _rehearse(alone, here)
        agent.add(here / "ada", answer="correct horse")
        _rehearse(held, here)
        config = softhsm.make_token(tmp_path_factory.mktemp("t"), a_private_key())
        monkeypatch.setenv("SOFTHSM2_CONF", str(config))
        monkeypatch.setenv("PYKCS11LIB", str(softhsm.module()))
        monkeypatch.setenv("GITMODEL_KEY_PASSPHRASE", softhsm.PIN)
        _rehearse(in_token, here)
    finally:
        agent.stop()
