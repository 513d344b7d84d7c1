"""Watching a real registry: what is done, what is left, who hears of it."""

from __future__ import annotations

import dataclasses
import inspect
import json
import socket
import threading
from datetime import timedelta
from typing import TYPE_CHECKING, Any

import pytest

import gitmodel
from gitmodel.adapters.lock import exclusive
from gitmodel.adapters.metrics.alertmanager import Inbox
from gitmodel.domain.alert import Alert
from gitmodel.domain.digest import Digest
from gitmodel.domain.watch_event import Decision
from gitmodel.operations import watch_acting, watch_round
from gitmodel.operations.watch_acting import act
from gitmodel.operations.watch_scene import read_scene
from gitmodel.registry.watch_store import WatchStore
from tests.support.contract import ANSWERS
from tests.support.json_keys import deviations
from tests.support.watched import Watched

if TYPE_CHECKING:
    from tests.support.remotes import Team
    from tests.support.workbench import Workbench

MINUTE = timedelta(minutes=1)


@pytest.fixture
def fraud(stocked: Workbench) -> Watched:
    """Return a registry whose staging holds fraud@1.1.0, and 1.0.0 before."""
    found = Watched(stocked)
    found.report("accuracy", 0.95)
    return found


@pytest.fixture
def stop() -> threading.Event:
    return threading.Event()


def phases(answer: Any) -> dict[str, str]:
    return {
        metric["name"]: metric["phase"]
        for stage in answer["stages"]
        for metric in stage["metrics"]
    }


def test_what_is_well_is_left_alone(fraud: Watched) -> None:
    before = fraud.watch().bench.snapshot()
    answer = fraud.once()
    assert (answer.code, answer.err) == (0, "")
    assert deviations(answer.json, ANSWERS["watch"]) == []
    assert phases(answer.json) == {"accuracy": "healthy"}
    assert (answer.json["events"], answer.json["actions"]) == ([], [])
    assert fraud.bench.snapshot() == before
    assert fraud.told == []


def test_what_fails_is_rolled_back_signed_and_told(fraud: Watched) -> None:
    fraud.watch().report("accuracy", 0.5)
    answer = fraud.once()
    assert answer.code == 0
    assert deviations(answer.json, ANSWERS["watch"]) == []
    [action] = answer.json["actions"]
    assert (action["action"], action["status"]) == ("rollback", "done")
    assert action["detail"] == "1.1.0 -> 1.0.0"
    assert fraud.bench.live("fraud", "staging") == "1.0.0"
    newest = fraud.bench.do("log")["events"][0]
    assert newest["reason"] == (
        "Trigger accuracy (critical): 0.5 is less than 0.9 (once in a row)"
    )
    assert newest["commit"] == action["commit"]
    assert fraud.bench.verify("--history") == (0, [])
    assert fraud.told == ["trigger_fired", "rollback_initiated", "rollback_completed"]
    [line] = (fraud.place / "events.jsonl").read_text().splitlines()
    assert json.loads(line) == answer.json["events"][0]
    # Nothing goes back and forth: 1.0.0 is bad as well, and there is a cooldown.
    assert fraud.once().json["actions"] == []
    assert fraud.bench.live("fraud", "staging") == "1.0.0"


def test_a_row_survives_restarts(fraud: Watched, stop: threading.Event) -> None:
    fraud.watch(fraud.metric(failureLimit=3)).report("accuracy", 0.5)
    for phase in ("suspect", "suspect"):
        found = fraud.round(stop)
        assert found.stages[0].metrics[0].phase == phase
        assert found.acted == ()
    assert [acted.status for acted in fraud.round(stop).acted] == ["done"]


def test_a_dry_run_changes_nothing_tells_nobody_and_disarms_nothing(
    fraud: Watched,
) -> None:
    fraud.watch().report("accuracy", 0.5)
    before = fraud.bench.snapshot()
    answer = fraud.once("--dry-run")
    [action] = answer.json["actions"]
    assert (answer.code, action["status"], action["action"]) == (
        0,
        "rehearsed",
        "rollback",
    )
    assert answer.json["events"][0]["dryRun"] is True
    assert fraud.bench.snapshot() == before
    assert fraud.told == []
    assert fraud.once().json["actions"][0]["status"] == "done"


def test_a_dry_run_of_the_document_tells_and_does_nothing(fraud: Watched) -> None:
    fraud.watch(safety={"dryRun": True}).report("accuracy", 0.5)
    before = fraud.bench.snapshot()
    assert fraud.once().json["actions"][0]["status"] == "rehearsed"
    assert fraud.bench.snapshot() == before
    assert fraud.told == ["trigger_fired"]


