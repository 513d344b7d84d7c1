"""Attacks by whoever can push and has no key: documents and signatures edited by hand.

``verify`` names them, of the whole registry and of the version alone; no command
acts on what was tampered with. Numbers are those of the catalogue of attacks.
"""

from __future__ import annotations

import re
import shutil
from typing import TYPE_CHECKING, Any

import pytest

from gitmodel.domain.digest import Digest
from gitmodel.formats import yaml_writer
from tests.support.cli import gitmodel
from tests.support.forgery import (
    Forged,
    commit_files,
    document_at,
    forge_move,
    forge_version,
    owner_key,
    pin_of,
    signature,
    signed,
)
from tests.support.refusals import found_by_verify, nothing_acts_on
from tests.support.signing import a_signer
from tests.support.workbench import Workbench

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from gitmodel.adapters.signing.keys import FileSigner

    Attack = Callable[[Workbench], object]

VERSION = "models/fraud/versions/1.1.0"
MANIFEST = f"{VERSION}/manifest.yaml"
OMS = f"{VERSION}/model.sig"
PIN = "stages/staging/fraud.yaml"
MOVE = "log/staging/fraud/2.yaml"
POLICY = ".gitmodel/policy/1.yaml"

PROMOTE = ("promote", "fraud@1.1.0", "production")
CHECK = ("check", "fraud@1.1.0", "--stage", "production")
ROLLBACK = ("rollback", "fraud", "staging", "-m", "x")
PULL = ("pull", "fraud@1.1.0", "-o", "{pulled}")
PULL_LIVE = ("pull", "fraud#staging", "-o", "{pulled}")
SHOW_LIVE = ("show", "fraud#staging")
ALL = (PROMOTE, ROLLBACK, PULL, PULL_LIVE)
#: What relies on the log of staging.
STAGE = (PROMOTE, CHECK, ROLLBACK, PULL_LIVE, SHOW_LIVE)


def assert_caught(
    bench: Workbench, codes: set[str], commands: tuple[tuple[str, ...], ...]
) -> None:
    """Assert that verify says why, twice, and that ``commands`` refuse."""
    assert codes <= found_by_verify(bench)
    found_by_verify(bench, "fraud@1.1.0")
    pulled = str(bench.outside / "pulled")
    nothing_acts_on(
        bench, *(tuple(w.format(pulled=pulled) for w in each) for each in commands)
    )


def edit(path: str, old: str, new: str) -> Attack:
    """Return the attack that rewrites a part of a file."""

    def attack(bench: Workbench) -> None:
        text = (bench.path / path).read_text()
        assert re.search(old, text)
        bench.commit_file(path, re.sub(old, new, text, count=1).encode())

    return attack


def put(path: str, data: bytes | None) -> Attack:
    """Return the attack that puts something else in the place of a file."""
    return lambda bench: bench.commit_file(path, data)


def on_signature(path: str, data: bytes | None) -> Attack:
    """Return the attack that puts something else in the place of a signature."""

    def attack(bench: Workbench) -> None:
        (found,) = bench.path.glob(f"{path}.*.sigstore.json")
        bench.commit_file(str(found.relative_to(bench.path)), data)

    return attack


def another_version(bench: Workbench) -> None:
    bench.commit_file(PIN, pin_of(bench, "staging", "fraud", "2.0.0"))


def unpublished(bench: Workbench) -> None:
    text = (bench.path / PIN).read_text()
    bench.commit_file(PIN, text.replace("1.1.0", "6.6.6").encode())


def signed_by_stranger(bench: Workbench) -> None:
    forge_move(bench, "staging", "fraud", "2.0.0", signer=a_signer())


def version_by_stranger(bench: Workbench) -> None:
    shutil.rmtree(bench.path / VERSION)
    forge_version(bench, "1.1.0", signer=a_signer())


def two_signatures(bench: Workbench) -> None:
    data, stranger = (bench.path / MOVE).read_bytes(), a_signer()
    bundle = signature(bench, stranger, MOVE, data, Forged())
    path = f"{MOVE}.{stranger.keyid[:8]}.sigstore.json"
    bench.commit_file(path, bundle.to_bytes())


def renamed_signature(bench: Workbench) -> None:
    (found,) = bench.path.glob(f"{MOVE}.*.sigstore.json")
    bench.git("mv", found, f"{MOVE}.0badc0de.sigstore.json")
    bench.git("commit", "-qm", "hand")


def policy_two(bench: Workbench) -> None:
    eve = a_signer()
    policy = next_policy(bench)
    policy["principals"]["eve"] = keys_of(eve)
    for role in policy["roles"].values():
        role["members"].append("eve")
    said = Forged(kind="policy", role="root")
    commit_files(bench, signed(bench, ".gitmodel/policy/2.yaml", policy, said, eve))


