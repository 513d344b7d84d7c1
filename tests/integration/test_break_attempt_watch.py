"""Attacks on watching, by those who may push, who answer, or who own the clock.

None may run, read or ask what this machine did not allow, end or hang the watcher,
cause a rollback that nothing measured asks for, or keep people from hearing of it.
"""

from __future__ import annotations

import json
import os
import signal
import threading
import time
from datetime import timedelta
from typing import TYPE_CHECKING, Any

import pytest

from gitmodel.adapters.metrics.alertmanager import Inbox, parse_notification
from gitmodel.cli.watching import ending_by_signal
from gitmodel.domain.moment import to_text
from gitmodel.operations.watch_measuring import measure_all
from gitmodel.registry import triggers
from gitmodel.registry.triggers import read_triggers
from tests.support.liar import Liar, lying
from tests.support.watched import Watched

if TYPE_CHECKING:
    from collections.abc import Iterator

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


@pytest.fixture
def liar() -> Iterator[Liar]:
    with lying() as running:
        yield running


def reasons(watched: Watched) -> list[str]:
    """Return why people were told, oldest first."""
    path = watched.bench.path / ".git/gitmodel/events.jsonl"
    if not path.exists():
        return []
    return [
        json.loads(line)["data"]["reason"] for line in path.read_text().splitlines()
    ]


def post(starts_at: str, status: str = "firing", **labels: str) -> bytes:
    """Return what Alertmanager would send of one alert."""
    alert = {
        "status": status,
        "labels": {"alertname": "FraudErrors", **labels},
        "annotations": {},
        "startsAt": starts_at,
        "fingerprint": "f",
    }
    return json.dumps({"version": "4", "alerts": [alert]}).encode()


def on_alerts(fraud: Watched, **fields: Any) -> Inbox:
    """Watch for alerts alone, as a listener hears them."""
    provider = {"alertmanager": {"alertname": "FraudErrors"}}
    fraud.watch(fraud.metric("errors", flag=True, provider=provider, **fields))
    fraud.inbox = Inbox()
    return fraud.inbox


# ---- alerts with times that cannot be


@pytest.mark.parametrize(
    "began",
    ["0001-01-01T00:00:00Z", "0999-12-31T23:59:59Z", "9999-12-31T23:59:59.999999Z"],
)
def test_an_alert_of_another_millennium_does_not_hang_the_round(
    fraud: Watched, stop: threading.Event, began: str
) -> None:
    inbox = on_alerts(fraud)
    inbox.put(parse_notification(post(began)))
    deadline = threading.Timer(20, stop.set)
    deadline.start()
    try:
        found = fraud.round(stop)
    finally:
        deadline.cancel()
    assert not stop.is_set()
    assert [stage.model for stage in found.stages] == ["fraud"]
    assert found.acted == ()


def test_an_alert_that_begins_in_the_future_takes_back_one_version_at_most(
    fraud: Watched, stop: threading.Event
) -> None:
    fraud.bench.promote("fraud@2.0.0", "dev", "staging")
    inbox = on_alerts(fraud, interval="1m")
    inbox.put(parse_notification(post("2090-01-01T00:00:00Z")))
    for _ in range(4):
        fraud.round(stop, timedelta(hours=1))
    assert fraud.bench.live("fraud", "staging") != "1.0.0"


# ---- what vanishes


def test_a_trigger_that_was_deleted_is_told_of_once(fraud: Watched) -> None:
    fraud.watch().once()
    fraud.bench.git("rm", "-q", "triggers/fraud.yaml")
    fraud.bench.git("commit", "-qm", "tidy up")
    assert "trigger_alert" not in fraud.told
    fraud.once()
    assert fraud.told == ["trigger_alert"]
    assert "no longer watched" in reasons(fraud)[-1]
    fraud.once()
    assert fraud.told == ["trigger_alert"]


def test_a_trigger_that_watches_another_stage_now_is_told_of(fraud: Watched) -> None:
    fraud.watch().once()
    fraud.watch(stage="dev").once()
    assert any("no longer watched" in reason for reason in reasons(fraud))


