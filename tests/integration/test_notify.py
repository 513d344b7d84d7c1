"""Who is told of events, as far as this machine allows; and that it never fails."""

from __future__ import annotations

import json
import re
import signal
import sys
import time
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from gitmodel.adapters.git.repository import Repository
from gitmodel.domain.digest import Digest
from gitmodel.domain.event import EVENT_TYPES, SEVERITIES, Event
from gitmodel.operations.notify import begin, notify, try_out
from gitmodel.registry import event_log
from gitmodel.registry.handle import Context, RegistryHandle
from gitmodel.registry.keys import KeyChoice
from gitmodel.resources import schema
from tests.support.clocks import FixedClock
from tests.support.contract import ANSWERS
from tests.support.json_keys import deviations
from tests.support.liar import lying
from tests.support.listeners import WebServer, web_server

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from gitmodel.operations.delivery import Delivery
    from tests.support.workbench import Workbench

EVENT = Event(
    type="rollback_completed",
    time="2026-02-14T14:03:00Z",
    reason="accuracy fell",
    actor="ada",
    model="fraud",
    stage="production",
    origin="1.2.0",
    target="1.1.0",
    commit="c0ffee" + "0" * 34,
)
NOW = datetime(2026, 2, 14, 14, 3, tzinfo=UTC)


@pytest.fixture
def web() -> Iterator[WebServer]:
    with web_server() as running:
        yield running


@contextmanager
def opened(
    bench: Workbench,
    warnings: list[str] | None = None,
    environment: Mapping[str, str] | None = None,
) -> Iterator[RegistryHandle]:
    context = Context(
        clock=FixedClock(NOW),
        keys=KeyChoice(ask=lambda _: None),
        warn=(warnings if warnings is not None else []).append,
        environment=environment or {},
    )
    handle = RegistryHandle.open(bench.path, context)
    try:
        yield handle
    finally:
        handle.close()


def tell(bench: Workbench, event: Event = EVENT, **options: Any) -> list[Delivery]:
    seconds = options.pop("seconds", 5.0)
    with opened(bench, **options) as handle:
        return list(notify(handle, event, seconds=seconds))


def in_registry(bench: Workbench, *entries: dict[str, Any]) -> None:
    """Let the registry name those who are told."""
    lines = (bench.path / "gitmodel.yaml").read_text().partition("notifications:")[0]
    text = lines + "notifications: " + json.dumps(entries) + "\n"
    bench.commit_file("gitmodel.yaml", text.encode(), "who is told")


def in_clone(bench: Workbench, *entries: dict[str, Any]) -> Path:
    """Let this clone name those who are told."""
    document = {
        "apiVersion": "gitmodel.dev/v1",
        "kind": "Notifications",
        "notifications": entries,
    }
    path = bench.path / ".git/gitmodel/notifications.yaml"
    path.parent.mkdir(exist_ok=True)
    path.write_text(json.dumps(document))
    return path


def entry(name: str, *on: str, **receiver: Any) -> dict[str, Any]:
    return {"name": name, "on": on or ["info"], **receiver}


def allow(bench: Workbench, what: str | Path) -> None:
    bench.git("config", "--add", "gitmodel.allow", str(what))


def lines(path: Path) -> list[Any]:
    return [json.loads(line) for line in path.read_text().splitlines()]


# ---- what this machine allows


def test_an_address_of_the_registry_hears_nothing_until_it_is_allowed(
    bench: Workbench, web: WebServer
) -> None:
    in_registry(
        bench,
        entry("hook", webhook={"url": f"{web.url}/ops"}),
        entry("alerts", alertmanager={"url": web.url}),
        entry("mail", smtp={"host": "127.0.0.1", "from": "a@b.org", "to": ["c@d.org"]}),
    )
    warnings: list[str] = []
    told = tell(bench, warnings=warnings)
    assert [(each.name, each.ok) for each in told] == [
        ("hook", False),
        ("alerts", False),
        ("mail", False),
    ]
    assert all("gitmodel.allow" in each.hints[0] for each in told)
    assert all("does not know of rollback_completed" in said for said in warnings)
    assert len(warnings) == 3
    assert web.heard == []
    allow(bench, f"{web.url}/ops")
    assert [each.ok for each in tell(bench)] == [True, False, False]
    allow(bench, web.url)
    assert [each.ok for each in tell(bench)] == [True, True, False]
    paths = sorted(heard.path for heard in web.heard)
    assert paths == ["/api/v2/alerts", "/ops", "/ops"]
    allow(bench, "smtp://127.0.0.1")
    assert "does not take mail" in tell(bench)[2].detail


