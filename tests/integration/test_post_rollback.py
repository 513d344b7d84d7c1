"""What is looked at after a rollback, and what is said of it (R184 to R188)."""

from __future__ import annotations

import shutil
import time
from datetime import timedelta
from typing import TYPE_CHECKING, Any

import pytest

import gitmodel as gitmodel_api
from gitmodel.adapters.clock import SystemClock
from gitmodel.domain.pin import Release
from gitmodel.domain.selector import Selector
from gitmodel.domain.validation import (
    Check,
    CommandProbe,
    HttpProbe,
    IntegrityProbe,
    ScanProbe,
)
from gitmodel.errors import ConflictError
from gitmodel.formats import yaml_writer
from gitmodel.operations import post_rollback
from gitmodel.operations.probing import Bench
from gitmodel.registry.handle import Context, RegistryHandle
from gitmodel.registry.keys import KeyChoice
from gitmodel.registry.versions import resolve
from tests.support.cli import Answer, gitmodel
from tests.support.contract import ANSWERS
from tests.support.forgery import Forged, commit_files, document_at, signed
from tests.support.json_keys import deviations
from tests.support.liar import lying
from tests.support.malware import samples, zipped

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from tests.support.liar import Liar
    from tests.support.remotes import Team
    from tests.support.workbench import Workbench

MODEL = "models/fraud/model.yaml"
ATTESTATIONS = "models/fraud/versions/1.0.0/attestations"


def ask_for(bench: Workbench, *checks: dict[str, Any]) -> None:
    """Let model.yaml ask for checks, as a person would edit it."""
    document = document_at(bench, MODEL) | {"validation": {"postRollback": [*checks]}}
    data = yaml_writer.dump(document)
    if (bench.path / MODEL).read_bytes() != data:
        bench.commit_file(MODEL, data, "checks")


def program(bench: Workbench, script: str, *, allowed: bool = True) -> str:
    """Write a program outside of the registry; return its path."""
    path = bench.file(f"bin/check-{len(list(bench.outside.rglob('check-*')))}")
    path.write_text(f"#!/bin/sh\n{script}\n")
    path.chmod(0o755)
    if allowed:
        bench.git("config", "--add", "gitmodel.allow", path)
    return str(path)


def validate(bench: Workbench, *args: str | Path) -> Answer:
    return gitmodel("--json", *args, "validate", "fraud", "staging", cwd=bench.path)


def outcomes(bench: Workbench, *checks: dict[str, Any]) -> list[dict[str, Any]]:
    """Carry out checks, and nothing else; return what came of each."""
    named = [{"name": f"{n}", **check} for n, check in enumerate(checks, start=1)]
    ask_for(bench, *named)
    answer = validate(bench)
    found: list[dict[str, Any]] = answer.json["checks"]
    assert [each["name"] for each in found] == [each["name"] for each in named]
    passed = all(each["passed"] for each in found)
    assert (answer.code, answer.json["passed"]) == (0 if passed else 3, passed)
    assert answer.json["commit"] == bench.git("rev-parse", "HEAD")
    return found


def outcome(bench: Workbench, check: dict[str, Any]) -> dict[str, Any]:
    """Carry out one check; return what came of it."""
    [found] = outcomes(bench, check)
    return found


def allow(bench: Workbench, *addresses: str) -> None:
    for address in addresses:
        bench.git("config", "--add", "gitmodel.allow", address)


def opened(bench: Workbench) -> RegistryHandle:
    keys = KeyChoice(ask=lambda _: None)
    return RegistryHandle.open(bench.path, Context(clock=SystemClock(), keys=keys))


@pytest.fixture
def server() -> Iterator[Liar]:
    with lying() as liar:
        yield liar


# ---- the whole


