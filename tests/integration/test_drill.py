"""A rehearsed emergency: what it measures, finds and leaves (R159, R183)."""

from __future__ import annotations

import hashlib
import os
import signal
import stat
import subprocess
from contextlib import suppress
from datetime import timedelta
from typing import TYPE_CHECKING, Any

import pytest

from gitmodel.api import open_registry
from gitmodel.formats import yaml_writer
from gitmodel.operations.drill_age import check_drills
from tests.support.cli import Answer, gitmodel
from tests.support.clocks import opened_after
from tests.support.contract import ANSWERS
from tests.support.forgery import document_at
from tests.support.json_keys import deviations
from tests.support.robot import admit
from tests.support.terminal import PROGRAM, environment

if TYPE_CHECKING:
    from pathlib import Path

    from tests.support.remotes import Team
    from tests.support.robot import Robot
    from tests.support.workbench import Workbench

MODEL = "models/fraud/model.yaml"
DRILL = ("drill", "fraud", "staging")


def everything(bench: Workbench) -> dict[str, str]:
    """Return every file of a clone, the inside of .git as well, by its digest.

    But for what git-lfs itself leaves when git looks at the files.
    """
    return {
        str(path.relative_to(bench.path)): hashlib.sha256(path.read_bytes()).hexdigest()
        for path in bench.path.rglob("*")
        if path.is_file() and "lfs/tmp" not in str(path)
    }


def leftovers(bench: Workbench) -> list[Path]:
    return list((bench.path / ".git/lfs/tmp").glob("gitmodel-*"))


def rehearse(bench: Workbench, *args: str | Path) -> Answer:
    """Hold a drill that must not change anything."""
    before, clone = bench.snapshot(), everything(bench)
    answer = gitmodel("--json", *DRILL, *args, cwd=bench.path)
    assert bench.snapshot() == before
    assert everything(bench) == clone
    assert leftovers(bench) == []
    if answer.code in {0, 3}:
        assert deviations(answer.json, ANSWERS["drill"]) == []
        assert (answer.code == 0) == (answer.json["status"] == "passed"), answer.out
    return answer


def obstacles(answer: Answer) -> dict[str, Any]:
    """Return what stood in the way, by name."""
    found = {
        check["name"]: check
        for check in answer.json["checks"]
        if check["required"] and not check["ok"]
    }
    assert (answer.code == 3) == bool(found)
    assert all(check["hint"] for check in found.values())
    return found


def advice(answer: Answer) -> dict[str, Any]:
    return {c["name"]: c for c in answer.json["checks"] if not c["required"]}


def phases(answer: Answer) -> list[str]:
    return [phase["name"] for phase in answer.json["phases"]]


def ask_for(bench: Workbench, *checks: dict[str, Any]) -> None:
    document = document_at(bench, MODEL)
    document.pop("validation", None)
    if checks:
        document["validation"] = {"postRollback": [*checks]}
    bench.commit_file(MODEL, yaml_writer.dump(document), "checks")


def program(bench: Workbench, script: str, *, allowed: bool = True) -> str:
    path = bench.file(f"check-{len(list(bench.outside.iterdir()))}")
    path.write_text(f"#!/bin/sh\n{script}\n")
    path.chmod(0o755)
    if allowed:
        bench.git("config", "--add", "gitmodel.allow", path)
    return str(path)


def add(bench: Workbench, name: str, *roles: str) -> Path:
    key = bench.outside / name
    bench.do("key", "new", "--out", key)
    flags = [part for role in roles for part in ("--role", role)]
    bench.do("policy", "add-principal", name, "--key", f"{key}.pub", *flags)
    return key


def test_a_drill_goes_all_the_way_and_changes_nothing(stocked: Workbench) -> None:
    answer = rehearse(stocked)
    assert answer.code == 0
    assert (answer.json["from"], answer.json["to"]) == ("1.1.0", "1.0.0")
    assert phases(answer) == ["commit", "switch", "verify"]
    times = {phase["name"]: phase["ms"] for phase in answer.json["phases"]}
    assert all(ms > 0 for ms in times.values())
    total = times["commit"] + times["switch"]
    assert answer.json["switchedMs"] == pytest.approx(total)
    assert answer.json["commit"] is None
    assert stocked.live("fraud", "staging") == "1.1.0"


