"""``gitmodel triggers``: what is watched, in words, and rehearsals of it."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import pytest

import gitmodel
from gitmodel.formats import yaml_writer
from tests.support.contract import ANSWERS
from tests.support.json_keys import deviations
from tests.support.watched import Watched

if TYPE_CHECKING:
    from pathlib import Path

    from tests.support.workbench import Workbench

EXPLAINED = """\
## fraud

| metric | stage | severity | source | it fails when | how often | what then happens \
| no data means |
| --- | --- | --- | --- | --- | --- | --- | --- |
| drop | dev | high | Prometheus http://127.0.0.1:9090: model_accuracy{model="fraud"} \
| worse than the manifest's validation.accuracy by more than 0.05 | 3 times in a row, \
every 1m, from 10m after it came in, of 200 samples or more | a rollback is proposed, \
for people to land | people are told |
| p95 | staging | low | POST https://example.com/m.json $.p95 | less than 1 or more \
than 250 | 2 times in a row, every 30s | people are told | nothing |
| backdoor | dev | critical | /opt/scan --json $.found | result == true \\|\\| \
result == 1 | once in a row, every 1h | the stage is rolled back, what was live goes \
into quarantine, and an incident is opened | it counts as a failure, which at most \
proposes |
| both | dev | medium | /r.json | result < 1 (good: result > 2; else undecided) | 3 \
times in a row, every 1m | only said (dry run): people are told | people are told |
| drift | dev | medium | Evidently's report /d.json | there is something | 3 times \
in a row, every 1m | people are told | people are told |
| errors | dev | medium | alert Errors, m=fraud | there is something | 3 times in a \
row, every 1m | people are told | people are told |
| files | dev | medium | files served in /srv | there is something | 3 times in a row, \
every 1m | people are told | people are told |

At most 3 rollbacks in 7d without a person, 90s apart; a bound must be met by 0.01 to \
have recovered; frozen at one time.
"""


@pytest.fixture
def watched(story: Workbench) -> Watched:
    return Watched(story)


def explained(watched: Watched) -> Watched:
    def metric(name: str, provider: dict[str, Any], **fields: Any) -> dict[str, Any]:
        body = {"name": name, "severity": "medium", "provider": provider}
        return {**body, **fields}

    prometheus = {
        "address": "http://127.0.0.1:9090",
        "query": 'model_accuracy{model="fraud"}',
    }
    return watched.watch(
        metric(
            "drop",
            {"prometheus": prometheus},
            severity="high",
            initialDelay="10m",
            minSamples={"query": "n", "min": 200},
            drop={"metric": "accuracy", "by": 0.05},
        ),
        metric(
            "p95",
            {
                "web": {
                    "url": "https://example.com/m.json",
                    "method": "POST",
                    "jsonPath": "$.p95",
                }
            },
            severity="low",
            stage="staging",
            thresholdRange={"min": 1, "max": 250},
            failureLimit=2,
            interval="30s",
            onNoData="ignore",
        ),
        metric(
            "backdoor",
            {"exec": {"argv": ["/opt/scan", "--json"], "jsonPath": "$.found"}},
            severity="critical",
            failureCondition="result == true || result == 1",
            failureLimit=1,
            interval="60m",
            onNoData="fail",
        ),
        metric(
            "both",
            {"file": {"path": "/r.json"}},
            failureCondition="result < 1",
            successCondition="result > 2",
            dryRun=True,
        ),
        metric("drift", {"file": {"path": "/d.json", "preset": "evidently"}}),
        metric(
            "errors",
            {"alertmanager": {"alertname": "Errors", "labels": {"m": "fraud"}}},
        ),
        metric("files", {"integrity": {"path": "/srv"}}),
        stage="dev",
        action={"critical": "emergency"},
        safety={
            "cooldown": "90s",
            "maxRollbacks": 3,
            "window": "7d",
            "hysteresis": 0.01,
            "freeze": [
                {"from": "2026-12-24T00:00:00Z", "until": "2026-12-27T00:00:00Z"}
            ],
        },
    )


def test_triggers_are_explained_in_a_table(watched: Watched) -> None:
    answer = explained(watched).bench.run("triggers", "explain")
    assert (answer.code, answer.err) == (0, "")
    assert answer.out == EXPLAINED
    assert watched.bench.run("triggers", "explain", "fraud").out == EXPLAINED
    found = watched.bench.do("triggers", "explain")
    assert deviations(found, ANSWERS["triggers explain"]) == []


def test_a_cell_cannot_break_out_of_its_table(watched: Watched) -> None:
    watched.watch(watched.metric(failureCondition="result < 1 ||\n\n result > 2"))
    lines = watched.bench.run("triggers", "explain").out.splitlines()
    assert len([line for line in lines if line.startswith("|")]) == 3


def test_without_triggers_there_is_nothing_to_explain(story: Workbench) -> None:
    for args in (("explain",), ("explain", "fraud")):
        answer = story.run("--json", "triggers", *args)
        assert (answer.code, answer.json["error"]["code"]) == (1, "E_NOT_FOUND")
        assert "triggers/" in answer.json["error"]["hints"][0]


CSV = """\
time,value
2026-01-01T00:00:00Z,0.95
2026-01-01T00:01:00Z,0.80
2026-01-01T01:02:00+01:00,
2026-01-01T00:03:00Z,error
2026-01-01T00:04:00Z,NaN
1767225900,0.80
2026-01-01T00:06:00Z,0.80
2026-01-01T00:07:00Z,0.80
"""
PLAYED = """\
TIME                  VALUE    OUTCOME  PHASE    WHAT HAPPENS
2026-01-01T00:00:00Z  0.95     passed   healthy
2026-01-01T00:01:00Z  0.8      failed   suspect
2026-01-01T00:02:00Z  no_data  no_data  suspect
2026-01-01T00:03:00Z  error    error    suspect
2026-01-01T00:04:00Z  NaN      no_data  suspect
2026-01-01T00:05:00Z  0.8      failed   suspect
2026-01-01T00:06:00Z  0.8      failed   acted    rollback: 0.8, where \
validation.accuracy was 0.95: worse by more than 0.05 (3 times in a row)
2026-01-01T00:07:00Z  0.8      failed   acted