def test_a_proposal_waits_for_people(fraud: Watched) -> None:
    fraud.watch(fraud.metric(severity="high")).report("accuracy", 0.5)
    [action] = fraud.once().json["actions"]
    assert (action["action"], action["status"]) == ("propose", "pending")
    assert fraud.bench.live("fraud", "staging") == "1.1.0"
    [request] = fraud.bench.do("requests")["requests"]
    assert (request["kind"], request["version"]) == ("rollback", "1.0.0")
    assert request["reason"].startswith("Proposed by trigger accuracy (high): ")
    assert fraud.told == ["trigger_fired", "trigger_alert"]
    assert fraud.once().json["actions"] == []
    fraud.bench.do("promote", "--finalize", "fraud#staging")
    assert fraud.bench.live("fraud", "staging") == "1.0.0"
    assert fraud.bench.verify("--history") == (0, [])


def test_an_emergency_quarantines_and_opens_an_incident(fraud: Watched) -> None:
    fraud.watch(action={"critical": "emergency"}).report("accuracy", 0.5)
    [action] = fraud.once().json["actions"]
    assert (action["action"], action["status"]) == ("emergency", "done")
    assert fraud.bench.live("fraud", "staging") == "1.0.0"
    incident = fraud.bench.do("incident", "show", action["incident"])
    assert incident["state"] == "open"
    assert fraud.bench.do("show", "fraud@1.1.0")["status"] == "quarantined"
    assert "incident_opened" in fraud.told
    assert fraud.bench.verify("--history") == (0, [])


def test_an_alert_only_tells(fraud: Watched) -> None:
    fraud.watch(fraud.metric(severity="medium")).report("accuracy", 0.5)
    answer = fraud.once()
    assert (answer.code, answer.json["actions"]) == (0, [])
    assert fraud.told == ["trigger_alert"]
    assert fraud.once().json["events"] == []
    assert fraud.told == ["trigger_alert"]


def test_a_broken_source_is_exit_5_and_keeps_no_other_from_acting(
    fraud: Watched,
) -> None:
    gone = {"prometheus": {"address": "http://127.0.0.1:1", "query": "up"}}
    fraud.watch(
        fraud.metric("gone", provider=gone), fraud.metric(), fraud.metric("missing")
    )
    fraud.report("accuracy", 0.5)
    answer = fraud.once()
    assert answer.code == 5
    assert [a["metric"] for a in answer.json["actions"]] == ["accuracy"]
    assert fraud.bench.live("fraud", "staging") == "1.0.0"


def test_what_this_machine_does_not_allow_is_not_run(fraud: Watched) -> None:
    marker = fraud.bench.outside / "ran"
    program = fraud.bench.file("scan", f"#!/bin/sh\n: > {marker}\necho 1\n".encode())
    program.chmod(0o755)
    scan = {"exec": {"argv": [str(program)]}}
    fraud.watch(fraud.metric("scan", flag=True, provider=scan))
    answer = fraud.once()
    assert (answer.code, answer.json["actions"]) == (5, [])
    assert "gitmodel.allow" in answer.json["stages"][0]["metrics"][0]["detail"]
    assert not marker.exists()
    fraud.bench.git("config", "--add", "gitmodel.allow", str(program))
    assert fraud.once().json["actions"] == []  # the interval is not over
    assert not marker.exists()
    (fraud.place / "state.json").unlink()
    assert fraud.once().json["actions"][0]["status"] == "done"
    assert marker.exists()


def test_a_bad_trigger_is_told_once_and_keeps_no_other_from_use(
    fraud: Watched,
) -> None:
    fraud.watch().bench.commit_file("triggers/churn.yaml", b"kind: [\n")
    answer = fraud.once()
    assert answer.code == 5
    assert [problem["path"] for problem in answer.json["problems"]] == [
        "triggers/churn.yaml"
    ]
    assert phases(answer.json) == {"accuracy": "healthy"}
    assert fraud.told == ["trigger_alert"]
    fraud.once()
    assert fraud.told == ["trigger_alert"]


def test_a_stage_whose_log_is_not_sound_is_not_acted_upon(fraud: Watched) -> None:
    pin = (fraud.bench.path / "stages/staging/fraud.yaml").read_bytes()
    bad = pin.replace(b"1.1.0", b"1.0.0")
    fraud.watch().bench.commit_file("stages/staging/fraud.yaml", bad)
    fraud.report("accuracy", 0.5)
    answer = fraud.once()
    assert (answer.code, answer.json["actions"]) == (5, [])
    [problem] = answer.json["problems"]
    assert problem["path"] == "stages/staging/fraud.yaml"


