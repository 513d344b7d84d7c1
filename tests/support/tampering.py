"""Ways to tamper with the story of a company; each commits to a copy of its clone.

``test_three_people_and_a_robot`` says of each what verify must find.
"""

from __future__ import annotations

import base64
import json
from typing import TYPE_CHECKING, Any

import pytest

from gitmodel.domain.digest import Digest
from gitmodel.formats import yaml_writer
from tests.support.cli import gitmodel
from tests.support.forgery import (
    Forged,
    commit_files,
    commit_tree,
    digest_at,
    document_at,
    forge_move,
    pin_of,
    signature,
    signed,
)
from tests.support.robot import Robot
from tests.support.signing import a_signer

if TYPE_CHECKING:
    from collections.abc import Callable

    from tests.support.company import Company
    from tests.support.workbench import Workbench

    Tampering = Callable[[Workbench, Company], object]

VERSION = "models/fraud/versions/1.2.0"
MANIFEST = f"{VERSION}/manifest.yaml"
ATTESTATION = f"{VERSION}/attestations/test-1.yaml"
PIN = "stages/production/fraud.yaml"
LOG = "log/production/fraud"
LANDED = f"{LOG}/3.yaml"


def _policy(bench: Workbench) -> str:
    """Return the path of the policy in force."""
    numbers = [
        int(path.stem) for path in (bench.path / ".gitmodel/policy").glob("*.yaml")
    ]
    return f".gitmodel/policy/{max(numbers)}.yaml"


def _in_force(bench: Workbench) -> Digest:
    return digest_at(bench, _policy(bench))


def _signature(bench: Workbench, path: str, keyid: str = "") -> str:
    """Return the path of a document's signature, of whoever has that key."""
    [found] = bench.path.glob(f"{path}.{keyid[:8]}*.sigstore.json")
    return str(found.relative_to(bench.path))


def rewrite(path: str, old: str, new: str) -> Tampering:
    def tamper(bench: Workbench, _: Company) -> None:
        text = (bench.path / path).read_text()
        assert old in text
        bench.commit_file(path, text.replace(old, new, 1).encode())

    return tamper


def delete(*paths: str) -> Tampering:
    def tamper(bench: Workbench, _: Company) -> None:
        for path in paths:
            bench.git("rm", "-qr", "--", path)
        bench.git("commit", "-qm", "hand")

    return tamper


def _move(bench: Workbench, signer: Any, **fields: Any) -> None:
    """Forge the next promotion to production, honest but for ``fields``."""
    policy = fields.pop("policy_", _in_force(bench))
    stage = fields.pop("stage_", "production")
    version = fields.pop("version_", "1.0.0")
    said = fields.pop("said_", Forged(policy=policy))
    forge_move(
        bench, stage, "fraud", version, said=said, signer=signer,
        policy=str(policy), **{"requester": "bob", **fields},
    )  # fmt: skip


def swap_a_pointer(bench: Workbench, _: Company) -> None:
    other = bench.git("show", "HEAD:models/fraud/versions/1.0.0/artifacts/model.bin")
    bench.commit_file(f"{VERSION}/artifacts/model.bin", other.encode() + b"\n")


def drop_an_approval(bench: Workbench, company: Company) -> None:
    keyid = company["alice"].signer.keyid
    bench.commit_file(_signature(bench, LANDED, keyid), None)


def _replay_landing(bench: Workbench, *without: str) -> None:
    """Land the last request once more on what was before it, but for some files."""
    tip = bench.git("rev-parse", "HEAD")
    bench.git("reset", "-q", "--hard", "HEAD~1")
    bench.git("checkout", "-q", tip, "--", PIN, LOG)
    for path in without:
        bench.git("rm", "-qf", "--", path)
    bench.git("commit", "-qm", "landed")


def land_with_one_approval(bench: Workbench, company: Company) -> None:
    _replay_landing(bench, _signature(bench, LANDED, company["dave"].signer.keyid))