def test_a_registry_cannot_send_what_is_no_secret_of_notifications(
    bench: Workbench, web: WebServer
) -> None:
    allow(bench, web.url)
    thief = {"url": web.url, "headersFromEnv": {"X-A": "AWS_SECRET_ACCESS_KEY"}}
    in_registry(bench, entry("thief", webhook=thief))
    [told] = tell(bench, environment={"AWS_SECRET_ACCESS_KEY": "k"})
    assert (told.name, told.ok) == ("gitmodel.yaml", False)
    assert web.heard == []


def test_an_address_of_this_clone_or_a_variable_is_allowed_by_that(
    bench: Workbench, web: WebServer
) -> None:
    in_clone(bench, entry("mine", webhook={"url": f"{web.url}/mine"}))
    in_registry(bench, entry("ours", webhook={"urlFromEnv": "GITMODEL_NOTIFY_URL"}))
    told = tell(bench, environment={"GITMODEL_NOTIFY_URL": f"{web.url}/ours"})
    assert [(each.name, each.ok) for each in told] == [("ours", True), ("mine", True)]
    assert sorted(heard.path for heard in web.heard) == ["/mine", "/ours"]


def test_a_program_runs_only_where_it_is_allowed(bench: Workbench) -> None:
    script = bench.outside / "page"
    script.write_text(
        f"#!{sys.executable}\nimport sys, pathlib\n"
        "pathlib.Path(sys.argv[1]).write_text(sys.stdin.read())\n"
    )
    script.chmod(0o755)
    out = bench.outside / "out"
    in_clone(bench, entry("mine", exec={"argv": [str(script), str(out)]}))
    in_registry(bench, entry("ours", exec={"argv": [str(script), str(out)]}))
    assert [each.ok for each in tell(bench)] == [False, False]
    assert not out.exists()
    allow(bench, script)
    assert [each.ok for each in tell(bench)] == [True, True]
    assert lines(out)[0]["type"] == "dev.gitmodel.rollback.completed"


def test_a_file_stays_in_the_clone_or_is_allowed(bench: Workbench) -> None:
    outside = bench.outside / "trail.jsonl"
    before = bench.snapshot()
    in_clone(
        bench,
        entry("near", file={"path": "team/trail.jsonl"}),
        entry("far", file={"path": str(outside)}),
    )
    assert [each.ok for each in tell(bench)] == [True, False]
    assert not outside.exists()
    allow(bench, outside)
    assert [each.ok for each in tell(bench)] == [True, True]
    near = bench.path / ".git/gitmodel/events/team/trail.jsonl"
    assert len(lines(near)) == 2
    assert lines(near)[1:] == lines(outside)
    assert bench.snapshot() == before


def test_no_file_of_the_clone_itself_can_be_written_to(bench: Workbench) -> None:
    config = (bench.path / ".git/config").read_text()
    names = ("state.json", "notifications.yaml", "events.jsonl", "lock")
    in_registry(bench, *(entry(f"n{i}", file={"path": n}) for i, n in enumerate(names)))
    assert all(each.ok for each in tell(bench))
    place = bench.path / ".git/gitmodel"
    assert not (place / "state.json").exists()
    assert not (place / "notifications.yaml").exists()
    assert len(lines(place / "events.jsonl")) == 1
    absolute = str(bench.path / ".git/config")
    in_registry(bench, entry("evil", file={"path": absolute}))
    assert [each.ok for each in tell(bench)] == [False]
    assert (bench.path / ".git/config").read_text() == config


# ---- who hears what


def test_everybody_hears_what_they_asked_for_and_the_same_event(
    bench: Workbench, web: WebServer
) -> None:
    words = ("info", "warning", "critical", "rollback_completed", "rollback_failed")
    in_clone(bench, *(entry(w.replace("_", "-"), w, webhook={"url": f"{web.url}/{w}"})
                      for w in words))  # fmt: skip
    told = tell(bench)
    assert [each.name for each in told] == ["info", "warning", "rollback-completed"]
    sent = [json.loads(heard.body) for heard in web.heard]
    assert len(sent) == 3
    assert sent[0] == sent[1] == sent[2]
    root = Digest.of((bench.path / ".gitmodel/policy/1.yaml").read_bytes())
    assert sent[0]["source"] == f"gitmodel:{root}"
    assert sent[0]["data"]["to"] == "1.1.0"


def test_nobody_is_told_where_nobody_is_named(bench: Workbench) -> None:
    assert tell(bench) == []
    assert len(lines(bench.path / ".git/gitmodel/events.jsonl")) == 1


def test_the_schema_knows_every_event_that_can_be_heard() -> None:
    items = schema("registry-v1")["$defs"]["notification"]["properties"]["on"]["items"]
    assert items["enum"] == [
        *SEVERITIES,
        *(each for each in EVENT_TYPES if each != "notify_test"),
    ]


# ---- telling never fails, and never takes for ever


