"""Quarantine: what goes in, what it reaches, what comes out, and when."""

from __future__ import annotations

import json
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any

import pytest

from gitmodel.adapters.clock import SystemClock
from tests.support.contract import ANSWERS
from tests.support.json_keys import deviations
from tests.support.quarantined import as_, ask_two_to_lift, enrol, lift, quarantine
from tests.support.refusals import refused

if TYPE_CHECKING:
    from pathlib import Path

    from tests.support.remotes import Team
    from tests.support.workbench import Workbench


def reached(done: Any) -> dict[str, list[str]]:
    """Return the stages of every version that an answer says is concerned."""
    return {f"{one['model']}@{one['version']}": one["stages"] for one in done["impact"]}


def train(
    bench: Workbench, version: str, *facts: str | Path, model: str = "fraud"
) -> Any:
    """Register a version that was made of something."""
    file = bench.file(f"{model}-{version}.bin", f"{model} {version}".encode())
    return bench.do(
        "register", model, file, "--version", version, "--no-capture", *facts
    )


def go_on(monkeypatch: pytest.MonkeyPatch, later: timedelta) -> None:
    """Let every command run so much later than now."""
    monkeypatch.setattr(SystemClock, "now", lambda _: datetime.now(UTC) + later)


def quarantined(bench: Workbench, model: str = "fraud") -> set[str]:
    """Return the versions that a list says are in quarantine."""
    rows = bench.do("list", model)["versions"]
    said = {row["version"] for row in rows if row["status"] == "quarantined"}
    assert said == {row["version"] for row in rows if row["quarantine"]}
    return said


def test_a_version_goes_in_with_why_who_and_where_it_is_live(
    stocked: Workbench,
) -> None:
    done = quarantine(stocked, "fraud#staging")
    assert deviations(done, ANSWERS["quarantine"]) == []
    assert (done["model"], done["version"], done["number"]) == ("fraud", "1.1.0", 1)
    assert reached(done) == {"fraud@1.1.0": ["dev", "staging"]}
    listed = stocked.do("quarantine", "--list")
    assert deviations(listed, ANSWERS["quarantine --list"]) == []
    [held] = listed["quarantine"]
    assert (held["createdBy"], held["incident"]) == ("ada", "INC-1")
    shown = stocked.do("show", "fraud@1.1.0")
    assert (shown["status"], shown["stages"]) == ("quarantined", ["dev", "staging"])
    assert "put there by ada" in shown["quarantine"]
    assert quarantined(stocked) == {"1.1.0"}
    assert stocked.verify("--history", "--full") == (0, [])


def test_what_is_there_already_makes_no_commit(stocked: Workbench) -> None:
    quarantine(stocked, "fraud@1.1.0")
    before = stocked.snapshot()
    again = quarantine(stocked, "fraud@1.1.0")
    assert (again["status"], again["number"], again["commit"]) == (
        "unchanged", None, None,
    )  # fmt: skip
    nothing = lift(stocked, "fraud@2.0.0")
    assert (nothing["status"], nothing["quarantined"]) == ("unchanged", False)
    assert stocked.snapshot() == before


def test_a_rehearsal_changes_nothing(stocked: Workbench) -> None:
    before = stocked.snapshot()
    done = quarantine(stocked, "fraud@1.1.0", "--dry-run")
    assert (done["status"], done["commit"]) == ("quarantined", None)
    assert stocked.snapshot() == before


def test_data_goes_in_with_all_that_comes_of_it(bench: Workbench) -> None:
    """Trained on it, made from such a version, even under another model."""
    data = bench.file("march.csv", b"1,2")
    train(bench, "1.0.0")
    train(bench, "1.1.0", "--data", f"tx@2026-03={data}")
    train(bench, "1.2.0", "--parent", "fraud@1.1.0")
    train(bench, "1.0.0", "--parent", "fraud@1.2.0", model="churn")
    train(bench, "2.0.0", "--data", f"tx@2026-04={bench.file('april.csv', b'3')}")
    bench.promote("churn@1.0.0", "dev")
    done = quarantine(bench, "--data", "tx@2026-03")
    assert done["model"] is None
    assert reached(done) == {
        "churn@1.0.0": ["dev"], "fraud@1.1.0": [], "fraud@1.2.0": [],
    }  # fmt: skip
    assert quarantined(bench) == {"1.1.0", "1.2.0"}
    why = bench.do("show", "churn@1.0.0")["quarantine"]
    assert "data tx@2026-03 through its ancestor fraud@1.1.0" in why
    everything = quarantine(bench, "--data", "tx")
    assert reached(everything).keys() - reached(done).keys() == {"fraud@2.0.0"}


