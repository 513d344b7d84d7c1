"""Emergencies, holds, quarantines and incidents, by those who would bend them."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from gitmodel.adapters.signing import keys
from gitmodel.domain.digest import Digest
from gitmodel.registry import layout
from tests.support.forgery import (
    Forged,
    commit_files,
    digest_at,
    document_at,
    forge_move,
    forge_version,
    signature,
    signed,
)
from tests.support.quarantined import as_, ask_two_to_lift, enrol, lift, quarantine
from tests.support.refusals import found_by_verify, refused

if TYPE_CHECKING:
    from pathlib import Path

    from gitmodel.adapters.signing.keys import FileSigner
    from tests.support.remotes import Team
    from tests.support.served import Served
    from tests.support.workbench import Workbench

ALARM = ("--emergency", "--incident", "INC-7", "-m", "trojaned", "--yes")


def load(key: Path) -> FileSigner:
    return keys.load(key, lambda: None)


def policy_of(bench: Workbench) -> Digest:
    """Return the digest of the policy in force."""
    return Digest.parse(bench.do("policy", "show")["digest"])


def forge_back(
    bench: Workbench, version: str = "1.0.0", role: str = "responder", **fields: Any
) -> str:
    """Commit an emergency rollback of staging, honest but for ``fields``."""
    policy = policy_of(bench)
    signer = fields.pop("signer", None)
    document: dict[str, Any] = {
        "action": "rollback",
        "emergency": True,
        "incident": "INC-1",
        "policy": str(policy),
    } | fields
    said = Forged(role=role, policy=policy)
    return forge_move(
        bench, "staging", "fraud", version, said=said, signer=signer, **document
    )


def countersigned(
    bench: Workbench, path: str, signer: FileSigner, said: Forged
) -> dict[str, bytes]:
    """Return a further signature of a document of HEAD, as a file to commit."""
    data = (bench.path / path).read_bytes()
    bundle = signature(bench, signer, path, data, said)
    return {layout.signature_path(path, signer.keyid): bundle.to_bytes()}


def reviews(bench: Workbench) -> list[str]:
    """Return where the reviews after the fact stand that somebody must see to."""
    rows = bench.do("requests")["requests"]
    return [row["status"] for row in rows if row["kind"] == "review"]


@pytest.fixture
def manned(stocked: Workbench) -> Workbench:
    """Return a registry with bob, an approver beside ada, and INC-1 open."""
    enrol(stocked, "bob", "approver")
    stocked.do("incident", "open", "INC-1", "-m", "recall fell")
    return stocked


def test_what_the_tests_forge_is_right_but_for_what_they_change(
    manned: Workbench,
) -> None:
    forge_back(manned)
    assert manned.verify("--history", "--full") == (0, [])
    assert manned.verify() == (0, [])


EMERGENCIES: dict[str, tuple[dict[str, Any], str]] = {
    "in-another-role": ({"role": "promoter"}, "E_UNSIGNED"),
    "of-an-incident-that-nobody-opened": ({"incident": "INC-9"}, "E_INCIDENT"),
    "of-no-incident": ({"incident": None}, "E_SCHEMA"),
    "that-is-a-promotion": ({"action": "promote"}, "E_SCHEMA"),
    "that-says-it-is-none": ({"emergency": False}, "E_SCHEMA"),
    "to-what-was-never-live": ({"version": "2.0.0"}, "E_ROLLBACK_TO_NEVER_PROMOTED"),
    "by-somebody-else": ({"requester": "bob"}, "E_UNSIGNED"),
}


@pytest.mark.parametrize("name", EMERGENCIES)
def test_an_emergency(manned: Workbench, name: str) -> None:
    fields, code = EMERGENCIES[name]
    forge_back(manned, **fields)
    assert code in found_by_verify(manned, "--history", "--full")
    assert code in found_by_verify(manned, "--no-bytes")
    assert manned.run("rollback", "fraud", "staging", "-m", "x").code in {3, 4}


def test_an_emergency_to_what_goes_into_quarantine_with_it(manned: Workbench) -> None:
    policy = policy_of(manned)
    quarantine(manned, "fraud@1.0.0")
    path = "quarantine/1.yaml"
    files = {
        name: (manned.path / name).read_bytes()
        for name in manned.git("ls-files", "quarantine").split()
    }
    assert path in files
    manned.git("reset", "-q", "--hard", "HEAD~1")
    for name, data in files.items():
        (manned.path / name).parent.mkdir(exist_ok=True)
        (manned.path / name).write_bytes(data)
        manned.git("add", name)
    forge_back(manned, policy=str(policy))
    assert "E_QUARANTINED" in found_by_verify(manned, "--history", "--full")


def test_who_made_an_emergency_cannot_be_done_with_it_by_rejecting_it(
    manned: Workbench,
) -> None:
    """With a second key, past every command; what is rejected is settled by a move."""
    other = manned.outside / "laptop"
    manned.do("key", "new", "--out", other)
    manned.do("policy", "add-principal", "ada", "--key", f"{other}.pub")
    manned.do("rollback", "fraud", "staging", *ALARM)
    assert reviews(manned) == ["due"]
    path = layout.transition_path("staging", "fraud", 3)
    for decision in ("reject", "approve"):
        said = Forged(role="approver", policy=policy_of(manned), decision=decision)
        commit_files(manned, countersigned(manned, path, load(other), said))
        assert reviews(manned) == ["due"]
        manned.git("reset", "-q", "--hard", "HEAD~1")
    said = Forged(role="approver", policy=policy_of(manned), decision="reject")
    commit_files(manned, countersigned(manned, path, load(other), said))
    manned.do("--key", manned.outside / "bob", "approve", "fraud#staging")
    assert reviews(manned) == []


def test_an_emergency_of_the_future_is_reviewed_in_the_present(
    manned: Workbench,
) -> None:
    """It dates itself to when nobody lives any more, so that it is never overdue."""
    forge_back(manned, createdAt="2999-01-01T00:00:00Z")
    assert reviews(manned) == ["overdue"]
    assert manned.run("check", "fraud@1.0.0", "--stage", "staging").code == 3
    manned.do("--key", manned.outside / "bob", "approve", "fraud#staging")
    assert reviews(manned) == []


def test_a_policy_of_before_reviews_nothing_less(stocked: Workbench) -> None:
    """The emergency names a policy under which ada was alone, and had nobody to ask."""
    stocked.do("incident", "open", "INC-1", "-m", "recall fell")
    old = policy_of(stocked)
    enrol(stocked, "bob", "approver")
    forge_back(stocked, policy=str(old))
    assert "E_OTHER_POLICY" in found_by_verify(stocked, "--history", "--full")
    found = found_by_verify(stocked, "--no-bytes")
    assert found & {"E_OTHER_POLICY", "E_UNSIGNED"}
    refused(stocked, "promote", "fraud@1.0.0", "staging", code=4)


def test_a_promotion_under_a_policy_of_before(stocked: Workbench) -> None:
    """It names a policy that asked for nobody, and is signed by the one in force."""
    old = policy_of(stocked)
    enrol(stocked, "bob", "approver")
    stocked.do("policy", "require", "staging", "--approvals", "1")
    stocked.promote("fraud@2.0.0", "dev")
    said = Forged(policy=policy_of(stocked))
    forge_move(stocked, "staging", "fraud", "2.0.0", said=said, policy=str(old))
    assert "E_OTHER_POLICY" in found_by_verify(stocked, "--history", "--full")
    assert found_by_verify(stocked, "--no-bytes")
    refused(stocked, "rollback", "fraud", "staging", "-m", "x", code=4)


def forge_release(
    bench: Workbench,
    seq: int = 3,
    signer: FileSigner | None = None,
    role: str = "responder",
    policy: Digest | None = None,
    **fields: Any,
) -> str:
    """Commit a release of rollback ``seq`` of staging, honest but for ``fields``."""
    newest = policy or policy_of(bench)
    document: dict[str, Any] = {
        "apiVersion": "gitmodel.dev/v1",
        "kind": "HoldRelease",
        "model": "fraud",
        "stage": "staging",
        "seq": seq,
        "transition": str(digest_at(bench, layout.transition_path(
            "staging", "fraud", min(seq, 3)))),
        "policy": str(newest),
        "reason": "trust me",
        "createdAt": "2026-01-01T00:00:00Z",
        "createdBy": "ada",
    } | fields  # fmt: skip
    at = fields.get("seq", seq)
    path = layout.hold_release_path("staging", "fraud", at)
    said = Forged(kind="hold-release", role=role, policy=policy_of(bench))
    return commit_files(bench, signed(bench, path, document, said, signer))


@pytest.fixture
def held(manned: Workbench) -> Workbench:
    """Return a registry where rollback 3 holds fraud@1.1.0 from staging."""
    manned.do("rollback", "fraud", "staging", "-m", "recall fell")
    return manned


def test_an_honest_release_by_hand_lets_it_return(held: Workbench) -> None:
    forge_release(held)
    assert held.verify("--history", "--full") == (0, [])
    held.promote("fraud@1.1.0", "staging")
    assert held.verify("--history", "--full") == (0, [])


RELEASES: dict[str, tuple[dict[str, Any], str]] = {
    "of-a-promotion": ({"seq": 2}, "E_HOLD_RELEASE"),
    "of-what-is-not-there": ({"seq": 9}, "E_HOLD_RELEASE"),
    "of-another-stage": ({"stage": "dev"}, "E_HOLD_RELEASE"),
    "of-another-model": ({"model": "churn"}, "E_HOLD_RELEASE"),
    "of-another-rollback": ({"transition": f"sha256:{'1' * 64}"}, "E_HOLD_RELEASE"),
    "in-another-role": ({"role": "promoter"}, "E_UNSIGNED"),
    "by-somebody-else": ({"createdBy": "bob"}, "E_UNSIGNED"),
}


@pytest.mark.parametrize("name", RELEASES)
def test_a_release(held: Workbench, name: str) -> None:
    fields, code = RELEASES[name]
    forge_release(held, **fields)
    assert code in found_by_verify(held, "--history", "--full")
    assert code in found_by_verify(held, "--no-bytes")
    assert held.run("promote", "fraud@1.1.0", "staging").code in {3, 4}


def test_a_release_by_a_policy_that_let_more_people_roll_back(
    stocked: Workbench,
) -> None:
    """Bob promotes. Once promoters rolled back, too; he signs as one, and says so."""
    bob = enrol(stocked, "bob", "promoter")
    stocked.do("policy", "require", "staging", "--rollback-role", "promoter")
    old = policy_of(stocked)
    stocked.do("policy", "require", "staging", "--rollback-role", "responder")
    stocked.do("rollback", "fraud", "staging", "-m", "recall fell")
    words = ("hold", "release", "fraud@1.1.0", "staging", "-m", "x")
    assert as_(stocked, bob, *words).code == 3
    forge_release(stocked, signer=load(bob), role="promoter", policy=old,
                  createdBy="bob")  # fmt: skip
    assert "E_OTHER_POLICY" in found_by_verify(stocked, "--history")
    assert found_by_verify(stocked, "--no-bytes") & {"E_OTHER_POLICY", "E_UNSIGNED"}
    assert as_(stocked, bob, "promote", "fraud@1.1.0", "staging").code in {3, 4}


def test_a_release_before_its_rollback(held: Workbench) -> None:
    """It came first on the line, whatever the tree looks like afterwards."""
    forge_release(held)
    release = held.git("rev-parse", "HEAD")
    held.git("reset", "-q", "--hard", "HEAD~2")
    held.git("cherry-pick", release)
    held.git("cherry-pick", f"{release}~1")
    assert "E_HOLD_RELEASE" in found_by_verify(held, "--history", "--full")


def test_a_release_that_comes_with_its_rollback(held: Workbench) -> None:
    forge_release(held)
    held.git("reset", "-q", "--soft", "HEAD~2")
    held.git("commit", "-qm", "both")
    assert "E_HOLD_RELEASE" in found_by_verify(held, "--history", "--full")


def test_a_release_behind_a_merge_counts_from_the_merge_on(held: Workbench) -> None:
    held.git("switch", "-qc", "side")
    forge_release(held)
    held.promote("fraud@1.1.0", "staging")
    held.git("switch", "-q", "main")
    held.register("churn", "1.1.0")
    held.git("merge", "-q", "--no-edit", "side")
    assert held.verify("--history", "--full") == (0, [])
    assert held.verify("--history") == (0, [])


def test_a_rollback_is_not_undone_by_git(held: Workbench) -> None:
    held.git("revert", "--no-edit", "HEAD")
    assert "E_APPEND_ONLY" in found_by_verify(held, "--history", "--full")
    assert "E_APPEND_ONLY" in found_by_verify(held, "--no-bytes")


def test_a_stage_that_is_taken_away_is_missed_however_it_is_verified(
    held: Workbench,
) -> None:
    assert held.verify("--history") == (0, [])
    text = (held.path / "gitmodel.yaml").read_text()
    kept = "".join(
        line for line in text.splitlines(keepends=True) if "staging" not in line
    )
    assert kept != text
    held.commit_file("gitmodel.yaml", kept.encode())
    whole = found_by_verify(held, "--history", "--full")
    assert found_by_verify(held, "--history") == whole
    assert found_by_verify(held, "--no-bytes") == whole


def test_a_stage_that_is_taken_away_hides_no_hold_and_no_review(
    manned: Workbench,
) -> None:
    manned.do("policy", "require", "staging", "--rollback-within", "1s")
    forge_back(manned)
    text = (manned.path / "gitmodel.yaml").read_text()
    kept = "".join(
        line for line in text.splitlines(keepends=True) if "staging" not in line
    )
    manned.commit_file("gitmodel.yaml", kept.encode())
    assert reviews(manned) == ["overdue"]
    assert [hold["stage"] for hold in manned.do("hold", "list")["holds"]] == ["staging"]


def forge_link(
    bench: Workbench,
    signer: FileSigner | None = None,
    role: str = "approver",
    **fields: Any,
) -> str:
    """Commit the next document of the quarantine, honest but for ``fields``."""
    policy = policy_of(bench)
    done = [
        int(name.split(".")[0])
        for name in bench.git("ls-tree", "--name-only", "HEAD:quarantine", ok=False)
        .splitlines()
    ]  # fmt: skip
    last = max(done, default=0)
    prior = digest_at(bench, layout.quarantine_path(last)) if last else None
    document: dict[str, Any] = {
        "apiVersion": "gitmodel.dev/v1",
        "kind": "Quarantine",
        "number": last + 1,
        "prior": str(prior) if prior else None,
        "action": "quarantine",
        "subjects": [],
        "policy": str(policy),
        "incident": None,
        "reason": "x",
        "createdAt": "2026-01-01T00:00:00Z",
        "createdBy": "ada",
    } | fields
    path = layout.quarantine_path(last + 1)
    said = Forged(kind="quarantine", role=role, policy=policy)
    return commit_files(bench, signed(bench, path, document, said, signer))


def test_a_lift_that_spells_its_digest_otherwise_can_be_signed_by_others(
    manned: Workbench,
) -> None:
    """What honest people sign must not make the history illegal for ever."""
    ask_two_to_lift(manned)
    [artifact] = manned.do("show", "fraud@1.1.0")["artifacts"]
    digest = f"sha256:{artifact['sha256'].removeprefix('sha256:')}"
    quarantine(manned, "--digest", digest)
    shouted = f"sha256:{digest.removeprefix('sha256:').upper()}"
    forge_link(manned, action="lift", subjects=[{"digest": shouted}])
    assert manned.verify("--history") == (0, [])
    bob = manned.outside / "bob"
    done = as_(manned, bob, "quarantine", "--lift", "--digest", digest, "-m", "x")
    assert done.json["status"] == "lifted"
    assert manned.verify("--history", "--full") == (0, [])
    assert manned.verify("--no-bytes") == (0, [])
    manned.promote("fraud@1.1.0", "production")


def test_a_signature_of_a_lift_says_what_the_lift_says(manned: Workbench) -> None:
    ask_two_to_lift(manned)
    quarantine(manned, "fraud@1.1.0")
    lift(manned, "fraud@1.1.0")
    said = Forged(kind="quarantine", role="approver", policy=policy_of(manned),
                  document={"reason": "no idea"})  # fmt: skip
    bob = load(manned.outside / "bob")
    commit_files(manned, countersigned(manned, "quarantine/2.yaml", bob, said))
    assert "E_DOCUMENT_MISMATCH" in found_by_verify(manned, "--history")
    assert "E_DOCUMENT_MISMATCH" in found_by_verify(manned, "--no-bytes")


def _train(bench: Workbench, data: str) -> None:
    """Commit fraud@3.0.0, trained on some data."""
    size = {"path": "a.bin", "role": "weights", "size": 1, "format": "opaque"}
    forge_version(
        bench, "3.0.0", training={"data": [{"name": data}]},
        artifacts=[size | {"sha256": Digest.of(b"a").hex}],
        said=Forged(kind="version", role="publisher", policy=policy_of(bench)),
    )  # fmt: skip


DATA = {
    "an-at-sign-in-its-name": ("clicks@2026", "clicks@2026"),
    "accents-in-two-characters": ("bureaue\u0301es", "bureau\u00e9es"),
    "accents-in-one-character": ("bureau\u00e9es", "bureaue\u0301es"),
}


@pytest.mark.parametrize("name", DATA)
def test_data_is_found_by_the_name_that_people_see(
    manned: Workbench, name: str
) -> None:
    """A publisher called it so that nobody who types its name would mean it."""
    called, typed = DATA[name]
    _train(manned, called)
    assert manned.verify("--history", "--no-bytes") == (0, [])
    quarantine(manned, "--data", typed)
    assert manned.do("show", "fraud@3.0.0")["status"] == "quarantined"
    error = refused(manned, "promote", "fraud@3.0.0", "dev", code=3)
    assert error["code"] == "E_QUARANTINED"
    forge_move(manned, "dev", "fraud", "3.0.0", said=Forged(policy=policy_of(manned)),
               policy=str(policy_of(manned)))  # fmt: skip
    assert "E_QUARANTINED" in found_by_verify(manned, "--history", "--no-bytes")
    manned.git("reset", "-q", "--hard", "HEAD~1")
    lift(manned, "--data", typed)
    assert manned.do("show", "fraud@3.0.0")["quarantine"] is None


def test_data_that_one_command_finds_another_can_lift(manned: Workbench) -> None:
    _train(manned, "clicks@2026")
    quarantine(manned, "--since", "2000-01-01T00:00:00Z")
    assert manned.do("show", "fraud@3.0.0")["quarantine"] is not None
    lift(manned, "--data", "clicks@2026")
    assert manned.do("show", "fraud@3.0.0")["quarantine"] is None


@pytest.fixture
def asked(manned: Workbench) -> Workbench:
    """Return a registry where fraud@1.1.0 waits to enter production, approved."""
    manned.do("policy", "require", "production", "--approvals", "1")
    manned.promote("fraud@1.0.0", "production")
    bob = ("--key", manned.outside / "bob")
    manned.do(*bob, "approve", "fraud#production")
    manned.do("promote", "--finalize", "fraud#production")
    manned.promote("fraud@1.1.0", "production")
    manned.do(*bob, "approve", "fraud#production")
    return manned


def test_a_request_of_before_a_quarantine_lands_no_more(asked: Workbench) -> None:
    quarantine(asked, "fraud@1.1.0")
    before = asked.snapshot()
    error = refused(asked, "promote", "--finalize", "fraud#production", code=3)
    assert error["code"] == "E_QUARANTINED"
    assert asked.snapshot() == before
    for how in ((), ("--squash",)):
        asked.git("merge", "-q", *how, "request/production/fraud/2")
        if how:
            asked.git("commit", "-qm", "squash")
        assert found_by_verify(asked, "--history") == {"E_QUARANTINED"}
        asked.git("reset", "-q", "--hard", "HEAD~1")


def test_a_request_of_before_a_rollback_lands_no_more(asked: Workbench) -> None:
    """Its number is the rollback's; nor can a merge put it in the place of that."""
    bob = ("--key", asked.outside / "bob")
    asked.do("promote", "--finalize", "fraud#production")
    asked.promote("fraud@2.0.0", "dev", "staging", "production")
    asked.do(*bob, "approve", "fraud#production")
    asked.do("rollback", "fraud", "production", "-m", "x")
    refused(asked, "promote", "--finalize", "fraud#production", code=1)
    branch = "request/production/fraud/3"
    asked.git("merge", "-q", "--no-edit", "-X", "theirs", branch)
    found = found_by_verify(asked, "--history")
    assert found >= {"E_APPEND_ONLY"}


