"""The night's one command (R174 to R177, R181; seeds D1, D13)."""

from __future__ import annotations

import socket
import threading
import time
from typing import TYPE_CHECKING

import pytest

from tests.support.contract import ANSWERS
from tests.support.json_keys import deviations

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from tests.support.remotes import Team
    from tests.support.workbench import Workbench

ALARM = ("--emergency", "--incident", "INC-7", "-m", "trojaned weights", "--yes")


@pytest.fixture
def live(bench: Workbench) -> Workbench:
    """Return a registry whose dev has held three versions of fraud."""
    for version in ("1.0.0", "1.1.0", "1.2.0"):
        bench.register(version=version)
        bench.promote(f"fraud@{version}", "dev")
    return bench


def _add(bench: Workbench, name: str, *roles: str) -> Path:
    """Let somebody into the policy; return their key."""
    key = bench.outside / name
    bench.do("key", "new", "--out", key)
    public = bench.outside / f"{name}.pub"
    flags = [part for role in roles for part in ("--role", role)]
    bench.do("policy", "add-principal", name, "--key", public, *flags)
    return key


def test_one_commit_goes_back_quarantines_and_opens_the_incident(
    live: Workbench,
) -> None:
    before = live.git("rev-parse", "HEAD")

    done = live.do("rollback", "fraud", "dev", *ALARM)

    assert deviations(done, ANSWERS["rollback --emergency"]) == []
    assert (done["status"], done["quarantined"]) == ("rolled_back", ["fraud@1.2.0"])
    [rollback] = done["rollbacks"]
    assert (rollback["from"], rollback["to"]) == ("1.2.0", "1.1.0")
    assert [step["outcome"] for step in done["steps"]] == ["done", "done", "done"]
    assert live.git("rev-parse", "HEAD~1") == before
    assert live.live("fraud", "dev") == "1.1.0"
    # What was live is in quarantine, not what is (D1).
    assert live.do("show", "fraud@1.2.0")["status"] == "quarantined"
    assert live.do("show", "fraud@1.1.0")["status"] == "live"
    assert live.run("promote", "fraud@1.2.0", "dev").code == 3
    actions = {event["action"] for event in live.do("log")["events"][:3]}
    assert {"rollback", "quarantine"} <= actions
    assert live.verify("--history", "--full") == (0, [])


def test_the_same_emergency_again_changes_nothing(live: Workbench) -> None:
    """Who is not sure that it worked runs it again; that must not go one further."""
    live.do("rollback", "fraud", "dev", *ALARM)
    before = live.snapshot()

    again = live.do("rollback", "fraud", "dev", *ALARM)

    assert (again["status"], again["commit"]) == ("unchanged", None)
    assert live.snapshot() == before
    further = live.do("rollback", "fraud", "dev", *ALARM[:2], "INC-8", *ALARM[3:])
    assert further["rollbacks"][0]["to"] == "1.0.0"


def test_a_plan_changes_nothing(live: Workbench) -> None:
    before = live.snapshot()
    plan = live.do("rollback", "fraud", "dev", *ALARM, "--plan")
    assert (plan["status"], plan["commit"]) == ("planned", None)
    assert plan["rollbacks"][0]["to"] == "1.1.0"
    assert live.snapshot() == before


def test_where_there_is_no_way_back_the_rest_is_done_all_the_same(
    bench: Workbench,
) -> None:
    bench.register(version="1.0.0")
    bench.promote("fraud@1.0.0", "dev")

    answer = bench.run("--json", "rollback", "fraud", "dev", *ALARM)

    assert answer.code == 1
    done = answer.json
    assert (done["status"], done["rollbacks"]) == ("partial", [])
    assert [(step["step"], step["outcome"]) for step in done["steps"]] == [
        ("rollback", "failed"),
        ("quarantine", "done"),
        ("incident", "done"),
    ]
    assert done["commit"] == bench.git("rev-parse", "HEAD")
    assert bench.do("show", "fraud@1.0.0")["status"] == "quarantined"
    assert bench.run("pull", "fraud@1.0.0", "-o", bench.outside / "x").code == 3
    code, problems = bench.verify("--history", "--full")
    assert (code, problems) == (0, [])

    before = bench.snapshot()
    again = bench.run("--json", "rollback", "fraud", "dev", *ALARM)
    assert (again.code, again.json["status"], again.json["commit"]) == (
        1,
        "partial",
        None,
    )
    assert bench.snapshot() == before