def policy_two_in_use(bench: Workbench) -> None:
    eve = a_signer()
    data = yaml_writer.dump(next_policy(bench) | {"principals": {"ada": keys_of(eve)}})
    made = Digest.of(data)
    said = Forged(kind="policy", role="root", policy=made)
    commit_files(bench, signed(bench, ".gitmodel/policy/2.yaml", data, said, eve))
    forge_move(
        bench, "staging", "fraud", "2.0.0",
        said=Forged(policy=made), signer=eve, policy=str(made),
    )  # fmt: skip


def next_policy(bench: Workbench) -> dict[str, Any]:
    """Return policy 2, so far like policy 1."""
    root = str(Digest.of((bench.path / POLICY).read_bytes()))
    return document_at(bench, POLICY) | {"version": 2, "prior": root}


def keys_of(signer: FileSigner) -> dict[str, Any]:
    """Return a principal who has this one key."""
    return {"keys": [{"keyid": signer.keyid, "public": signer.public}]}


ATTACKS: dict[str, tuple[Attack, set[str], tuple[tuple[str, ...], ...]]] = {
    "001-pin-swapped-to-another-version": (
        another_version, {"E_TRANSITION_UNRECORDED", "E_PIN_MISMATCH"}, STAGE),
    "001-pin-swapped-to-an-unpublished-version": (
        unpublished, {"E_TRANSITION_UNRECORDED"}, STAGE),
    "pin-with-another-uri": (
        edit(PIN, "gitmodel://fraud@", "gitmodel://evil@"),
        {"E_TRANSITION_UNRECORDED", "E_PIN_MISMATCH"}, STAGE),
    "pin-with-a-canary": (
        edit(PIN, "\\Z", "  canary:\n    version: 6.6.6\n    weight: 100\n"),
        {"E_TRANSITION_UNRECORDED"}, STAGE),
    "pin-respelled": (
        edit(PIN, "kind: ModelPin", 'kind: "ModelPin"'),
        {"E_TRANSITION_UNRECORDED"}, STAGE),
    "pin-that-is-no-yaml": (put(PIN, b": : :"), {"E_YAML"}, STAGE),
    "pin-that-is-empty": (put(PIN, b""), {"E_YAML", "E_TRANSITION_UNRECORDED"}, STAGE),
    "pin-deleted": (put(PIN, None), {"E_PIN_MISSING"}, STAGE),
    "008-manifest-edited": (
        edit(MANIFEST, "createdBy: ada", "createdBy: eve"),
        {"E_APPEND_ONLY", "E_DOCUMENT_DIGEST", "E_MANIFEST_DIGEST", "E_OMS"},
        (PROMOTE, PULL, PULL_LIVE, SHOW_LIVE)),
    "manifest-respelled": (
        edit(MANIFEST, "change: ", "change:  "), {"E_APPEND_ONLY", "E_DOCUMENT_DIGEST"},
        (PROMOTE, PULL, PULL_LIVE, SHOW_LIVE)),
    "manifest-of-strange-shapes": (
        edit(MANIFEST, "\\Z", "metrics: 5\ntraining: {code: x}\nlabels: 7\n"),
        {"E_SCHEMA"},
        (*ALL, ("show", "fraud@1.1.0"), ("list", "fraud"), ("diff", "fraud@1.0.0",
        "fraud@1.1.0"))),
    "manifest-of-a-day-that-never-was": (
        edit(MANIFEST, "createdAt: .*", "createdAt: 2026-02-30T00:00:00Z"),
        {"E_SCHEMA"}, (*ALL, ("show", "fraud@1.1.0"), ("list", "fraud"))),
    "manifest-that-is-binary": (
        put(MANIFEST, b"\0\xff"), {"E_YAML"}, (*ALL, ("show", "fraud@1.1.0"))),
    "057-manifest-with-a-duplicate-key": (
        edit(MANIFEST, "\\Z", "version: 9.9.9\n"), {"E_YAML"}, ALL),
    "058-manifest-with-an-alias": (
        edit(MANIFEST, "\\Z", "labels: &a {x: y}\nmetrics: *a\n"),
        {"E_YAML_ALIAS"}, ALL),
    "059-manifest-with-a-tag": (
        edit(MANIFEST, "\\Z", "card: !!python/object/apply:os.system ['touch ran']\n"),
        {"E_YAML"}, ALL),
    "060-manifest-with-a-directive": (
        edit(MANIFEST, "\\A", "%YAML 1.1\n---\n"), {"E_YAML"}, ALL),
    "061-manifest-whose-version-is-a-number": (
        edit(MANIFEST, 'version: "1.1.0"', "version: 1.10"), {"E_SCHEMA"}, ALL),
    "062-manifest-of-brackets": (put(MANIFEST, b"[" * 300), {"E_LIMIT"}, ALL),
    "transition-edited": (
        edit(MOVE, "reason: .*", "reason: approved by all"),
        {"E_APPEND_ONLY", "E_DOCUMENT_DIGEST"}, STAGE),
    "transition-that-is-no-yaml": (put(MOVE, b"[[["), {"E_APPEND_ONLY",
    "E_YAML"}, STAGE),
    "004-transition-deleted": (
        put(MOVE, None), {"E_APPEND_ONLY", "E_TRANSITION_UNRECORDED",
        "E_EXTRA_FILE"}, STAGE),
    "004-first-transition-deleted": (
        put("log/staging/fraud/1.yaml", None),
        {"E_APPEND_ONLY", "E_TRANSITION_SEQ", "E_TRANSITION_PRIOR"}, STAGE),
    "002-transition-by-a-stranger": (signed_by_stranger, {"E_UNTRUSTED_KEY"}, STAGE),
    "002-version-by-a-stranger": (
        version_by_stranger, {"E_UNTRUSTED_KEY",
        "E_APPEND_ONLY"}, (PROMOTE, PULL, PULL_LIVE)),
    "signature-deleted": (
        on_signature(MOVE, None), {"E_APPEND_ONLY", "E_UNSIGNED"}, STAGE),
    "signature-of-a-manifest-deleted": (
        on_signature(MANIFEST, None), {"E_APPEND_ONLY",
        "E_UNSIGNED"}, (PROMOTE, PULL, PULL_LIVE)),
    "signature-that-is-no-bundle": (on_signature(MOVE, b"{}"), {"E_BUNDLE"}, STAGE),
    "signature-that-is-binary": (on_signature(MOVE, b"\0" * 99), {"E_BUNDLE"}, STAGE),
    "062-signature-of-brackets": (on_signature(MOVE, b"[" * 200_000),
    {"E_BUNDLE"}, STAGE),
    "a-second-signature-by-a-stranger": (two_signatures, {"E_UNTRUSTED_KEY"}, STAGE),
    "049-signature-under-another-key-id": (
        renamed_signature, {"E_APPEND_ONLY", "E_SIGNATURE_NAME"}, STAGE),
    "model-sig-edited": (put(OMS, b"{}"), {"E_APPEND_ONLY",
    "E_BUNDLE"}, (PROMOTE, PULL, PULL_LIVE)),
    "model-sig-deleted": (put(OMS, None), {"E_APPEND_ONLY",
    "E_OMS"}, (PROMOTE, PULL, PULL_LIVE)),
    "policy-edited": (
        edit(POLICY, "threshold: 0", "threshold: 00"), {"E_APPEND_ONLY"}, ALL),
    "policy-with-another-meaning": (
        edit(POLICY, "from: dev", "from: null"), {"E_APPEND_ONLY", "E_THRESHOLD"}, ALL),
    "policy-cut-short": (
        edit(POLICY, "(?s)roles:.*", "roles:"), {"E_APPEND_ONLY", "E_SCHEMA"}, ALL),
    "policy-that-is-no-yaml": (put(POLICY, b"["), {"E_APPEND_ONLY", "E_YAML"}, ALL),
    "003-policy-that-lets-a-stranger-in": (policy_two, {"E_THRESHOLD"}, ALL),
    "003-policy-that-lets-a-stranger-in-and-is-used-at-once": (
        policy_two_in_use, {"E_THRESHOLD"}, ALL),
    "policy-out-of-turn": (
        put(".gitmodel/policy/99.yaml", b"["), {"E_MISSING"}, ALL),
}  # fmt: skip