def test_a_metric_that_was_taken_out_is_told_of_once(fraud: Watched) -> None:
    fraud.report("errors", 0.99)
    fraud.watch(fraud.metric(), fraud.metric("errors")).once()
    fraud.watch(fraud.metric("errors")).once()
    told = [one for one in reasons(fraud) if "no longer watched" in one]
    assert len(told) == 1
    assert "accuracy" in told[0]
    fraud.once()
    assert told == [one for one in reasons(fraud) if "no longer watched" in one]


def test_a_trigger_that_goes_and_comes_back_has_not_forgotten(
    fraud: Watched, stop: threading.Event
) -> None:
    fraud.watch(fraud.metric(severity="high")).report("accuracy", 0.5)
    assert [acted.status for acted in fraud.round(stop).acted] == ["pending"]
    good = (fraud.bench.path / "triggers/fraud.yaml").read_bytes()
    for broken in (b"kind: [\n", None):
        if broken is None:
            fraud.bench.git("rm", "-q", "triggers/fraud.yaml")
            fraud.bench.git("commit", "-qm", "gone")
        else:
            fraud.bench.commit_file("triggers/fraud.yaml", broken)
        fraud.round(stop)
        fraud.bench.commit_file("triggers/fraud.yaml", good)
        found = fraud.round(stop)
        assert (found.acted, found.events) == ((), ())
        assert found.stages[0].metrics[0].phase == "acted"


# ---- floods, and other triggers


def test_a_flood_of_bad_triggers_is_a_few_messages_and_is_told_once(
    fraud: Watched,
) -> None:
    fraud.watch().report("accuracy", 0.5)
    place = fraud.bench.path / "triggers"
    for number in range(300):
        (place / f"m{number}.yaml").write_text("kind: [\n")
    fraud.bench.git("add", "triggers")
    fraud.bench.git("commit", "-qm", "flood")
    answer = fraud.once()
    assert len(answer.json["problems"]) == 300
    assert fraud.bench.live("fraud", "staging") == "1.0.0"
    assert "rollback_completed" in fraud.told
    told = [reason for reason in reasons(fraud) if "not watched" in reason]
    assert len(told) < 50
    assert "280 more" in told[-1]
    fraud.once()
    assert told == [reason for reason in reasons(fraud) if "not watched" in reason]


def test_a_registry_that_was_broken_by_a_push_is_told_of_and_watched_on(
    fraud: Watched, stop: threading.Event
) -> None:
    fraud.watch().report("accuracy", 0.95)
    fraud.round(stop)
    before = fraud.bench.git("rev-parse", "HEAD").strip()
    for path in (
        "gitmodel.yaml",
        ".gitmodel/policy/1.yaml",
        "stages/staging/fraud.yaml",
    ):
        fraud.bench.commit_file(path, b"kind: [\n")
        known = len(fraud.told)
        found = fraud.round(stop)
        assert found.problems, path
        assert found.acted == ()
        assert len(fraud.told) > known, path
        fraud.bench.git("reset", "-q", "--hard", before)
    fraud.report("accuracy", 0.5)
    assert [acted.status for acted in fraud.round(stop).acted] == ["done"]


def test_a_registry_that_was_emptied_by_a_push_is_told_of(
    fraud: Watched, stop: threading.Event
) -> None:
    fraud.watch()
    fraud.round(stop)
    fraud.bench.git("rm", "-qr", ".")
    fraud.bench.git("commit", "-qm", "empty", "--allow-empty")
    found = fraud.round(stop)
    assert found.problems
    assert fraud.told == ["trigger_alert"]


