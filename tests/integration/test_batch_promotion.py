"""Several promotions at once: one commit with all of them, or nothing at all."""

from __future__ import annotations

import io
import json
import sys
from typing import TYPE_CHECKING, Any

import pytest

import gitmodel
from tests.support.contract import ANSWERS
from tests.support.hooks import plain_git
from tests.support.json_keys import deviations
from tests.support.refusals import refusal, refused
from tests.support.remotes import Team, fresh, overtake, pushes

if TYPE_CHECKING:
    from pathlib import Path

    from tests.support.served import Served
    from tests.support.workbench import Workbench


def live(bench: Workbench, stage: str = "dev") -> dict[str, str | None]:
    return {
        row["model"]: row["stages"][stage]
        for row in bench.do("list")["models"]
        if row["stages"][stage]
    }


def trailers(bench: Workbench, key: str) -> list[str]:
    form = f"--format=%(trailers:key={key},valueonly)"
    return bench.git("log", "-1", form).split()


# --- one commit -----------------------------------------------------------------------


def test_all_of_them_are_in_one_commit(stocked: Workbench) -> None:
    before = stocked.git("rev-parse", "HEAD")
    both = ("fraud@2.0.0", "churn@1.0.0")
    stocked.do("promote", both[0], "dev")
    dry = stocked.do("promote", "fraud@2.0.0", both[1], "staging", "--dry-run")
    assert (dry["commit"], dry["dryRun"]) == (None, True)
    assert live(stocked, "staging") == {"fraud": "1.1.0"}
    done = stocked.do("promote", *both, "staging", "-m", "release 7")
    for answer in (dry, done):
        assert deviations(answer, ANSWERS["promote --from-file"]) == []
    assert done["commit"] == stocked.git("rev-parse", "HEAD")
    assert stocked.git("rev-parse", "HEAD~2") == before
    assert live(stocked, "staging") == {"fraud": "2.0.0", "churn": "1.0.0"}
    rows = [(row["model"], row["from"], row["seq"]) for row in done["promotions"]]
    assert rows == [("fraud", "1.1.0", 3), ("churn", None, 1)]
    assert stocked.verify("--history", "--full") == (0, [])
    assert stocked.git("log", "-1", "--format=%s") == "promote(fraud, churn): staging"
    assert trailers(stocked, "Gitmodel-Model") == ["fraud", "churn"]
    assert trailers(stocked, "Gitmodel-To") == ["2.0.0", "1.0.0"]
    digests = [row["transition"] for row in done["promotions"]]
    assert trailers(stocked, "Gitmodel-Transition") == digests
    assert trailers(stocked, "Gitmodel-Principal") == ["ada"]
    events = stocked.do("log", "--stage", "staging")["events"][:2]
    assert {event["model"] for event in events} == {"fraud", "churn"}
    assert {event["reason"] for event in events} == {"release 7"}
    assert {event["commit"] for event in events} == {done["commit"]}


def test_what_is_there_already_is_left_out(stocked: Workbench) -> None:
    done = stocked.do("promote", "fraud@2.0.0", "churn@1.0.0", "dev")
    assert [row["status"] for row in done["promotions"]] == ["promoted", "unchanged"]
    assert trailers(stocked, "Gitmodel-Model") == ["fraud"]
    after = stocked.snapshot()
    again = stocked.do("promote", "fraud@2.0.0", "churn@1.0.0", "dev")
    assert (again["status"], again["commit"]) == ("unchanged", None)
    assert stocked.snapshot() == after
    answer = stocked.run("promote", "fraud@2.0.0", "churn@1.0.0", "dev")
    assert "dev holds all of them already" in answer.out


def test_one_of_them_is_rolled_back_alone(stocked: Workbench) -> None:
    stocked.do("promote", "fraud@2.0.0", "dev")
    stocked.register("churn", "1.1.0")
    stocked.do("promote", "churn@1.1.0", "dev")
    release = stocked.do("promote", "fraud@1.1.0", "churn@1.0.0", "dev")
    back = stocked.do("rollback", "fraud", "dev", "-m", "bad")
    assert back["reverts"] == [release["commit"]]
    assert live(stocked) == {"fraud": "2.0.0", "churn": "1.0.0"}
    assert stocked.verify("--history", "--full") == (0, [])


def test_all_of_them_are_not_reverted_by_hand_at_once(stocked: Workbench) -> None:
    stocked.register("churn", "1.1.0")
    stocked.do("hooks", "install")
    stocked.do("promote", "fraud@2.0.0", "churn@1.1.0", "dev")
    before = stocked.git("rev-parse", "HEAD")
    said = plain_git(stocked.path, "revert", "--no-edit", "HEAD")
    assert said.code != 0
    assert "gitmodel rollback fraud dev" in said.text
    assert "gitmodel rollback churn dev" in said.text
    assert stocked.git("rev-parse", "HEAD") == before