def test_several_models_go_back_together_and_one_that_cannot_stops_none(
    live: Workbench,
) -> None:
    for version in ("1.0.0", "1.1.0"):
        live.register("spam", version)
        live.promote(f"spam@{version}", "dev")
    live.register("solo", "1.0.0")
    live.promote("solo@1.0.0", "dev")

    answer = live.run(
        "--json", "rollback", "fraud", "dev", "--also", "solo", "--also", "spam#dev",
        *ALARM,
    )  # fmt: skip

    assert answer.code == 1
    assert answer.json["status"] == "partial"
    assert [row["model"] for row in answer.json["rollbacks"]] == ["fraud", "spam"]
    assert answer.json["quarantined"] == ["fraud@1.2.0", "solo@1.0.0", "spam@1.1.0"]
    assert (live.live("fraud", "dev"), live.live("spam", "dev")) == ("1.1.0", "1.0.0")
    assert live.verify("--history", "--full") == (0, [])


def test_a_copy_of_the_bad_version_is_no_last_known_good(bench: Workbench) -> None:
    """The same bytes under another number are as bad as they were."""
    for version, data in (("1.0.0", b"good"), ("1.1.0", b"bad"), ("1.2.0", b"bad")):
        file = bench.file(f"{version}.bin", data)
        bench.do(
            "register", "fraud", file, "--version", version, "--no-capture",
            "--allow-same-bytes",
        )  # fmt: skip
        bench.promote(f"fraud@{version}", "dev")

    done = bench.do("rollback", "fraud", "dev", *ALARM)

    [rollback] = done["rollbacks"]
    assert rollback["to"] == "1.0.0"
    assert [each["version"] for each in rollback["versionsPassedOver"]] == ["1.1.0"]
    assert bench.verify("--history", "--full") == (0, [])


def test_signatures_and_bytes_are_verified_even_now(live: Workbench) -> None:
    live.tamper("fraud@1.1.0")
    done = live.do("rollback", "fraud", "dev", *ALARM)
    assert done["rollbacks"][0]["to"] == "1.0.0"


def test_only_a_responder_may(live: Workbench) -> None:
    mallory = _add(live, "mallory", "promoter", "approver", "publisher")
    before = live.snapshot()
    answer = live.run("--key", mallory, "--json", "rollback", "fraud", "dev", *ALARM)
    assert (answer.code, answer.json["error"]["code"]) == (3, "E_ROLE")
    assert live.snapshot() == before


@pytest.mark.parametrize(
    ("options", "said"),
    [
        (("--emergency", "-m", "x", "--yes"), "--incident"),
        (("--emergency", "--incident", "I-1", "-m", "x"), "--yes"),
        (("--emergency", "--incident", "../x", "-m", "x", "--yes"), "incident"),
        (("--emergency", "--incident", "I-1", "--yes"), "-m REASON"),
        ((*ALARM, "--pr"), "--pr"),
        ((*ALARM, "--also", "spam", "--to", "1.0.0"), "--also"),
        ((*ALARM, "--also", "fraud@1.0.0"), "MODEL#STAGE"),
    ],
)
def test_what_is_missing_is_said(
    live: Workbench, options: tuple[str, ...], said: str
) -> None:
    before = live.snapshot()
    answer = live.run("rollback", "fraud", "dev", *options)
    assert answer.code == 2
    assert said in answer.err
    assert live.snapshot() == before


