"""Triggers are documents that people edit: judged at commit, at push and by verify."""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING

import pytest

from gitmodel.registry.triggers import read_triggers
from tests.support.clocks import opened_after
from tests.support.hooks import commit_refused, plain_git, stage

if TYPE_CHECKING:
    from tests.support.workbench import Workbench

GOOD = b"""\
apiVersion: gitmodel.dev/v1
kind: RollbackTrigger
spec:
  model: fraud
  stage: production
  metrics:
    - name: accuracy  # people comment
      severity: high
      thresholdRange: {min: 0.9}
      provider:
        file: {path: /var/lib/fraud.json, jsonPath: $.accuracy}
"""
PATH = "triggers/fraud.yaml"

BAD = {
    "no YAML": (b"kind: [\n", "E_YAML"),
    "another kind": (GOOD.replace(b"RollbackTrigger", b"Model"), "E_KIND"),
    "a field too many": (GOOD + b"      colour: red\n", "E_SCHEMA"),
    "another model": (GOOD.replace(b"model: fraud", b"model: churn"), "E_TRIGGER"),
    "no such stage": (GOOD.replace(b"stage: production", b"stage: prod"), "E_TRIGGER"),
    "a condition that cannot be read": (
        GOOD.replace(b"thresholdRange: {min: 0.9}", b"failureCondition: 1 +"),
        "E_EXPRESSION",
    ),
    "two of one name": (GOOD + GOOD.partition(b"metrics:\n")[2], "E_TRIGGER"),
}


def test_a_good_trigger_is_committed_and_verifies(stocked: Workbench) -> None:
    stocked.do("hooks", "install")
    stage(stocked, PATH, GOOD)
    assert plain_git(stocked.path, "commit", "-qm", "watch").code == 0
    stage(stocked, PATH, GOOD.replace(b"0.9", b"0.8"))
    assert plain_git(stocked.path, "commit", "-qm", "watch less").code == 0
    assert stocked.verify("--history") == (0, [])
    stocked.git("rm", "-q", PATH)
    assert plain_git(stocked.path, "commit", "-qm", "watch no more").code == 0
    assert stocked.verify("--history") == (0, [])


@pytest.mark.parametrize("case", BAD)
def test_a_bad_trigger_is_found_by_the_hook_and_by_verify(
    stocked: Workbench, case: str
) -> None:
    data, code = BAD[case]
    stocked.do("hooks", "install")
    stage(stocked, PATH, data)
    said = commit_refused(stocked)
    assert code in said
    assert PATH in said
    stocked.git("commit", "-qm", "no hook", "--no-verify")
    assert stocked.verify() == (4, [code])
    assert stocked.verify("--history", "--no-bytes") == (4, [code])


def test_a_trigger_of_no_model_and_other_files_are_found(stocked: Workbench) -> None:
    stocked.commit_file("triggers/nobody.yaml", GOOD.replace(b"fraud", b"nobody"))
    assert stocked.verify() == (4, ["E_TRIGGER"])
    stocked.commit_file("triggers/nobody.yaml", None)
    stocked.commit_file("triggers/run.sh", b"#!/bin/sh\n")
    assert stocked.verify() == (4, ["E_EXTRA_FILE"])


def test_a_bad_trigger_keeps_no_other_from_use(stocked: Workbench) -> None:
    stocked.commit_file(PATH, GOOD)
    stocked.commit_file("triggers/nobody.yaml", b"kind: [\n")
    with opened_after(stocked, timedelta()) as handle:
        found = read_triggers(handle.view())
    assert list(found.found) == ["fraud"]
    assert [problem.path for problem in found.problems] == ["triggers/nobody.yaml"]