def test_a_watcher_that_may_not_act_is_told_before_it_matters(
    fraud: Watched,
) -> None:
    fraud.watch()
    fraud.bench.do("key", "new", "--out", fraud.bench.outside / "stranger")
    stranger = ("--key", str(fraud.bench.outside / "stranger"))
    answer = fraud.bench.run("--json", *stranger, "watch", "--once")
    assert answer.code == 5
    [problem] = answer.json["problems"]
    assert problem["code"] == "E_UNTRUSTED_KEY"
    assert phases(answer.json) == {"accuracy": "healthy"}
    fraud.watch(fraud.metric(severity="medium"))
    assert fraud.bench.run("--json", *stranger, "watch", "--once").code == 0
    fraud.watch(fraud.metric(dryRun=True))
    assert fraud.bench.run("--json", *stranger, "watch", "--once").code == 0


def test_a_model_may_have_its_baseline_in_the_manifest(story: Workbench) -> None:
    watched = Watched(story)
    watched.report("accuracy", {"now": 0.8, "n": 50})
    path = {"path": str(story.outside / "reports/accuracy.json"), "jsonPath": "$.now"}
    drop = watched.metric(
        drop={"metric": "accuracy", "by": 0.05},
        provider={"file": path},
        minSamples={"jsonPath": "$.n", "min": 100},
    )
    watched.watch(drop, stage="dev")
    answer = watched.once()
    assert answer.json["stages"][0]["metrics"][0]["outcome"] == "inconclusive"
    watched.report("accuracy", {"now": 0.8, "n": 100})
    (watched.place / "state.json").unlink()
    [action] = watched.once().json["actions"]
    assert action["reason"].startswith(
        "accuracy (critical): 0.8, where validation.accuracy was 0.95: worse by more"
    )


def test_nothing_to_go_back_to_is_told_and_not_tried_again(fraud: Watched) -> None:
    fraud.report("churn", True)
    fraud.watch(fraud.metric("churn", flag=True), model="churn", stage="dev")
    answer = fraud.once()
    [action] = answer.json["actions"]
    assert (answer.code, action["status"], action["code"]) == (
        1,
        "failed",
        "E_NO_KNOWN_GOOD",
    )
    assert fraud.told == ["trigger_fired", "rollback_initiated", "rollback_failed"]
    (fraud.place / "events.jsonl").unlink()
    assert fraud.once().json["actions"] == []


@pytest.mark.parametrize("action", ["propose", "rollback", "emergency"])
def test_a_decision_about_what_is_not_live_any_more_is_void(
    fraud: Watched, action: Any
) -> None:
    before = fraud.bench.snapshot()
    decision = Decision(
        action=action,
        model="fraud",
        stage="staging",
        manifest=Digest.of(b"before"),
        metric="m",
        reason="m (critical): bad",
        at=fraud.clock.now(),
        dry_run=False,
    )
    with fraud.opened() as handle:
        assert act(handle, decision, push=False).status == "void"
    assert fraud.bench.snapshot() == before


def test_another_command_at_work_only_puts_it_off(
    fraud: Watched, stop: threading.Event, monkeypatch: pytest.MonkeyPatch
) -> None:
    fraud.watch().report("accuracy", 0.5)
    monkeypatch.setattr(inspect.unwrap(exclusive), "__kwdefaults__", {"patience": 0.0})
    with fraud.opened() as handle, exclusive(handle.lock_file):
        assert [acted.status for acted in fraud.round(stop).acted] == ["postponed"]
    assert [acted.status for acted in fraud.round(stop).acted] == ["done"]
    assert fraud.bench.live("fraud", "staging") == "1.0.0"


def test_the_log_limits_a_watcher_that_forgot_everything(
    fraud: Watched, stop: threading.Event
) -> None:
    fraud.watch(safety={"maxRollbacks": 1, "cooldown": "1m"})
    fraud.report("accuracy", 0.5)
    assert [acted.status for acted in fraud.round(stop).acted] == ["done"]
    (fraud.place / "state.json").unlink()
    found = fraud.round(stop, 5 * MINUTE)
    assert (found.acted, [e.kind for e in found.events]) == ((), ["frozen"])
    assert "trigger_frozen" in fraud.told
    fraud.bench.promote("fraud@2.0.0", "dev", "staging")
    fraud.clock.moment += timedelta(hours=1)
    assert [e.kind for e in fraud.round(stop, 5 * MINUTE).events] == ["frozen"]