def test_a_second_drill_finds_the_same(stocked: Workbench) -> None:
    ways = [(a.json["from"], a.json["to"]) for a in map(rehearse, [stocked] * 2)]
    assert ways == [("1.1.0", "1.0.0")] * 2


def test_what_is_recorded_is_signed_and_counts(stocked: Workbench) -> None:
    dry = stocked.do(*DRILL, "--record", "--dry-run")
    assert (dry["commit"], dry["dryRun"]) == (None, True)
    done = stocked.do(*DRILL, "--record", "--full", "--max-seconds", "600")
    assert deviations(done, ANSWERS["drill"]) == []
    assert done["commit"] == stocked.git("rev-parse", "HEAD")
    assert stocked.git("rev-list", "--count", f"{done['commit']}~1..HEAD") == "1"
    [shown] = stocked.do("show", "fraud@1.1.0")["attestations"]
    assert (shown["type"], shown["result"], shown["role"], shown["stage"]) == (
        "drill",
        "passed",
        "responder",
        "staging",
    )
    assert [check["name"] for check in shown["checks"]] == [
        "commit",
        "switch",
        "verify",
    ]
    assert all(check["value"] > 0 for check in shown["checks"])
    assert {finding["severity"] for finding in shown["findings"]} == {"low"}
    assert stocked.verify("--history", "--full") == (0, [])
    assert stocked.live("fraud", "staging") == "1.1.0"


def test_no_gate_hears_of_it_and_nobody_makes_one_up(stocked: Workbench) -> None:
    said = ("attest", "fraud@1.0.0", "drill", "--result", "passed")
    assert stocked.run(*said).code == 2
    asked = ("policy", "require", "dev", "--attestation", "drill")
    assert stocked.run(*asked).code == 2


def test_who_may_not_act_finds_out_before_the_night(stocked: Workbench) -> None:
    key = add(stocked, "pat", "publisher")
    before = everything(stocked)
    answer = gitmodel("--json", "--key", key, *DRILL, cwd=stocked.path)
    assert everything(stocked) == before
    found = obstacles(answer)
    assert found.keys() == {"signer"}
    assert "pat is not a responder" in found["signer"]["found"]
    assert "gitmodel policy grant" in found["signer"]["hint"]
    assert phases(answer) == []
    # It is on record all the same that nobody who was there could have acted.
    failed = gitmodel("--json", "--key", key, *DRILL, "--record", cwd=stocked.path)
    assert (failed.code, bool(failed.json["commit"])) == (3, True)
    assert stocked.verify("--history") == (0, [])
    bob = add(stocked, "bob", "promoter")
    refused = gitmodel("--json", "--key", bob, *DRILL, "--record", cwd=stocked.path)
    assert (refused.code, refused.json["error"]["code"]) == (3, "E_ROLE")


def test_nothing_to_go_back_to_is_an_obstacle(stocked: Workbench) -> None:
    stocked.do("rollback", "fraud", "staging", "-m", "back")
    answer = rehearse(stocked)
    assert "no last known good" in obstacles(answer)["commit"]["found"]
    assert (answer.json["to"], answer.json["switchedMs"]) == (None, None)
    assert phases(answer) == ["commit"]


def test_bytes_that_were_altered_are_an_obstacle(stocked: Workbench) -> None:
    stocked.tamper("fraud@1.0.0")
    found = obstacles(rehearse(stocked))
    assert "altered" in found["commit"]["found"]


def test_bytes_that_are_nowhere_are_an_obstacle(stocked: Workbench) -> None:
    [artifact] = stocked.do("show", "fraud@1.0.0")["artifacts"]
    stocked.object_path(artifact["sha256"]).unlink()
    answer = rehearse(stocked)
    assert obstacles(answer).keys() == {"fetch", "commit"}
    assert advice(answer)["bytes"]["hint"].startswith("gitmodel pull fraud@1.0.0")


