"""Attacks by somebody who has a principal's key, and no program to hold them back.

The signatures are good; what they sign is not what the registry's rules allow.
"""

from __future__ import annotations

import dataclasses
from typing import TYPE_CHECKING, Any

import pytest

from gitmodel.domain.digest import Digest
from gitmodel.formats.lfs_pointer import EMPTY
from tests.support.forgery import (
    Forged,
    commit_files,
    digest_at,
    document_at,
    forge_move,
    forge_version,
    pin_of,
)
from tests.support.refusals import found_by_verify, nothing_acts_on

if TYPE_CHECKING:
    from tests.support.workbench import Workbench

OTHER = Digest("1" * 64)
PULL = ("pull", "fraud#staging")
STAGE = (
    ("promote", "fraud@2.0.0", "staging"),
    ("promote", "fraud@1.1.0", "production"),
    ("rollback", "fraud", "staging", "-m", "x"),
    ("show", "fraud#staging"),
)


def test_what_the_tests_forge_is_right_but_for_what_they_change(
    stocked: Workbench,
) -> None:
    forge_move(stocked, "staging", "fraud", "1.0.0")
    forge_version(stocked, "1.2.0")
    assert stocked.verify("--history", "--full") == (0, [])
    assert stocked.live("fraud", "staging") == "1.0.0"
    stocked.promote("fraud@1.2.0", "dev", "staging")
    assert stocked.verify() == (0, [])


#: What a promotion to staging says besides the truth → what verify says of it.
FIELDS: dict[str, tuple[dict[str, Any], str]] = {
    "042-a-rollback-to-what-was-never-there": (
        {"action": "rollback", "role": "responder", "version": "2.0.0"},
        "E_ROLLBACK_TO_NEVER_PROMOTED"),
    "a-number-too-high": ({"seq": 7}, "E_TRANSITION_SEQ"),
    "no-predecessor": ({"prior": None}, "E_TRANSITION_PRIOR"),
    "another-predecessor": ({"prior": str(OTHER)}, "E_TRANSITION_PRIOR"),
    "from-nothing": ({"from_": None}, "E_TRANSITION_PRIOR"),
    "another-model": ({"model_": "churn"}, "E_TRANSITION_PATH"),
    "another-stage": ({"stage_": "production"}, "E_TRANSITION_PATH"),
    "another-policy": ({"policy": str(OTHER)}, "E_OTHER_POLICY"),
    "another-pin": ({"pin_": str(OTHER)}, "E_TRANSITION_UNRECORDED"),
    "another-manifest": (
        {"to": {"version": "1.0.0", "manifest": str(OTHER)}}, "E_MANIFEST_DIGEST"),
    "an-unpublished-version": (
        {"to": {"version": "6.6.6", "manifest": str(OTHER)}}, "E_MANIFEST_DIGEST"),
    "somebody-else-asked": ({"requester": "bob"}, "E_UNSIGNED"),
    "another-version-than-the-pin": ({"swap": "2.0.0"}, "E_PIN_MISMATCH"),
    "040-signed-as-publisher": ({"said": Forged(role="publisher")}, "E_UNSIGNED"),
    "signed-as-nobody": ({"said": Forged(role="emperor")}, "E_ROLE"),
    "signed-to-reject": ({"said": Forged(decision="reject")}, "E_UNSIGNED"),
    "040-signed-as-a-version": ({"said": Forged(kind="version")}, "E_PREDICATE"),
    "signed-for-another-registry": (
        {"said": Forged(registry=OTHER)}, "E_OTHER_REGISTRY"),
    "signed-by-another-policy": ({"said": Forged(policy=OTHER)}, "E_OTHER_POLICY"),
    "signed-of-another-path": (
        {"said": Forged(subject="log/staging/fraud/4.yaml")}, "E_OTHER_PATH"),
    "signed-of-other-bytes": ({"said": Forged(digest=OTHER)}, "E_DOCUMENT_DIGEST"),
    "signed-of-another-document": (
        {"said": Forged(document={"a": 1})}, "E_DOCUMENT_MISMATCH"),
    "signed-as-another-type": (
        {"said": Forged(payload_type="text/plain")}, "E_STATEMENT"),
    "more-than-one-says": ({"approved": True}, "E_SCHEMA"),
    "a-time-that-never-was": ({"createdAt": "2026-02-30T00:00:00Z"}, "E_SCHEMA"),
}  # fmt: skip


def _forge(bench: Workbench, fields: dict[str, Any]) -> None:
    fields = dict(fields)
    version, role = fields.pop("version", "1.0.0"), fields.pop("role", None)
    said = fields.pop("said", Forged(role=role) if role else None)
    swap = fields.pop("swap", None)
    pin = pin_of(bench, "staging", "fraud", swap) if swap else None
    forge_move(bench, "staging", "fraud", version, said=said, pin=pin, **fields)