def test_one_model_with_slow_sources_does_not_keep_others_waiting(
    fraud: Watched,
) -> None:
    fraud.report("accuracy", 0.5)
    with lying() as silent:
        silent.hangs = True
        fraud.bench.git("config", "--add", "gitmodel.allow", silent.url)
        slow = {"prometheus": {"address": silent.url, "query": "x", "timeout": "2m"}}
        metrics = [fraud.metric(f"m{number}", provider=slow) for number in range(40)]
        fraud.watch(*metrics, model="churn", stage="dev").watch()
        done = threading.Thread(target=fraud.once, daemon=True)
        done.start()
        until = time.monotonic() + 40
        while fraud.bench.live("fraud", "staging") != "1.0.0":
            assert time.monotonic() < until
            done.join(0.1)
    done.join(40)
    assert not done.is_alive()


def test_a_round_ends_whatever_its_sources_do(
    fraud: Watched, liar: Liar, stop: threading.Event, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(measure_all, "__kwdefaults__", {"seconds": 0.5})
    fraud.report("accuracy", 0.5)
    liar.hangs = True
    fraud.bench.git("config", "--add", "gitmodel.allow", liar.url)
    slow = {"prometheus": {"address": liar.url, "query": "x", "timeout": "2m"}}
    fraud.watch(fraud.metric(), fraud.metric("slow", provider=slow))
    found = fraud.round(stop)
    assert {one.name: one.outcome for one in found.stages[0].metrics} == {
        "accuracy": "failed",
        "slow": "error",
    }
    assert [acted.status for acted in found.acted] == ["done"]


# ---- what this machine did not allow


def test_no_address_is_asked_that_this_machine_did_not_allow(
    fraud: Watched, liar: Liar
) -> None:
    probe = {"prometheus": {"address": f"{liar.url}/latest/meta-data", "query": "x"}}
    fraud.watch(fraud.metric("probe", provider=probe))
    answer = fraud.once()
    [metric] = answer.json["stages"][0]["metrics"]
    assert (answer.code, metric["outcome"]) == (5, "error")
    assert "gitmodel.allow" in metric["detail"]
    assert liar.heard == []


def test_no_directory_is_listed_that_this_machine_did_not_allow(
    fraud: Watched,
) -> None:
    home = fraud.bench.outside / "home"
    home.mkdir()
    (home / "model.bin").write_bytes(b"x")
    (home / "payroll-2026.xlsx").write_bytes(b"x")
    source = {"integrity": {"path": str(home)}}
    fraud.watch(fraud.metric("files", flag=True, provider=source))
    answer = fraud.once()
    assert answer.json["actions"] == []
    assert "payroll" not in json.dumps(answer.json) + "".join(reasons(fraud))
    [metric] = answer.json["stages"][0]["metrics"]
    assert "gitmodel.allow" in metric["detail"]


def test_no_file_beside_the_registry_is_read_that_nobody_committed(
    fraud: Watched,
) -> None:
    secret = fraud.bench.path / "service-account.json"
    secret.write_text('{"private_key": "-----BEGIN"}')
    source = {"file": {"path": "service-account.json", "jsonPath": "$.private_key"}}
    fraud.watch(fraud.metric("key", failureCondition="result != null", provider=source))
    answer = fraud.once()
    assert answer.json["actions"] == []
    assert "BEGIN" not in json.dumps(answer.json) + "".join(reasons(fraud))


def test_a_wire_that_is_cut_is_no_data_and_not_health(
    fraud: Watched, stop: threading.Event
) -> None:
    on_alerts(fraud)
    fraud.inbox = inbox = Inbox(patience=0.0)
    inbox.put(parse_notification(post("2020-01-01T00:00:00Z", "resolved")))
    [metric] = fraud.round(stop).stages[0].metrics
    assert (metric.phase, metric.outcome) == ("unknown", "no_data")


# ---- what comes after a rollback


def test_no_rollback_waits_for_what_comes_after_another(
    fraud: Watched, stop: threading.Event
) -> None:
    fraud.report("other", 0.1)
    fraud.report("accuracy", 0.1)
    fraud.watch(fraud.metric(), fraud.metric("other", stage="dev"))
    patient = fraud.bench.file(
        "patient",
        b"#!/bin/sh\nfor n in 1 2 3 4 5 6 7 8 9; do git -C "
        + str(fraud.bench.path).encode()
        + b" grep -q 'version: 1.1.0' HEAD -- stages/ || exit 0; done; exit 1\n",
    )
    patient.chmod(0o755)
    fraud.bench.git("config", "--add", "gitmodel.allow", str(patient))
    check = {"name": "patient", "command": {"argv": [str(patient)]}}
    text = "validation: {postRollback: [" + json.dumps(check) + "]}\n"
    model = fraud.bench.path / "models/fraud/model.yaml"
    data = (model.read_text() if model.exists() else "") + text
    fraud.bench.commit_file("models/fraud/model.yaml", data.encode())
    found = fraud.round(stop)
    assert [(one.status, one.error) for one in found.acted] == [("done", None)] * 2
    assert fraud.told.count("validation_passed") == 2
    assert fraud.bench.verify("--history") == (0, [])


def test_two_watchers_on_two_machines_roll_back_once(team: Team) -> None:
    team.ours.promote("fraud@1.0.0", "staging")
    team.ours.promote("fraud@1.1.0", "dev", "staging")
    team.ours.promote("fraud@1.2.0", "dev", "staging")
    one = Watched(team.ours)
    one.report("accuracy", 0.5)
    one.watch()
    team.ours.do("sync")
    team.theirs.do("sync")
    other = Watched(team.theirs)
    path = str(team.ours.outside / "reports/accuracy.json")
    team.theirs.git("config", "--add", "gitmodel.allow", path)
    answers: list[Any] = []

    def run(watched: Watched) -> None:
        answers.append(watched.once("--fetch", "--push"))

    threads = [threading.Thread(target=run, args=(each,)) for each in (one, other)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(60)
    for watched in (one, other, one, other):
        watched.once("--fetch", "--push")
    for bench in (team.ours, team.theirs):
        assert bench.live("fraud", "staging") == "1.1.0"
        assert bench.verify("--history", "--no-bytes") == (0, [])
    events = team.ours.do("log")["events"]
    assert len([one for one in events if one["action"] == "rollback"]) == 1


# ---- words that would be more than words


def test_names_that_are_no_text_are_told_and_move_no_cursor(fraud: Watched) -> None:
    fraud.watch()
    for name in (b"\xff\xfe", b"a\x1b[2Jb", b"line\nbreak", b"\xe2\x80\xaegnirts"):
        place = os.fsencode(fraud.bench.path) + b"/triggers/" + name + b".yaml"
        with open(place, "wb") as file:  # noqa: PTH123 no path is made of such bytes
            file.write(b"kind: [\n")
    fraud.bench.git("add", "triggers")
    fraud.bench.git("commit", "-qm", "names")
    answer = fraud.bench.run("watch", "--once")
    assert answer.code == 5
    assert answer.out.replace("\n", "").isprintable()
    told = [one for one in reasons(fraud) if "not watched" in one]
    assert told
    assert all(one.isprintable() for one in told)
    assert len(told) == len(fraud.once().json["problems"])


def test_what_a_program_complains_of_moves_no_cursor(fraud: Watched) -> None:
    program = fraud.bench.file(
        "loud", b"#!/bin/sh\nprintf 'a\\033[2J\\342\\200\\256b\\377' >&2\nexit 1\n"
    )
    program.chmod(0o755)
    fraud.bench.git("config", "--add", "gitmodel.allow", str(program))
    source = {"exec": {"argv": [str(program)]}}
    metric = fraud.metric("loud", consecutiveErrorLimit=1, provider=source)
    fraud.watch(metric)
    answer = fraud.bench.run("watch", "--once")
    assert answer.code == 5
    assert answer.out.replace("\n", "").isprintable()
    assert all(one.isprintable() for one in reasons(fraud))
    assert "trigger_alert" in fraud.told


# ---- triggers that take long to read


def test_triggers_that_take_long_to_read_do_not_keep_others_from_use(
    fraud: Watched, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(triggers, "_MOST_OF_ALL", 256 << 10)
    fraud.watch().report("accuracy", 0.5)
    huge = "kind: RollbackTrigger\n" + "".join(f"k{n}: 1\n" for n in range(100_000))
    large = huge[: 100 << 10]
    for number in range(200):
        name = f"m{number:03}"
        (fraud.bench.path / f"models/{name}").mkdir()
        (fraud.bench.path / f"models/{name}/model.yaml").write_text("x")
        text = huge if number % 2 else large
        (fraud.bench.path / f"triggers/{name}.yaml").write_text(text)
    for number in range(200):
        (fraud.bench.path / f"triggers/none{number}.yaml").write_text(large)
    fraud.bench.git("add", "triggers", "models")
    fraud.bench.git("commit", "-qm", "large")
    with fraud.opened() as handle:
        began = time.monotonic()
        found = read_triggers(handle.view())
        took = time.monotonic() - began
    assert list(found.found) == ["fraud"]
    assert len({problem.path for problem in found.problems}) == 400
    assert took < 20


# ---- what is allowed for one thing, used for another


def test_no_event_is_written_behind_a_program_or_into_a_report(
    fraud: Watched,
) -> None:
    marker = fraud.bench.outside / "owned"
    script = b"#!/bin/sh\necho 0.95\n"
    program = fraud.bench.file("scan", script)
    program.chmod(0o755)
    fraud.bench.git("config", "--add", "gitmodel.allow", str(program))
    report = fraud.bench.outside / "reports/accuracy.json"
    text = (fraud.bench.path / "gitmodel.yaml").read_text() + "notifications:\n"
    for name, path in (("one", program), ("two", report)):
        text += f"  - {{name: {name}, on: [info], file: {{path: {path}}}}}\n"
    fraud.bench.commit_file("gitmodel.yaml", text.encode())
    query = f"result == 0 || result != '$(touch {marker})'"
    scan = fraud.metric(
        "scan",
        consecutiveErrorLimit=1,
        failureCondition=query,
        provider={"exec": {"argv": [str(program)]}},
    )
    fraud.watch(scan, fraud.metric())
    for _ in range(2):
        fraud.once()
        (fraud.place / "state.json").unlink()
    assert any("touch" in reason for reason in reasons(fraud))
    assert program.read_bytes() == script
    assert json.loads(report.read_bytes()) == 0.95
    assert not marker.exists()


def test_nobody_watches_once_in_a_thousand_years(fraud: Watched) -> None:
    fraud.watch()
    answer = fraud.bench.run("watch", "--interval", "999999d")
    assert (answer.code, answer.out) == (2, "")
    assert "too long" in answer.err


def test_a_promotion_from_the_future_is_watched_from_now_on(
    fraud: Watched, stop: threading.Event
) -> None:
    # To the watcher, whose clock is right, what is live came in two hours from now.
    fraud.clock.moment -= timedelta(hours=2)
    inbox = on_alerts(fraud)
    inbox.put(parse_notification(post("2020-01-01T00:00:00Z")))
    assert fraud.round(stop).acted == ()
    began = fraud.clock.moment + timedelta(seconds=30)
    inbox.put(parse_notification(post(to_text(began))))
    assert [acted.decision.action for acted in fraud.round(stop).acted] == ["rollback"]


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_a_signal_in_the_wrong_moment_ends_the_watcher_all_the_same(
    stop: threading.Event, number: signal.Signals
) -> None:
    def give_up(*_: object) -> None:
        raise TimeoutError

    before = signal.signal(signal.SIGALRM, give_up)
    signal.setitimer(signal.ITIMER_REAL, 20)
    try:
        with ending_by_signal(stop):
            with stop._cond:  # type: ignore[attr-defined]  # noqa: SLF001 in a wait
                os.kill(os.getpid(), number)
            assert stop.wait(10)
        with ending_by_signal(threading.Event()):
            pass  # nobody came
    finally:
        signal.setitimer(signal.ITIMER_REAL, 0)
        signal.signal(signal.SIGALRM, before)
