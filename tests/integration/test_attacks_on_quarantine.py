"""Attacks by those who want to go on using what is in quarantine."""

from __future__ import annotations

import dataclasses
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
from tests.support.refusals import found_by_verify, nothing_acts_on, refused

if TYPE_CHECKING:
    from pathlib import Path

    from gitmodel.adapters.signing.keys import FileSigner
    from tests.support.served import Served
    from tests.support.workbench import Workbench

USES = (
    ("promote", "fraud@1.1.0", "production"),
    ("pull", "fraud@1.1.0"),
    ("quarantine", "fraud@2.0.0", "-m", "x"),
)


def stays(bench: Workbench) -> None:
    """Assert that fraud@1.1.0 is in quarantine still."""
    error = refused(bench, "promote", "fraud@1.1.0", "production", code=3)
    assert error["code"] == "E_QUARANTINED"


def forge(
    bench: Workbench,
    signer: FileSigner | None = None,
    role: str = "approver",
    at: int | None = None,
    **fields: Any,
) -> str:
    """Commit a lift of fraud@1.1.0 that is honest but for ``fields``."""
    done = bench.git("ls-tree", "--name-only", "HEAD:quarantine").splitlines()
    last = max(int(name.split(".")[0]) for name in done)
    newest = bench.do("policy", "show")["digest"]
    document: dict[str, Any] = {
        "apiVersion": "gitmodel.dev/v1",
        "kind": "Quarantine",
        "number": last + 1,
        "prior": str(digest_at(bench, layout.quarantine_path(last))),
        "action": "lift",
        "subjects": document_at(bench, "quarantine/1.yaml")["subjects"],
        "policy": newest,
        "incident": None,
        "reason": "trust me",
        "createdAt": "2026-01-01T00:00:00Z",
        "createdBy": "ada",
    } | fields
    path = layout.quarantine_path(at or document["number"])
    said = Forged(kind="quarantine", role=role, policy=Digest.parse(newest))
    return commit_files(bench, signed(bench, path, document, said, signer))


def load(key: Path) -> FileSigner:
    return keys.load(key, lambda: None)


@pytest.fixture
def sick(stocked: Workbench) -> Workbench:
    """Return a registry in which ada has put fraud@1.1.0 into quarantine."""
    quarantine(stocked, "fraud@1.1.0")
    return stocked


def test_what_the_tests_forge_is_right_but_for_what_they_change(
    sick: Workbench,
) -> None:
    forge(sick)
    assert sick.verify("--history", "--full") == (0, [])
    sick.promote("fraud@1.1.0", "production")


#: What a lift says besides the truth → what verify says of it.
FIELDS: dict[str, tuple[dict[str, Any], str]] = {
    "a-number-is-left-out": ({"number": 3}, "E_QUARANTINE"),
    "no-predecessor": ({"prior": None}, "E_QUARANTINE"),
    "another-predecessor": ({"prior": f"sha256:{'1' * 64}"}, "E_QUARANTINE"),
    "another-place": ({"at": 3}, "E_QUARANTINE"),
    "another-policy": ({"policy": f"sha256:{'1' * 64}"}, "E_OTHER_POLICY"),
    "by-somebody-else": ({"createdBy": "bob"}, "E_UNSIGNED"),
    "in-a-role-that-cannot-lift": ({"role": "responder"}, "E_UNSIGNED"),
    "nothing-that-a-schema-knows": ({"action": "forget"}, "E_SCHEMA"),
}


@pytest.mark.parametrize("name", list(FIELDS))
def test_a_forged_lift_lifts_nothing(sick: Workbench, name: str) -> None:
    fields, code = FIELDS[name]
    forge(sick, **fields)
    assert code in found_by_verify(sick)
    assert code in found_by_verify(sick, "--history", "--full")
    nothing_acts_on(sick, *USES)


