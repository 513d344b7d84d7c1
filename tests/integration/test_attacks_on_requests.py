"""What lies on a request's branch: anybody who can push can put it there."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any

import pytest

from gitmodel.domain.digest import Digest
from gitmodel.formats import yaml_writer
from gitmodel.registry import layout
from tests.support.cli import gitmodel
from tests.support.forgery import (
    Forged,
    commit_files,
    digest_at,
    document_at,
    forge_move,
    owner_key,
    signature,
    signed,
)
from tests.support.signing import a_signer

if TYPE_CHECKING:
    from pathlib import Path

    from tests.support.workbench import Workbench

POLICY = ".gitmodel/policy/{}.yaml"


@pytest.fixture
def guarded(stocked: Workbench) -> Workbench:
    """Return a registry in which carol must approve promotions to production."""
    key = stocked.outside / "carol"
    gitmodel("key", "new", "--out", key)
    add = ("policy", "add-principal", "carol", "--key", f"{key}.pub")
    stocked.do(*add, "--role", "approver")
    stocked.do("policy", "require", "production", "--approvals", "1")
    return stocked


def _carol(bench: Workbench) -> Path:
    return bench.outside / "carol"


def test_a_request_does_not_bring_its_own_judges(guarded: Workbench) -> None:
    """Its branch has another policy 1, by which eve is both ada and carol."""
    main = digest_at(guarded, POLICY.format(3))
    eve, second = a_signer(), a_signer()
    guarded.git("switch", "-qc", "request/production/fraud/1")
    document = document_at(guarded, POLICY.format(1))
    document["principals"] = {
        name: {"keys": [{"keyid": signer.keyid, "public": signer.public}]}
        for name, signer in (("ada", eve), ("carol", second))
    }
    document["roles"]["approver"]["members"] = ["ada", "carol"]
    document["stages"]["production"]["approvals"]["threshold"] = 1
    own = Digest.of(yaml_writer.dump(document))
    says = Forged(kind="policy", role="root", registry=own, policy=own)
    gone = guarded.git("ls-files", ".gitmodel/policy").splitlines()
    files: dict[str, bytes | None] = dict.fromkeys(gone)
    commit_files(guarded, files)
    commit_files(guarded, signed(guarded, POLICY.format(1), document, says, eve))
    says = Forged(registry=own, policy=own)
    forge_move(
        guarded, "production", "fraud", "1.0.0", said=says, signer=eve, policy=str(main)
    )
    path = layout.transition_path("production", "fraud", 1)
    data = (guarded.path / path).read_bytes()
    voice = signature(guarded, second, path, data, replace(says, role="approver"))
    where = layout.signature_path(path, second.keyid)
    commit_files(guarded, {where: voice.to_bytes()})
    by_itself = guarded.do("log", "--stage", "production")["events"][0]
    assert by_itself["approvers"] == ["carol"]
    guarded.git("switch", "-q", "main")
    [row] = guarded.do("requests")["requests"]
    assert (row["approvals"], row["status"]) == ([], "open")
    before = guarded.snapshot()
    for command in (
        ("promote", "--finalize", "fraud#production"),
        ("--key", str(_carol(guarded)), "approve", "fraud#production"),
    ):
        answer = guarded.run("--json", *command)
        assert (answer.code, answer.json["error"]["code"]) == (4, "E_OTHER_POLICY")
    assert guarded.snapshot() == before


def test_a_request_named_for_another_pin_is_none(guarded: Workbench) -> None:
    """Its transition is honest, and belongs to another stage."""
    guarded.do("promote", "fraud@1.0.0", "production")
    other = "request/staging/fraud/1"
    guarded.git("branch", other, "request/production/fraud/1")
    before = guarded.snapshot()
    answer = guarded.run("--json", "promote", "--finalize", other)
    assert answer.code in {1, 4}
    assert guarded.snapshot() == before


def test_a_stage_that_is_asked_for_less_on_the_branch_stays_as_it_is(
    guarded: Workbench,
) -> None:
    """The branch also changes the policy, signed by a root, so that nobody is asked."""
    guarded.do("promote", "fraud@1.0.0", "production")
    branch = "request/production/fraud/1"
    guarded.git("switch", "-q", branch)
    guarded.do("policy", "require", "production", "--approvals", "0")
    guarded.git("switch", "-q", "main")
    before = guarded.snapshot()
    answer = guarded.run("--json", "promote", "--finalize", branch)
    assert (answer.code, answer.json["error"]["code"]) == (3, "E_THRESHOLD")
    assert guarded.snapshot() == before
    guarded.git("merge", "-q", branch)
    code, problems = guarded.verify("--history", "--no-bytes")
    assert code == 4
    assert "E_THRESHOLD" in problems


def _next_policy(bench: Workbench, **fields: Any) -> dict[str, bytes]:
    """Return policy 4 as ada would sign it, with some fields of another hand."""
    document = document_at(bench, POLICY.format(3)) | {
        "version": 4,
        "prior": str(digest_at(bench, POLICY.format(3))),
    }
    says = Forged(kind="policy", role="root", policy=digest_at(bench, POLICY.format(3)))
    return signed(bench, POLICY.format(4), document | fields, says, owner_key(bench))


@pytest.mark.parametrize(
    ("body", "code"),
    [
        ({"approvals": {"threshold": 1}}, "E_POLICY_WEAKER"),
        ({"approvals": {"threshold": 2, "direct": 0}}, "E_POLICY_WEAKER"),
        ({"approvals": {"threshold": 2, "direct": 3}}, "E_POLICY"),
        (
            {"gates": [{"metric": {"name": "test.recall", "min": 0.1}}]},
            "E_POLICY_WEAKER",
        ),
        ({"soak": "1h"}, "E_POLICY_WEAKER"),
        ({"approvals": {"threshold": 0}}, "E_SCHEMA"),
        ({"from": None}, "E_SCHEMA"),
    ],
)
@pytest.mark.parametrize("part", ["models", "sensitivity"])
def test_an_override_that_weakens_is_refused_even_if_a_root_signed_it(
    guarded: Workbench, body: dict[str, Any], code: str, part: str
) -> None:
    stages = document_at(guarded, POLICY.format(3))["stages"]
    stages["production"] |= {
        "approvals": {"threshold": 2, "direct": 1, "role": "approver"},
        "gates": [{"metric": {"name": "test.recall", "min": 0.5}}],
        "soak": "24h",
        part: {"fraud" if part == "models" else "restricted": body},
    }
    commit_files(guarded, _next_policy(guarded, stages=stages))
    exit_code, problems = guarded.verify("--history", "--no-bytes")
    assert (exit_code, problems[0]) == (4, code)
    before = guarded.snapshot()
    assert guarded.run("promote", "fraud@1.0.0", "production").code in {3, 4}
    assert guarded.snapshot() == before


def test_a_policy_that_waits_may_say_only_what_a_policy_can(
    guarded: Workbench,
) -> None:
    """A root signed a field that no gitmodel knows; it never lands."""
    guarded.git("switch", "-qc", "request/policy/4")
    commit_files(guarded, _next_policy(guarded, surprise=True))
    guarded.git("switch", "-q", "main")
    before = guarded.snapshot()
    answer = guarded.run("--json", "policy", "sign")
    assert (answer.code, answer.json["error"]["code"]) == (4, "E_SCHEMA")
    assert guarded.snapshot() == before


def test_a_policy_that_waits_is_one_of_this_registry(guarded: Workbench) -> None:
    guarded.git("switch", "-qc", "request/policy/4")
    strange = f"sha256:{'0' * 64}"
    commit_files(guarded, _next_policy(guarded, prior=strange))
    guarded.git("switch", "-q", "main")
    answer = guarded.run("--json", "policy", "sign")
    assert (answer.code, answer.json["error"]["code"]) == (4, "E_POLICY_ROLLBACK")


def test_who_may_push_cannot_make_a_model_less_sensitive(guarded: Workbench) -> None:
    """model.yaml is anybody's to edit; no rule rests on what it says."""
    guarded.do("policy", "require", "staging", "--sensitivity", "restricted",
               "--label", "reviewed=yes")  # fmt: skip
    guarded.register(version="3.0.0")
    guarded.promote("fraud@3.0.0", "dev")
    described = (
        "apiVersion: gitmodel.dev/v1\nkind: Model\nname: fraud\nsensitivity: public\n"
    )
    guarded.commit_file("models/fraud/model.yaml", described.encode())
    before = guarded.snapshot()
    answer = guarded.run("--json", "promote", "fraud@3.0.0", "staging")
    assert answer.code == 3
    assert [p["gate"] for p in answer.json["error"]["problems"]] == ["label"]
    assert guarded.snapshot() == before
    forge_move(guarded, "staging", "fraud", "3.0.0",
               policy=str(digest_at(guarded, POLICY.format(4))),
               said=Forged(policy=digest_at(guarded, POLICY.format(4))))  # fmt: skip
    assert guarded.verify("--history", "--no-bytes") == (4, ["E_GATE"])