def test_it_waits_for_no_approvals_and_they_fall_due(live: Workbench) -> None:
    bob = _add(live, "bob", "approver")
    live.do("policy", "require", "dev", "--rollback-approvals", "1")
    assert live.do("rollback", "fraud", "dev", "-m", "x")["status"] == "pending"

    done = live.do("rollback", "fraud", "dev", *ALARM)

    [rollback] = done["rollbacks"]
    assert "1 more of 1 approval in the role approver" in rollback["review"]
    [row] = [row for row in live.do("requests")["requests"] if row["kind"] == "review"]
    assert (row["status"], row["stage"]) == ("due", "dev")
    # Not yet overdue: nothing is held up by it.
    assert live.run("check", "fraud@1.1.0").code == 0
    own = live.run("--json", "approve", "fraud#dev")
    assert (own.code, own.json["error"]["code"]) == (3, "E_SELF_APPROVAL")

    approved = live.do("--key", bob, "approve", "fraud#dev", "-m", "looked")

    assert (approved["status"], approved["approvals"]) == ("approved", ["bob"])
    assert live.run("approve", "fraud#dev").code == 1
    assert live.verify("--history", "--full") == (0, [])


def test_an_overdue_review_is_reported_and_stops_promotions(live: Workbench) -> None:
    bob = _add(live, "bob", "approver")
    live.do("policy", "require", "dev", "--rollback-within", "1s")
    live.do("rollback", "fraud", "dev", *ALARM)
    live.register(version="1.3.0")

    _until(lambda: live.run("check", "fraud@1.3.0").code == 3)

    refused = live.run("--json", "promote", "fraud@1.3.0", "dev")
    assert refused.code == 3
    assert [each["gate"] for each in refused.json["error"]["problems"]] == ["review"]
    notices = live.do("verify")["notices"]
    assert [notice["code"] for notice in notices] == ["E_REVIEW_OVERDUE"]
    doctor = live.run("--json", "doctor").json["checks"]
    assert [c["ok"] for c in doctor if c["name"] == "rollback reviews"] == [False]

    live.do("--key", bob, "approve", "fraud#dev")

    live.promote("fraud@1.3.0", "dev")
    assert live.do("verify")["notices"] == []
    assert live.verify("--history", "--full") == (0, [])


def test_a_late_rejection_stays_on_record(live: Workbench) -> None:
    bob = _add(live, "bob", "approver")
    live.do("rollback", "fraud", "dev", *ALARM)
    rejected = live.do("--key", bob, "reject", "fraud#dev", "-m", "a false alarm")
    assert rejected["status"] == "rejected"
    assert live.live("fraud", "dev") == "1.1.0"
    [notice] = live.do("verify")["notices"]
    assert "rejected by bob" in notice["message"]
    live.do("rollback", "fraud", "dev", "--to", "1.0.0", "-m", "another way")
    assert live.do("verify")["notices"] == []
    assert live.verify("--history", "--full") == (0, [])


def test_who_has_spoken_on_one_rollback_is_asked_about_the_next(
    live: Workbench,
) -> None:
    bob = _add(live, "bob", "approver")
    carol = _add(live, "carol", "approver", "responder")
    live.do(
        "policy", "require", "dev", "--rollback-approvals", "2",
        "--rollback-review", "after",
    )  # fmt: skip
    live.do("--key", carol, "rollback", "fraud", "dev", "-m", "slow")
    live.do("rollback", "fraud", "dev", "-m", "slow as well")

    first = live.do("--key", bob, "approve", "fraud#dev")
    second = live.do("--key", bob, "approve", "fraud#dev")
    # Carol made the first one; it is the second that waits for her.
    hers = live.do("--key", carol, "approve", "fraud#dev")

    assert (first["version"], second["version"]) == ("1.1.0", "1.0.0")
    assert (hers["version"], hers["status"]) == ("1.0.0", "approved")
    assert hers["approvals"] == ["bob", "carol"]
    assert live.verify("--history", "--full") == (0, [])