def test_two_who_open_one_incident_are_told(team: Team) -> None:
    team.ours.do("incident", "open", "INC-1", "-m", "ours", "--push")
    team.theirs.do("incident", "open", "INC-1", "-m", "theirs")
    assert team.theirs.run("sync").code == 1
    team.theirs.git("reset", "-q", "--hard", "HEAD~1")
    team.theirs.do("incident", "open", "inc-1", "-m", "theirs")
    answer = team.theirs.run("--json", "sync")
    assert answer.code == 1, answer
    assert team.tip() == team.ours.git("rev-parse", "HEAD")


def test_what_somebody_quarantined_meanwhile_is_not_brought_in_by_a_sync(
    team: Team,
) -> None:
    ours, theirs = team.ours, team.theirs
    theirs.git("lfs", "fetch", "--all")
    theirs.promote("fraud@1.1.0", "dev")
    quarantine(ours, "fraud@1.1.0", "--push")
    tip = team.tip()
    error = refused(theirs, "sync", code=1)
    assert error["code"] == "E_OVERTAKEN"
    assert team.tip() == tip


def test_nobody_closes_an_incident_beside_its_next_rollback(team: Team) -> None:
    ours, theirs = team.ours, team.theirs
    for version in ("1.1.0", "1.2.0"):
        ours.promote(f"fraud@{version}", "dev", "staging")
    ours.do("incident", "open", "INC-1", "-m", "x")
    ours.do("sync")
    theirs.git("pull", "-q", "--ff-only")
    theirs.do("incident", "close", "INC-1", "--root-cause", "x", "--fixed-in",
              "4f0c2b9")  # fmt: skip
    ours.do("rollback", "fraud", "dev", "-m", "x", "--incident", "INC-1", "--push")
    error = refused(theirs, "sync", code=1)
    assert error["code"] == "E_OVERTAKEN"


