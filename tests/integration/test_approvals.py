"""Promotions that others must approve (``design`` §4.4): three people, three clones."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import pytest

from tests.support.cli import Answer, gitmodel
from tests.support.workbench import Workbench, git

if TYPE_CHECKING:
    from pathlib import Path


@dataclass(frozen=True)
class Person:
    """Somebody with a key and a clone."""

    clone: Workbench
    key: Path

    def run(self, *args: str | Path) -> Answer:
        return gitmodel("--json", "--key", self.key, *args, cwd=self.clone.path)

    def do(self, *args: str | Path) -> Any:
        answer = self.run(*args)
        assert answer.code == 0, answer.err
        return answer.json

    def fetch(self) -> Person:
        self.clone.git("fetch", "-q", "--prune")
        self.clone.git("merge", "-q", "--ff-only", "origin/main")
        return self


@pytest.fixture
def team(
    bench: Workbench, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> dict[str, Person]:
    """Make ada the root, bob the promoter, carol and dave approvers of production."""
    monkeypatch.setenv("GIT_LFS_SKIP_SMUDGE", "1")
    people = {}
    for name, *roles in (
        ("bob", "promoter", "approver"),
        ("carol", "approver"),
        ("dave", "approver"),
    ):
        key = tmp_path / name
        assert gitmodel("key", "new", "--out", key).code == 0
        options = [option for role in roles for option in ("--role", role)]
        bench.do("policy", "add-principal", name, "--key", f"{key}.pub", *options)
    bench.do("policy", "require", "production", "--approvals", "2")
    for version in ("1.0.0", "1.1.0"):
        bench.register(version=version)
        bench.promote(f"fraud@{version}", "dev", "staging")
    hub = tmp_path / "hub.git"
    git(tmp_path, "clone", "-q", "--bare", bench.path, hub)
    for name in ("bob", "carol", "dave"):
        git(tmp_path, "clone", "-q", hub, f"{name}-clone")
        clone = Workbench(tmp_path / f"{name}-clone", bench.outside)
        people[name] = Person(clone, tmp_path / name)
    return people


def _ask(team: dict[str, Person], version: str = "1.0.0") -> Any:
    return team["bob"].do(
        "promote", f"fraud@{version}", "production", "-m", "canary passed", "--push"
    )


def test_two_approvals_on_their_own_clones_land_the_promotion(
    team: dict[str, Person],
) -> None:
    asked = _ask(team)
    assert asked["status"] == "pending"
    assert asked["branch"] == "request/production/fraud/1"
    assert team["bob"].clone.live("fraud", "production") is None
    first = team["carol"].fetch().do("approve", "fraud#production", "--push")
    assert (first["status"], first["approvals"]) == ("open", ["carol"])
    early = team["bob"].fetch().run("promote", "--finalize", "fraud#production")
    assert (early.code, early.json["error"]["code"]) == (3, "E_THRESHOLD")
    second = team["dave"].fetch().do("approve", "fraud#production", "--push")
    assert (second["status"], second["approvals"]) == ("approved", ["carol", "dave"])
    landed = team["dave"].do("promote", "--finalize", "fraud#production", "--push")
    assert landed["status"] == "promoted"
    bob = team["bob"].fetch()
    assert bob.clone.live("fraud", "production") == "1.0.0"
    assert bob.clone.git("branch", "--list", "request/production/fraud/1")
    assert bob.do("requests")["requests"] == []  # it waits for nobody any more
    assert bob.clone.verify("--history", "--no-bytes") == (0, [])
    [event] = bob.do("log", "fraud", "--stage", "production")["events"]
    assert (event["actor"], event["approvers"]) == ("bob", ["carol", "dave"])
    [header, row] = bob.clone.run(
        "log", "fraud", "--stage", "production"
    ).out.splitlines()
    assert row[header.index("APPROVED BY") :].startswith("carol, dave")


def test_a_plain_merge_of_an_approved_request_does_the_same(
    team: dict[str, Person],
) -> None:
    _ask(team)
    team["carol"].fetch().do("approve", "fraud#production", "--push")
    dave = team["dave"].fetch()
    dave.do("approve", "fraud#production", "--push")
    dave.clone.git("merge", "-q", "--no-ff", "--no-edit", "request/production/fraud/1")
    assert dave.clone.live("fraud", "production") == "1.0.0"
    assert dave.clone.verify("--history", "--no-bytes") == (0, [])


def test_a_merge_without_its_approvals_is_found(team: dict[str, Person]) -> None:
    _ask(team)
    bob = team["bob"].clone
    bob.git("merge", "-q", "--squash", "request/production/fraud/1")
    bob.git("commit", "-qm", "sneak it in")
    code, problems = bob.verify("--history", "--no-bytes")
    assert (code, problems) == (4, ["E_THRESHOLD"])


def test_the_requester_cannot_approve(team: dict[str, Person]) -> None:
    """Attack 36: one stolen key asks and approves."""
    _ask(team)
    answer = team["bob"].run("approve", "fraud#production")
    assert (answer.code, answer.json["error"]["code"]) == (3, "E_SELF_APPROVAL")


def test_a_second_key_of_the_same_person_is_no_second_approval(
    team: dict[str, Person], bench: Workbench
) -> None:
    spare = bench.outside / "carol-spare"
    gitmodel("key", "new", "--out", spare)
    bench.do("policy", "add-principal", "carol", "--key", f"{spare}.pub")
    bench.git("push", "-q", str(bench.path.parent / "hub.git"), "main")
    team["bob"].fetch()
    _ask(team)
    carol = team["carol"].fetch()
    carol.do("approve", "fraud#production", "--push")
    again = Person(carol.clone, spare).do("approve", "fraud#production")
    assert again["approvals"] == ["carol"]
    assert carol.run("promote", "--finalize", "fraud#production").code == 3


def test_a_rejection_blocks_until_it_is_taken_back(team: dict[str, Person]) -> None:
    _ask(team)
    carol = team["carol"].fetch()
    assert carol.run("reject", "fraud#production").code == 2
    carol.do("reject", "fraud#production", "-m", "recall too low", "--push")
    dave = team["dave"].fetch()
    dave.do("approve", "fraud#production", "--push")
    refused = dave.run("promote", "--finalize", "fraud#production")
    assert (refused.code, refused.json["error"]["code"]) == (3, "E_REJECTED")
    carol.fetch().clone.git("branch", "-qD", "request/production/fraud/1")
    carol.do("approve", "fraud#production", "--push")
    assert carol.do("promote", "--finalize", "fraud#production")["status"] == "promoted"


def test_what_was_approved_is_stale_once_the_stage_moved(
    team: dict[str, Person],
) -> None:
    """Attack 48: two approved promotions from the same prior, merged in turn."""
    _ask(team)
    carol, dave = team["carol"].fetch(), team["dave"].fetch()
    carol.do("approve", "fraud#production", "--push")
    dave.fetch().do("approve", "fraud#production", "--push")
    dave.do("promote", "--finalize", "fraud#production", "--push")
    late = carol.fetch().run("approve", "request/production/fraud/1")
    assert (late.code, late.json["error"]["code"]) == (1, "E_REQUEST_STALE")


def test_an_approval_does_not_pass_to_another_pin(team: dict[str, Person]) -> None:
    """Attack 46: approve, then push another pin on the request's branch."""
    _ask(team)
    team["carol"].fetch().do("approve", "fraud#production", "--push")
    dave = team["dave"].fetch()
    dave.do("approve", "fraud#production", "--push")
    dave.clone.git("switch", "-q", "request/production/fraud/1")
    pin = dave.clone.path / "stages/production/fraud.yaml"
    other = dave.do("show", "fraud@1.1.0")["manifest"]
    old = dave.do("show", "fraud@1.0.0")["manifest"]
    text = pin.read_text().replace("1.0.0", "1.1.0").replace(old, other)
    dave.clone.commit_file("stages/production/fraud.yaml", text.encode())
    dave.clone.git("switch", "-q", "main")
    answer = dave.run("promote", "--finalize", "fraud#production")
    assert (answer.code, answer.json["error"]["code"]) == (3, "E_PIN_MISMATCH")


