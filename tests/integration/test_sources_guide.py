"""The guide to sources shows triggers that are some, and commands that run."""

from __future__ import annotations

import re
import subprocess

import pytest

from gitmodel.domain.trigger_reading import read_trigger
from gitmodel.formats import schema, yaml_reader
from gitmodel.formats.json_path import parse_json_path
from tests.support.prometheus import INSTALLED
from tests.support.terminal import ROOT

TEXT = (ROOT / "docs/guides/sources.md").read_text()
TRIGGERS = re.findall(r"^```yaml\n(.*?)^```$", TEXT, re.MULTILINE | re.DOTALL)
COMMANDS = re.findall(r"^\$ (.+)$", TEXT, re.MULTILINE)


def test_every_kind_of_source_is_shown_and_can_be_asked() -> None:
    shown = set()
    for text in TRIGGERS:
        document = yaml_reader.read(text.encode(), "triggers/fraud.yaml").value
        schema.require("RollbackTrigger", document, "triggers/fraud.yaml")
        read_trigger(document)
        for metric in document["spec"]["metrics"]:
            [(kind, body)] = metric["provider"].items()
            parse_json_path(body.get("jsonPath", "$"))
            shown.add(kind)

    assert shown == set(re.findall(r"^\| `(\w+)` \|", TEXT, re.MULTILINE))
    assert len(shown) == 6


@pytest.mark.skipif(not INSTALLED, reason="make system")
def test_its_commands_run() -> None:
    assert COMMANDS
    for command in COMMANDS:
        subprocess.run(command.split(), cwd=ROOT, check=True, capture_output=True)