def test_a_quarantine_names_no_version_that_is_to_come(manned: Workbench) -> None:
    """What it meant would depend on where a verification goes on from."""
    named = {"model": "fraud", "version": "9.9.9", "manifest": f"sha256:{'1' * 64}"}
    forge_link(manned, role="responder", subjects=[named])
    assert found_by_verify(manned, "--history") == {"E_QUARANTINE"}
    assert found_by_verify(manned, "--no-bytes") == {"E_QUARANTINE"}


def test_an_emergency_spelt_otherwise_is_reviewed_no_less(manned: Workbench) -> None:
    """YAML has many ways to write a word; a quick look must know them all."""
    head = manned.git("rev-parse", "HEAD")
    path = layout.transition_path("staging", "fraud", 3)
    for written in ('"rollback"', '"roll\\x62ack"', "   rollback"):
        forge_back(manned)
        text = (manned.path / path).read_text()
        pin = (manned.path / "stages/staging/fraud.yaml").read_bytes()
        manned.git("reset", "-q", "--hard", head)
        data = text.replace("action: rollback", f"action: {written}").encode()
        assert data != text.encode()
        said = Forged(role="responder", policy=policy_of(manned))
        files = signed(manned, path, data, said)
        commit_files(manned, {**files, "stages/staging/fraud.yaml": pin})
        assert manned.verify("--no-bytes") == (0, [])
        assert reviews(manned) == ["overdue"]
        manned.git("reset", "-q", "--hard", head)