def test_who_moved_a_stage_is_told_by_its_log(fraud: Watched) -> None:
    def moved_by_automation() -> list[bool]:
        with fraud.opened() as handle:
            places = read_scene(handle.view()).places.values()
            return [place.live.automated for place in places if place.live]

    fraud.watch()
    assert moved_by_automation() == [False]
    fraud.report("accuracy", 0.5)
    fraud.once()
    assert moved_by_automation() == [True]
    fraud.bench.promote("fraud@2.0.0", "dev", "staging")
    fraud.bench.do("rollback", "fraud", "staging", "-m", "Slow: not by a trigger")
    assert moved_by_automation() == [False]


def test_rollbacks_by_people_are_not_counted_as_automatic(
    fraud: Watched, stop: threading.Event
) -> None:
    fraud.watch(safety={"maxRollbacks": 1})
    fraud.bench.promote("fraud@2.0.0", "dev", "staging")
    fraud.bench.do("rollback", "fraud", "staging", "-m", "slow")
    fraud.report("accuracy", 0.5)
    assert [acted.status for acted in fraud.round(stop).acted] == ["done"]
    assert fraud.bench.live("fraud", "staging") == "1.0.0"


@pytest.mark.parametrize(
    "memory",
    [b"", b"{", b"[]", b'{"version": 2, "stages": {}, "told": []}', b"\xff" * 100,
     b'{"version": 1, "stages": {"staging/fraud": {"version": 9}}, "told": []}'],
)  # fmt: skip
def test_a_memory_that_cannot_be_read_is_told_and_begun_anew(
    fraud: Watched, memory: bytes
) -> None:
    fraud.watch().once()
    (fraud.place / "state.json").write_bytes(memory)
    answer = fraud.once()
    assert [event["kind"] for event in answer.json["events"]] == ["reset"]
    assert answer.json["actions"] == []
    assert fraud.told == ["trigger_alert"]
    assert fraud.once().json["events"] == []


def test_a_memory_that_others_could_have_written_is_not_believed(
    fraud: Watched,
) -> None:
    fraud.watch().once()
    (fraud.place / "state.json").chmod(0o666)
    assert [e["kind"] for e in fraud.once().json["events"]] == ["reset"]
    assert (fraud.place / "state.json").stat().st_mode & 0o777 == 0o600


def test_a_second_watcher_is_told(fraud: Watched) -> None:
    fraud.watch()
    with fraud.opened() as handle, WatchStore(handle.repository).hold():
        answer = fraud.once()
        assert (answer.code, answer.json["error"]["code"]) == (1, "E_LOCKED")
        assert "Another watcher" in answer.json["error"]["message"]
        assert fraud.once("--dry-run").code == 0  # a rehearsal is in nobody's way
    assert fraud.once().code == 0


def test_no_triggers_are_nothing_to_do(stocked: Workbench) -> None:
    answer = stocked.run("watch", "--once")
    assert (answer.code, answer.out) == (0, "Nothing is watched.\n")
    assert answer.err.startswith("Next: triggers/MODEL.yaml")


def test_a_round_that_comes_too_soon_says_so(fraud: Watched) -> None:
    fraud.watch().report("accuracy", 0.96)
    assert "healthy  passed" in fraud.bench.run("watch", "--once").out
    soon = fraud.bench.run("watch", "--once").out.splitlines()
    assert soon[1].endswith("healthy  -        not due yet")


def test_old_events_make_room(fraud: Watched) -> None:
    fraud.watch().report("accuracy", 0.5)
    fraud.place.mkdir(parents=True)
    (fraud.place / "events.jsonl").write_bytes(b"\n" * (4 << 20))
    fraud.once()
    assert len((fraud.place / "events.jsonl").read_text().splitlines()) == 1
    assert (fraud.place / "events.1.jsonl").stat().st_size == 4 << 20


# ---- alerts


def alert(fraud: Watched, minutes: int, **labels: str) -> Alert:
    return Alert(
        status="firing",
        labels={"alertname": "FraudErrors", **labels},
        annotations={},
        starts_at=fraud.clock.now() + minutes * MINUTE,
        fingerprint=f"f{minutes}{labels}",
    )


