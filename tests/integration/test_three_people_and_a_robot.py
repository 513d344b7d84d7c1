"""The whole story on real clones: who may do what, and that every forgery is found.

Three people with keys and a robot without one bring three versions into production,
landed in three ways. Then somebody tampers with what they did, and ``verify`` must say
exactly what is wrong (R228).
"""

from __future__ import annotations

import json
import subprocess
import sys
from typing import TYPE_CHECKING

import pytest

from tests.support import company as story
from tests.support import tampering as by
from tests.support.company import REQUEST, Company
from tests.support.isolation import isolate
from tests.support.terminal import ROOT

if TYPE_CHECKING:
    from pathlib import Path

    from tests.support.sigstore_local import LocalSigstore
    from tests.support.workbench import Workbench

_OFFLINE = """
import sys
def refuse(event, args):
    if event in ("socket.connect", "socket.getaddrinfo", "socket.bind"):
        raise PermissionError(f"{event}: {args}")
sys.addaudithook(refuse)
from gitmodel.cli.main import run
sys.exit(run(sys.argv[1:]))
"""


@pytest.fixture(scope="session")
def company(
    sigstore: LocalSigstore, tmp_path_factory: pytest.TempPathFactory
) -> Company:
    """Let it all happen, once."""
    place = tmp_path_factory.mktemp("company")
    done = story.found(place, sigstore)
    _first_version_lands_by_finalize(done)
    _second_version_lands_by_a_merge(done)
    _third_version_lands_by_a_squash(done)
    return done


def _first_version_lands_by_finalize(company: Company) -> None:
    story.publish(company, "1.0.0")
    early = story.ask(company, "1.0.0")
    assert (early.code, early.json["error"]["code"]) == (3, "E_REFUSED")
    gates = [problem["gate"] for problem in early.json["error"]["problems"]]
    assert gates == ["attestation", "metric"]
    story.attest(company)
    asked = story.ask(company, "1.0.0")
    assert (asked.code, asked.json["status"]) == (0, "pending")
    assert asked.json["branch"] == f"{REQUEST}/1"
    own = company["bob"].run("approve", "fraud#production")
    assert (own.code, own.json["error"]["code"]) == (3, "E_ROLE")
    story.approve(company, "alice")
    short = company["alice"].run("promote", "--finalize", "fraud#production")
    assert (short.code, short.json["error"]["code"]) == (3, "E_THRESHOLD")
    story.approve(company, "dave")
    landed = company["dave"].do("promote", "--finalize", "fraud#production", "--push")
    assert (landed["status"], landed["approvals"]) == ("promoted", ["alice", "dave"])


def _request(company: Company, version: str) -> None:
    story.publish(company, version)
    story.attest(company)
    asked = story.ask(company, version)
    assert asked.code == 0, asked.err
    story.approve(company, "alice", "dave")


def _second_version_lands_by_a_merge(company: Company) -> None:
    _request(company, "1.1.0")
    company["carol"].catch_up()
    file = company["carol"].bench.file("spam.bin", b"meanwhile")
    company["carol"].do("register", "spam", file, "--no-capture", "--push")
    dave = company["dave"].catch_up()
    dave.git("merge", "-q", "--no-ff", "--no-edit", f"{REQUEST}/2")
    dave.git("push", "-q", "origin", "main")


def _third_version_lands_by_a_squash(company: Company) -> None:
    _request(company, "1.2.0")
    alice = company["alice"].catch_up()
    alice.git("fetch", "-q", "origin", f"{REQUEST}/3")
    alice.git("merge", "-q", "--squash", "FETCH_HEAD")
    alice.git("commit", "-qm", "fraud 1.2.0 goes live")
    alice.git("push", "-q", "origin", "main")


@pytest.fixture(scope="session")
def clone(company: Company, tmp_path_factory: pytest.TempPathFactory) -> Workbench:
    """Return a fresh clone of somebody who had no part in it."""
    place = tmp_path_factory.mktemp("outsider")
    with pytest.MonkeyPatch.context() as patch:
        isolate(patch, place / "home")
        return company.fresh(place / "clone")


def test_anybody_can_prove_it_with_the_servers_stopped_and_no_network(
    company: Company, clone: Workbench
) -> None:
    with company.sigstore.down():
        done = subprocess.run(
            [sys.executable, "-c", _OFFLINE, "-C", clone.path, "--json",
             "verify", "--history", "--root", company.root],
            cwd=ROOT,
            env={"PATH": "/usr/bin:/bin", "PYTHONPATH": str(ROOT),
                 "HOME": "/nonexistent", "GIT_CONFIG_NOSYSTEM": "1"},
            capture_output=True, text=True, check=False,
        )  # fmt: skip
    said = json.loads(done.stdout)
    assert (done.returncode, said["problems"]) == (0, []), done.stderr
    assert said["rootGiven"]
    assert said["checked"]["transitions"] == 6
    assert said["bytes"] > 0
    assert said["steps"] == int(clone.git("rev-list", "--count", "--first-parent",
                                          "HEAD"))  # fmt: skip


def test_the_log_says_who_did_what(clone: Workbench) -> None:
    events = clone.do("log", "fraud")["events"]
    landed = [one for one in events if one["stage"] == "production"]
    assert [one["to"] for one in landed] == ["1.2.0", "1.1.0", "1.0.0"]
    for one in landed:
        assert (one["actor"], one["approvers"]) == ("bob", ["alice", "dave"])
    done = {(one["action"], one["actor"]) for one in events}
    assert {("register", "carol"), ("attest", "robot"), ("promote", "bob")} <= done
    assert clone.live("fraud", "production") == "1.2.0"