def land_unasked(bench: Workbench, company: Company) -> None:
    _replay_landing(bench, _signature(bench, LANDED, company["bob"].signer.keyid))


def land_unattested(bench: Workbench, _: Company) -> None:
    """Rebuild the last days as if the robot had never spoken."""
    end = bench.git("rev-parse", "HEAD")
    attested = bench.git("log", "-1", "--format=%H", "--", ATTESTATION)
    bench.git("reset", "-q", "--hard", f"{attested}~1")
    bench.git("checkout", "-q", end, "--", PIN, LOG)
    bench.git("commit", "-qm", "landed")


def pin_alone(bench: Workbench, _: Company) -> None:
    bench.commit_file(PIN, pin_of(bench, "production", "fraud", "1.0.0"))


def by_a_stranger(bench: Workbench, _: Company) -> None:
    _move(bench, a_signer())


def by_bob_alone(bench: Workbench, company: Company) -> None:
    _move(bench, company["bob"].signer)


def by_bob_and_bob(bench: Workbench, company: Company) -> None:
    """Let bob's one key ask, and approve under another file name."""
    signer = company["bob"].signer
    _move(bench, signer)
    _cosign(bench, signer, name="0badc0de")


def _cosign(
    bench: Workbench, signer: Any, name: str = "", path: str = f"{LOG}/4.yaml"
) -> None:
    data = (bench.path / path).read_bytes()
    said = Forged(role="approver", policy=_in_force(bench))
    bundle = signature(bench, signer, path, data, said).to_bytes()
    bench.commit_file(f"{path}.{name or signer.keyid[:8]}.sigstore.json", bundle)


def by_bob_and_alice_twice(bench: Workbench, company: Company) -> None:
    _move(bench, company["bob"].signer)
    _cosign(bench, company["alice"].signer)
    bench.git("reset", "-q", "--soft", "HEAD~2")
    bench.git("commit", "-qm", "landed")


def approved_elsewhere(bench: Workbench, company: Company) -> None:
    """Replay the approvals of the third request on a fourth."""
    _move(bench, company["bob"].signer)
    for name in ("alice", "dave"):
        old = _signature(bench, LANDED, company[name].signer.keyid)
        new = bench.path / old.replace("/3.yaml", "/4.yaml")
        new.write_bytes((bench.path / old).read_bytes())
    bench.git("add", LOG)
    bench.git("commit", "-q", "--amend", "--no-edit")


def backdated(bench: Workbench, company: Company) -> None:
    """Let erin's stolen key sign as if it were yesterday, when she had a role."""
    policy = Digest.parse(company.erins)
    with pytest.MonkeyPatch.context() as patch:
        for name in ("GIT_AUTHOR_DATE", "GIT_COMMITTER_DATE"):
            patch.setenv(name, "2019-01-01T00:00:00Z")
        _move(bench, company["erin"].signer, policy_=policy, stage_="staging",
              requester="erin", createdAt="2019-01-01T00:00:00Z")  # fmt: skip


def reordered(bench: Workbench, _: Company) -> None:
    for name in ("2.yaml", "3.yaml"):
        for path in sorted((bench.path / LOG).glob(f"{name}*")):
            path.rename(path.with_name(f"x{path.name}"))
    for old, new in (("x2", "3"), ("x3", "2")):
        for path in sorted((bench.path / LOG).glob(f"{old}.yaml*")):
            path.rename(path.with_name(path.name.replace(old, new, 1)))
    bench.git("add", "-A", LOG)
    bench.git("commit", "-qm", "hand")


def eve_in_the_policy(bench: Workbench, _: Company) -> None:
    path = _policy(bench)
    text = (bench.path / path).read_text()
    eve = a_signer()
    entry = (
        f"principals:\n  eve:\n    keys:\n      - keyid: {eve.keyid}\n"
        f"        public: {eve.public}\n"
    )
    bench.commit_file(path, text.replace("principals:\n", entry, 1).encode())