def test_checks_are_carried_out_and_signed(story: Workbench, server: Liar) -> None:
    server.says(b"fine")
    allow(story, server.url)
    accuracy = program(story, """echo '{"test": {"accuracy": 0.93}}'""")
    ask_for(
        story,
        {
            "name": "accuracy",
            "command": {
                "argv": [accuracy, "{version}"],
                "metric": {"jsonPath": "$.test.accuracy", "min": 0.9},
            },
        },
        {"name": "latency", "http": {"url": server.url, "requests": 3, "p95": "5s"}},
        {"name": "bytes", "integrity": True},
    )
    answer = validate(story)

    assert answer.code == 0, answer.err
    assert deviations(answer.json, ANSWERS["validate"]) == []
    assert (answer.json["status"], answer.json["role"]) == ("passed", "responder")
    assert [each["passed"] for each in answer.json["checks"]] == [True] * 3
    assert answer.json["checks"][0]["value"] == 0.93
    assert len(server.heard) == 3
    document = document_at(story, answer.json["path"])
    assert (document["type"], document["result"]) == ("postrollback", "passed")
    assert (document["stage"], document["version"]) == ("staging", "1.0.0")
    assert document["transition"] == answer.json["transition"]
    assert document["checks"] == answer.json["checks"]
    [event] = story.do("log", "--limit", "1")["events"]
    assert event["action"] == "attest"
    assert story.verify("--history", "--full") == (0, [])
    assert story.live("fraud", "staging") == "1.0.0"


def test_one_failure_is_told_signed_and_takes_nothing_back(story: Workbench) -> None:
    story.tamper("fraud@1.0.0")
    ask_for(
        story,
        {"name": "bytes", "integrity": True},
        {"name": "smoke", "command": {"argv": [program(story, "exit 0")]}},
    )
    answer = validate(story)

    assert (answer.code, answer.json["status"]) == (3, "failed")
    bad, good = answer.json["checks"]
    assert (bad["passed"], bad["value"]) == (False, 1)
    assert "has been altered" in bad["detail"]
    assert good["passed"]
    assert document_at(story, answer.json["path"])["result"] == "failed"
    assert story.live("fraud", "staging") == "1.0.0"
    said = story.run("validate", "fraud", "staging")
    assert "FAILED  bytes" in said.out
    assert "rollback fraud staging" in said.err


def test_no_checks_make_no_commit(story: Workbench) -> None:
    before = story.snapshot()
    answer = validate(story)
    assert (answer.code, answer.json["status"]) == (0, "none")
    assert (answer.json["attestation"], answer.json["commit"]) == (None, None)
    assert deviations(answer.json, ANSWERS["validate"]) == []
    assert "asks for no checks" in story.run("validate", "fraud", "staging").out
    assert story.snapshot() == before


def test_a_dry_run_looks_and_signs_nothing(story: Workbench) -> None:
    ask_for(story, {"name": "smoke", "command": {"argv": [program(story, "exit 4")]}})
    before = story.snapshot()
    answer = story.run("--json", "validate", "fraud", "staging", "--dry-run")
    assert (answer.code, answer.json["status"]) == (3, "failed")
    assert (answer.json["commit"], answer.json["dryRun"]) == (None, True)
    assert deviations(answer.json, ANSWERS["validate"]) == []
    assert story.snapshot() == before


def test_what_was_skipped_is_recorded_as_not_done(story: Workbench) -> None:
    marker = story.outside / "marker"
    ask_for(
        story, {"name": "it", "command": {"argv": [program(story, f"touch {marker}")]}}
    )
    handle = opened(story)
    done = post_rollback.validate_rollback(handle, "fraud", "staging", skip=True)
    handle.close()

    assert (done.status, done.passed) == ("skipped", False)
    assert not marker.exists()
    document = document_at(story, str(done.path))
    assert document["result"] == "failed"
    assert "ada skipped the checks" in document["summary"]
    assert story.verify("--history", "--full") == (0, [])


@pytest.mark.parametrize(
    ("stage", "code", "error"),
    [
        ("dev", 1, "E_NOT_ROLLED_BACK"),
        ("production", 1, "E_NOT_FOUND"),
        ("nowhere", 1, "E_NOT_FOUND"),
    ],
)
def test_only_a_rollback_can_be_looked_at(
    story: Workbench, stage: str, code: int, error: str
) -> None:
    ask_for(story, {"name": "bytes", "integrity": True})
    before = story.snapshot()
    answer = story.run("--json", "validate", "fraud", stage)
    assert (answer.code, answer.json["error"]["code"]) == (code, error)
    assert story.snapshot() == before


