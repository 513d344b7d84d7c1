"""Incidents: opened, noted in, closed with a cause and a fix, and read off the log."""

from __future__ import annotations

import hashlib
import json
import re
from datetime import timedelta
from typing import TYPE_CHECKING, Any

import pytest

import gitmodel as library
from gitmodel.operations.incident import Words, entry_files
from tests.support.clocks import opened_after
from tests.support.contract import ANSWERS
from tests.support.forgery import commit_files
from tests.support.incidents import closed, entry_at, forge_entry, opened
from tests.support.json_keys import deviations
from tests.support.quarantined import as_, enrol
from tests.support.refusals import refusal, refused

if TYPE_CHECKING:
    from tests.support.remotes import Team
    from tests.support.workbench import Workbench

CAUSE = ("--root-cause", "a join on the wrong day")
NOW = timedelta()


def rolled_back(bench: Workbench, stage: str = "dev") -> Any:
    """Roll fraud@1.1.0 back, which ``stocked`` has in dev and staging."""
    return bench.do("rollback", "fraud", stage, "-m", "x", "--incident", "INC-1")


def test_the_next_id_of_today_is_found(bench: Workbench) -> None:
    first = bench.do("incident", "open", "-m", "one")["incident"]
    assert re.fullmatch(r"INC-[0-9]{8}-1", first)
    # Midnight may pass in between.
    second = bench.do("incident", "open", "-m", "two")["incident"]
    assert second in {f"{first[:-1]}2", second[:-1] + "1"}
    assert second != first


def test_an_incident_is_a_chain_of_signed_entries(stocked: Workbench) -> None:
    first = opened(stocked)
    second = stocked.do("incident", "note", "INC-1", "-m", "labels are shifted")
    third = closed(stocked, fix="https://git.example.com/etl/commit/4f0c2b9")
    fourth = stocked.do("incident", "reopen", "INC-1", "-m", "it came back")
    found = [(one["entry"], one["number"], one["state"])
             for one in (first, second, third, fourth)]  # fmt: skip
    assert found == [
        ("opened", 1, "open"),
        ("note", 2, "open"),
        ("closed", 3, "closed"),
        ("reopened", 4, "open"),
    ]
    assert entry_at(stocked, 1)["prior"] is None
    for number, one in ((2, first), (3, second), (4, third)):
        assert entry_at(stocked, number)["prior"] == one["digest"]
    assert stocked.verify() == (0, [])
    assert stocked.verify("--history", "--full") == (0, [])


def test_answers_are_as_documented_done_and_dry(stocked: Workbench) -> None:
    fix = ("--fixed-in", "fraud@2.0.0")
    for verb, args in (
        ("open", ("INC-1", "-m", "recall fell", "--severity", "low")),
        ("note", ("INC-1", "-m", "hm")),
        ("close", ("INC-1", *CAUSE, *fix)),
        ("reopen", ("INC-1", "-m", "again")),
    ):
        before = stocked.snapshot()
        dry = stocked.do("incident", verb, *args, "--dry-run")
        assert stocked.snapshot() == before, verb
        done = stocked.do("incident", verb, *args)
        for answer in (dry, done):
            assert deviations(answer, ANSWERS[f"incident {verb}"]) == []
        assert (dry["commit"], dry["dryRun"]) == (None, True)
        assert (done["commit"], done["dryRun"]) == (
            stocked.git("rev-parse", "HEAD"),
            False,
        )
    for words in (("list",), ("show", "INC-1")):
        answer = stocked.do("incident", *words)
        assert deviations(answer, ANSWERS[f"incident {words[0]}"]) == []


def test_an_incident_is_opened_once_whatever_the_case(bench: Workbench) -> None:
    opened(bench)
    before = bench.snapshot()
    for incident in ("INC-1", "inc-1"):
        error = refused(bench, "incident", "open", incident, "-m", "x", code=1)
        assert error["code"] == "E_EXISTS"
        assert any("gitmodel incident note INC-1" in hint for hint in error["hints"])
    assert bench.snapshot() == before