@pytest.mark.parametrize("name", ATTACKS)
def test_without_a_key(stocked: Workbench, name: str) -> None:
    attack, codes, commands = ATTACKS[name]
    attack(stocked)
    assert_caught(stocked, codes, commands)
    assert not (stocked.path / "ran").exists()


def test_006_an_old_pin_with_its_old_log_entry_under_the_next_number(
    stocked: Workbench,
) -> None:
    old = "log/staging/fraud/1.yaml"
    (bundle,) = stocked.path.glob(f"{old}.*.sigstore.json")
    first = stocked.git("log", "--format=%H", "--diff-filter=A", "--", old)
    pin = stocked.git("show", f"{first}:{PIN}").encode() + b"\n"
    next_one = "log/staging/fraud/3.yaml"
    commit_files(
        stocked,
        {
            PIN: pin,
            next_one: (stocked.path / old).read_bytes(),
            f"{next_one}{bundle.name.removeprefix('1.yaml')}": bundle.read_bytes(),
        },
    )
    assert_caught(stocked, {"E_OTHER_PATH", "E_TRANSITION_PATH"}, STAGE)


@pytest.mark.parametrize(
    ("stage", "model"), [("production", "fraud"), ("staging", "churn")]
)
def test_007_a_log_copied_to_another_stage_or_model(
    stocked: Workbench, stage: str, model: str
) -> None:
    files: dict[str, bytes | None] = {
        f"log/{stage}/{model}/{path.name}": path.read_bytes()
        for path in (stocked.path / "log/staging/fraud").iterdir()
    }
    pin = (stocked.path / PIN).read_bytes()
    files[f"stages/{stage}/{model}.yaml"] = pin
    commit_files(stocked, files)
    found = found_by_verify(stocked)
    assert {"E_OTHER_PATH", "E_TRANSITION_PATH", "E_NAME"} <= found
    nothing_acts_on(
        stocked,
        ("pull", f"{model}#{stage}", "-o", str(stocked.outside / "pulled")),
        ("rollback", model, stage, "-m", "x"),
    )


