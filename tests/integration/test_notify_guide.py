"""The guide to notifications happens as it is told."""

from __future__ import annotations

import json
import re
from typing import TYPE_CHECKING, Any

import pytest

from gitmodel.adapters.notify import webhook
from gitmodel.domain.event import Event
from gitmodel.domain.notification import Webhook
from tests.support import transcript
from tests.support.listeners import WebServer, web_server
from tests.support.terminal import ROOT

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

PAGE = (ROOT / "docs/guides/notifications.md").read_text(encoding="utf-8")


@pytest.fixture
def web() -> Iterator[WebServer]:
    with web_server() as running:
        yield running


def test_the_guide_happens_as_it_is_told(tmp_path: Path, web: WebServer) -> None:
    (tmp_path / "guide").mkdir()
    page = PAGE.replace("127.0.0.1:8080", f"127.0.0.1:{web.port}")
    steps = transcript.steps(page)
    assert len(steps) > 8
    for ran in transcript.run(steps, tmp_path / "guide"):
        shown, printed = "\n".join(ran.step.shown), "\n".join(ran.lines)
        assert ran.as_shown, f"$ {ran.step.command}\n{printed}\n-- as --\n{shown}"
    paths = [heard.path for heard in web.heard]
    assert sorted(paths) == ["/ops", "/ops", "/services/T0/B0/XXXX"]
    texts = [json.loads(heard.body).get("text") for heard in web.heard]
    assert "INFO: notify test: Somebody tries whether you can be told." in texts


def test_a_receiver_can_check_signatures_as_the_guide_says(web: WebServer) -> None:
    [code] = re.findall(r"^```python\n(.*?)^```$", PAGE, re.MULTILINE | re.DOTALL)
    told: dict[str, Any] = {}
    exec(code, told)  # noqa: S102 (it is ours)
    event = Event(type="quarantined", time="2026-02-14T14:03:00Z", model="fraud")
    variable = "GITMODEL_NOTIFY_HMAC"
    receiver = Webhook(web.url, None, secret_from_env=variable)
    webhook.send(receiver, event, {variable: "shared"}, 5.0)
    [heard] = web.heard
    header = heard.headers["X-Gitmodel-Signature-256"]
    assert told["is_genuine"](heard.body, header, "shared")
    assert not told["is_genuine"](heard.body, header, "other")
    assert not told["is_genuine"](heard.body + b" ", header, "shared")