@pytest.mark.parametrize(
    "incident", ["../x", "a/b", ".x", "CON", "a..b", "x.lock", "x" * 65, "é", "-x"]
)
def test_what_cannot_be_a_directory_is_no_id(bench: Workbench, incident: str) -> None:
    before = bench.snapshot()
    for args in (
        ("open", "-m", "x", "--", incident),
        ("note", "-m", "x", "--", incident),
        ("show", "--", incident),
        ("bundle", "--", incident),
    ):
        refused(bench, "incident", *args)
    assert bench.snapshot() == before


def test_what_is_not_there_is_said_with_what_to_do(bench: Workbench) -> None:
    for args in (
        ("note", "INC-9", "-m", "x"),
        ("close", "INC-9", *CAUSE, "--fixed-in", "4f0c2b9"),
        ("reopen", "INC-9", "-m", "x"),
        ("show", "INC-9"),
        ("bundle", "INC-9"),
        ("open", "INC-9", "-m", "x", "--model", "nosuch"),
        ("open", "INC-9", "-m", "x", "--stage", "nosuch"),
    ):
        answer = bench.run("--json", "incident", *args)
        assert answer.code in {1, 2}, (args, answer)
        assert "Hint: " in answer.err, args


def test_nothing_is_written_that_no_document_may_say(bench: Workbench) -> None:
    before = bench.snapshot()
    refused(bench, "incident", "open", "-m", "")
    refused(bench, "incident", "open", "-m", "two\nlines")
    refused(bench, "incident", "open", "-m", "x", "--text", "x" * 4001)
    refused(bench, "incident", "open", "-m", "x", "--text", "\x1b[31m")
    assert bench.snapshot() == before


def test_evidence_is_a_file_by_its_digest_or_something_elsewhere(
    bench: Workbench,
) -> None:
    opened(bench)
    file = bench.file("train.log", b"epoch 1")
    uri = f"s3://logs/x@sha256:{'a' * 64}"
    ticket = "https://tickets.example.com/42"
    bench.do("incident", "note", "INC-1", "-m", "see", "--evidence", file,
             "--evidence", uri, "--evidence", ticket)  # fmt: skip
    digest = f"sha256:{hashlib.sha256(b'epoch 1').hexdigest()}"
    assert entry_at(bench, 2)["evidence"] == [
        {"uri": "train.log", "digest": digest},
        {"uri": "s3://logs/x", "digest": f"sha256:{'a' * 64}"},
        {"uri": ticket},
    ]
    before = bench.snapshot()
    for bad in ("nosuch.log", "https://ada:secret@example.com/x", "/dev/zero"):
        error = refused(bench, "incident", "note", "INC-1", "-m", "x",
                        "--evidence", bad)  # fmt: skip
        assert "secret" not in error["message"]
    assert bench.snapshot() == before


def test_it_is_not_closed_while_what_it_took_out_is_live(stocked: Workbench) -> None:
    """R182: a rollback of one stage is no end of the incident."""
    opened(stocked)
    rolled_back(stocked, "staging")
    before = stocked.snapshot()
    close = ("incident", "close", "INC-1", *CAUSE, "--fixed-in", "fraud@2.0.0")
    error = refused(stocked, *close, code=3)
    assert error["code"] == "E_INCIDENT_UNFINISHED"
    assert "fraud@1.1.0 is still live in dev" in error["message"]
    [hint] = error["hints"]
    assert hint == "gitmodel rollback fraud dev -m REASON --incident INC-1"
    assert stocked.snapshot() == before
    rolled_back(stocked, "dev")
    assert stocked.do(*close)["state"] == "closed"


def test_what_it_took_out_is_not_what_mends_it(stocked: Workbench) -> None:
    opened(stocked)
    rolled_back(stocked, "dev")
    rolled_back(stocked, "staging")
    error = refused(stocked, "incident", "close", "INC-1", *CAUSE,
                    "--fixed-in", "fraud@1.1.0", code=3)  # fmt: skip
    assert error["code"] == "E_INCIDENT_UNFINISHED"