accuracy of fraud in dev, where 1.1.0 is live: 8 measurements, 1 decision
"""


def dropping(watched: Watched, **fields: Any) -> dict[str, Any]:
    drop = {"metric": "accuracy", "by": 0.05}
    body = {"drop": drop, "failureLimit": 3, "initialDelay": "1h", **fields}
    return watched.metric(**body)


def test_a_series_is_played(watched: Watched) -> None:
    watched.watch(dropping(watched), stage="dev")
    file = watched.bench.file("series.csv", CSV.encode())
    before = watched.bench.snapshot()
    answer = watched.bench.run("triggers", "test", "fraud", "--series", file)
    assert (answer.code, answer.err) == (0, "")
    assert answer.out == PLAYED
    found = watched.bench.do("triggers", "test", "fraud", "--series", file)
    assert deviations(found, ANSWERS["triggers test"]) == []
    assert [each["action"] for each in found["decisions"]] == ["rollback"]
    assert watched.bench.snapshot() == before
    with gitmodel.open_registry(watched.bench.path) as registry:
        assert registry.rehearse("fraud", file).version == "1.1.0"


def test_a_series_may_be_lines_of_json(watched: Watched) -> None:
    slow = watched.metric(failureCondition="result.p95 > 250", failureLimit=1)
    watched.watch(slow, stage="dev")
    rows = [{"time": 60 * n, "value": {"p95": 100 * n}} for n in range(5)]
    data = "\n\n".join(map(json.dumps, [*rows, {"time": 600}])).encode()
    file = watched.bench.file("s.jsonl", data)
    found = watched.bench.do("triggers", "test", "fraud", "--series", file)
    assert [step["outcome"] for step in found["steps"]] == [
        *("passed", "passed", "passed", "failed", "failed", "no_data")
    ]


def test_what_is_edited_can_be_tried_before_it_is_committed(watched: Watched) -> None:
    watched.watch(dropping(watched), stage="dev")
    path = watched.bench.path / "triggers/fraud.yaml"
    file = watched.bench.file("series.csv", CSV.encode())
    path.write_bytes(path.read_bytes().replace(b"failureLimit: 3", b"failureLimit: 1"))
    found = watched.bench.do("triggers", "test", "fraud", "--series", file)
    assert found["decisions"][0]["at"] == "2026-01-01T00:01:00Z"
    path.write_bytes(b"kind: [\n")
    answer = watched.bench.run("triggers", "test", "fraud", "--series", file)
    assert answer.code == 2


def test_of_several_metrics_one_is_named(watched: Watched) -> None:
    watched.watch(dropping(watched), dropping(watched, name="other"), stage="dev")
    file = watched.bench.file("series.csv", CSV.encode())
    test = ("triggers", "test", "fraud", "--series", file)
    answer = watched.bench.run("--json", *test)
    assert (answer.code, "accuracy, other" in answer.err) == (2, True)
    assert watched.bench.do(*test, "--metric", "other")["metric"] == "other"
    answer = watched.bench.run("--json", *test, "--metric", "no")
    assert (answer.code, answer.json["error"]["code"]) == (1, "E_NOT_FOUND")


@pytest.mark.parametrize(
    ("data", "what"),
    [
        (b"", "has no header with time and value"),
        (b"time,value\n", "has no measurements"),
        (b"a,b\n1,2\n", "no header with time and value"),
        (b"time,value\nyesterday,2\n", "'yesterday' is no time"),
        (b"time,value\n2026-01-01T00:00:00,2\n", "is no time"),
        (b"time,value\n2,1\n1,1\n", "its time is not after the one before"),
        (b"time,value\n1,1\n1,1\n", "its time is not after the one before"),
        (b"time,value\n1e999,1\n", "is no time"),
        (b"time,value\n99999999999999,1\n", "is no time"),
        (b'time,value\n1,"x\n', "it is no CSV"),
        (b"\xff\xfe", "is not UTF-8"),
        (b"{\n", "it is no JSON object"),
        (b'{"value": 1}\n', "it is no JSON object"),
        (b'{"time": true}\n', "is no time"),
        (b'{"time": [], "value": 1}\n', "is no time"),
        (b'{"time": 1}\n[]\n', "it is no JSON object"),
        (b'{"time": 1, "value": ' + b"[" * 100_000, "it is no JSON object"),
    ],
)
def test_a_series_that_cannot_be_read_is_refused(
    watched: Watched, data: bytes, what: str
) -> None:
    watched.watch(dropping(watched), stage="dev")
    file = watched.bench.file("series", data)
    answer = watched.bench.run("--json", "triggers", "test", "fraud", "--series", file)
    assert answer.code == 2
    assert what in answer.json["error"]["message"]


@pytest.mark.parametrize("fields", [{"failureLimit": 0}, {"interval": "soon"}])
def test_a_malformed_trigger_is_no_basis(
    watched: Watched, fields: dict[str, Any], tmp_path: Path
) -> None:
    document = {"spec": {"metrics": [dropping(watched, **fields)]}}
    watched.bench.commit_file("triggers/fraud.yaml", yaml_writer.dump(document))
    file = tmp_path / "series.csv"
    file.write_text(CSV)
    for args in (("explain",), ("test", "fraud", "--series", str(file))):
        assert watched.bench.run("triggers", *args).code == 2