def test_closing_by_hand_what_has_no_way_back_is_found(stocked: Workbench) -> None:
    """The suspect could not be taken out; what is in quarantine is live still."""
    answer = stocked.run("--json", "rollback", "churn", "dev", *ALARM)
    assert answer.json["status"] == "partial"
    words = ("incident", "close", "INC-7", "--root-cause", "x", "--fixed-in", "4f0c2b9")
    assert stocked.run(*words).code == 3
    path = layout.incident_path("INC-7", 2)
    opening = document_at(stocked, layout.incident_path("INC-7", 1))
    document = {key: opening[key] for key in ("apiVersion", "kind", "incident")} | {
        "number": 2,
        "prior": str(digest_at(stocked, layout.incident_path("INC-7", 1))),
        "entry": "closed",
        "text": "",
        "rootCause": "x",
        "fixedIn": "4f0c2b9",
        "policy": opening["policy"],
        "createdAt": opening["createdAt"],
        "createdBy": "ada",
    }
    said = Forged(kind="incident", role="responder")
    commit_files(stocked, signed(stocked, path, document, said))
    assert found_by_verify(stocked, "--history") == {"E_INCIDENT_UNFINISHED"}


def test_an_id_in_another_case_is_found_wherever_it_goes_on_from(
    manned: Workbench,
) -> None:
    refused(manned, "incident", "open", "inc-1", "-m", "x", code=1)
    before = manned.snapshot()
    words = ("--emergency", "--incident", "inc-1", "-m", "x", "--yes")
    answer = manned.run("--json", "rollback", "fraud", "staging", *words)
    assert answer.code == 1
    assert manned.snapshot() == before
    assert manned.verify("--history") == (0, [])
    policy = policy_of(manned)
    document = document_at(manned, layout.incident_path("INC-1", 1))
    document |= {"incident": "inc-1", "policy": str(policy)}
    said = Forged(kind="incident", role="responder", policy=policy)
    path = layout.incident_path("inc-1", 1)
    commit_files(manned, signed(manned, path, document, said))
    for how in (("--history",), ("--history", "--full"), ("--no-bytes",)):
        assert found_by_verify(manned, *how) == {"E_NAME_COLLISION"}


