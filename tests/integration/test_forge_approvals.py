"""Reviews as evidence (``design`` §4.9): collected, counted, landed, and forged."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from tests.support import forge_server
from tests.support.cli import gitmodel
from tests.support.contract import ANSWERS
from tests.support.forge_server import Reply, github_review, user
from tests.support.isolation import isolate
from tests.support.json_keys import deviations
from tests.support.reviewed import (
    BOB,
    CAROL,
    DAVE,
    NUMBER,
    REPOSITORY,
    STRANGER,
    Reviewed,
    build,
)
from tests.support.workbench import git, unpack

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from tests.support.forge_server import ForgeServer
    from tests.support.robot import Robot

TOKEN = "t0ken-of-the-job"  # noqa: S105
PULL = f"/repos/octo/registry/pulls/{NUMBER}"


@pytest.fixture(scope="module")
def server() -> Iterator[ForgeServer]:
    with forge_server.serving() as running:
        yield running


@pytest.fixture(scope="module")
def built(
    template: Path, server: ForgeServer, tmp_path_factory: pytest.TempPathFactory
) -> Path:
    root = tmp_path_factory.mktemp("reviewed")
    with pytest.MonkeyPatch.context() as patch:
        isolate(patch, root / "home")
        build(unpack(template, root / "home", root), root / "home", server)
    return root


@pytest.fixture
def reviewed(
    built: Path,
    server: ForgeServer,
    home: Path,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> Reviewed:
    server.replies.clear()
    server.heard.clear()
    monkeypatch.setenv("GITHUB_TOKEN", TOKEN)
    return Reviewed(unpack(built, home, tmp_path), home, server)


def approved(account: int, commit: str, **fields: Any) -> dict[str, Any]:
    return github_review(account, user(account), "APPROVED", commit) | fields


# From a review to the log.


def test_two_reviews_are_signed_and_land_the_promotion(reviewed: Reviewed) -> None:
    head = reviewed.ask()
    reviewed.reviews(approved(CAROL, head), approved(DAVE, head))

    found = reviewed.collected()

    assert deviations(found, ANSWERS["approvals collect"]) == []
    assert found["reviewApprovals"] == ["carol", "dave"]
    assert found["document"] == "log/staging/fraud/1.forge-1.yaml"
    assert (found["request"]["status"], found["request"]["needed"]) == ("approved", [])
    assert reviewed.forge.heard[0].headers["authorization"] == f"Bearer {TOKEN}"
    document = reviewed.document(found["document"], reviewed.tip())
    assert (document["head"], document["author"]) == (head, BOB)
    assert [each["user"] for each in document["reviews"]] == [CAROL, DAVE]
    assert TOKEN not in reviewed.bench.git("log", "--all", "-p")

    landed = reviewed.do("bob", "promote", "--finalize", "fraud#staging")
    assert landed["status"] == "promoted"
    assert reviewed.bench.live("fraud", "staging") == "1.0.0"
    assert reviewed.bench.verify("--history") == (0, [])
    [event] = reviewed.bench.do("log", "fraud", "--stage", "staging")["events"]
    assert (event["actor"], event["approvers"]) == ("bob", ["carol", "dave"])


def test_a_plain_merge_of_a_collected_request_is_as_good(reviewed: Reviewed) -> None:
    head = reviewed.ask()
    reviewed.reviews(approved(CAROL, head), approved(DAVE, head))
    reviewed.collected()
    reviewed.bench.git("merge", "-q", "--no-ff", "--no-edit", "request/staging/fraud/1")
    assert reviewed.bench.verify("--history") == (0, [])
    assert reviewed.bench.live("fraud", "staging") == "1.0.0"


def test_finalize_lands_it_with_the_statement_or_writes_nothing(
    reviewed: Reviewed,
) -> None:
    head = reviewed.ask()
    reviewed.reviews(approved(CAROL, head))
    before = reviewed.bench.snapshot()
    waiting = reviewed.collected("--finalize")
    assert (waiting["request"]["status"], waiting["document"]) == ("open", None)
    assert waiting["reviewApprovals"] == ["carol"]
    assert reviewed.bench.snapshot() == before

    reviewed.reviews(approved(CAROL, head), approved(DAVE, head))
    landed = reviewed.collected("--finalize")
    assert landed["request"]["status"] == "promoted"
    assert reviewed.bench.live("fraud", "staging") == "1.0.0"
    assert reviewed.bench.verify("--history") == (0, [])


def test_a_dry_run_says_what_counts_and_writes_nothing(reviewed: Reviewed) -> None:
    head = reviewed.ask()
    strange = github_review(9, user(9, "ci[bot]", "Bot"), "APPROVED", head)
    reviewed.reviews(approved(CAROL, head), approved(STRANGER, head), strange)
    before = reviewed.bench.snapshot()
    found = reviewed.collected("--dry-run")
    assert found["reviewApprovals"] == ["carol"]
    assert [(each["user"], each["reason"]) for each in found["passedOver"]] == [
        (9, "it is by a robot."),
        (STRANGER, "the policy knows no principal with that account."),
    ]
    assert reviewed.bench.snapshot() == before


def test_where_nothing_counts_nothing_is_written(reviewed: Reviewed) -> None:
    head = reviewed.ask()
    reviewed.reviews(approved(STRANGER, head))
    before = reviewed.bench.snapshot()
    assert reviewed.collected()["document"] is None
    assert reviewed.bench.snapshot() == before


def test_collecting_the_same_again_writes_nothing(reviewed: Reviewed) -> None:
    head = reviewed.ask()
    reviewed.reviews(approved(CAROL, head))
    reviewed.collected()
    before = reviewed.bench.snapshot()
    reviewed.propose("request/staging/fraud/1")
    reviewed.reviews(approved(CAROL, head))
    assert reviewed.collected()["document"] is None
    assert reviewed.bench.snapshot() == before


def test_a_review_stays_good_when_only_evidence_was_added_since(
    reviewed: Reviewed,
) -> None:
    head = reviewed.ask("staging")
    reviewed.reviews(approved(CAROL, head))
    reviewed.collected()
    reviewed.do("erin", "approve", "fraud#staging")
    reviewed.propose("request/staging/fraud/1")
    reviewed.reviews(approved(CAROL, head), approved(DAVE, reviewed.tip()))
    found = reviewed.collected()
    assert found["document"] == "log/staging/fraud/1.forge-2.yaml"
    assert found["reviewApprovals"] == ["carol", "dave"]
    assert found["request"]["approvals"] == ["carol", "dave", "erin"]
    reviewed.do("bob", "promote", "--finalize", "fraud#staging")
    assert reviewed.bench.verify("--history") == (0, [])


def test_who_reviews_and_signs_counts_once(reviewed: Reviewed) -> None:
    head = reviewed.ask()
    reviewed.reviews(approved(CAROL, head))
    reviewed.do("carol", "approve", "fraud#staging")
    reviewed.propose("request/staging/fraud/1")
    reviewed.reviews(approved(CAROL, head))
    found = reviewed.collected()
    assert (found["request"]["approvals"], found["request"]["status"]) == (
        ["carol"], "open",
    )  # fmt: skip


def test_production_asks_for_one_signature_whatever_the_forge_says(
    reviewed: Reviewed,
) -> None:
    head = reviewed.ask()
    reviewed.reviews(approved(CAROL, head), approved(DAVE, head))
    reviewed.collected("--finalize")
    head = reviewed.ask("production")
    reviewed.reviews(approved(CAROL, head), approved(DAVE, head))
    found = reviewed.collected(stage="production")
    assert found["request"]["status"] == "open"
    assert "1 of them direct" in found["request"]["needed"][0]
    early = reviewed.run("bob", "promote", "--finalize", "fraud#production")
    assert (early.code, early.json["error"]["code"]) == (3, "E_THRESHOLD")
    reviewed.do("erin", "approve", "fraud#production")
    reviewed.do("bob", "promote", "--finalize", "fraud#production")
    assert reviewed.bench.verify("--history") == (0, [])


def test_a_rollback_takes_as_many_signatures_as_a_promotion(
    reviewed: Reviewed,
) -> None:
    bench = reviewed.bench
    here = f"github@127.0.0.1:{reviewed.forge.port}:1296269"
    need = ("--approvals", "1", "--rollback-approvals", "1", "--forge", here)
    bench.do("policy", "require", "dev", *need)
    asked = bench.do("rollback", "fraud", "dev", "-m", "it drifts")
    reviewed.propose(asked["branch"])
    reviewed.reviews(approved(CAROL, asked["commit"]))
    found = reviewed.collected(stage="dev")
    assert found["reviewApprovals"] == ["carol"]
    assert found["request"]["status"] == "open"
    reviewed.do("erin", "approve", "fraud#dev")
    bench.do("promote", "--finalize", "fraud#dev")
    assert bench.verify("--history") == (0, [])


def test_an_approver_who_asks_for_changes_stops_it_until_signing_otherwise(
    reviewed: Reviewed,
) -> None:
    head = reviewed.ask()
    asked = github_review(1, user(DAVE), "CHANGES_REQUESTED", head)
    reviewed.reviews(approved(CAROL, head), asked)
    found = reviewed.collected()
    assert (found["reviewRejections"], found["request"]["status"]) == (
        ["dave"], "rejected",
    )  # fmt: skip
    reviewed.do("erin", "approve", "fraud#staging")
    refused = reviewed.run("bob", "promote", "--finalize", "fraud#staging")
    assert (refused.code, refused.json["error"]["code"]) == (3, "E_REJECTED")
    reviewed.land_by_hand({})
    code, problems = reviewed.bench.verify("--history")
    assert (code, problems) == (4, ["E_REJECTED"])


def test_a_server_with_our_hook_takes_statements_and_what_they_land(
    reviewed: Reviewed, tmp_path: Path
) -> None:
    hub = tmp_path / "hub.git"
    git(tmp_path, "init", "-q", "--bare", hub)
    assert gitmodel("hook", "install-server", hub).code == 0
    reviewed.bench.git("remote", "add", "origin", hub)
    reviewed.bench.git("push", "-q", "origin", "main")
    asked = reviewed.do("bob", "promote", "fraud@1.0.0", "staging", "--push")
    reviewed.propose(asked["branch"])
    head = asked["commit"]
    reviewed.reviews(approved(CAROL, head), approved(DAVE, head))
    reviewed.collected("--push")
    assert git(hub, "rev-parse", asked["branch"]) == reviewed.tip()
    reviewed.do("bob", "promote", "--finalize", "fraud#staging", "--push")
    assert git(hub, "rev-parse", "main") == reviewed.bench.git("rev-parse", "main")
    assert reviewed.bench.verify("--history") == (0, [])


def test_a_job_collects_by_its_identity_alone(
    robot: Robot, server: ForgeServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("GITHUB_TOKEN", TOKEN)
    bench = robot.bench
    bench.do("policy", "grant", "robot", "collector")
    account = ("--account", f"github:{CAROL}", "--role", "approver")
    bench.do("policy", "add-principal", "carol", *account)
    here = f"github@127.0.0.1:{server.port}:{REPOSITORY}"
    need = ("--approvals", "1", "--forge", here, "--direct", "0")
    bench.do("policy", "require", "dev", *need)
    asked = bench.do("promote", "fraud@1.0.0", "dev")
    reviewed = Reviewed(bench, bench.outside, server)
    reviewed.propose(asked["branch"])
    reviewed.reviews(approved(CAROL, asked["commit"]))
    found = robot.do(
        "approvals", "collect", "fraud#dev", "--pr", str(NUMBER), "--finalize",
        *reviewed.where,
    )  # fmt: skip
    assert found["request"]["status"] == "promoted"
    assert bench.verify("--history") == (0, [])


# Reviews that do not count: each of these leaves the promotion waiting.


@pytest.mark.parametrize(
    ("case", "reason"),
    [
        ({"state": "DISMISSED"}, "dismissed"),
        ({"commit_id": "c" * 40}, "another commit"),
        ({"user": user(BOB)}, "author"),
        ({"user": user(DAVE, "renamed"), "commit_id": "c" * 40}, "another commit"),
        ({"user": user(STRANGER, "dave")}, "no principal"),
        ({"user": user(DAVE, "dave", "Bot")}, "robot"),
    ],
    ids=["dismissed", "stale", "self", "older commit", "a taken name", "a robot"],
)
def test_a_review_that_does_not_count(
    reviewed: Reviewed, case: dict[str, Any], reason: str
) -> None:
    head = reviewed.ask()
    reviewed.reviews(approved(CAROL, head), approved(DAVE, head) | case)
    found = reviewed.collected()
    assert found["reviewApprovals"] == ["carol"]
    assert found["request"]["status"] == "open"
    [passed] = found["passedOver"]
    assert reason in passed["reason"]


def test_an_account_that_was_renamed_is_still_the_same(reviewed: Reviewed) -> None:
    head = reviewed.ask()
    renamed = approved(DAVE, head, user=user(DAVE, "somebody-else"))
    reviewed.reviews(renamed, approved(CAROL, head))
    assert reviewed.collected()["reviewApprovals"] == ["carol", "dave"]


# What collecting refuses.


def refusal(reviewed: Reviewed, code: int, *options: str, who: str = "ci") -> str:
    before = reviewed.bench.snapshot()
    answer = reviewed.collect(*options, who=who)
    assert answer.code == code, answer.err
    assert reviewed.bench.snapshot() == before
    assert "Traceback" not in answer.err
    assert TOKEN not in answer.err + answer.out
    return str(answer.json["error"]["code"])


def test_only_a_collector_collects(reviewed: Reviewed) -> None:
    reviewed.ask()
    assert refusal(reviewed, 3, who="carol") == "E_ROLE"
    assert reviewed.forge.heard == []


def test_what_nobody_asked_for_is_not_collected_for(reviewed: Reviewed) -> None:
    reviewed.ask()
    bench, branch = reviewed.bench, "request/staging/fraud/1"
    names = bench.git("ls-tree", "--name-only", branch, "log/staging/fraud/")
    [signature] = [name for name in names.splitlines() if "sigstore" in name]
    bench.git("checkout", "-q", branch)
    bench.commit_file(signature, None)
    bench.git("checkout", "-q", "main")
    assert refusal(reviewed, 4) == "E_UNSIGNED"
    assert reviewed.forge.heard == []


def test_who_asks_does_not_collect(reviewed: Reviewed) -> None:
    reviewed.bench.do("policy", "grant", "bob", "collector")
    reviewed.ask()
    assert refusal(reviewed, 3, who="bob") == "E_SELF_APPROVAL"
    both = {"reviews": [reviewed.said(CAROL), reviewed.said(DAVE)]}
    reviewed.land_by_hand(reviewed.statement(both, who="bob"))
    assert found_in(reviewed) == {"E_SELF_APPROVAL", "E_THRESHOLD"}


def test_a_pull_request_must_propose_exactly_this(reviewed: Reviewed) -> None:
    head = reviewed.ask()
    reviewed.reviews(approved(CAROL, head))
    branch = "request/staging/fraud/1"
    reviewed.propose(branch, state="closed")
    assert refusal(reviewed, 1) == "E_FORGE_CLOSED"
    elsewhere = {"ref": "other", "sha": head, "repo": {"id": 1296269}}
    reviewed.propose(branch, base=elsewhere)
    assert refusal(reviewed, 3) == "E_FORGE_PROPOSAL"
    reviewed.propose("main")
    assert refusal(reviewed, 3) == "E_FORGE_PROPOSAL"
    reviewed.bench.git("checkout", "-q", "-b", "more", branch)
    reviewed.bench.commit_file("models/fraud/model.yaml", b"changed: true\n")
    reviewed.bench.git("checkout", "-q", "main")
    reviewed.propose("more")
    assert refusal(reviewed, 3) == "E_FORGE_PROPOSAL"
    unknown = forge_server.github_pull(NUMBER, "d" * 40)
    reviewed.pull(unknown)
    assert refusal(reviewed, 1) == "E_FORGE_MOVED"


def test_a_pull_request_that_moves_meanwhile_is_read_again(reviewed: Reviewed) -> None:
    head = reviewed.ask()
    one = forge_server.github_pull(NUMBER, head)
    other = forge_server.github_pull(NUMBER, "d" * 40)
    reviewed.pull(one, other)
    assert refusal(reviewed, 1) == "E_FORGE_MOVED"


def test_another_repository_has_no_say(reviewed: Reviewed) -> None:
    reviewed.ask()
    reviewed.forge.on("GET /repos/octo/registry", {"id": 5})
    assert refusal(reviewed, 3) == "E_FORGE_SOURCE"


@pytest.mark.parametrize(
    ("reply", "code"),
    [
        (Reply({"message": "Bad credentials"}, 401), "E_FORGE_TOKEN"),
        (Reply({"message": "Resource not accessible"}, 403), "E_FORGE_RIGHTS"),
        (Reply({"message": "slow"}, 429, {"Retry-After": "999"}), "E_FORGE_RATE_LIMIT"),
        (Reply(b"<html>\x1b[31m", 200), "E_FORGE_ANSWER"),
        (Reply(None, 302, {"Location": "https://evil.example/"}), "E_FORGE_REDIRECT"),
    ],
)
def test_a_forge_that_fails_leaves_nothing_behind(
    reviewed: Reviewed, reply: Reply, code: str
) -> None:
    reviewed.ask()
    reviewed.forge.on(f"GET {PULL}/reviews", reply)
    assert refusal(reviewed, 5) == code


def test_a_request_that_is_stale_is_not_collected_for(reviewed: Reviewed) -> None:
    reviewed.ask()
    reviewed.bench.do("policy", "grant", "carol", "auditor")
    assert refusal(reviewed, 1) == "E_REQUEST_STALE"


# A forge, or a collector, that lies. Everything is merged by hand: verify must find it.


def found_in(reviewed: Reviewed) -> set[str]:
    """Return what verify finds, with and without the history."""
    code, problems = reviewed.bench.verify("--history")
    assert code == 4, problems
    plain, same = reviewed.bench.verify()
    assert plain == 4, same
    return set(problems)


@pytest.mark.parametrize(
    "lie",
    [
        {"user": STRANGER},
        {"user": BOB},
        {"commit": "c" * 40},
        {"state": "dismissed"},
        {"state": "stale"},
        {"bot": True},
    ],
    ids=["of nobody", "of the requester", "older", "dismissed", "stale", "a robot's"],
)
def test_a_signed_review_that_counts_for_nothing(
    reviewed: Reviewed, lie: dict[str, Any]
) -> None:
    reviewed.ask()
    said = [reviewed.said(CAROL), reviewed.said(DAVE) | lie]
    reviewed.land_by_hand(reviewed.statement({"author": None, "reviews": said}))
    assert found_in(reviewed) == {"E_THRESHOLD"}


@pytest.mark.parametrize(
    ("lie", "code"),
    [
        ({"transition": f"sha256:{'0' * 64}"}, "E_FORGE_APPROVAL"),
        ({"number": 2}, "E_FORGE_APPROVAL"),
        ({"repository": 5}, "E_FORGE_SOURCE"),
        ({"host": "github.com"}, "E_FORGE_SOURCE"),
        ({"forge": "gitea"}, "E_FORGE_SOURCE"),
        ({"collector": "carol"}, "E_UNSIGNED"),
        ({"reviews": [{"user": "dave"}]}, "E_SCHEMA"),
    ],
)
def test_a_statement_that_does_not_belong_here(
    reviewed: Reviewed, lie: dict[str, Any], code: str
) -> None:
    reviewed.ask()
    both = [reviewed.said(CAROL), reviewed.said(DAVE)]
    reviewed.land_by_hand(reviewed.statement({"reviews": both} | lie))
    assert found_in(reviewed) == {code, "E_THRESHOLD"}


def test_a_statement_after_one_that_was_left_out(reviewed: Reviewed) -> None:
    reviewed.ask()
    both = {"reviews": [reviewed.said(CAROL), reviewed.said(DAVE)], "number": 2}
    reviewed.land_by_hand(reviewed.statement(both, number=2))
    assert found_in(reviewed) == {"E_FORGE_APPROVAL", "E_THRESHOLD"}


def test_a_statement_by_somebody_who_is_no_collector(reviewed: Reviewed) -> None:
    reviewed.ask()
    both = {"reviews": [reviewed.said(CAROL), reviewed.said(DAVE)]}
    reviewed.land_by_hand(reviewed.statement(both, who="carol"))
    assert found_in(reviewed) >= {"E_ROLE", "E_THRESHOLD"}


def test_a_statement_in_another_role_is_no_statement(reviewed: Reviewed) -> None:
    reviewed.ask()
    both = {"reviews": [reviewed.said(CAROL), reviewed.said(DAVE)]}
    reviewed.land_by_hand(reviewed.statement(both, who="carol", role="approver"))
    assert found_in(reviewed) >= {"E_UNSIGNED", "E_THRESHOLD"}


def test_a_statement_without_a_signature(reviewed: Reviewed) -> None:
    reviewed.ask()
    both = {"reviews": [reviewed.said(CAROL), reviewed.said(DAVE)]}
    files = reviewed.statement(both)
    path = "log/staging/fraud/1.forge-1.yaml"
    reviewed.land_by_hand({path: files[path]})
    assert found_in(reviewed) >= {"E_UNSIGNED", "E_THRESHOLD"}


def test_a_statement_used_again_for_the_next_promotion(reviewed: Reviewed) -> None:
    head = reviewed.ask()
    reviewed.reviews(approved(CAROL, head), approved(DAVE, head))
    reviewed.collected("--finalize")
    reviewed.do("bob", "promote", "fraud@1.1.0", "staging")
    old = "log/staging/fraud/1.forge-1.yaml"
    bench = reviewed.bench
    names = bench.git("ls-tree", "--name-only", "HEAD", "log/staging/fraud/")
    bench.git("merge", "-q", "--squash", "request/staging/fraud/2")
    for name in names.splitlines():
        if name.startswith(old):
            copy = name.replace("/1.forge-1", "/2.forge-1")
            (bench.path / copy).write_bytes((bench.path / name).read_bytes())
            bench.git("add", copy)
    bench.git("commit", "-qm", "replay")
    assert found_in(reviewed) >= {"E_OTHER_PATH", "E_THRESHOLD"}


def test_a_statement_that_comes_later_or_about_nothing(reviewed: Reviewed) -> None:
    head = reviewed.ask()
    reviewed.reviews(approved(CAROL, head), approved(DAVE, head))
    reviewed.collected("--finalize")
    bench = reviewed.bench
    text = (bench.path / "log/staging/fraud/1.forge-1.yaml").read_bytes()
    bench.commit_file("log/staging/fraud/1.forge-2.yaml", text)
    code, problems = bench.verify("--history")
    assert (code, "E_EXTRA_FILE" in problems) == (4, True)
    bench.git("reset", "-q", "--hard", "HEAD~1")
    bench.commit_file("log/staging/fraud/5.forge-1.yaml", text)
    assert "E_EXTRA_FILE" in found_in(reviewed)


def test_a_statement_that_is_edited_or_removed(reviewed: Reviewed) -> None:
    head = reviewed.ask()
    reviewed.reviews(approved(CAROL, head), approved(DAVE, head))
    reviewed.collected("--finalize")
    path = "log/staging/fraud/1.forge-1.yaml"
    reviewed.bench.commit_file(path, None)
    assert "E_APPEND_ONLY" in found_in(reviewed)


def test_a_stolen_key_of_the_collector_lands_nothing_in_production(
    reviewed: Reviewed,
) -> None:
    head = reviewed.ask()
    reviewed.reviews(approved(CAROL, head), approved(DAVE, head))
    reviewed.collected("--finalize")
    reviewed.ask("production")
    tip = reviewed.tip("production")
    made_up = [reviewed.said_of(account, tip) for account in (CAROL, DAVE)]
    files = reviewed.statement({"reviews": made_up}, stage="production")
    reviewed.land_by_hand(files, stage="production")
    assert found_in(reviewed) == {"E_THRESHOLD"}


def test_a_newer_statement_takes_back_what_an_older_one_said(
    reviewed: Reviewed,
) -> None:
    head = reviewed.ask()
    reviewed.reviews(approved(CAROL, head), approved(DAVE, head))
    assert reviewed.collected()["request"]["status"] == "approved"
    reviewed.propose("request/staging/fraud/1")
    reviewed.reviews(approved(CAROL, head), approved(DAVE, head, state="DISMISSED"))
    assert reviewed.collected()["request"]["status"] == "open"
    reviewed.land_by_hand({})
    assert found_in(reviewed) == {"E_THRESHOLD"}


def test_statements_of_a_request_that_are_broken_count_for_nothing(
    reviewed: Reviewed,
) -> None:
    reviewed.ask()
    bench = reviewed.bench
    both = {"reviews": [reviewed.said(CAROL), reviewed.said(DAVE)]}
    files = reviewed.statement(both, who="carol")
    bench.git("checkout", "-q", "request/staging/fraud/1")
    for path, data in files.items():
        bench.commit_file(path, data)
    bench.git("checkout", "-q", "main")
    [row] = bench.do("requests")["requests"]
    assert (row["status"], row["approvals"]) == ("open", [])
    reviewed.propose("request/staging/fraud/1")
    assert refusal(reviewed, 4) == "E_ROLE"
    reviewed.do("carol", "approve", "fraud#staging")
    reviewed.do("erin", "approve", "fraud#staging")
    reviewed.do("bob", "promote", "--finalize", "fraud#staging")
    assert bench.verify("--history") == (0, [])