def test_bytes_that_are_fetched_are_here_for_the_night(team: Team) -> None:
    team.ours.do("promote", "fraud@1.1.0", "dev", "--push")
    team.theirs.git("pull", "-q", "--ff-only")
    tip = team.tip()
    answer = gitmodel("--json", "drill", "fraud", "dev", cwd=team.theirs.path)
    assert answer.code == 0, answer.out
    assert phases(answer) == ["fetch", "commit", "switch", "verify"]
    assert answer.json["to"] == "1.0.0"
    assert team.tip() == tip
    assert not advice(answer)["bytes"]["ok"]
    again = gitmodel("--json", "drill", "fraud", "dev", cwd=team.theirs.path)
    assert phases(again) == ["commit", "switch", "verify"]


def test_what_is_passed_over_is_said(bench: Workbench) -> None:
    for version in ("1.0.0", "1.1.0", "1.2.0"):
        bench.register(version=version)
        bench.promote(f"fraud@{version}", "dev")
    bench.tamper("fraud@1.1.0")
    found = bench.do("drill", "fraud", "dev")
    assert (found["status"], found["to"]) == ("passed", "1.0.0")
    [passed_over] = [c for c in found["checks"] if c["name"] == "passed over"]
    assert "1.1.0" in passed_over["found"]
    bench.do("quarantine", "fraud@1.1.0", "-m", "bad")
    assert bench.do("drill", "fraud", "dev")["to"] == "1.0.0"


def test_slow_is_an_obstacle(stocked: Workbench) -> None:
    found = obstacles(rehearse(stocked, "--max-seconds", "0.001"))
    assert found.keys() == {"time"}


def test_a_history_that_is_wrong_is_an_obstacle(stocked: Workbench) -> None:
    manifest = "models/churn/versions/1.0.0/manifest.yaml"
    data = (stocked.path / manifest).read_bytes()
    stocked.commit_file(manifest, data + b"# more\n")
    assert "verify" in obstacles(rehearse(stocked))
    assert "verify" in obstacles(rehearse(stocked, "--full"))


def test_the_checks_that_need_no_host_are_carried_out(stocked: Workbench) -> None:
    stocked.tamper("fraud@2.0.0")  # which no stage holds, so nothing minds
    look = program(stocked, 'cat "$1/model.bin" && echo 1 >&2')
    ask_for(
        stocked,
        {"name": "bytes", "integrity": True},
        {"name": "look", "command": {"argv": [look, "{path}"]}},
        {"name": "host", "integrity": {"path": "/srv/model"}},
        {"name": "http", "http": {"url": "http://127.0.0.1:9/x"}},
        {"name": "served", "command": {"argv": [look]}},
    )
    answer = rehearse(stocked)
    assert answer.code == 0
    carried = [(v["name"], v["passed"]) for v in answer.json["validations"]]
    assert carried == [("bytes", True), ("look", True)]
    left_alone = {
        c["name"] for c in answer.json["checks"] if "leaves that alone" in c["found"]
    }
    assert left_alone == {"check host", "check http", "check served"}


def test_checks_that_fail_are_obstacles_and_forbidden_ones_advice(
    stocked: Workbench,
) -> None:
    forbidden = program(stocked, "touch ran", allowed=False)
    inside = stocked.path / "check.sh"
    inside.write_text("#!/bin/sh\n")
    inside.chmod(0o755)
    stocked.git("config", "--add", "gitmodel.allow", inside)
    bad = program(stocked, "exit 9")
    ask_for(
        stocked,
        {"name": "forbidden", "command": {"argv": [forbidden, "{path}"]}},
        {"name": "inside", "command": {"argv": [str(inside), "{path}"]}},
        {"name": "bad", "command": {"argv": [bad, "{path}"]}},
    )
    answer = rehearse(stocked)
    assert obstacles(answer)["checks"]["found"].endswith("bad: it ended with 9")
    assert "gitmodel.allow" in advice(answer)["check forbidden"]["hint"]
    assert "work tree" in advice(answer)["check inside"]["found"]
    assert [v["name"] for v in answer.json["validations"]] == ["bad"]