@pytest.mark.parametrize(
    "text",
    [
        "fraud@2.0.0\nchurn@1.0.0\n",
        "# release 7\n\n  fraud@2.0.0   # the new one\r\nchurn@1.0.0",
        "- fraud@2.0.0\n- churn@1.0.0  # as it was\n",
        '["fraud@2.0.0", "churn@1.0.0"]\n',
        "\ufefffraud@2.0.0\nchurn@1.0.0\n",
    ],
)
@pytest.mark.parametrize("how", ["file", "stdin"])
def test_from_a_file(
    text: str, how: str, stocked: Workbench, monkeypatch: pytest.MonkeyPatch
) -> None:
    name: str | Path = "-"
    if how == "file":
        name = stocked.file("release", text.encode())
    stdin = io.TextIOWrapper(io.BytesIO(text.encode()))
    monkeypatch.setattr(sys, "stdin", stdin)
    done = stocked.do("promote", "--from-file", name, "dev", "--dry-run")
    models = [(row["model"], row["version"]) for row in done["promotions"]]
    assert models == [("fraud", "2.0.0"), ("churn", "1.0.0")]


def test_from_python(stocked: Workbench) -> None:
    with gitmodel.open_registry(stocked.path) as registry:
        done = registry.promote_all(["fraud@2.0.0", "churn@latest"], "dev")
    assert done.commit == stocked.git("rev-parse", "HEAD")


# --- or none --------------------------------------------------------------------------


def test_everything_that_is_in_the_way_is_said_at_once(stocked: Workbench) -> None:
    stocked.do("policy", "require", "staging", "--attestation", "scan")
    before = stocked.snapshot()
    args = ("promote", "fraud@2.0.0", "nosuch@1.0.0", "churn@1.0.0", "staging")
    error = refused(stocked, *args, code=3)
    told = {(each["selector"], each.get("gate")) for each in error["problems"]}
    assert told >= {
        ("fraud@2.0.0", "from"),
        ("nosuch@1.0.0", None),
        ("churn@1.0.0", "attestation"),
    }
    assert error["message"].startswith("3 of 3 promotions to staging cannot be made")
    assert stocked.snapshot() == before


def test_one_that_cannot_be_keeps_all_from_moving(stocked: Workbench) -> None:
    before = stocked.snapshot()
    error = refused(stocked, "promote", "churn@1.0.0", "fraud@2.0.0", "staging", code=3)
    assert "fraud@2.0.0 has never been" in error["message"]
    assert "churn" not in json.dumps(error)
    tampered = "models/churn/versions/1.0.0/manifest.yaml"
    text = (stocked.path / tampered).read_bytes()
    assert stocked.snapshot() == before
    stocked.commit_file(tampered, text + b"# x\n")
    before = stocked.snapshot()
    # The gravest of them says how it ends.
    refused(stocked, "promote", "fraud@2.0.0", "churn@1.0.0", "staging", code=4)
    assert stocked.snapshot() == before


@pytest.mark.parametrize(
    "words",
    [
        ("fraud@1.0.0", "fraud@1.1.0", "dev"),
        ("fraud@1.0.0", "churn@1.0.0", "fraud@1.0.0", "dev"),
        ("fraud@1.0.0", "churn@", "dev"),
        ("fraud@1.0.0",),
        (),
        ("--from-file", "FILE"),
        ("--from-file", "FILE", "fraud@1.0.0", "dev"),
        ("--finalize", "fraud#dev", "--from-file", "FILE"),
        ("--finalize", "fraud#dev", "request/policy/2"),
    ],
)
def test_what_makes_no_sense(words: tuple[str, ...], stocked: Workbench) -> None:
    before = stocked.snapshot()
    file = stocked.file("release", b"churn@1.0.0\n")
    refused(stocked, "promote", *(file if word == "FILE" else word for word in words))
    assert stocked.snapshot() == before


@pytest.mark.parametrize(
    "data",
    [
        b"", b"# nothing\n\n", b"- {model: fraud}\n", b"- [a]\n", b"- 1\n", b"-\n",
        b"\xff\xfe\n", b"- &x fraud@1.0.0\n- *x\n", b"fraud@1.0.0 churn@1.0.0\n",
        b"fraud@1.0.0\n" * 2, b"x@1.0.0\n" * 200_000, b"[fraud@1.0.0\n", b"a\0b\n",
        b"\x1b[31mfraud@1.0.0\n",
    ],
)  # fmt: skip
def test_files_that_list_no_versions(data: bytes, stocked: Workbench) -> None:
    before = stocked.snapshot()
    refused(stocked, "promote", "--from-file", stocked.file("release", data), "dev")
    assert stocked.snapshot() == before


def test_too_many_and_files_that_are_not_there(stocked: Workbench) -> None:
    many = "\n".join(f"model-{number}@1.0.0" for number in range(1001)).encode()
    refused(stocked, "promote", "--from-file", stocked.file("many", many), "dev")
    missing = stocked.outside / "missing"
    refused(stocked, "promote", "--from-file", missing, "dev", code=1)
    refused(stocked, "promote", "--from-file", stocked.outside, "dev", code=1)


# --- with others ----------------------------------------------------------------------