def test_a_false_alarm_ends_with_the_release_of_the_hold(stocked: Workbench) -> None:
    opened(stocked)
    rolled_back(stocked, "staging")
    stocked.do("hold", "release", "fraud@1.1.0", "staging", "-m", "false alarm")
    assert closed(stocked, fix="fraud@1.1.0")["state"] == "closed"
    released = stocked.do("incident", "show", "INC-1")["events"][-2]
    assert (released["action"], released["to"], released["reason"]) == (
        "release", "1.1.0", "false alarm",
    )  # fmt: skip
    said = stocked.run("log", "--incident", "INC-1").out
    assert re.search(r"release +fraud@1\.1\.0 staging ", said)


def test_what_it_put_into_quarantine_must_be_live_nowhere(stocked: Workbench) -> None:
    opened(stocked)
    stocked.do("quarantine", "fraud@1.1.0", "-m", "poisoned", "--incident", "INC-1")
    close = ("incident", "close", "INC-1", *CAUSE, "--fixed-in")
    error = refused(stocked, *close, "fraud@2.0.0", code=3)
    assert {problem["message"] for problem in error["problems"]} == {
        "fraud@1.1.0 is still live in dev",
        "fraud@1.1.0 is still live in staging",
    }
    for stage in ("dev", "staging"):
        rolled_back(stocked, stage)
    assert refused(stocked, *close, "fraud@1.1.0", code=3)["code"] == "E_QUARANTINED"
    assert stocked.do(*close, "fraud@2.0.0")["state"] == "closed"


@pytest.mark.parametrize(
    ("fix", "code"),
    [("fraud@9.9.9", 1), ("nosuch@1.0.0", 1), ("later", 2), ("fraud@1.x", 2),
     ("", 2), ("../x@1.0.0", 2)],
)  # fmt: skip
def test_the_fix_is_something_that_is_there(
    stocked: Workbench, fix: str, code: int
) -> None:
    opened(stocked)
    refused(stocked, "incident", "close", "INC-1", *CAUSE, "--fixed-in", fix, code=code)
    refused(stocked, "incident", "close", "INC-1", "--root-cause", "",
            "--fixed-in", "fraud@2.0.0")  # fmt: skip


def test_closing_and_opening_again_make_sense_once(stocked: Workbench) -> None:
    opened(stocked)
    refused(stocked, "incident", "reopen", "INC-1", "-m", "x", code=1)
    closed(stocked)
    refused(stocked, "incident", "close", "INC-1", *CAUSE,
            "--fixed-in", "fraud@1.0.0", code=1)  # fmt: skip
    stocked.do("incident", "note", "INC-1", "-m", "the report is out")
    assert stocked.do("incident", "show", "INC-1")["state"] == "closed"


def test_witnesses_write_and_responders_judge(stocked: Workbench) -> None:
    carol = enrol(stocked, "carol", "publisher")
    erin = enrol(stocked, "erin", "auditor")
    robot = enrol(stocked, "robot", "collector")
    assert as_(stocked, carol, "incident", "open", "INC-1", "-m", "odd").code == 0
    assert as_(stocked, carol, "incident", "note", "INC-1", "-m", "very").code == 0
    close = ("incident", "close", "INC-1", *CAUSE, "--fixed-in", "4f0c2b9")
    before = stocked.snapshot()
    refusal(as_(stocked, carol, *close), 3, "E_ROLE")
    refusal(as_(stocked, robot, "incident", "note", "INC-1", "-m", "x"), 3, "E_ROLE")
    assert stocked.snapshot() == before
    assert as_(stocked, erin, *close).json["role"] == "auditor"
    refusal(as_(stocked, carol, "incident", "reopen", "INC-1", "-m", "x"), 3, "E_ROLE")
    assert stocked.verify("--history", "--full") == (0, [])