def test_nobody_is_told_but_it_says_who_would_be(stocked: Workbench) -> None:
    log = stocked.outside / "alarms.jsonl"
    text = (stocked.path / "gitmodel.yaml").read_text()
    text += f"""\
notifications:
  - name: pager
    on: [critical]
    file: {{path: {log}}}
  - name: clerk
    on: [incident_closed]
    file: {{path: events.jsonl}}
"""
    stocked.commit_file("gitmodel.yaml", text.encode())
    told = [c for c in rehearse(stocked).json["checks"] if c["name"] == "told"]
    assert [(c["ok"], c["required"]) for c in told] == [(False, False)]
    assert "pager" in told[0]["found"]
    assert "gitmodel.allow" in told[0]["hint"]
    stocked.git("config", "--add", "gitmodel.allow", log)
    told = [c for c in rehearse(stocked).json["checks"] if c["name"] == "told"]
    assert [(c["ok"], c["found"]) for c in told] == [(True, "pager")]
    assert not log.exists()
    assert not (stocked.path / ".git/gitmodel/events.jsonl").exists()


def test_it_says_who_acts_and_who_approves(stocked: Workbench) -> None:
    alone = advice(rehearse(stocked))
    assert "only ada" in alone["responders"]["found"]
    assert "nobody else" in alone["approval afterwards"]["found"]
    add(stocked, "rae", "responder")
    add(stocked, "bob", "approver")
    stocked.do("policy", "require", "staging", "--rollback-approvals", "1")
    found = {c["name"]: c for c in rehearse(stocked).json["checks"]}
    assert found["responders"]["found"] == "ada, rae"
    assert found["approval afterwards"]["ok"]
    assert "bob, within 24 hours" in found["approval afterwards"]["found"]


def test_what_is_kept_is_private_and_must_be_new(stocked: Workbench) -> None:
    place = stocked.outside / "kept"
    answer = rehearse(stocked, "--keep", place)
    assert answer.code == 0
    assert "would be a real rollback" in answer.err
    assert stat.S_IMODE(place.stat().st_mode) == 0o700
    assert (place / "host/artifacts/model.bin").read_bytes() == b"fraud 1.0.0"
    listed = gitmodel("--json", "list", cwd=place / "registry").json["models"]
    [row] = [row for row in listed if row["model"] == "fraud"]
    assert row["stages"]["staging"] == "1.0.0"
    again = rehearse(stocked, "--keep", place)
    assert (again.code, again.json["error"]["code"]) == (1, "E_EXISTS")


def test_settings_of_the_user_do_not_lead_out_of_it(
    stocked: Workbench, tmp_path: Path
) -> None:
    shared = tmp_path / "shared"
    (stocked.path / ".git/lfs").rename(shared)
    stocked.git("config", "--global", "lfs.storage", shared)
    [artifact] = stocked.do("show", "fraud@1.0.0")["artifacts"]
    before = sorted(shared.rglob("gitmodel-*"))
    answer = gitmodel("--json", *DRILL, cwd=stocked.path)
    assert (answer.code, answer.json["to"]) == (0, "1.0.0")
    assert sorted(shared.rglob("gitmodel-*")) == before
    oid = artifact["sha256"]
    assert (shared / "objects" / oid[:2] / oid[2:4] / oid).is_file()


def test_a_drill_needs_something_to_rehearse(stocked: Workbench) -> None:
    for args, code in (
        (("drill", "fraud", "production"), 1),
        (("drill", "nobody", "staging"), 1),
        (("drill", "fraud", "nowhere"), 1),
        ((*DRILL, "--push"), 2),
        ((*DRILL, "--max-seconds", "0"), 2),
        ((*DRILL, "--max-seconds", "nan"), 2),
    ):
        before = stocked.snapshot()
        answer = stocked.run(*args)
        assert answer.code == code, args
        assert "Error:" in answer.err
        assert stocked.snapshot() == before


def test_it_is_held_on_a_detached_head_too(stocked: Workbench) -> None:
    stocked.git("switch", "-q", "--detach")
    assert rehearse(stocked).code == 0


def test_an_odd_place_is_as_good_as_any(stocked: Workbench, tmp_path: Path) -> None:
    odd = stocked.copy(tmp_path / 'a "odd"\n\\place #1')
    assert gitmodel("--json", *DRILL, cwd=odd.path).code == 0