#: What is done → what verify finds, no more and no less. Numbers: docs/threat-model.md.
ATTACKS: dict[str, tuple[by.Tampering, set[str]]] = {
    "008-edit-the-manifest": (
        by.rewrite(by.MANIFEST, "createdBy: carol", "createdBy: eve"),
        {
            "E_APPEND_ONLY",
            "E_DOCUMENT_DIGEST",
            "E_MANIFEST_DIGEST",
            "E_UNSIGNED",
            "E_OMS",
            "E_BUNDLE",
            "E_POINTER",
        },
    ),
    "swap-an-artifact-pointer": (
        by.swap_a_pointer,
        {"E_APPEND_ONLY", "E_POINTER", "E_EXTRA_FILE"},
    ),
    "030-flip-a-byte-in-the-store": (by.flipped_byte, {"E_ARTIFACT_DIGEST"}),
    "remove-an-approval": (by.drop_an_approval, {"E_APPEND_ONLY", "E_THRESHOLD"}),
    "land-with-one-approval": (by.land_with_one_approval, {"E_THRESHOLD"}),
    "land-what-nobody-asked-for": (by.land_unasked, {"E_UNSIGNED"}),
    "land-what-the-robot-has-not-attested": (by.land_unattested, {"E_GATE"}),
    "001-change-the-pin-alone": (
        by.pin_alone,
        {"E_TRANSITION_UNRECORDED", "E_PIN_MISMATCH"},
    ),
    "002-forge-a-transition": (by.by_a_stranger, {"E_UNTRUSTED_KEY", "E_THRESHOLD"}),
    "promote-with-the-promoters-key-alone": (by.by_bob_alone, {"E_THRESHOLD"}),
    "036-ask-and-approve-with-one-key": (by.by_bob_and_bob, {"E_ROLE", "E_THRESHOLD"}),
    "approve-once-of-two": (by.by_bob_and_alice_twice, {"E_THRESHOLD"}),
    "007-replay-approvals-on-another-request": (
        by.approved_elsewhere,
        {"E_OTHER_PATH", "E_THRESHOLD"},
    ),
    "038-back-date-with-a-revoked-key": (
        by.backdated,
        {"E_UNTRUSTED_KEY", "E_OTHER_POLICY"},
    ),
    "004-delete-a-log-entry": (
        by.delete(f"{by.LOG}/2.yaml"),
        {
            "E_APPEND_ONLY",
            "E_TRANSITION_SEQ",
            "E_TRANSITION_PRIOR",
            "E_TRANSITION_UNRECORDED",
            "E_EXTRA_FILE",
        },
    ),
    "delete-a-log-entry-and-its-signatures": (
        by.delete(f"{by.LOG}/3.yaml*"),
        {"E_APPEND_ONLY", "E_TRANSITION_UNRECORDED", "E_PIN_MISMATCH"},
    ),
    "re-order-the-log": (
        by.reordered,
        {
            "E_APPEND_ONLY",
            "E_OTHER_PATH",
            "E_TRANSITION_PATH",
            "E_TRANSITION_SEQ",
            "E_TRANSITION_PRIOR",
            "E_TRANSITION_UNRECORDED",
            "E_PIN_MISMATCH",
            "E_THRESHOLD",
        },
    ),
    "003-add-a-principal-to-the-policy": (
        by.eve_in_the_policy,
        {"E_APPEND_ONLY", "E_DOCUMENT_DIGEST", "E_POLICY_ROLLBACK", "E_THRESHOLD"},
    ),
    "039-add-a-root-by-a-policy-of-ones-own": (
        by.eve_in_the_next_policy,
        {"E_THRESHOLD"},
    ),
    "021-bring-back-the-policy-of-yesterday": (
        by.yesterdays_policy,
        {"E_POLICY_ROLLBACK"},
    ),
    "044-replace-the-trusted-root": (
        by.another_trusted_root,
        {"E_APPEND_ONLY", "E_TRUST_ROOT"},
    ),
    "drop-the-robots-attestation": (by.delete(f"{by.ATTESTATION}*"), {"E_APPEND_ONLY"}),
    "drop-the-robots-signature": (
        by.delete(f"{by.ATTESTATION}.*"),
        {"E_APPEND_ONLY", "E_UNSIGNED"},
    ),
    "043-let-another-identity-attest": (
        by.a_robot_of_ones_own,
        {"E_APPEND_ONLY", "E_IDENTITY", "E_EXTRA_FILE"},
    ),
    "009-change-the-pin-in-a-merge": (
        by.evil_merge,
        {"E_TRANSITION_UNRECORDED", "E_PIN_MISMATCH"},
    ),
    "erase-a-promotion-by-a-merge": (by.erased_by_a_merge, {"E_APPEND_ONLY"}),
    "005-revert-by-hand": (
        by.plain_revert,
        {"E_APPEND_ONLY", "E_TRANSITION_UNRECORDED", "E_PIN_MISMATCH"},
    ),
    "018-rewrite-history": (by.rewritten, {"E_HISTORY_REWRITTEN"}),
    "023-serve-another-registry": (by.another_registry, {"E_ROOT_ANCHOR"}),
}


@pytest.mark.parametrize("name", ATTACKS)
def test_tampering_is_named(
    company: Company, clone: Workbench, tmp_path: Path, name: str
) -> None:
    tamper, codes = ATTACKS[name]
    bench = story.copied(clone, tmp_path / "copy")
    tamper(bench, company)
    before = bench.snapshot()
    options = ("--history", "--full", "--root", company.root)
    code, problems = bench.verify(*options)
    assert (code, set(problems)) == (4, codes)
    assert bench.snapshot() == before