def test_an_alert_about_what_is_live_rolls_it_back(
    fraud: Watched, stop: threading.Event
) -> None:
    provider = {"alertmanager": {"alertname": "FraudErrors", "labels": {"m": "fraud"}}}
    body = fraud.metric("errors", flag=True, provider=provider)
    fraud.watch(body)
    fraud.inbox = inbox = Inbox()
    [metric] = fraud.round(stop).stages[0].metrics
    assert (metric.phase, metric.outcome) == ("unknown", "no_data")
    inbox.put([alert(fraud, -600, m="fraud"), alert(fraud, 0, m="churn")])
    [metric] = fraud.round(stop).stages[0].metrics
    assert (metric.phase, metric.outcome) == ("healthy", "passed")
    inbox.put([alert(fraud, 0, m="fraud")])
    found = fraud.round(stop)
    assert [acted.status for acted in found.acted] == ["done"]
    # The alert is about what was live then.
    [metric] = fraud.round(stop, 90 * MINUTE).stages[0].metrics
    assert metric.outcome == "passed"


# ---- remotes


def watched_team(team: Team) -> Watched:
    team.ours.promote("fraud@1.0.0", "staging")
    team.ours.promote("fraud@1.1.0", "dev", "staging")
    found = Watched(team.ours)
    found.report("accuracy", 0.5)
    found.watch()
    team.ours.do("sync")
    return found


def test_what_is_done_is_pushed(team: Team) -> None:
    watched = watched_team(team)
    [action] = watched.once("--push", "--fetch").json["actions"]
    assert (action["status"], action["commit"]) == ("done", team.tip())


def test_without_the_remote_it_happens_here_all_the_same(team: Team) -> None:
    watched = watched_team(team)
    team.hub.rename(team.hub.with_suffix(".away"))
    answer = watched.once("--push", "--fetch")
    [action] = answer.json["actions"]
    assert (answer.code, action["status"]) == (5, "done")
    assert team.ours.live("fraud", "staging") == "1.0.0"
    assert [problem["code"] for problem in answer.json["problems"]]
    team.hub.with_suffix(".away").rename(team.hub)
    assert watched.once("--push", "--fetch").code == 0
    assert team.tip() == team.ours.git("rev-parse", "HEAD")


def test_a_remote_that_never_answers_is_not_waited_for_long(
    team: Team, monkeypatch: pytest.MonkeyPatch
) -> None:
    watched = watched_team(team)
    for module in (watch_acting, watch_round):
        monkeypatch.setattr(module, "PATIENCE", 0.5)
    with socket.create_server(("127.0.0.1", 0)) as silent:
        address = f"git://127.0.0.1:{silent.getsockname()[1]}/registry"
        team.ours.git("remote", "set-url", "origin", address)
        answer = watched.once("--push", "--fetch")
    assert (answer.code, answer.json["actions"][0]["status"]) == (5, "done")
    assert team.ours.live("fraud", "staging") == "1.0.0"


def test_what_has_parted_is_joined_before_it_is_pushed(team: Team) -> None:
    watched = watched_team(team)
    team.theirs.do("sync")
    team.theirs.register("spam", "1.0.0")
    team.theirs.do("sync")
    team.ours.register("ham", "1.0.0")
    [action] = watched.once("--push").json["actions"]
    assert (action["status"], action["commit"]) == ("done", team.tip())
    assert team.ours.verify("--history", "--no-bytes") == (0, [])


def test_two_clones_that_watch_roll_back_once(team: Team) -> None:
    ours = watched_team(team)
    team.theirs.do("sync")
    theirs = Watched(team.theirs)
    theirs.report("accuracy", 0.5)
    assert ours.once("--push").json["actions"][0]["status"] == "done"
    [action] = theirs.once("--push").json["actions"]
    assert (action["status"], action["code"]) == ("void", "E_STAGE_MOVED")
    found = theirs.once("--push", "--fetch").json
    assert (found["stages"][0]["version"], found["actions"]) == ("1.0.0", [])
    assert found["commit"] == team.tip()


def test_what_others_promoted_meanwhile_is_what_is_watched(team: Team) -> None:
    watched = watched_team(team)
    team.theirs.do("sync")
    team.theirs.run("-q", "promote", "fraud@1.2.0", "dev", "--push")
    answer = team.theirs.run("-q", "promote", "fraud@1.2.0", "staging", "--push")
    assert answer.code == 0, answer.err
    found = watched.once("--fetch", "--push").json
    assert found["stages"][0]["version"] == "1.2.0"
    assert found["actions"][0]["detail"] == "1.2.0 -> 1.1.0"


def test_an_api_round_is_the_same(fraud: Watched) -> None:
    fraud.watch().report("accuracy", 0.5)
    with gitmodel.open_registry(fraud.bench.path) as registry:
        found = registry.watch_once(dry_run=True)
        assert [acted.status for acted in found.acted] == ["rehearsed"]
        assert [trigger.model for trigger in registry.triggers()] == ["fraud"]
    assert dataclasses.is_dataclass(found)