def test_an_identity_plans_and_signs_nothing(robot: Robot) -> None:
    bench = robot.bench
    bench.register(version="1.1.0")
    bench.promote("fraud@1.0.0", "dev", "staging")
    bench.promote("fraud@1.1.0", "dev", "staging")
    admit(bench, "rae", robot.issuer or robot.sigstore.issuer, "rae@x.org", "responder")
    bench.do("policy", "grant", "robot", "responder")
    before = bench.snapshot()
    found = robot.do(*DRILL)
    assert bench.snapshot() == before
    assert (found["status"], found["to"]) == ("passed", "1.0.0")
    assert [phase["name"] for phase in found["phases"]] == ["commit", "switch"]
    assert "planned only" in found["phases"][0]["detail"]


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGKILL])
def test_a_killed_drill_leaves_nothing_for_long(
    stocked: Workbench, number: signal.Signals
) -> None:
    news = stocked.outside / "news"
    os.mkfifo(news)
    # Tells its process id, and then takes for ever.
    hang = program(stocked, f'echo $$ > "{news}"; exec sleep 600')
    ask_for(stocked, {"name": "hang", "command": {"argv": [hang, "{path}"]}})
    before = stocked.snapshot()
    with subprocess.Popen(
        [*PROGRAM, *DRILL], cwd=stocked.path, env=environment(), text=True,
        stdout=subprocess.PIPE, stderr=subprocess.PIPE,
    ) as process:  # fmt: skip
        child = int(news.read_text())
        try:
            assert len(leftovers(stocked)) == 1
            assert stat.S_IMODE(leftovers(stocked)[0].stat().st_mode) == 0o700
            process.send_signal(number)
            _, said = process.communicate(timeout=60)
        finally:
            process.kill()
            with suppress(ProcessLookupError):
                os.kill(child, signal.SIGKILL)
    assert stocked.snapshot() == before
    if number == signal.SIGKILL:
        assert len(leftovers(stocked)) == 1
        ask_for(stocked)
        assert gitmodel(*DRILL, cwd=stocked.path).code == 0
    else:
        assert (process.returncode, "Interrupted" in said) == (130, True)
    assert leftovers(stocked) == []


def test_a_broken_wish_list_is_an_obstacle(stocked: Workbench) -> None:
    ask_for(stocked, {"name": "bytes", "integrity": {}})
    assert MODEL in obstacles(rehearse(stocked))


def test_python_holds_drills_too(stocked: Workbench) -> None:
    with open_registry(stocked.path) as registry:
        held = registry.drill("fraud", "staging", max_seconds=600)
        kept = registry.drill("fraud", "staging", max_seconds=1e-6, record=True)
    assert (held.status, held.target, held.commit) == ("passed", "1.0.0", None)
    assert (kept.status, kept.commit) == ("failed", stocked.git("rev-parse", "HEAD"))
    [shown] = stocked.do("show", "fraud@1.1.0")["attestations"]
    assert shown["result"] == "failed"
    assert "high" in {finding["severity"] for finding in shown["findings"]}


def test_doctor_says_when_the_way_back_was_not_tried(stocked: Workbench) -> None:
    def drills() -> tuple[bool, str] | None:
        checks = stocked.do("doctor", "--offline")["checks"]
        found = [c for c in checks if c["name"] == "drills"]
        return (found[0]["ok"], found[0]["found"]) if found else None

    production = ("drill", "fraud", "production", "--record")
    stocked.do("promote", "fraud@1.0.0", "production")
    stocked.do("promote", "fraud@1.1.0", "production")
    assert drills() is None  # ada is everybody
    add(stocked, "rae", "responder")
    never = (False, "the way back of fraud in production was never rehearsed")
    assert drills() == never
    stocked.do(*DRILL, "--record")  # of another stage
    assert drills() == never
    assert stocked.run(*production, "--max-seconds", "0.001").code == 3
    failed = drills()
    assert failed is not None
    assert "failed its last drill" in failed[1]
    stocked.do(*production)
    assert drills() == (True, "production was rehearsed")
    with opened_after(stocked, timedelta(days=91)) as handle:
        [late] = check_drills(handle, handle.view())
    assert (late.ok, late.required) == (False, False)
    assert "was last rehearsed at" in late.found
    assert late.hint == "gitmodel drill fraud production --record"