def test_a_server_judges_each_commit_of_a_push(served: Served) -> None:
    """What comes out right in the end was wrong on the way, or the other way round."""
    ours = served.ours
    ours.promote("fraud@1.1.0", "dev")
    ours.do("rollback", "fraud", "dev", "-m", "recall fell")
    served.lands("main")
    base = ours.git("rev-parse", "HEAD")
    ours.do("hold", "release", "fraud@1.1.0", "dev", "-m", "x")
    ours.promote("fraud@1.1.0", "dev")
    release, move = ours.git("rev-list", "--reverse", f"{base}..HEAD").split()
    ours.git("reset", "-q", "--hard", base)
    ours.git("cherry-pick", move, release)
    served.refuses("main", codes={"E_HELD"})
    ours.git("reset", "-q", "--hard", base)
    policy = policy_of(ours)
    forge_move(
        ours, "dev", "fraud", "1.1.0", said=Forged(role="responder", policy=policy),
        action="rollback", emergency=True, incident="INC-9", policy=str(policy),
    )  # fmt: skip
    served.refuses("main", codes={"E_INCIDENT"})
    ours.git("reset", "-q", "--hard", base)
    quarantine(ours, "fraud@2.0.0")
    ours.git("switch", "-qc", "old", base)
    ours.promote("fraud@2.0.0", "dev")
    ours.git("switch", "-q", "main")
    ours.git("merge", "-q", "--no-edit", "old")
    served.refuses("main", codes={"E_QUARANTINED"})
    ours.git("reset", "-q", "--hard", move)
    served.lands("main")