def test_a_broken_model_yaml_is_a_failed_check(story: Workbench) -> None:
    text = (story.path / MODEL).read_text()
    story.commit_file(MODEL, f"{text}validation: none of your business\n".encode())
    answer = validate(story)
    assert (answer.code, answer.json["status"]) == (3, "failed")
    [check] = answer.json["checks"]
    assert check["name"] == "model.yaml"
    assert "validation" in check["detail"]


def test_a_stage_that_moves_meanwhile_is_not_attested(story: Workbench) -> None:
    """The check itself moves the stage, as somebody at another desk could."""
    ask_for(story, {"name": "bytes", "integrity": True})
    handle = opened(story)

    def move(_: str) -> None:
        story.register("fraud", "3.0.0")
        story.promote("fraud@3.0.0", "dev", "staging")

    with pytest.raises(ConflictError) as caught:
        post_rollback.validate_rollback(handle, "fraud", "staging", tell=move)
    handle.close()
    assert caught.value.code == "E_STAGE_MOVED"
    assert not (story.path / ATTESTATIONS).exists()


# ---- programs


def test_a_program_that_is_not_allowed_does_not_run(story: Workbench) -> None:
    marker = story.outside / "marker"
    path = program(story, f"touch {marker}", allowed=False)
    found = outcome(story, {"command": {"argv": [path]}})
    assert not found["passed"]
    assert "does not let a registry use" in found["detail"]
    assert "gitmodel.allow" in found["detail"]
    assert not marker.exists()


def test_what_a_program_is_told(story: Workbench) -> None:
    heard = story.outside / "heard"
    path = program(
        story,
        f'pwd > {heard}; ls >> {heard}; echo "$@" | cut -d/ -f1 >> {heard}\n'
        f'cp "$5/model.bin" {heard}.bin; ls "$5" >> {heard}',
    )
    words = [path, "{model}", "{version}", "{stage}", "; $(id)", "{path}"]
    assert outcome(story, {"command": {"argv": words}})["passed"]
    place, said, *files = heard.read_text().splitlines()
    assert str(story.path) not in place
    assert said == "fraud 1.0.0 staging ; $(id) "
    assert files == ["model.bin"]
    assert heard.with_suffix(".bin").read_bytes() == b"1.0.0" * 1000
    left = story.path / ".git/lfs/tmp"
    assert not list(left.glob("gitmodel-*")), "the copy is gone"


def test_tampered_bytes_are_given_to_no_program(story: Workbench) -> None:
    marker = story.outside / "marker"
    path = program(story, f"touch {marker}")
    story.tamper("fraud@1.0.0")
    found = outcome(story, {"command": {"argv": [path, "{path}"]}})
    assert not found["passed"]
    assert "has been altered" in found["detail"]
    assert not marker.exists()


METRIC = {"jsonPath": "$.accuracy", "min": 0.9}


#: Script → the metric that is asked of it, what is said of it, and the value.
BAD_PROGRAMS: dict[str, tuple[dict[str, Any] | None, str, float | None]] = {
    "echo no model here >&2; exit 7": (None, "ended with 7: no model here", None),
    "kill -9 $$": (None, "ended with -9", None),
    """echo '{"accuracy": 0.61}'""": (METRIC, "$.accuracy is 0.61, and at", 0.61),
    """echo '{"accuracy": NaN}'""": (METRIC, "at least 0.9 is asked for", None),
    """echo '{"accuracy": true}'""": (METRIC, "is no number", None),
    """echo '{"accuracy": "0.99"}'""": (METRIC, "is no number", None),
    """echo '{"recall": 0.99}'""": (METRIC, "has no member 'accuracy'", None),
    """echo '{"accuracy": 1e999}'""": (METRIC, "is too large", None),
    "echo fine": (METRIC, "is no JSON", None),
    "exit 0": (METRIC, "is no JSON", None),
    "echo 12": ({"max": 10}, "the number is 12, and at most 10", 12),
    "head -c 3000000 /dev/zero": (METRIC, "printed more than is read", None),
    "printf '%0100000d' 0 | tr 0 '['": (METRIC, "is no JSON", None),
}