def test_a_promoter_lifts_nothing(sick: Workbench) -> None:
    bob = enrol(sick, "bob", "promoter")
    words = ("quarantine", "--lift", "fraud@1.1.0", "-m", "x")
    assert as_(sick, bob, *words).code == 3
    stays(sick)
    forge(sick, load(bob), "approver", createdBy="bob")
    assert found_by_verify(sick) >= {"E_ROLE"}
    assert found_by_verify(sick, "--history") >= {"E_ROLE"}
    nothing_acts_on(sick, *USES)


def test_a_lift_by_too_few_waits(sick: Workbench) -> None:
    ask_two_to_lift(with_bob(sick))
    forge(sick)
    assert sick.verify("--history", "--full") == (0, [])
    stays(sick)


def with_bob(bench: Workbench) -> Workbench:
    """Let bob in, so that two may approve."""
    enrol(bench, "bob", "approver")
    return bench


def test_two_keys_of_one_person_are_one(sick: Workbench) -> None:
    ask_two_to_lift(with_bob(sick))
    other = sick.outside / "ada2"
    sick.do("key", "new", "--out", other)
    sick.do("policy", "add-principal", "ada", "--key", f"{other}.pub")
    forge(sick)
    again = as_(sick, other, "quarantine", "--lift", "fraud@1.1.0", "-m", "x")
    assert (again.json["status"], again.json["commit"]) == ("pending", None)
    late_signature(sick, 2, load(other))
    assert sick.verify("--history", "--full") == (0, [])
    stays(sick)


def late_signature(bench: Workbench, number: int, signer: FileSigner) -> str:
    """Commit a further signature of a document of the chain."""
    path = layout.quarantine_path(number)
    data = (bench.path / path).read_bytes()
    policy = Digest.parse(document_at(bench, path)["policy"])
    said = Forged(kind="quarantine", role="approver", policy=policy)
    bundle = signature(bench, signer, path, data, said)
    return commit_files(
        bench, {layout.signature_path(path, signer.keyid): bundle.to_bytes()}
    )


def test_a_lift_is_not_finished_by_a_policy_that_asks_for_less(
    stocked: Workbench,
) -> None:
    """Nor by one that was replaced: who finishes it signs what the newest asks for."""
    bob = enrol(stocked, "bob", "approver")
    carol = enrol(stocked, "carol", "approver")
    ask_two_to_lift(stocked)
    quarantine(stocked, "fraud@1.1.0")
    lift(stocked, "fraud@1.1.0")
    stocked.do("policy", "revoke", "bob", "approver")
    late_signature(stocked, 2, load(bob))
    found = found_by_verify(stocked, "--history")
    assert found == {"E_EXTRA_FILE", "E_OTHER_POLICY"}
    nothing_acts_on(stocked, *USES[:2])
    stocked.git("reset", "-q", "--hard", "HEAD~1")
    words = ("quarantine", "--lift", "fraud@1.1.0", "-m", "x")
    assert as_(stocked, carol, *words).json["number"] == 3
    stays(stocked)
    done = lift(stocked, "fraud@1.1.0")
    assert (done["number"], done["status"]) == (3, "lifted")
    assert stocked.verify("--history") == (0, [])


def test_an_edited_document_counts_for_nothing(sick: Workbench) -> None:
    text = (sick.path / "quarantine/1.yaml").read_text()
    sick.commit_file("quarantine/1.yaml", text.replace("1.1.0", "2.0.0").encode())
    assert "E_DOCUMENT_DIGEST" in found_by_verify(sick)
    assert "E_APPEND_ONLY" in found_by_verify(sick, "--history")
    nothing_acts_on(sick, *USES)


def test_an_unsigned_document_counts_for_nothing(sick: Workbench) -> None:
    [bundle] = (sick.path / "quarantine").glob("1.yaml.*")
    sick.commit_file(str(bundle.relative_to(sick.path)), None)
    assert found_by_verify(sick) >= {"E_UNSIGNED"}
    nothing_acts_on(sick, *USES)


