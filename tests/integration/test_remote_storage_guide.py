"""The guide to remote storage happens as it is told, against the server it sets up."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from contextlib import contextmanager
from typing import TYPE_CHECKING

from ruamel.yaml import YAML

from tests.support import lfs_server, transcript
from tests.support.cli import gitmodel
from tests.support.s3_server import Bucket
from tests.support.terminal import ROOT

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

PAGE = (ROOT / "docs/guides/remote-storage.md").read_text()
BLOCKS = re.findall(r"^```yaml\n(.*?)^```$", PAGE, re.MULTILINE | re.DOTALL)
# What gunicorn does, and says its port when it listens.
_SERVE = """
import sys, warnings
warnings.simplefilter("ignore")
from giftless.wsgi_entrypoint import app
from werkzeug.serving import make_server
server = make_server("127.0.0.1", 0, app, threaded=True)
print(server.port, flush=True)
server.serve_forever()
"""


@contextmanager
def as_the_page_says(here: Path) -> Iterator[int]:
    """Serve with the configuration of the page; yield the port."""
    (here / "giftless.yaml").write_text(BLOCKS[0])
    (here / "token.key").write_text("0123456789abcdef" * 4 + "\n")
    (here / "objects").mkdir()
    with (here / "server.log").open("wb") as log:
        process = subprocess.Popen(
            [sys.executable, "-c", _SERVE],
            cwd=here,
            env=os.environ | {"GIFTLESS_CONFIG_FILE": "giftless.yaml"},
            stdout=subprocess.PIPE,
            stderr=log,
            text=True,
        )
    try:
        assert process.stdout is not None
        said = process.stdout.readline()
        assert said, (here / "server.log").read_text()
        yield int(said)
    finally:
        process.kill()
        process.wait()
        if process.stdout is not None:
            process.stdout.close()


def test_the_guide_happens_as_it_is_told(tmp_path: Path) -> None:
    here = tmp_path / "guide"
    here.mkdir()
    assert gitmodel("key", "new", "--out", here / "ada").code == 0
    with as_the_page_says(here) as port:
        page = PAGE.replace("127.0.0.1:5000", f"127.0.0.1:{port}")
        page = page.replace("$(python ", f"$({sys.executable} ")
        for ran in transcript.run(transcript.steps(page), here):
            shown, printed = "\n".join(ran.step.shown), "\n".join(ran.lines)
            assert ran.as_shown, f"$ {ran.step.command}\n{printed}\n-- as --\n{shown}"
    stored = {path.name for path in (here / "objects/team").iterdir()}
    assert stored == {"models", "mirror"}


def test_the_s3_settings_are_those_that_the_tests_use() -> None:
    told = YAML(typ="safe").load(BLOCKS[1])["TRANSFER_ADAPTERS"]["basic"]
    used = lfs_server.on_s3(Bucket(1))
    used["options"]["storage_options"]["endpoint"] = "https://s3.example"
    assert told == used