def test_two_chains_of_quarantines_never_become_one(manned: Workbench) -> None:
    """Each has a document 1; a merge that takes either for both is found."""
    manned.git("switch", "-qc", "side")
    quarantine(manned, "fraud@1.0.0")
    manned.git("switch", "-q", "main")
    quarantine(manned, "fraud@1.1.0")
    tip = manned.git("rev-parse", "HEAD")
    manned.git("merge", "-q", "--no-edit", "-X", "theirs", "side")
    assert "E_APPEND_ONLY" in found_by_verify(manned, "--history")
    assert "E_APPEND_ONLY" in found_by_verify(manned, "--no-bytes")
    manned.git("reset", "-q", "--hard", tip)
    tree = manned.git("rev-parse", "HEAD^{tree}")
    dropped = manned.git("commit-tree", tree, "-p", tip, "-p", "side", "-m", "ours")
    manned.git("reset", "-q", "--hard", dropped)
    assert "E_APPEND_ONLY" in found_by_verify(manned, "--no-bytes")


def test_several_moves_at_once_are_each_judged(held: Workbench) -> None:
    held.register("churn", "1.1.0")
    before = held.snapshot()
    error = refused(held, "promote", "churn@1.1.0", "fraud@1.1.0", "staging", code=3)
    assert "hold" in str(error["problems"])
    assert held.snapshot() == before