def test_the_timeline_tells_the_story_with_who_and_where(stocked: Workbench) -> None:
    opened(stocked)
    rolled_back(stocked, "staging")
    stocked.do("quarantine", "fraud@1.1.0", "-m", "poisoned", "--incident", "INC-1")
    stocked.do("incident", "note", "INC-1", "-m", "labels are shifted")
    shown = stocked.do("incident", "show", "INC-1")
    found = [(event["action"], event["from"], event["to"]) for event in shown["events"]]
    assert [action for action, _, _ in found] == [
        "incident", "rollback", "quarantine", "incident",
    ]  # fmt: skip
    assert ("rollback", "1.1.0", "1.0.0") in found
    commits = stocked.git("rev-list", "--reverse", "-4", "HEAD").split()
    assert [event["commit"] for event in shown["events"]] == commits
    assert {event["actor"] for event in shown["events"]} == {"ada"}
    assert {event["signature"] for event in shown["events"]} == {"good"}
    tasks = {task["task"]: task["done"] for task in shown["tasks"]}
    assert tasks == {
        "out of use": False, "quarantine": True, "root cause": False, "fix": False,
    }  # fmt: skip
    logged = stocked.do("log", "--incident", "INC-1")["events"]
    assert [event["commit"] for event in reversed(logged)] == commits


def test_who_approves_an_emergency_afterwards_is_part_of_the_story(
    stocked: Workbench,
) -> None:
    bob = enrol(stocked, "bob", "approver")
    stocked.do("policy", "require", "staging", "--rollback-approvals", "1")
    alarm = ("--emergency", "--incident", "INC-1", "-m", "trojaned", "--yes")
    stocked.do("rollback", "fraud", "staging", *alarm)
    shown = stocked.do("incident", "show", "INC-1")
    assert (shown["state"], shown["title"]) == ("open", "trojaned")
    assert {event["action"] for event in shown["events"]} == {
        "incident", "rollback", "quarantine",
    }  # fmt: skip
    assert len({event["commit"] for event in shown["events"]}) == 1
    [task] = [task for task in shown["tasks"] if task["task"] == "approval"]
    assert (task["done"], task["command"]) == (False, "gitmodel approve fraud#staging")
    done = as_(stocked, bob, "approve", "fraud#staging", "-m", "looked at it")
    assert done.code == 0, done
    shown = stocked.do("incident", "show", "INC-1")
    last = shown["events"][-1]
    assert (last["action"], last["actor"], last["reason"]) == (
        "approve", "bob", "looked at it",
    )  # fmt: skip
    assert last["commit"] == stocked.git("rev-parse", "HEAD")
    [task] = [task for task in shown["tasks"] if task["task"] == "approval"]
    assert task["done"]
    file = stocked.outside / "e.tar"
    stocked.do("incident", "bundle", "INC-1", "-o", file)
    stocked.do("incident", "bundle", "--verify", file)


def test_a_validation_is_asked_for_where_the_model_has_one(stocked: Workbench) -> None:
    opened(stocked)
    path = "models/fraud/model.yaml"
    text = "validation:\n  postRollback:\n    - name: bytes\n      integrity: true\n"
    stocked.commit_file(path, ((stocked.path / path).read_text() + text).encode())
    skip = ("--incident", "INC-1", "--skip-validation")
    stocked.do("rollback", "fraud", "staging", "-m", "x", *skip)
    for done in (False, True):
        shown = stocked.do("incident", "show", "INC-1")
        found = [task for task in shown["tasks"] if task["task"] == "validation"]
        assert [task["done"] for task in found] == [done]
        if not done:
            assert found[0]["command"] == "gitmodel validate fraud staging"
            stocked.do("validate", "fraud", "staging")
    newest = stocked.do("incident", "show", "INC-1")["events"][-1]
    assert (newest["action"], newest["incident"]) == ("attest", "INC-1")