@pytest.mark.parametrize("of", ["artifact", "data", "manifest"])
def test_bytes_go_in_by_their_digest(bench: Workbench, of: str) -> None:
    done = train(bench, "1.0.0", "--data", f"tx={bench.file('tx.csv', b'1')}")
    train(bench, "1.1.0")
    digest = {
        "artifact": f"sha256:{done['artifacts'][0]['sha256']}",
        "data": bench.do("show", "fraud@1.0.0")["training"]["data"][0]["digest"],
        "manifest": done["manifest"],
    }[of]
    quarantine(bench, "--digest", digest.upper().replace("SHA256", "sha256"))
    assert quarantined(bench) == {"1.0.0"}


def test_data_of_some_hours_goes_in(
    bench: Workbench, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Whatever was first used then, and no older data of that name (R178)."""
    old, new = bench.file("old.csv", b"old"), bench.file("new.csv", b"new")
    train(bench, "1.0.0", "--data", f"tx={old}")
    go_on(monkeypatch, timedelta(days=10))
    train(bench, "1.1.0", "--data", f"tx={old}")
    train(bench, "1.2.0", "--data", f"tx={new}")
    go_on(monkeypatch, timedelta(days=11))
    done = quarantine(bench, "--since", "48h")
    digest = bench.do("show", "fraud@1.2.0")["training"]["data"][0]["digest"]
    assert done["subjects"] == [{"digest": digest}]
    assert quarantined(bench) == {"1.2.0"}
    error = refused(
        bench, "quarantine", "--since", "90d", "--until", "30d", "-m", "x", code=1
    )
    assert error["code"] == "E_NOT_FOUND"
    assert len(quarantine(bench, "--since", "90d")["subjects"]) == 2


def test_what_nobody_uses_yet_is_said_and_refused_later(bench: Workbench) -> None:
    answer = bench.run("quarantine", "--data", "typo", "-m", "x")
    assert "No version here comes of data typo" in answer.err
    data = bench.file("typo.csv", b"1")
    file = bench.file("model.bin")
    error = refused(bench, "register", "fraud", file, "--data", f"typo={data}", code=3)
    assert error["code"] == "E_QUARANTINED"


def test_a_lift_is_told_what_else_must_be_lifted(bench: Workbench) -> None:
    train(bench, "1.0.0", "--data", f"tx={bench.file('tx.csv', b'1')}")
    quarantine(bench, "--data", "tx")
    words = ("quarantine", "--lift", "fraud@1.0.0", "-m", "x")
    error = refused(bench, *words, code=1)
    assert error["code"] == "E_QUARANTINED"
    assert "--lift --data tx" in error["hints"][0]
    lift(bench, "--data", "tx")
    assert quarantined(bench) == set()


def test_a_lift_waits_for_as_many_as_the_policy_asks(stocked: Workbench) -> None:
    bob = enrol(stocked, "bob", "approver")
    ask_two_to_lift(stocked)
    quarantine(stocked, "fraud@1.1.0")
    first = lift(stocked, "fraud@1.1.0")
    assert (first["status"], first["quarantined"]) == ("pending", True)
    assert "1 more" in first["needed"][0]
    again = lift(stocked, "fraud@1.1.0")
    assert (again["status"], again["commit"]) == ("pending", None)
    [held] = stocked.do("quarantine", "--list")["quarantine"]
    assert (held["lift"], held["signed"], held["lacking"]) == (2, ["ada"], 1)
    assert quarantined(stocked) == {"1.1.0"}
    words = ("quarantine", "--lift", "fraud@1.1.0", "-m", "looked too")
    second = as_(stocked, bob, *words)
    assert (second.json["status"], second.json["number"]) == ("lifted", 2)
    assert quarantined(stocked) == set()
    assert stocked.do("quarantine", "--list")["quarantine"] == []
    assert stocked.verify("--history", "--full") == (0, [])


def test_what_goes_in_again_stays_whatever_is_signed_then(stocked: Workbench) -> None:
    bob = enrol(stocked, "bob", "approver", "responder")
    ask_two_to_lift(stocked)
    quarantine(stocked, "fraud@1.1.0")
    lift(stocked, "fraud@1.1.0")
    again = quarantine(stocked, "fraud@1.1.0")
    assert again["number"] == 3, "it stops the lift that waits"
    words = ("quarantine", "--lift", "fraud@1.1.0", "-m", "x")
    assert as_(stocked, bob, *words).json["number"] == 4
    assert quarantined(stocked) == {"1.1.0"}
    assert stocked.verify("--history", "--full") == (0, [])


def test_lists_follow_every_change(stocked: Workbench) -> None:
    """What a clone keeps for lists is bound to the quarantine as well."""
    assert quarantined(stocked) == set()
    quarantine(stocked, "fraud@1.1.0")
    assert quarantined(stocked) == {"1.1.0"}
    quarantine(stocked, "fraud@1.0.0")
    assert quarantined(stocked) == {"1.0.0", "1.1.0"}
    train(stocked, "3.0.0")
    assert quarantined(stocked) == {"1.0.0", "1.1.0"}
    lift(stocked, "fraud@1.1.0", "fraud@1.0.0")
    assert quarantined(stocked) == set()


def test_the_log_tells_of_it(stocked: Workbench) -> None:
    quarantine(stocked, "fraud@1.1.0", "churn@1.0.0")
    quarantine(stocked, "--digest", f"sha256:{'1' * 64}")
    lift(stocked, "churn@1.0.0")
    events = stocked.do("log", "--incident", "INC-1")["events"]
    assert [(e["action"], e["model"], e["to"], e["actor"]) for e in events] == [
        ("quarantine", None, None, "ada"),
        ("quarantine", "fraud", "1.1.0", "ada"),
        ("quarantine", "churn", "1.0.0", "ada"),
    ]
    assert events[0]["reason"].startswith("sha256:")
    of_churn = stocked.do("log", "churn")["events"]
    assert [event["action"] for event in of_churn][:2] == ["lift", "quarantine"]
    assert {event["signature"] for event in of_churn} == {"good"}


def test_verify_gives_notice_of_what_is_live(stocked: Workbench) -> None:
    quarantine(stocked, "fraud@1.1.0")
    answer = stocked.run("--json", "verify")
    assert (answer.code, answer.json["ok"]) == (0, True)
    said = {(n["code"], n["path"]) for n in answer.json["notices"]}
    assert said == {
        ("E_QUARANTINED_LIVE", "stages/dev/fraud.yaml"),
        ("E_QUARANTINED_LIVE", "stages/staging/fraud.yaml"),
    }
    assert "notice: dev holds fraud@1.1.0" in stocked.run("verify").err
    stocked.do("rollback", "fraud", "dev", "-m", "x")
    stocked.do("rollback", "fraud", "staging", "-m", "x")
    assert stocked.do("verify")["notices"] == []


def test_it_is_pushed_over_what_others_pushed(team: Team) -> None:
    quarantine(team.theirs, "fraud@1.1.0", "--push")
    done = quarantine(team.ours, "fraud@1.2.0", "--push")
    assert done["number"] == 2
    assert quarantined(team.ours) == {"1.1.0", "1.2.0"}
    assert team.tip() == done["commit"]


def test_two_who_had_not_heard_of_each_other_are_told_what_to_do(team: Team) -> None:
    """Both have taken one number; nothing is lost, and nothing is merged."""
    quarantine(team.theirs, "fraud@1.1.0", "--push")
    quarantine(team.ours, "fraud@1.2.0", "--digest", f"sha256:{'1' * 64}")
    error = refused(team.ours, "sync", code=1)
    assert error["code"] == "E_OVERTAKEN"
    again = f"gitmodel quarantine fraud@1.2.0 --digest sha256:{'1' * 64} -m backdoor"
    assert f"{again} --incident INC-1" in error["hints"]


def test_a_report_of_a_change_names_what_comes_in(stocked: Workbench) -> None:
    before = stocked.git("rev-parse", "HEAD")
    quarantine(stocked, "fraud@1.1.0")
    report = stocked.do("report", "change", f"{before}..HEAD")
    assert report["status"] == "allowed"
    [added] = report["additions"]
    assert (added["kind"], added["name"]) == ("quarantine", "1")


def test_only_some_roles_may(stocked: Workbench) -> None:
    words = ("quarantine", "fraud@1.1.0", "-m", "x")
    for role in ("publisher", "promoter"):
        mallory = enrol(stocked, f"m-{role}", role)
        answer = as_(stocked, mallory, *words)
        assert (answer.code, answer.json["error"]["code"]) == (3, "E_ROLE")
    for role in ("responder", "approver", "auditor"):
        key = enrol(stocked, role, role)
        assert as_(stocked, key, *words, "--dry-run").code == 0
    quarantine(stocked, "fraud@1.1.0")
    answer = as_(stocked, stocked.outside / "responder", "quarantine", "--lift",
                 "fraud@1.1.0", "-m", "x")  # fmt: skip
    assert (answer.code, answer.json["error"]["code"]) == (3, "E_ROLE")


@pytest.mark.parametrize(
    "words",
    [
        (),
        ("fraud@1.1.0",),
        ("fraud@1.1.0", "-m", "  "),
        ("fraud@1.1.0", "-m", "\x00"),
        ("--list", "fraud@1.1.0"),
        ("--list", "-m", "x"),
        ("--lift", "--since", "48h", "-m", "x"),
        ("fraud@1.1.0", "--until", "1h", "-m", "x"),
        ("--since", "soon", "-m", "x"),
        ("--since", "99999h", "-m", "x"),
        ("--digest", "abc", "-m", "x"),
        ("--digest", "sha256:", "-m", "x"),
        ("--digest", "sha256:12ab", "-m", "x"),
        ("--digest", f"SHA256:{'1' * 63}", "-m", "x"),
        ("--data", "", "-m", "x"),
        ("--data", "tx@", "-m", "x"),
        ("--data", "x" * 1001, "-m", "x"),
        ("fraud@1.1.0", "-m", "x" * 5000),
        ("fraud@1.1.0", "-m", "x", "--incident", "../x"),
        ("fraud@1.1.0", "-m", "x", "--incident", ""),
    ],
)
def test_bad_words_are_refused(stocked: Workbench, words: tuple[str, ...]) -> None:
    before = stocked.snapshot()
    refused(stocked, "quarantine", *words)
    assert stocked.snapshot() == before


def test_what_is_not_there_cannot_go_in(stocked: Workbench) -> None:
    for selector in ("fraud@9.9.9", "nobody@1.0.0", "fraud#production"):
        refused(stocked, "quarantine", selector, "-m", "x", code=1)


def test_those_who_must_know_hear_of_it(stocked: Workbench) -> None:
    """Once it takes effect, and not of what changes nothing."""
    news = stocked.outside / "news.jsonl"
    listener = (
        "\nnotifications:\n- name: security\n  on: [quarantined, quarantine_lifted]\n"
        f"  file: {{path: {news}}}\n"
    )
    settings = (stocked.path / "gitmodel.yaml").read_bytes()
    stocked.commit_file("gitmodel.yaml", settings + listener.encode())
    stocked.git("config", "--add", "gitmodel.allow", str(news))
    done = quarantine(stocked, "fraud@1.1.0")
    [told] = done["notifications"]
    assert (told["name"], told["delivered"]) == ("security", True)
    assert quarantine(stocked, "fraud@1.1.0")["notifications"] == []
    assert lift(stocked, "fraud@1.1.0", "--dry-run")["notifications"] == []
    lift(stocked, "fraud@1.1.0")
    heard = [json.loads(line) for line in news.read_text().splitlines()]
    assert [each["type"].rpartition("gitmodel.")[2] for each in heard] == [
        "quarantine.added",
        "quarantine.lifted",
    ]