def test_programs_that_fail(story: Workbench) -> None:
    checks = []
    for script, (metric, _, _) in BAD_PROGRAMS.items():
        command: dict[str, Any] = {"argv": [program(story, script)]}
        checks.append({"command": command | ({"metric": metric} if metric else {})})
    for found, (script, (_, said, value)) in zip(
        outcomes(story, *checks), BAD_PROGRAMS.items(), strict=True
    ):
        assert not found["passed"], script
        assert said in found["detail"], script
        assert found["value"] == value, script
    assert story.verify("--history", "--full") == (0, [])


def test_much_talk_does_no_harm_if_nobody_asks_for_a_number(story: Workbench) -> None:
    path = program(story, "head -c 3000000 /dev/zero; head -c 3000000 /dev/zero >&2")
    assert outcome(story, {"command": {"argv": [path]}})["passed"]


def test_a_program_that_hangs_is_stopped(story: Workbench) -> None:
    hanging = {"argv": [program(story, "sleep 600 & sleep 600")]}
    began = time.monotonic()
    for found in outcomes(
        story,
        {"command": {**hanging, "timeout": "1s"}},
        {"command": hanging, "maxSeconds": 1},
    ):
        assert not found["passed"]
        assert "stopped after 1 seconds" in found["detail"]
    assert time.monotonic() - began < 20


def test_a_program_that_is_gone_cannot_be_started(story: Workbench) -> None:
    path = program(story, "exit 0")
    story.outside.joinpath(path).write_text("#!/nowhere/at/all\n")
    found = outcome(story, {"command": {"argv": [path]}})
    assert "cannot be started" in found["detail"]


# ---- requests


def test_a_slow_server_fails_the_latency_check(story: Workbench, server: Liar) -> None:
    server.says(b"fine")
    [answer] = server.pieces
    server.pieces, server.pause = [b"", answer], 0.05
    allow(story, server.url)
    http = {"url": server.url, "requests": 2, "p95": "20ms"}
    found = outcome(story, {"http": http})
    assert not found["passed"]
    assert found["value"] >= 50
    assert "at most 20 ms is asked for" in found["detail"]


def test_the_status_must_be_the_one_that_is_asked_for(story: Workbench) -> None:
    with lying() as broken, lying() as moved, lying() as empty:
        broken.says(b"", "500 Oops")
        moved.says(b"", "302 Found", f"Location: {empty.url}")
        empty.says(b"", "204 Done")
        allow(story, *(each.url for each in (broken, moved, empty)))
        found = outcomes(
            story,
            {"http": {"url": broken.url}},
            {"http": {"url": moved.url}},
            {"http": {"url": empty.url, "expectStatus": 204, "requests": 2}},
        )
        assert len(empty.heard) == 2, "redirects are not followed"
    assert [each["passed"] for each in found] == [False, False, True]
    assert "answer 1 of 20 has status 500" in found[0]["detail"]
    assert "answer 1 of 20 has status 302" in found[1]["detail"]


def test_no_address_is_asked_that_this_machine_did_not_allow(
    story: Workbench, server: Liar
) -> None:
    server.says(b"fine")
    allow(story, f"{server.url}/health", "http://localhost")
    for path in ("/admin", "/health/../admin", "/health%2f..%2fadmin"):
        found = outcome(story, {"http": {"url": f"{server.url}{path}"}})
        assert not found["passed"]
        assert "allow" in found["detail"]
    assert server.heard == []
    check = {"http": {"url": f"{server.url}/health?deep=1", "requests": 1}}
    assert outcome(story, check)["passed"]


def test_a_server_that_misbehaves_fails_soon(story: Workbench) -> None:
    with lying() as hangs, lying() as drips, lying() as talks, lying() as lies:
        hangs.hangs = True
        drips.pieces, drips.pause = (b"H" for _ in range(10_000)), 0.05
        talks.says(b"x" * (17 << 20))
        lies.pieces = [b"SSH-2.0-OpenSSH_9.2\r\n"]
        urls = [each.url for each in (hangs, drips, talks, lies)]
        urls.append("http://127.0.0.1:9/")
        allow(story, *urls)
        began = time.monotonic()
        checks = [{"http": {"url": url, "timeout": "1s"}} for url in urls]
        for found in outcomes(story, *checks):
            assert not found["passed"]
            assert "request 1 of 20 had no answer" in found["detail"]
        assert time.monotonic() - began < 20