def test_a_policy_may_want_all_rollbacks_approved_afterwards(live: Workbench) -> None:
    bob = _add(live, "bob", "approver")
    live.do(
        "policy", "require", "dev", "--rollback-approvals", "1",
        "--rollback-review", "after",
    )  # fmt: skip
    done = live.do("rollback", "fraud", "dev", "-m", "slow")
    assert (done["status"], done["to"]) == ("rolled_back", "1.1.0")
    assert done["review"]
    # Nor is it forgotten when the stage moves on.
    live.do("rollback", "fraud", "dev", "-m", "slow as well")
    live.do("--key", bob, "approve", "fraud#dev")
    live.do("--key", bob, "approve", "fraud#dev")
    assert live.run("approve", "fraud#dev").code == 1
    assert live.verify("--history", "--full") == (0, [])


def test_with_the_remote_down_it_happens_here_and_is_brought_there_later(
    team: Team,
) -> None:
    ours = team.ours
    for version in ("2.0.0", "2.1.0"):
        ours.register(version=version)
        ours.promote(f"fraud@{version}", "dev")
    ours.do("sync")
    away = team.hub.with_name("away.git")
    team.hub.rename(away)

    answer = ours.run("--json", "rollback", "fraud", "dev", *ALARM, "--push")

    assert answer.code == 5
    assert (answer.json["status"], answer.json["pushed"]) == ("rolled_back", False)
    assert answer.json["steps"][-1]["step"] == "push"
    assert answer.json["next"][0].startswith("gitmodel sync")
    assert ours.live("fraud", "dev") == "2.0.0"
    away.rename(team.hub)
    ours.do("sync")
    assert team.tip() == ours.git("rev-parse", "HEAD")


def test_a_remote_that_never_answers_is_not_waited_for_long(
    team: Team, silent: int
) -> None:
    ours = team.ours
    for version in ("2.0.0", "2.1.0"):
        ours.register(version=version)
        ours.promote(f"fraud@{version}", "dev")
    ours.git("remote", "set-url", "origin", f"git://127.0.0.1:{silent}/registry")
    answer = ours.run("--json", "rollback", "fraud", "dev", *ALARM, "--push")
    assert answer.code == 5
    assert ours.live("fraud", "dev") == "2.0.0"


def test_what_has_parted_is_joined_first(team: Team) -> None:
    ours, theirs = team.ours, team.theirs
    for version in ("2.0.0", "2.1.0"):
        ours.register(version=version)
        ours.promote(f"fraud@{version}", "dev")
    ours.do("sync")
    theirs.git("pull", "-q", "--ff-only")
    theirs.register("spam", "1.0.0")
    theirs.do("sync")
    ours.register("ham", "1.0.0")

    done = ours.do("rollback", "fraud", "dev", *ALARM, "--push")

    assert (done["status"], done["pushed"]) == ("rolled_back", True)
    assert team.tip() == ours.git("rev-parse", "HEAD")
    assert ours.verify("--history", "--full", "--no-bytes") == (0, [])


@pytest.fixture
def silent() -> Iterator[int]:
    """Return a port that takes connections and says nothing."""
    held: list[socket.socket] = []
    with socket.create_server(("127.0.0.1", 0)) as server:

        def accept() -> None:
            while True:
                try:
                    held.append(server.accept()[0])
                except OSError:
                    return

        threading.Thread(target=accept, daemon=True).start()
        yield server.getsockname()[1]
        server.shutdown(socket.SHUT_RDWR)
    for connection in held:
        connection.close()


def _until(holds: object, seconds: float = 20.0) -> None:
    assert callable(holds)
    deadline = time.monotonic() + seconds
    while not holds():
        assert time.monotonic() < deadline, "it never came to hold"


def test_a_clone_without_a_remote_goes_back_whoever_wanted_a_push(
    live: Workbench,
) -> None:
    done = live.do("rollback", "fraud", "dev", *ALARM, "--push")
    assert (done["status"], done["pushed"]) == ("rolled_back", None)
    assert live.live("fraud", "dev") == "1.1.0"