@pytest.mark.parametrize("name", FIELDS)
def test_a_move_against_the_rules(stocked: Workbench, name: str) -> None:
    fields, code = FIELDS[name]
    _forge(stocked, fields)
    assert code in found_by_verify(stocked)
    assert code in found_by_verify(stocked, "fraud@1.1.0")
    commands: tuple[tuple[str, ...], ...] = STAGE
    if name in {"another-manifest", "an-unpublished-version"}:
        commands = tuple(each for each in STAGE if each[0] in {"promote", "show"})
    pulled = str(stocked.outside / "pulled")
    nothing_acts_on(stocked, *commands, (*PULL, "-o", pulled))


def test_a_json_document_that_python_takes_for_the_yaml(stocked: Workbench) -> None:
    """1, 1.0 and true are equal to Python, and not to other readers."""
    forge_move(stocked, "staging", "fraud", "1.0.0")
    path = "log/staging/fraud/3.yaml"
    document = document_at(stocked, path) | {"seq": 3.0}
    stocked.git("reset", "-q", "--hard", "HEAD~1")
    said = Forged(document=document)
    forge_move(stocked, "staging", "fraud", "1.0.0", said=said)
    assert "E_DOCUMENT_MISMATCH" in found_by_verify(stocked)


def test_a_stage_that_was_skipped(stocked: Workbench) -> None:
    forge_move(stocked, "production", "fraud", "2.0.0")
    assert "E_GATE" in found_by_verify(stocked)
    assert "E_GATE" in found_by_verify(stocked, "fraud@2.0.0")
    assert "E_GATE" in found_by_verify(stocked, "--history", "--full")


def test_a_log_that_was_forged_to_open_the_next_stage(stocked: Workbench) -> None:
    """The gate of production asks staging's log; nobody entitled wrote this one."""
    digest = str(digest_at(stocked, "models/fraud/versions/2.0.0/manifest.yaml"))
    last = document_at(stocked, "log/staging/fraud/2.yaml")
    forged = last | {"seq": 3, "to": {"version": "2.0.0", "manifest": digest}}
    text = "".join(f"{key}: {_yaml(value)}\n" for key, value in forged.items())
    commit_files(stocked, {"log/staging/fraud/3.yaml": text.encode()})
    nothing_acts_on(
        stocked,
        ("promote", "fraud@2.0.0", "production"),
        ("check", "fraud@2.0.0", "--stage", "production"),
    )


def _yaml(value: Any) -> str:
    if isinstance(value, dict):
        return "{" + ", ".join(f'{key}: "{item}"' for key, item in value.items()) + "}"
    return "null" if value is None else "[]" if value == [] else f'"{value}"'


def test_a_pin_whose_address_is_another_model_recorded_as_it_is(
    stocked: Workbench,
) -> None:
    evil = f"gitmodel://evil@{OTHER}"
    pin = pin_of(stocked, "staging", "fraud", "1.0.0", evil)
    forge_move(stocked, "staging", "fraud", "1.0.0", pin=pin)
    assert "E_PIN_MISMATCH" in found_by_verify(stocked)
    assert "E_PIN_MISMATCH" in found_by_verify(stocked, "fraud@1.0.0")


def test_a_pin_that_carries_a_canary_which_nobody_checks(stocked: Workbench) -> None:
    pin = pin_of(stocked, "staging", "fraud", "1.0.0")
    pin += b"  canary:\n    version: 6.6.6\n    weight: 100\n"
    forge_move(stocked, "staging", "fraud", "1.0.0", pin=pin)
    assert "E_PIN_MISMATCH" in found_by_verify(stocked)


def test_a_stage_that_the_policy_does_not_know(stocked: Workbench) -> None:
    settings = (stocked.path / "gitmodel.yaml").read_bytes()
    stocked.commit_file(
        "gitmodel.yaml", settings.replace(b"- dev\n", b"- dev\n  - qa\n")
    )
    assert stocked.verify() == (0, [])
    assert stocked.run("promote", "fraud@1.0.0", "qa").code == 3
    forge_move(stocked, "qa", "fraud", "1.0.0")
    assert "E_STAGE" in found_by_verify(stocked)


def test_a_stage_that_disappears_from_the_settings(stocked: Workbench) -> None:
    text = (stocked.path / "gitmodel.yaml").read_text().replace("  - staging\n", "")
    assert "staging" not in text
    stocked.commit_file("gitmodel.yaml", text.encode())
    assert "E_STAGE" in found_by_verify(stocked)
    assert "E_STAGE" in found_by_verify(stocked, "fraud@1.1.0")