def test_a_renumbered_log(stocked: Workbench) -> None:
    for path in sorted((stocked.path / "log/staging/fraud").glob("2.yaml*")):
        name = path.name.replace("2.yaml", "7.yaml")
        stocked.git("mv", path, path.with_name(name))
    stocked.git("commit", "-qm", "hand")
    codes = {"E_APPEND_ONLY", "E_TRANSITION_SEQ", "E_TRANSITION_PATH", "E_OTHER_PATH"}
    assert_caught(stocked, codes, STAGE)


def test_055_two_files_whose_digests_are_swapped(bench: Workbench) -> None:
    one, other = bench.file("a.bin", b"one"), bench.file("b.bin", b"other")
    bench.do("register", "fraud", one, other, "--no-capture")
    a, b = (f"models/fraud/versions/1.0.0/artifacts/{name}.bin" for name in "ab")
    first, second = (bench.path / a).read_bytes(), (bench.path / b).read_bytes()
    commit_files(bench, {a: second, b: first})
    assert {"E_APPEND_ONLY", "E_POINTER"} <= found_by_verify(bench)
    nothing_acts_on(bench, ("promote", "fraud@1.0.0", "dev"))


def test_documents_of_another_registry_made_with_the_same_key(
    stocked: Workbench, tmp_path: Path
) -> None:
    other = tmp_path / "other"
    assert gitmodel("init", "--principal", "ada", other).code == 0
    twin = Workbench(other, stocked.outside)
    twin.register("fraud", "1.0.0")
    twin.register("fraud", "1.1.0")
    twin.promote("fraud@1.0.0", "dev", "staging")
    twin.promote("fraud@1.1.0", "dev", "staging")
    files: dict[str, bytes | None] = {
        str(path.relative_to(other)): path.read_bytes()
        for top in ("models", "log", "stages")
        for path in (other / top).rglob("*")
        if path.is_file()
    }
    commit_files(stocked, files)
    codes = {"E_OTHER_POLICY", "E_APPEND_ONLY"}
    assert_caught(stocked, codes, ALL)


def test_a_registry_whose_policy_was_replaced_is_another_registry(
    stocked: Workbench,
) -> None:
    root = stocked.do("verify")["root"]
    eve = a_signer()
    policy = document_at(stocked, POLICY)
    data = yaml_writer.dump(policy | {"principals": {"ada": keys_of(eve)}})
    made = Digest.of(data)
    said = Forged(kind="policy", role="root", registry=made, policy=made)
    for path in (stocked.path / ".gitmodel/policy").iterdir():
        path.unlink()
    commit_files(stocked, signed(stocked, POLICY, data, said, eve))
    forge_version(
        stocked, "3.0.0", signer=eve,
        said=Forged(kind="version", role="publisher", registry=made, policy=made),
    )  # fmt: skip
    # By its own light the new version is all right; by the past it is not.
    assert {"E_APPEND_ONLY", "E_OTHER_POLICY"} <= found_by_verify(stocked)
    assert "E_APPEND_ONLY" in found_by_verify(stocked, "fraud@3.0.0")
    assert "E_ROOT_ANCHOR" in found_by_verify(stocked, "fraud@3.0.0", "--root", root)
    assert owner_key(stocked).keyid != eve.keyid