def test_all_requests_together_end_in_time(story: Workbench, server: Liar) -> None:
    server.says(b"fine")
    [answer] = server.pieces
    server.pieces, server.pause = [b"", answer], 0.1
    allow(story, server.url)
    http = {"url": server.url, "requests": 1000}
    found = outcome(story, {"http": http, "maxSeconds": 1})
    assert not found["passed"]
    assert found["seconds"] < 10


# ---- artifacts


def test_code_in_an_artifact_is_found(bench: Workbench) -> None:
    marker = bench.outside / "marker"
    bench.register(data=samples(marker)["reduce.pkl"])
    bench.register(version="1.1.0")
    for version in ("1.0.0", "1.1.0"):
        bench.promote(f"fraud@{version}", "dev", "staging")
    bench.do("rollback", "fraud", "staging", "-m", "worse")
    found = outcome(bench, {"scan": True})
    assert not found["passed"]
    assert "posix system" in found["detail"]
    path = f"{ATTESTATIONS}/postrollback-1.yaml"
    findings = document_at(bench, path)["findings"]
    assert "posix system" in findings[0]["message"]
    assert found["value"] == len(findings)
    assert not marker.exists()


def test_a_scan_of_clean_bytes_passes(story: Workbench) -> None:
    assert outcome(story, {"scan": True})["passed"]


def test_a_scan_of_tampered_bytes_is_no_scan(story: Workbench) -> None:
    story.tamper("fraud@1.0.0")
    found = outcome(story, {"scan": True})
    assert "has been altered" in found["detail"]


def test_bytes_that_are_not_here_fail(story: Workbench) -> None:
    shutil.rmtree(story.path / ".git/lfs/objects")
    found = outcome(story, {"integrity": True})
    assert not found["passed"]
    assert "not in this clone" in found["detail"]


def test_what_is_served_is_compared(story: Workbench) -> None:
    place = story.outside / "served"
    story.do("pull", "fraud@1.0.0", "-o", place)
    check = {"integrity": {"path": str(place)}}
    refused = outcome(story, check)
    assert "does not let a registry use" in refused["detail"]
    story.git("config", "--add", "gitmodel.allow", place)
    assert outcome(story, check)["passed"]
    (place / "artifacts/model.bin").write_bytes(b"9.9.9" * 1000)
    found = outcome(story, check)
    assert (found["passed"], found["value"]) == (False, 1)
    assert "model.bin has other bytes" in found["detail"]
    shutil.rmtree(place)
    assert "no such directory" in outcome(story, check)["detail"]


def test_no_probe_goes_on_when_its_time_is_over(story: Workbench) -> None:
    allow(story, "http://127.0.0.1:9")
    handle = opened(story)
    view = handle.view()
    release = resolve(view, Selector.parse("fraud#staging")).version
    of = Release("1.0.0", release.digest)
    probes = (
        ScanProbe(),
        IntegrityProbe(None),
        CommandProbe((program(story, "exit 0"), "{path}"), None, None),
        HttpProbe("http://127.0.0.1:9/", 1, 200, None, timedelta(seconds=1)),
    )
    with Bench(handle, view, "fraud", "staging", of) as bench:
        for probe in probes:
            found = bench.carry_out(Check("it", probe, 0))
            assert (found.passed, found.detail) == (
                False,
                "it took more than 0 seconds",
            ), probe
    handle.close()
    assert not list((story.path / ".git/lfs/tmp").glob("gitmodel-*"))


def test_python_can_look_as_well(story: Workbench) -> None:
    ask_for(story, {"name": "bytes", "integrity": True})
    with gitmodel_api.open_registry(story.path) as registry:
        dry = registry.validate("fraud", "staging", dry_run=True)
        done = registry.validate("fraud", "staging")
    assert (dry.status, dry.commit) == ("passed", None)
    assert done.commit == story.git("rev-parse", "HEAD")


# ---- who may say so, and what it counts for


def someone(bench: Workbench, name: str, role: str) -> Path:
    key = bench.outside / name
    assert gitmodel("key", "new", "--out", key).code == 0
    bench.do(
        "policy", "add-principal", name, "--key", f"{key}.pub", "--role", role
    )  # fmt: skip
    return key