PATH = "models/fraud/versions/1.2.0/manifest.yaml"
VERSION = Forged(kind="version", role="publisher")
VERSIONS: dict[str, tuple[dict[str, Any], str]] = {
    "made-by-somebody-else": ({"createdBy": "bob"}, "E_UNSIGNED"),
    "after-another-history": (
        {"previous": {"version": "1.0.0",
        "manifest": str(OTHER)}}, "E_MANIFEST_DIGEST"),
    "after-nothing-that-is-here": (
        {"previous": {"version": "0.1.0",
        "manifest": str(OTHER)}}, "E_MANIFEST_DIGEST"),
    "of-a-time-that-never-was": ({"createdAt": "2026-02-30T00:00:00Z"}, "E_SCHEMA"),
    "of-the-year-zero": ({"createdAt": "0000-01-01T00:00:00Z"}, "E_SCHEMA"),
    "of-another-model": ({"model": "churn"}, "E_NAME"),
    "of-another-version": ({"version": "1.3.0"}, "E_NAME"),
    "of-strange-shapes": ({"training": {"data": [5]}}, "E_SCHEMA"),
    "of-stranger-shapes": ({"metrics": {"validation": 5}}, "E_SCHEMA"),
    "without-artifacts": ({"artifacts": []}, "E_SCHEMA"),
    "signed-as-promoter": (
        {"said": dataclasses.replace(VERSION, role="promoter")}, "E_UNSIGNED"),
    "signed-to-reject": (
        {"said": dataclasses.replace(VERSION, decision="reject")}, "E_UNSIGNED"),
    "040-signed-as-a-transition": (
        {"said": dataclasses.replace(VERSION, kind="transition")}, "E_PREDICATE"),
    "signed-of-another-document": (
        {"said": dataclasses.replace(VERSION, document={"a": 1})},
        "E_DOCUMENT_MISMATCH"),
    "signed-of-strange-shapes": (
        {"said": dataclasses.replace(VERSION, document={"training": "x",
        "metrics": 5})},
        "E_DOCUMENT_MISMATCH"),
}  # fmt: skip


@pytest.mark.parametrize("name", VERSIONS)
def test_a_version_against_the_rules(stocked: Workbench, name: str) -> None:
    fields, code = VERSIONS[name]
    forge_version(stocked, fields.get("at", "1.2.0"), **_moved(fields))
    assert code in found_by_verify(stocked)
    assert code in found_by_verify(stocked, "fraud@1.2.0")
    pulled = str(stocked.outside / "pulled")
    nothing_acts_on(
        stocked,
        ("promote", "fraud@1.2.0", "dev"),
        ("pull", "fraud@1.2.0", "-o", pulled),
    )
    for command in (("show", "fraud@1.2.0"), ("list", "fraud"), ("log", "fraud"),
                    ("diff", "fraud@1.0.0", "fraud@1.2.0"), ("check",
                    "fraud@1.2.0")):  # fmt: skip
        assert stocked.run(*command).code in {0, 3, 4}, command


def _moved(fields: dict[str, Any]) -> dict[str, Any]:
    """Return fields for ``forge_version``, whose own parameters end in no ``_``."""
    return {
        ("version_" if name == "version" else name): value
        for name, value in fields.items()
    }


ARTIFACTS: dict[str, tuple[dict[str, Any], str]] = {
    "two-that-differ-by-case": ({"path": "MODEL.bin"}, "E_NAME_COLLISION"),
    "a-file-below-a-file": ({"path": "model.bin/x"}, "E_NAME_COLLISION"),
    "outside": ({"path": "../../../../../evil"}, "E_SCHEMA"),
    "absolute": ({"path": "/etc/passwd"}, "E_SCHEMA"),
    "in-git": ({"path": ".git/hooks/post-checkout"}, "E_SCHEMA"),
    "with-a-drive": ({"path": "C:evil"}, "E_SCHEMA"),
    "with-a-backslash": ({"path": "..\\evil"}, "E_SCHEMA"),
    "056-without-end": ({"size": 2**63 - 1}, "E_ARTIFACT_DIGEST"),
    "of-the-empty-digest": ({"sha256": EMPTY.hex}, "E_POINTER"),
    "empty-of-another-digest": ({"size": 0}, "E_POINTER"),
}  # fmt: skip


@pytest.mark.parametrize("name", ARTIFACTS)
def test_054_an_artifact_that_cannot_be(stocked: Workbench, name: str) -> None:
    change, code = ARTIFACTS[name]
    known = document_at(stocked, "models/fraud/versions/1.1.0/manifest.yaml")[
        "artifacts"
    ]
    odd = {**known[0], **change}
    artifacts = [*known, odd] if "path" in change else [odd]
    keep = name.startswith("two")
    forge_version(
        stocked, "1.2.0", artifacts=artifacts,
        without=() if keep or "path" not in change else
        (f"models/fraud/versions/1.2.0/artifacts/{odd['path']}",),
    )  # fmt: skip
    assert code in found_by_verify(stocked)
    pulled = stocked.outside / "pulled"
    answer = stocked.run("pull", "fraud@1.2.0", "-o", pulled)
    assert answer.code in {1, 4}
    assert not pulled.exists()
    assert stocked.run("promote", "fraud@1.2.0", "dev").code in (
        {0} if "056" in name else {4}
    )