def test_requests_are_listed_and_checked(team: dict[str, Person]) -> None:
    _ask(team)
    dave = team["dave"].fetch()
    [row] = dave.do("requests")["requests"]
    assert (row["model"], row["stage"]) == ("fraud", "production")
    assert (row["version"], row["status"], row["threshold"]) == ("1.0.0", "open", 2)
    checked = dave.run("check", "fraud@1.0.0", "--stage", "production")
    assert checked.code == 3
    assert [refusal["gate"] for refusal in checked.json["refusals"]] == ["approvals"]


def test_one_request_at_a_time_for_a_pin(team: dict[str, Person]) -> None:
    _ask(team)
    answer = team["bob"].run("promote", "fraud@1.1.0", "production")
    assert (answer.code, answer.json["error"]["code"]) == (1, "E_REQUEST_OPEN")


def test_more_approvals_than_approvers_is_no_policy(bench: Workbench) -> None:
    before = bench.snapshot()
    assert bench.run("policy", "require", "production", "--approvals", "2").code == 3
    assert bench.snapshot() == before


def test_two_who_approve_at_once_are_both_heard(team: dict[str, Person]) -> None:
    _ask(team)
    carol, dave = team["carol"].fetch(), team["dave"].fetch()
    carol.do("approve", "fraud#production", "--push")
    answer = dave.do("approve", "fraud#production", "--push")
    assert (answer["status"], answer["approvals"]) == ("approved", ["carol", "dave"])


def test_046_only_what_was_seen_is_approved(team: dict[str, Person]) -> None:
    """After carol has fetched it, the request is replaced by one for other bytes."""
    branch = _ask(team)["branch"]
    carol, bob = team["carol"].fetch(), team["bob"].clone
    bob.git("push", "-q", "origin", "--delete", branch)
    bob.git("branch", "-qD", branch)
    _ask(team, "1.1.0")
    head, asked = carol.clone.git("rev-parse", "HEAD"), bob.git("rev-parse", branch)
    answer = carol.run("approve", "fraud#production", "--push")
    assert (answer.code, answer.json["error"]["code"]) == (1, "E_REQUEST_REPLACED")
    assert carol.clone.git("rev-parse", "HEAD") == head
    assert bob.git("ls-remote", "origin", branch).split()[0] == asked
    assert carol.clone.git("branch", "--list", branch) == ""
    # Now she has been told, and decides on what is there.
    [row] = carol.do("requests")["requests"]
    assert (row["version"], row["approvals"]) == ("1.1.0", [])
    assert carol.do("approve", branch, "--push")["approvals"] == ["carol"]