def test_a_responder_may_say_this_and_nothing_else(story: Workbench) -> None:
    ask_for(story, {"name": "bytes", "integrity": True})
    rae = someone(story, "rae", "responder")
    answer = validate(story, "--key", rae)
    assert (answer.code, answer.json["by"], answer.json["role"]) == (
        0,
        "rae",
        "responder",
    )
    said = ("--key", rae, "attest", "fraud@1.0.0", "review", "-m", "x")
    refused = gitmodel("--json", *said, cwd=story.path)
    assert (refused.code, refused.json["error"]["code"]) == (3, "E_ROLE")
    assert story.verify("--history", "--full") == (0, [])


def test_who_may_not_attest_lets_nothing_run(story: Workbench) -> None:
    marker = story.outside / "marker"
    ask_for(
        story, {"name": "it", "command": {"argv": [program(story, f"touch {marker}")]}}
    )
    bob = someone(story, "bob", "promoter")
    before = story.snapshot()
    answer = validate(story, "--key", bob)
    assert (answer.code, answer.json["error"]["code"]) == (3, "E_ROLE")
    assert not marker.exists()
    assert story.snapshot() == before


def test_it_cannot_be_claimed_by_hand(story: Workbench) -> None:
    said = ("attest", "fraud@1.0.0", "postrollback", "--result", "passed")
    assert story.run(*said).code == 2
    assert (
        story.run("policy", "require", "dev", "--attestation", "postrollback").code == 2
    )


def test_no_gate_takes_it_for_a_validation(story: Workbench) -> None:
    story.do("policy", "require", "production", "--attestation", "validation")
    ask_for(story, {"name": "bytes", "integrity": True})
    assert validate(story).code == 0
    said = story.run("--json", "check", "fraud@1.0.0", "--stage", "production")
    assert [each["gate"] for each in said.json["refusals"]] == ["attestation"]


# ---- others


def test_a_merge_may_bring_the_rollback_and_what_came_of_it(
    stocked: Workbench,
) -> None:
    ask_for(stocked, {"name": "bytes", "integrity": True})
    stocked.git("switch", "-qc", "night")
    stocked.do("rollback", "fraud", "staging", "-m", "worse")
    assert validate(stocked).code == 0
    stocked.git("switch", "-q", "main")
    stocked.git("merge", "-q", "--no-ff", "-m", "the night", "night")
    assert stocked.verify("--history", "--full") == (0, [])


def test_it_is_pushed_behind_what_others_pushed(team: Team) -> None:
    ours, theirs = team.ours, team.theirs
    ours.promote("fraud@1.1.0", "dev")
    ask_for(ours, {"name": "bytes", "integrity": True})
    ours.do("rollback", "fraud", "dev", "-m", "worse")
    ours.git("push", "-q", "origin", "main")
    theirs.git("pull", "-q", "--ff-only")
    theirs.do("promote", "churn@1.0.0", "dev", "--push")
    done = ours.do("validate", "fraud", "dev", "--push")
    assert (done["status"], done["commit"]) == ("passed", team.tip())
    assert ours.verify("--history") == (0, [])


def test_bytes_that_a_clone_lacks_are_fetched(team: Team) -> None:
    ours, theirs = team.ours, team.theirs
    ours.promote("fraud@1.1.0", "dev")
    ask_for(ours, {"name": "bytes", "integrity": True}, {"name": "code", "scan": True})
    ours.do("rollback", "fraud", "dev", "-m", "worse", "--push")
    theirs.git("pull", "-q", "--ff-only")
    assert theirs.do("validate", "fraud", "dev", "--push")["status"] == "passed"


# ---- attacks


def forged(bench: Workbench, **changed: Any) -> tuple[str, dict[str, Any]]:
    """Return a well-formed statement about the rollback, with a few other words."""
    ask_for(bench, {"name": "bytes", "integrity": True})
    path = validate(bench).json["path"]
    document = document_at(bench, path) | changed
    return path.replace("-1.yaml", "-2.yaml"), document


def sign_and_commit(
    bench: Workbench, path: str, document: dict[str, Any], role: str = "responder"
) -> None:
    said = Forged(kind="attestation", role=role)
    commit_files(bench, signed(bench, path, document, said))