def test_whatever_it_is_called_by_it_is_not_pulled(manned: Workbench) -> None:
    manifest = manned.do("show", "fraud@1.1.0")["manifest"]
    quarantine(manned, "fraud@1.1.0")
    for name in ("fraud@1.1.0", "fraud@1.1", f"fraud@{manifest}", "fraud#staging"):
        error = refused(manned, "pull", name, "-o", manned.outside / "x", code=3)
        assert error["code"] == "E_QUARANTINED"
    quarantine(manned, "fraud@1.0.0")
    words = ("pull", "fraud@lkg#staging", "-o", manned.outside / "x")
    assert manned.run(*words).code in {1, 3}
    bob = manned.outside / "bob"  # an approver looks into nothing
    answer = as_(manned, bob, "pull", "fraud@1.1.0", "--forensic",
                 "-o", manned.outside / "x")  # fmt: skip
    assert answer.json["error"]["code"] == "E_ROLE"
    assert not (manned.outside / "x").exists()


def test_junk_in_the_chain_stops_rollbacks_and_says_how_to_go_on(
    manned: Workbench,
) -> None:
    """Whoever can push can do that; at night it must not be a riddle."""
    for words in (ALARM, ("-m", "x")):
        junk = manned.commit_file("quarantine/1.yaml", b"junk\n")
        error = refused(manned, "rollback", "fraud", "staging", *words, code=4)
        assert "quarantine/1.yaml" in error["message"]
        assert any("git revert" in hint for hint in error["hints"])
        manned.git("revert", "--no-edit", junk)
    manned.do("rollback", "fraud", "staging", *ALARM)
    assert "E_SCHEMA" in found_by_verify(manned, "--history")