def test_the_log_tells_of_entries(stocked: Workbench) -> None:
    opened(stocked)
    newest = stocked.do("log", "--limit", "1")["events"][0]
    assert (newest["action"], newest["incident"]) == ("incident", "INC-1")
    assert newest["reason"] == "opened, high: recall fell"


def test_what_nobody_opened_has_a_timeline_all_the_same(story: Workbench) -> None:
    shown = story.do("incident", "show", "I-1")
    assert (shown["state"], shown["title"], shown["entries"]) == ("named", None, 0)
    assert [event["action"] for event in shown["events"]] == ["rollback"]
    assert story.do("incident", "list")["incidents"] == []
    assert "gitmodel rollback fraud dev" in story.run("incident", "show", "I-1").err


def test_the_list_is_in_order_and_can_leave_out_what_is_over(
    stocked: Workbench,
) -> None:
    for incident in ("INC-1", "B-1", "A-1"):
        opened(stocked, incident)
    closed(stocked, "B-1")
    rows = stocked.do("incident", "list")["incidents"]
    assert {(row["incident"], row["state"]) for row in rows} == {
        ("INC-1", "open"), ("B-1", "closed"), ("A-1", "open"),
    }  # fmt: skip
    left = stocked.do("incident", "list", "--open")["incidents"]
    assert {row["incident"] for row in left} == {"INC-1", "A-1"}


def test_one_broken_incident_does_not_hide_the_others(bench: Workbench) -> None:
    opened(bench, "INC-1")
    opened(bench, "INC-2")
    path = "incidents/INC-2/1.yaml"
    text = (bench.path / path).read_text()
    bench.commit_file(path, text.replace("recall fell", "all is well").encode())
    rows = bench.do("incident", "list", "--open")["incidents"]
    found = {row["incident"]: (row["state"], bool(row["problem"])) for row in rows}
    assert found == {"INC-1": ("open", False), "INC-2": ("broken", True)}
    assert "all is well" not in bench.run("incident", "list").out
    for args in (("note", "INC-2", "-m", "x"), ("show", "INC-2")):
        refused(bench, "incident", *args, code=4)


def test_two_who_write_at_once_both_have_their_entry(team: Team) -> None:
    opened(team.ours)
    team.ours.do("sync")
    team.theirs.do("sync")
    note = ("incident", "note", "INC-1", "--push", "-m")
    assert team.ours.do(*note, "ours")["number"] == 2
    assert team.theirs.do(*note, "theirs")["number"] == 3
    assert team.theirs.verify("--history", "--full", "--no-bytes") == (0, [])


def test_who_wrote_offline_is_told_to_write_again(team: Team) -> None:
    opened(team.ours)
    team.ours.do("sync")
    team.theirs.do("sync")
    team.ours.do("incident", "note", "INC-1", "-m", "ours", "--push")
    team.theirs.do("incident", "note", "INC-1", "-m", "it's theirs")
    error = refused(team.theirs, "sync", code=1)
    assert error["code"] == "E_OVERTAKEN"
    again = "gitmodel incident note INC-1 -m 'it'\"'\"'s theirs'"
    assert again in error["hints"]


def test_in_one_commit_with_other_things_it_opens_notes_or_opens_again(
    stocked: Workbench,
) -> None:
    """What an emergency does: the incident gets its entry whatever its state is."""
    words = Words(title="recall fell", text="rolled back", models=("fraud",))
    for number, kind in enumerate(("opened", "note", "reopened"), start=1):
        with opened_after(stocked, NOW) as handle:
            signed = entry_files(handle, handle.view(), "INC-1", words)
        if kind == "reopened":
            closed(stocked)
            number += 1  # noqa: PLW2901 the one that closed it
            with opened_after(stocked, NOW) as handle:
                signed = entry_files(handle, handle.view(), "INC-1", words)
        commit_files(stocked, signed.files)
        assert entry_at(stocked, number)["entry"] == kind
    assert stocked.verify("--history", "--full") == (0, [])