def test_a_rollback_that_never_was_is_found(story: Workbench) -> None:
    """Attack: sign that all was well after a rollback which did not happen."""
    sign_and_commit(story, *forged(story, transition=f"sha256:{'0' * 64}"))
    for args in ((), ("--history", "--full")):
        assert story.verify(*args) == (4, ["E_ATTESTATION"])
    rows = story.do("show", "fraud@1.0.0")["attestations"]
    assert [bool(row["problem"]) for row in rows] == [False, True]


def test_a_rollback_of_another_stage_is_found(story: Workbench) -> None:
    """Attack: let what was said of one stage speak for another."""
    sign_and_commit(story, *forged(story, stage="dev"))
    for args in ((), ("--history", "--full")):
        assert story.verify(*args) == (4, ["E_ATTESTATION"])


def test_it_cannot_stand_in_for_a_validation(story: Workbench) -> None:
    """Attack: a responder's statement in the place of a validation."""
    _, document = forged(story)
    rae = someone(story, "rae", "responder")
    del rae
    sign_and_commit(story, f"{ATTESTATIONS}/validation-1.yaml", document)
    for args in ((), ("--history", "--full")):
        code, problems = story.verify(*args)
        assert code == 4
        assert "E_ATTESTATION" in problems


def test_it_cannot_carry_a_metric(story: Workbench) -> None:
    """Attack: hide a bad number of the manifest behind a good one."""
    path, document = forged(story)
    document["metrics"] = {"validation": {"accuracy": 1.0}}
    sign_and_commit(story, path, document)
    for args in ((), ("--history", "--full")):
        code, problems = story.verify(*args)
        assert code == 4
        assert "E_SCHEMA" in problems


#: What is wrong with checks → the checks.
IMPOSSIBLE: dict[str, list[dict[str, Any]]] = {
    "two of that name": [{"name": "a", "scan": True}, {"name": "A", "scan": True}],
    "exactly one of": [{"name": "a", "scan": True, "integrity": True}],
    "begins with a program": [{"name": "a", "command": {"argv": ["{path}"]}}],
    "whole argument": [{"name": "a", "command": {"argv": ["x", "-m={path}"]}}],
    "its min is more than its max": [
        {"name": "a", "command": {"argv": ["x"], "metric": {"min": 2, "max": 1}}}
    ],
}


def test_checks_that_could_not_be_carried_out_are_found_before_the_night(
    story: Workbench,
) -> None:
    for said, checks in IMPOSSIBLE.items():
        ask_for(story, *checks)
        answer = story.run("--json", "verify")
        [problem] = answer.json["problems"]
        assert (answer.code, problem["code"]) == (4, "E_VALIDATION")
        assert problem["path"] == MODEL
        assert said in problem["message"]


def test_hostile_artifacts_do_not_keep_the_rest_from_being_signed(
    bench: Workbench,
) -> None:
    """Attack: names of members so long and many that nothing could be signed."""
    member = samples(bench.outside / "marker")["reduce.pkl"]
    members = {f"{number}{'ÿ' * 800}": member for number in range(600)}
    bench.register(data=zipped(members))
    bench.register(version="1.1.0")
    for version in ("1.0.0", "1.1.0"):
        bench.promote(f"fraud@{version}", "dev")
    bench.do("rollback", "fraud", "dev", "-m", "worse")
    ask_for(bench, {"name": "code", "scan": True})
    answer = bench.run("--json", "validate", "fraud", "dev")
    assert (answer.code, answer.json["status"]) == (3, "failed")
    assert answer.json["commit"]
    assert len(answer.json["findings"]) == 50


def test_a_path_into_json_that_is_none_is_found_too(story: Workbench) -> None:
    metric = {"jsonPath": "accuracy", "min": 0.9}
    ask_for(story, {"name": "a", "command": {"argv": ["x"], "metric": metric}})
    assert story.verify() == (4, ["E_JSON_PATH"])


def test_all_checks_together_end_in_time(
    story: Workbench, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(post_rollback, "_MAX_SECONDS", 1)
    slow = {"command": {"argv": [program(story, "sleep 60")]}}
    began = time.monotonic()
    found = outcomes(story, slow, slow, slow)
    assert time.monotonic() - began < 15
    assert not any(each["passed"] for each in found)
