"""The guide for a team happens as it is told, by six people and a server.

Comments in the page say who acts: each has a home, a key and a clone. Only the two
addresses are other ones here, a bare repository with the server hook, and an LFS server
on the loopback device.
"""

from __future__ import annotations

import re
import shlex
from typing import TYPE_CHECKING

import pytest

from tests.support import transcript
from tests.support.lfs_server import serving
from tests.support.terminal import ROOT

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from tests.support.lfs_server import LfsServer

PAGE = (ROOT / "docs/guides/team-setup.md").read_text()
GIT_URL = "ssh://git.example.com/srv/git/models.git"
LFS_URL = "https://lfs.example.com/team/models.git/info/lfs"
_MARK = re.compile(r"<!-- (as|also|sent): (.+) -->")
_CONFIG = "[user]\n\tname = {name}\n\temail = {name}@example.com\n"


@pytest.fixture
def lfs(tmp_path_factory: pytest.TempPathFactory) -> Iterator[LfsServer]:
    place = tmp_path_factory.mktemp("lfs")
    (place / "storage").mkdir()
    with serving(place / "storage") as server:
        yield server


def _sit_down(place: Path, name: str) -> str:
    """Return the shell command by which somebody comes to their own machine."""
    home = place / name
    if not home.exists():
        home.mkdir(parents=True)
        config = _CONFIG.format(name=name.title())
        (home / ".gitconfig").write_text(config + "[init]\n\tdefaultBranch = main\n")
    here = shlex.quote(str(home))
    return (
        f"export HOME={here} GIT_CONFIG_GLOBAL={here}/.gitconfig; "
        f"cd {here}/models 2>/dev/null || cd {here}; "
    )


def _steps(page: str, place: Path) -> list[transcript.Step]:
    """Return the commands of the page, each on the machine of who runs it."""
    found: list[transcript.Step] = []
    who, block, before = "", "", ""
    parts = _MARK.split(page)[1:]
    for kind, what, text in zip(parts[::3], parts[1::3], parts[2::3], strict=True):
        if kind == "as":
            who = what
            before += _sit_down(place, who)
        elif kind == "sent":  # NAME… to NAME: public keys, by another way than git
            names, _, receiver = what.partition(" to ")
            for name in names.split():
                before += f"cp {place}/{name}/{name}.pub {place}/{receiver}/; "
        else:  # others do what has just been shown
            for name in what.split():
                found += _block(_sit_down(place, name), block.replace(who, name))
        found += _block(before, text)
        before, block = "" if transcript.steps(text) else before, text
    return found


def _block(before: str, text: str) -> list[transcript.Step]:
    """Return the commands of a text, the first of them after another command."""
    steps = transcript.steps(text)
    return [
        transcript.Step(step.command if number else before + step.command, step.shown)
        for number, step in enumerate(steps)
    ]


def test_the_guide_for_a_team_happens_as_it_is_told(
    lfs: LfsServer, tmp_path: Path
) -> None:
    place = tmp_path / "world"
    page = PAGE.replace(GIT_URL, str(place / "git/models.git"))
    steps = _steps(page.replace(LFS_URL, lfs.url("models")), place)
    assert len(steps) > 40
    for ran in transcript.run(steps, tmp_path):
        shown, printed = "\n".join(ran.step.shown), "\n".join(ran.lines)
        assert ran.as_shown, f"$ {ran.step.command}\n{printed}\n-- shown as --\n{shown}"