def eve_in_the_next_policy(bench: Workbench, company: Company) -> None:
    """Let bob, who is no root, sign the next policy, in which he is one."""
    old = _policy(bench)
    number = document_at(bench, old)["version"] + 1
    document = document_at(bench, old)
    document |= {"version": number, "prior": str(_in_force(bench))}
    document["roles"]["root"]["members"].append("bob")
    data = yaml_writer.dump(document)
    said = Forged(kind="policy", role="root", policy=Digest.of(data))
    path = f".gitmodel/policy/{number}.yaml"
    commit_files(bench, signed(bench, path, data, said, company["bob"].signer))


def yesterdays_policy(bench: Workbench, _: Company) -> None:
    """Bring back the policy under which erin was a promoter, as the next one."""
    newest = int(_policy(bench).rpartition("/")[2].removesuffix(".yaml"))
    for path in sorted((bench.path / ".gitmodel/policy").glob("6.yaml*")):
        name = path.name.replace("6.yaml", f"{newest + 1}.yaml")
        path.with_name(name).write_bytes(path.read_bytes())
    bench.git("add", ".gitmodel")
    bench.git("commit", "-qm", "hand")


def another_trusted_root(bench: Workbench, company: Company) -> None:
    [file] = (bench.path / ".gitmodel/trusted_roots").iterdir()
    root = company.sigstore.trusted_root()
    root["certificateAuthorities"] = []
    bench.commit_file(str(file.relative_to(bench.path)), json.dumps(root).encode())


def evil_merge(bench: Workbench, _: Company) -> None:
    bench.git("switch", "-qc", "side")
    bench.commit_file("notes.txt", b"harmless")
    bench.git("switch", "-q", "main")
    bench.git("merge", "-q", "--no-ff", "--no-commit", "side")
    (bench.path / PIN).write_bytes(pin_of(bench, "production", "fraud", "1.0.0"))
    bench.git("add", PIN)
    bench.git("commit", "-qm", "merge")


def erased_by_a_merge(bench: Workbench, _: Company) -> None:
    """Let a merge go on from before the landing: no push is forced, and it is gone."""
    tip, before = bench.git("rev-parse", "HEAD"), bench.git("rev-parse", "HEAD~1")
    commit_tree(bench, f"{before}^{{tree}}", before, tip)


def plain_revert(bench: Workbench, _: Company) -> None:
    bench.git("revert", "--no-edit", "HEAD")


def rewritten(bench: Workbench, _: Company) -> None:
    """Drop the landing for good, from a clone that has verified it."""
    assert bench.verify("--history", "--no-bytes") == (0, [])
    bench.git("reset", "-q", "--hard", "HEAD~1")


def another_registry(bench: Workbench, _: Company) -> None:
    """Serve another registry, of the same name, with the same model in it."""
    key, place = bench.outside / "eve", bench.outside / "theirs"
    options = ("--key", key, "--principal", "ada")
    assert gitmodel("key", "new", "--out", key).code == 0
    assert gitmodel("init", place, *options).code == 0
    bench.git("fetch", "-q", place, "main")
    bench.git("reset", "-q", "--hard", "FETCH_HEAD")


def a_robot_of_ones_own(bench: Workbench, company: Company) -> None:
    """Put another identity's signature, by the same Sigstore, under the attestation."""
    path = _signature(bench, ATTESTATION)
    bundle = json.loads((bench.path / path).read_text())
    payload = base64.b64decode(bundle["dsseEnvelope"]["payload"])
    _, other = Robot(bench, company.sigstore, "mallory@example.com").sign(payload)
    bench.commit_file(path, json.dumps(other).encode())


def flipped_byte(bench: Workbench, _: Company) -> None:
    bench.tamper("fraud@1.2.0")