def test_a_deleted_document_is_missed(sick: Workbench) -> None:
    sick.git("rm", "-rq", "quarantine")
    sick.git("commit", "-qm", "tidy")
    assert "E_APPEND_ONLY" in found_by_verify(sick)
    assert "E_APPEND_ONLY" in found_by_verify(sick, "--history")


def test_a_document_deleted_in_the_middle_stops_everything(sick: Workbench) -> None:
    quarantine(sick, "churn@1.0.0")
    sick.git("rm", "-q", *(f"quarantine/{p.name}"
             for p in (sick.path / "quarantine").glob("1.*")))  # fmt: skip
    sick.git("commit", "-qm", "tidy")
    assert "E_QUARANTINE" in found_by_verify(sick)
    nothing_acts_on(sick, *USES)


def test_a_file_beside_the_chain_is_foreign(sick: Workbench) -> None:
    sick.commit_file("quarantine/README.md", b"nothing to see here")
    assert found_by_verify(sick) == {"E_EXTRA_FILE"}
    stays(sick)


def test_a_promotion_by_hand_is_found(sick: Workbench) -> None:
    forge_move(sick, "production", "fraud", "1.1.0")
    assert found_by_verify(sick, "--history") == {"E_QUARANTINED"}


def test_a_rollback_by_hand_is_found(stocked: Workbench) -> None:
    quarantine(stocked, "fraud@1.0.0")
    said = Forged(role="responder")
    forge_move(stocked, "staging", "fraud", "1.0.0", said=said, action="rollback")
    assert found_by_verify(stocked, "--history") == {"E_QUARANTINED"}


def test_a_merge_brings_no_promotion_from_before(stocked: Workbench) -> None:
    stocked.git("switch", "-qc", "old")
    stocked.promote("fraud@1.1.0", "production")
    stocked.git("switch", "-q", "main")
    quarantine(stocked, "fraud@1.1.0")
    stocked.git("merge", "-q", "--no-edit", "old")
    assert found_by_verify(stocked, "--history") == {"E_QUARANTINED"}


def test_a_promotion_that_came_first_stays_legal(stocked: Workbench) -> None:
    """It is live, which is a notice; nothing that anybody did was wrong."""
    stocked.promote("fraud@1.1.0", "production")
    quarantine(stocked, "fraud@1.1.0")
    assert stocked.verify("--history", "--full") == (0, [])
    assert stocked.verify("--history") == (0, []), "and from where that ended"


def test_history_goes_on_from_where_it_was_verified(sick: Workbench) -> None:
    """What is in quarantine is known from the tree that was verified before."""
    assert sick.verify("--history") == (0, [])
    forge_move(sick, "production", "fraud", "1.1.0")
    assert found_by_verify(sick, "--history") == {"E_QUARANTINED"}


def test_a_stolen_publishers_key_brings_it_back_under_no_name(
    sick: Workbench,
) -> None:
    """Registered by hand it may be; a copy of its files is promoted by nobody."""
    forge_version(sick, "1.2.0")
    assert sick.verify("--history") == (0, [])
    for stage in ("dev", "production"):
        error = refused(sick, "promote", "fraud@1.2.0", stage, code=3)
        assert error["code"] == "E_QUARANTINED"
    refused(sick, "pull", "fraud@1.2.0", code=3)
    forge_move(sick, "dev", "fraud", "1.2.0")
    assert found_by_verify(sick, "--history") == {"E_QUARANTINED"}


def test_a_parent_of_another_model_hides_nothing(sick: Workbench) -> None:
    parent = {
        "model": "fraud", "version": "1.1.0",
        "manifest": str(digest_at(sick, layout.manifest_path("fraud", "1.1.0"))),
    }  # fmt: skip
    size = {"path": "a.bin", "role": "weights", "size": 1, "format": "opaque"}
    artifact = size | {"sha256": Digest.of(b"a").hex}
    # By name only, and one further away, it is an ancestor no less.
    further = {"model": "fraud", "version": "3.0.0", "external": True}
    for version, found in (("3.0.0", parent), ("3.1.0", further)):
        lineage = {"parents": [found]}
        forge_version(sick, version, lineage=lineage, artifacts=[artifact])
        error = refused(sick, "promote", f"fraud@{version}", "dev", code=3)
        assert error["code"] == "E_QUARANTINED"
        assert "ancestor fraud@" in error["message"]