def test_the_hook_judges_entries_that_are_written_by_hand(bench: Workbench) -> None:
    opened(bench)
    path = bench.path / "incidents/INC-1/1.yaml"
    path.write_text(path.read_text().replace("recall fell", "all is well"))
    bench.git("add", "incidents")
    answer = bench.run("--json", "hook", "pre-commit")
    assert answer.code != 0
    problems = {one["code"]: one["commands"] for one in answer.json["problems"]}
    assert "gitmodel incident note INC-1 -m TEXT" in problems["E_APPEND_ONLY"]


def test_those_who_must_know_hear_of_it(bench: Workbench) -> None:
    news = bench.outside / "news.jsonl"
    listener = (
        "\nnotifications:\n- name: security\n  on: [incident_opened, incident_closed]\n"
        f"  file: {{path: {news}}}\n"
    )
    settings = (bench.path / "gitmodel.yaml").read_bytes()
    bench.commit_file("gitmodel.yaml", settings + listener.encode())
    bench.git("config", "--add", "gitmodel.allow", str(news))
    [told] = opened(bench)["notifications"]
    assert (told["name"], told["delivered"]) == ("security", True)
    note = bench.do("incident", "note", "INC-1", "-m", "x")
    assert note["notifications"] == []
    closed(bench, fix="4f0c2b9")
    bench.do("incident", "reopen", "INC-1", "-m", "x", "--dry-run")
    heard = [json.loads(line) for line in news.read_text().splitlines()]
    assert [(each["data"]["event"], each["severity"]) for each in heard] == [
        ("incident_opened", "critical"),
        ("incident_closed", "info"),
    ]
    assert {each["data"]["incident"] for each in heard} == {"INC-1"}


def test_the_doctor_remembers_what_is_open_for_long(bench: Workbench) -> None:
    def found() -> list[bool]:
        checks = bench.do("doctor")["checks"]
        return [check["ok"] for check in checks if check["name"] == "incidents"]

    assert found() == []
    opened(bench)
    assert found() == [True]
    forge_entry(bench, "opened", incident="INC-0", place=("INC-0", 1), number=1,
                prior=None, createdAt="2026-01-01T00:00:00Z")  # fmt: skip
    assert found() == [False]


def test_the_hook_knows_what_the_message_of_an_entry_says(bench: Workbench) -> None:
    """As when git picks the commit up again, on what others have pushed."""
    opened(bench)
    message = bench.git("log", "-1", "--format=%B")
    assert "Gitmodel-Incident: INC-1" in message
    bench.git("reset", "-q", "--soft", "HEAD~1")
    for said, code in ((message, 0), (message.replace("-1\n", "-2\n"), 4)):
        file = bench.file("message", said.encode())
        answer = bench.run("--json", "hook", "commit-msg", file)
        assert (answer.code == 0) == (code == 0), answer


def test_entries_keep_their_bytes_whatever_git_does_with_lines(
    bench: Workbench,
) -> None:
    opened(bench)
    bench.git("config", "core.autocrlf", "true")
    place = bench.outside / "clone"
    bench.git("clone", "-q", "-c", "core.autocrlf=true", bench.path, place)
    for file in (bench.path / "incidents/INC-1").iterdir():
        data = (place / "incidents/INC-1" / file.name).read_bytes()
        assert data == file.read_bytes()


def test_python_keeps_incidents_too(stocked: Workbench) -> None:
    with library.open_registry(stocked.path) as registry:
        made = registry.open_incident("recall fell", models=["fraud"])
        registry.note_incident(made.incident, "labels are shifted")
        report = registry.incident(made.incident)
        assert [event.action for event in report.events] == ["incident", "incident"]
        done = registry.close_incident(
            made.incident, root_cause="a join", fixed_in="fraud@2.0.0"
        )
        assert not done.is_open
        assert registry.reopen_incident(made.incident, "it came back").is_open
        assert len(registry.incidents(only_open=True)) == 1
        output = stocked.outside / "evidence.tar"
        root = registry.bundle_incident(made.incident, output).index.registry
    assert library.verify_incident_bundle(output, root=str(root)).ok