def test_one_who_hangs_keeps_nobody_else_waiting(
    bench: Workbench, web: WebServer
) -> None:
    here = entry("here", webhook={"url": web.url})
    in_clone(bench, here)
    assert [each.ok for each in tell(bench)] == [True]
    with lying() as liar:
        liar.hangs = True
        in_clone(
            bench,
            entry("hangs", webhook={"url": liar.url, "timeout": "10s"}),
            entry("drowned", exec={"argv": ["/bin/sleep", "600"], "timeout": "10s"}),
            here,
            entry("trail", file={"path": "trail.jsonl"}),
        )
        allow(bench, "/bin/sleep")
        started = time.monotonic()
        told = tell(bench, seconds=2.0)
        assert time.monotonic() - started < 8
    found = {each.name: each for each in told}
    assert [each.ok for each in told] == [False, False, True, True]
    assert found["here"].seconds < found["hangs"].seconds
    assert len(web.heard) == 2


@pytest.mark.skipif(sys.platform != "linux", reason="threads are files on Linux")
def test_who_is_told_meanwhile_takes_no_ctrl_c_from_a_change_that_lands(
    bench: Workbench,
) -> None:
    def threads() -> set[Path]:
        return set(Path("/proc/self/task").iterdir())

    with lying() as liar, opened(bench) as handle:
        liar.hangs = True
        in_clone(bench, entry("hangs", webhook={"url": liar.url}))
        before = threads()
        wait = begin(handle, EVENT, seconds=1.0)
        blocked = [_blocked(thread) for thread in threads() - before]
        assert [each.ok for each in wait()] == [False]
    assert any(mask >> (signal.SIGINT - 1) & 1 for mask in blocked)


def _blocked(thread: Path) -> int:
    """Return the signals that a thread does not take, as bits."""
    try:
        status = (thread / "status").read_text()
    except OSError:  # it has ended
        return 0
    [mask] = re.findall(r"^SigBlk:\t(\w+)$", status, re.MULTILINE)
    return int(mask, 16)


def test_a_malformed_list_keeps_nobody_of_the_other_from_hearing(
    bench: Workbench, web: WebServer
) -> None:
    in_registry(bench, {"name": "x", "on": ["info"], "pigeon": {"coop": "north"}})
    path = in_clone(bench, entry("mine", webhook={"url": web.url}))
    told = tell(bench)
    assert [(each.name, each.ok) for each in told] == [
        ("gitmodel.yaml", False),
        ("mine", True),
    ]
    path.write_text("a: &x 1\n")
    in_registry(bench, entry("ours", file={"path": "ours.jsonl"}))
    told = tell(bench)
    assert [(each.name, each.ok) for each in told] == [
        ("notifications.yaml", False),
        ("ours", True),
    ]


@pytest.mark.parametrize(
    "broken",
    [
        [entry("x", file={"path": "a"}), entry("x", file={"path": "b"})],
        [entry("x", file={"path": "a"}, exec={"argv": ["true"]})],
        [entry("x")],
        [entry("x", webhook={})],
        [entry("x", webhook={"url": "https://a.b", "urlFromEnv": "GITMODEL_NOTIFY_A"})],
        [entry("x", file={"path": "/a/../b"})],
    ],
)
def test_what_no_schema_can_say_is_said_by_verify(
    bench: Workbench, broken: list[dict[str, Any]]
) -> None:
    in_registry(bench, *broken)
    code, problems = bench.verify()
    assert (code, "E_SCHEMA" in problems) == (4, True)
    [told] = tell(bench)
    assert (told.name, told.ok) == ("gitmodel.yaml", False)


def test_a_registry_that_cannot_be_read_is_told_of_all_the_same(
    bench: Workbench, web: WebServer
) -> None:
    in_clone(bench, entry("mine", webhook={"url": web.url}))
    bench.commit_file("gitmodel.yaml", None)
    told = tell(bench)
    assert [(each.name, each.ok) for each in told] == [
        ("gitmodel.yaml", False),
        ("mine", True),
    ]


def test_what_cannot_be_written_as_json_is_a_failure_and_no_crash(
    bench: Workbench,
) -> None:
    in_clone(bench, entry("trail", file={"path": "trail.jsonl"}))
    event = Event(type="trigger_alert", time="x", details={"x": object()})
    assert [each.ok for each in tell(bench, event)] == [False, False]


# ---- what happened is kept


def test_events_are_kept_and_old_ones_go(bench: Workbench) -> None:
    repository = Repository.discover(bench.path)
    for _ in range(6):
        event_log.keep(repository, EVENT, most=1500)
    place = bench.path / ".git/gitmodel"
    newer, older = lines(place / "events.jsonl"), lines(place / "events.1.jsonl")
    assert newer + older == [EVENT.to_cloudevent()] * len(newer + older)
    assert (place / "events.jsonl").stat().st_size < 3000
    assert (place / "events.1.jsonl").stat().st_size < 3000