def test_a_push_that_is_overtaken_by_other_models_is_made_again(
    team: Team, tmp_path: Path
) -> None:
    team.ours.register("score")
    team.ours.do("promote", "score@1.0.0", "dev", "--push")
    team.theirs.git("pull", "-q", "--ff-only")
    team.theirs.promote("score@1.0.0", "staging")
    overtake(team.ours, pushes(team.theirs))
    done = team.ours.do("promote", "fraud@1.1.0", "churn@1.0.0", "dev", "--push")
    assert done["commit"] == team.tip()
    assert team.ours.git("rev-parse", "HEAD~1") == team.theirs.git("rev-parse", "HEAD")
    anyone = fresh(team, tmp_path / "fresh")
    assert live(anyone) == {"fraud": "1.1.0", "churn": "1.0.0", "score": "1.0.0"}
    assert anyone.verify("--history", "--full") == (0, [])


def test_one_pin_that_others_moved_gives_the_whole_batch_back(team: Team) -> None:
    team.theirs.promote("fraud@1.2.0", "dev")
    overtake(team.ours, pushes(team.theirs))
    batch = ("promote", "churn@1.0.0", "fraud@1.1.0", "dev", "--push")
    message = refusal(team.ours.run("--json", *batch), 1, "E_STAGE_MOVED")
    assert message.startswith("1 of 2 promotions to dev cannot be made, so none was")
    assert "ada promoted fraud in dev, 1.0.0 -> 1.2.0" in message
    assert team.tip() == team.theirs.git("rev-parse", "HEAD")
    assert live(team.ours) == {"fraud": "1.2.0"}
    assert team.ours.git("status", "--porcelain") == ""
    # Asked again, with that knowledge, it is done.
    team.ours.do(*batch)
    assert live(team.ours) == {"fraud": "1.1.0", "churn": "1.0.0"}


def test_a_server_takes_it_as_one_step(served: Served) -> None:
    ours = served.ours
    ours.register("churn")
    done = ours.do("promote", "fraud@1.1.0", "churn@1.0.0", "dev", "--push")
    assert served.tip() == done["commit"]
    assert served.refusals() == []


# --- with approvals -------------------------------------------------------------------


@pytest.fixture
def asked(stocked: Workbench) -> tuple[Workbench, tuple[str, Path]]:
    """Return a registry in which dev asks for an approval, and bob, who gives it."""
    key = stocked.outside / "bob"
    stocked.do("key", "new", "--out", key)
    who = ("bob", "--key", f"{key}.pub", "--role", "approver")
    stocked.do("policy", "add-principal", *who)
    stocked.do("policy", "require", "dev", "--approvals", "1")
    stocked.register("churn", "1.1.0")
    return stocked, ("--key", key)


def _run_hints(bench: Workbench, error: Any) -> str:
    """Run the commands that an error names; return the one that lands it all."""
    for hint in error["hints"]:
        words = hint.split()
        if words[:2] == ["gitmodel", "promote"] and words[2] != "--finalize":
            assert bench.do(*words[1:])["status"] == "pending"
    [landing] = [hint for hint in error["hints"] if "--finalize" in hint]
    return str(landing)


def test_what_needs_approvals_is_asked_for_one_by_one_and_lands_at_once(
    asked: tuple[Workbench, tuple[str, Path]],
) -> None:
    bench, bob = asked
    before = bench.snapshot()
    error = refused(bench, "promote", "fraud@2.0.0", "churn@1.1.0", "dev", code=1)
    assert error["code"] == "E_BATCH_APPROVALS"
    assert bench.snapshot() == before
    landing = _run_hints(bench, error)
    bench.do(*bob, "approve", "fraud#dev")
    waiting = bench.snapshot()
    error = refused(bench, *landing.split()[1:], code=3)
    assert error["message"].startswith(
        "1 of 2 moves cannot be made, so none was: churn"
    )
    assert bench.snapshot() == waiting
    bench.do(*bob, "approve", "churn#dev")
    dry = bench.do(*landing.split()[1:], "--dry-run")
    tip = bench.git("rev-parse", "HEAD")
    done = bench.do(*landing.split()[1:])
    for answer in (dry, done):
        assert deviations(answer, ANSWERS["promote --finalize A B"]) == []
    assert bench.git("rev-parse", "HEAD~1") == tip
    assert live(bench) == {"fraud": "2.0.0", "churn": "1.1.0"}
    assert trailers(bench, "Gitmodel-Approved-By") == ["bob"]
    assert bench.do("requests")["requests"] == []
    assert bench.verify("--history", "--full") == (0, [])


def test_a_request_cannot_be_landed_twice_at_once(
    asked: tuple[Workbench, tuple[str, Path]],
) -> None:
    bench, bob = asked
    branch = bench.do("promote", "fraud@2.0.0", "dev")["branch"]
    bench.do(*bob, "approve", "fraud#dev")
    before = bench.snapshot()
    refused(bench, "promote", "--finalize", "fraud#dev", branch)
    assert bench.snapshot() == before