def test_ancestors_that_go_in_circles_end(sick: Workbench) -> None:
    size = {"path": "a.bin", "role": "weights", "size": 1, "format": "opaque"}
    for version, parent in (("3.0.0", "3.1.0"), ("3.1.0", "3.0.0")):
        forge_version(
            sick, version,
            lineage={"parents": [{"model": "fraud", "version": parent}]},
            artifacts=[size | {"sha256": Digest.of(version.encode()).hex}],
        )  # fmt: skip
    rows = sick.do("list", "fraud")["versions"]
    said = {row["version"] for row in rows if row["status"] == "quarantined"}
    assert said == {"1.1.0"}
    assert sick.do("show", "fraud@3.1.0")["quarantine"] is None


def test_somebody_who_left_puts_nothing_in(stocked: Workbench) -> None:
    bob = enrol(stocked, "bob", "responder")
    enrol(stocked, "carol", "responder")
    old = Digest.parse(stocked.do("policy", "show")["digest"])
    stocked.do("policy", "remove-principal", "bob")
    quarantine(stocked, "fraud@2.0.0")
    said = Forged(kind="quarantine", role="responder", policy=old)
    document = document_at(stocked, "quarantine/1.yaml") | {
        "number": 2,
        "prior": str(digest_at(stocked, "quarantine/1.yaml")),
        "policy": str(old),
        "createdBy": "bob",
    }
    commit_files(
        stocked, signed(stocked, "quarantine/2.yaml", document, said, load(bob))
    )
    assert "E_OTHER_POLICY" in found_by_verify(stocked)
    assert "E_UNTRUSTED_KEY" in found_by_verify(stocked, "--history")


def test_hooks_hold_what_is_done_by_hand(sick: Workbench) -> None:
    """Plain git in a clone with hooks, and what it makes of the documents."""
    sick.do("hooks", "install")
    path = "quarantine/1.yaml"
    (sick.path / path).write_text("kind: nothing\n")
    sick.git("add", path)
    answer = sick.run("--json", "hook", "pre-commit")
    codes = {problem["code"] for problem in answer.json["problems"]}
    assert "E_APPEND_ONLY" in codes
    assert answer.code != 0


def test_a_server_takes_in_no_bad_document(served: Served) -> None:
    ours = served.ours
    quarantine(ours, "fraud@1.1.0")
    served.lands("main")
    base = ours.git("rev-parse", "HEAD")
    forge(ours, number=3, at=3)
    served.refuses("main", codes={"E_QUARANTINE"})
    ours.git("reset", "-q", "--hard", base)
    ours.git("rm", "-rq", "quarantine")
    ours.git("commit", "-qm", "tidy")
    served.refuses("main", codes={"E_APPEND_ONLY"})
    ours.git("reset", "-q", "--hard", base)
    lift(ours, "fraud@1.1.0")
    ours.promote("fraud@1.1.0", "dev")
    served.lands("main")


def test_what_is_forged_is_forged(sick: Workbench) -> None:
    """A bundle of another document, or for another place, is none."""
    data = (sick.path / "quarantine/1.yaml").read_bytes()
    path = "quarantine/2.yaml"
    honest = Forged(kind="quarantine", role="responder")
    for wrong in ({"kind": "transition"}, {"subject": "quarantine/1.yaml"}):
        said = dataclasses.replace(honest, **wrong)  # type: ignore[arg-type]
        commit_files(sick, signed(sick, path, data, said))
        assert found_by_verify(sick) & {"E_PREDICATE", "E_OTHER_PATH"}
        nothing_acts_on(sick, *USES)
        sick.git("reset", "-q", "--hard", "HEAD~1")