def test_a_log_that_cannot_be_written_is_told_and_others_hear(
    bench: Workbench, web: WebServer
) -> None:
    in_clone(bench, entry("mine", webhook={"url": web.url}))
    (bench.path / ".git/gitmodel/events.jsonl").symlink_to(bench.outside / "away")
    warnings: list[str] = []
    told = tell(bench, warnings=warnings)
    assert [(each.name, each.ok) for each in told] == [
        ("events.jsonl", False),
        ("mine", True),
    ]
    assert len(warnings) == 1
    assert not (bench.outside / "away").exists()


# ---- gitmodel notify test


def test_the_command_says_what_came_of_it(
    bench: Workbench, web: WebServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("GITMODEL_NOTIFY_TOKEN", "Bearer t0ps3cret")
    hook = {
        "url": web.url,
        "headersFromEnv": {"Authorization": "GITMODEL_NOTIFY_TOKEN"},
    }
    in_registry(bench, entry("hook", "critical", webhook=hook))
    answer = bench.run("notify", "test")
    assert answer.code == 5
    assert "FAIL  hook" in answer.out
    assert f"git config --add gitmodel.allow {web.url}" in answer.out
    allow(bench, web.url)
    answer = bench.run("notify", "test")
    assert (answer.code, answer.err) == (0, "")
    assert answer.out.startswith("ok    hook ")
    assert web.heard[0].headers["Authorization"] == "Bearer t0ps3cret"
    event = json.loads(web.heard[0].body)
    assert event["type"] == "dev.gitmodel.notify.test"
    in_clone(bench, entry("gone", file={"path": "/no/such/place"}))
    answer = bench.run("--json", "notify", "test")
    assert (answer.code, answer.json["ok"]) == (5, False)
    assert deviations(answer.json, ANSWERS["notify test"]) == []
    assert [each["ok"] for each in answer.json["deliveries"]] == [True, False]
    assert "t0ps3cret" not in answer.out + answer.err
    answer = bench.run("notify", "test", "--name", "hook")
    assert (answer.code, len(answer.out.splitlines())) == (0, 1)


def test_the_command_refuses_what_cannot_be_tested(bench: Workbench) -> None:
    answer = bench.run("--json", "notify", "test")
    assert (answer.code, answer.json["error"]["code"]) == (1, "E_NOT_FOUND")
    path = in_clone(bench, entry("mine", file={"path": "mine.jsonl"}))
    answer = bench.run("--json", "notify", "test", "--name", "ops")
    assert (answer.code, answer.json["error"]["hints"]) == (1, ["Those who are: mine"])
    path.write_text("kind: Notifications\n")
    answer = bench.run("--json", "notify", "test")
    assert (answer.code, answer.json["error"]["code"]) == (2, "E_API_VERSION")
    path.write_text("x" * (2**20 + 1))
    answer = bench.run("--json", "notify", "test")
    assert (answer.code, answer.json["error"]["code"]) == (2, "E_LIMIT")


def test_doctor_names_who_would_hear_nothing(
    bench: Workbench, monkeypatch: pytest.MonkeyPatch
) -> None:
    def doctor() -> list[dict[str, Any]]:
        checks = bench.do("doctor", "--offline")["checks"]
        return [each for each in checks if each["name"] == "notifications"]

    assert doctor() == []
    in_registry(
        bench,
        entry("slack", webhook={"urlFromEnv": "GITMODEL_NOTIFY_URL"}),
        entry("page", exec={"argv": ["/bin/true"]}),
    )
    [check] = doctor()
    assert (check["ok"], check["required"]) == (False, False)
    assert "slack: the variable GITMODEL_NOTIFY_URL is not set" in check["found"]
    monkeypatch.setenv("GITMODEL_NOTIFY_URL", "https://hooks.example.com/x")
    [check] = doctor()
    assert check["found"].startswith("page: This machine does not let a registry")
    assert "gitmodel.allow /bin/true" in check["hint"]
    allow(bench, "/bin/true")
    [check] = doctor()
    assert (check["ok"], check["found"]) == (True, "slack, page")


def test_trying_changes_no_commit(bench: Workbench) -> None:
    in_clone(bench, entry("mine", "critical", file={"path": "mine.jsonl"}))
    before = bench.snapshot()
    with opened(bench) as handle:
        [told] = try_out(handle)
    assert told.ok
    assert bench.snapshot() == before
    [kept] = lines(bench.path / ".git/gitmodel/events/mine.jsonl")
    assert kept["time"] == "2026-02-14T14:03:00Z"
