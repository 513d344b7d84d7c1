"""What comes after a rollback: validation, one step further back, and being told."""

from __future__ import annotations

import json
import stat
from typing import TYPE_CHECKING, Any

import pytest

if TYPE_CHECKING:
    from pathlib import Path

    from tests.support.workbench import Workbench

HEAD = "apiVersion: gitmodel.dev/v1\nkind: Notifications\n"
EMERGENCY = ("--emergency", "--incident", "INC-1", "-m", "x", "--yes")


@pytest.fixture
def checked(bench: Workbench) -> Workbench:
    """Return a registry whose model is good up to 1.1.0, as its own check says."""
    for version in ("1.0.0", "1.1.0", "1.2.0", "1.3.0"):
        bench.register(version=version)
        bench.promote(f"fraud@{version}", "dev")
    program = bench.outside / "accuracy"
    program.write_text('#!/bin/sh\ncase "$1" in 1.0.0|1.1.0) exit 0;; esac\nexit 1\n')
    program.chmod(program.stat().st_mode | stat.S_IXUSR)
    bench.git("config", "--add", "gitmodel.allow", str(program))
    _ask(bench, program)
    return bench


def _ask(bench: Workbench, program: Path) -> None:
    path = bench.path / "models/fraud/model.yaml"
    path.write_text(
        path.read_text()
        + "validation:\n  postRollback:\n    - name: accuracy\n      command:\n"
        + f'        argv: ["{program}", "{{version}}"]\n'
    )
    bench.git("commit", "-qam", "ask for a check after rollbacks")


def _events(bench: Workbench) -> list[dict[str, Any]]:
    text = (bench.path / ".git/gitmodel/events.jsonl").read_text()
    return [json.loads(line) for line in text.splitlines()]


def test_a_failed_check_alerts_and_by_itself_goes_no_further(
    checked: Workbench,
) -> None:
    answer = checked.run("--json", "rollback", "fraud", "dev", "-m", "worse")
    assert answer.code == 3
    assert (answer.json["status"], answer.json["to"]) == ("rolled_back", "1.2.0")
    assert [each["status"] for each in answer.json["validations"]] == ["failed"]
    assert answer.json["further"] == []
    assert checked.live("fraud", "dev") == "1.2.0"
    assert [event["type"].rpartition("gitmodel.")[2] for event in _events(checked)] == [
        "rollback.completed",
        "rollback.validation.failed",
    ]
    assert checked.verify("--history", "--full") == (0, [])


def test_it_goes_as_far_back_as_the_policy_lets_it(checked: Workbench) -> None:
    checked.do("policy", "require", "dev", "--further-back", "2")
    done = checked.do("rollback", "fraud", "dev", "-m", "worse")
    assert [each["to"] for each in done["further"]] == ["1.1.0"]
    assert [each["status"] for each in done["validations"]] == ["failed", "passed"]
    assert checked.live("fraud", "dev") == "1.1.0"
    held = {hold["version"] for hold in checked.do("hold", "list")["holds"]}
    assert held == {"1.2.0", "1.3.0"}
    assert checked.verify("--history", "--full") == (0, [])


def test_it_ends_where_nothing_is_left(checked: Workbench) -> None:
    program = checked.outside / "accuracy"
    program.write_text("#!/bin/sh\nexit 1\n")
    checked.do("policy", "require", "dev", "--further-back", "10")
    answer = checked.run("--json", "rollback", "fraud", "dev", *EMERGENCY)
    assert answer.code == 3
    assert [each["to"] for each in answer.json["further"]] == ["1.1.0", "1.0.0"]
    assert [each["code"] for each in answer.json["failures"]] == ["E_NO_KNOWN_GOOD"]
    assert checked.live("fraud", "dev") == "1.0.0"
    # Of all these only what was live when it began is in quarantine.
    assert answer.json["quarantined"] == ["fraud@1.3.0"]
    assert checked.verify("--history", "--full") == (0, [])


def test_a_skipped_check_is_on_record_and_no_failure(checked: Workbench) -> None:
    done = checked.do("rollback", "fraud", "dev", "-m", "x", "--skip-validation")
    assert [each["status"] for each in done["validations"]] == ["skipped"]
    shown = checked.do("show", "fraud@1.2.0")
    assert [each["type"] for each in shown["attestations"]] == ["postrollback"]


def test_a_rollback_that_cannot_be_made_is_told_of(bench: Workbench) -> None:
    bench.register(version="1.0.0")
    bench.promote("fraud@1.0.0", "dev")
    bench.git("config", "--add", "gitmodel.allow", str(bench.outside / "night.jsonl"))
    sinks = bench.path / ".git/gitmodel/notifications.yaml"
    sinks.write_text(
        f"{HEAD}notifications:\n  - name: pager\n    on: [rollback_failed]\n"
        f"    file: {{path: {bench.outside / 'night.jsonl'}}}\n"
    )
    assert bench.run("rollback", "fraud", "dev", "-m", "x").code == 1
    [told] = (bench.outside / "night.jsonl").read_text().splitlines()
    event = json.loads(told)
    assert event["type"] == "dev.gitmodel.rollback.failed"
    assert event["data"]["model"] == "fraud"


def test_an_emergency_tells_that_it_begins_and_how_it_ended(
    checked: Workbench,
) -> None:
    checked.run("rollback", "fraud", "dev", *EMERGENCY)
    assert [event["type"].rpartition("gitmodel.")[2] for event in _events(checked)] == [
        "rollback.initiated",
        "incident.opened",
        "rollback.completed",
        "rollback.validation.failed",
    ]


def test_whoever_cannot_be_told_masks_nothing(checked: Workbench) -> None:
    sinks = checked.path / ".git/gitmodel/notifications.yaml"
    sinks.write_text(
        f"{HEAD}notifications:\n  - name: down\n    on: [info]\n"
        "    webhook: {url: 'http://127.0.0.1:9/x'}\n"
    )
    program = checked.outside / "accuracy"
    program.write_text("#!/bin/sh\nexit 0\n")
    done = checked.do("rollback", "fraud", "dev", *EMERGENCY)
    assert done["status"] == "rolled_back"
    assert {each["delivered"] for each in done["notifications"]} == {False}
    assert checked.live("fraud", "dev") == "1.2.0"
