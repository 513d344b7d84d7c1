"""Evidence of an incident in one file: it proves itself, and nothing in it can lie."""

from __future__ import annotations

import json
import re
import subprocess
from typing import TYPE_CHECKING, Any

import pytest

from tests.support.cli import Answer, gitmodel
from tests.support.contract import ANSWERS
from tests.support.evidence_files import put_together, take_apart
from tests.support.forgery import owner_key
from tests.support.incidents import opened
from tests.support.isolation import isolate
from tests.support.json_keys import deviations
from tests.support.quarantined import as_, enrol
from tests.support.refusals import refused
from tests.support.signing import a_signer
from tests.support.workbench import Workbench, unpack

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

DIFF = "diff-fraud-1.0.0-1.1.0.json"


@pytest.fixture(scope="module")
def packed(stock: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Make the registry and the evidence that ``case`` copies."""
    root = tmp_path_factory.mktemp("packed")
    with pytest.MonkeyPatch.context() as patch:
        isolate(patch, root / "home")
        bench = unpack(stock, root / "home", root)
        opened(bench)
        bench.do("rollback", "fraud", "staging", "-m", "x", "--incident", "INC-1")
        bench.do("quarantine", "fraud@1.1.0", "-m", "bad", "--incident", "INC-1")
        bench.do("incident", "note", "INC-1", "-m", "labels are shifted")
        file = bench.outside / "evidence.tar"
        bench.do("incident", "bundle", "INC-1", "-o", file, "--with-artifacts")
    return root


@pytest.fixture
def case(packed: Path, home: Path, tmp_path: Path) -> Workbench:
    """Return a registry with an incident, whose evidence is in ``evidence.tar``."""
    bench = unpack(packed, home, tmp_path)
    source = packed / "outside/evidence.tar"
    (bench.outside / "evidence.tar").write_bytes(source.read_bytes())
    return bench


def check(file: Path, *args: str) -> Answer:
    """Verify evidence where there is no registry."""
    where = file.parent / "elsewhere"
    where.mkdir(exist_ok=True)
    return gitmodel(
        "--json", "incident", "bundle", "--verify", file, *args, cwd=where
    )  # fmt: skip


def wrong(file: Path, *args: str) -> set[str]:
    """Return the codes of what is wrong with evidence; there must be something."""
    answer = check(file, *args)
    assert answer.code == 4, answer
    assert "Traceback" not in answer.err
    said = answer.json
    if "error" in said:
        return {said["error"]["code"]}
    assert deviations(said, ANSWERS["incident bundle --verify"]) == []
    return {problem["code"] for problem in said["problems"]}


def remade(case: Workbench, change: Callable[[dict[str, bytes]], object]) -> Path:
    """Return evidence that its maker has changed and signed again."""
    members = take_apart(case.outside / "evidence.tar")
    change(members)
    return put_together(case.outside / "remade.tar", members, owner_key(case))


def test_it_verifies_where_there_is_no_registry_and_no_key(
    case: Workbench, monkeypatch: pytest.MonkeyPatch
) -> None:
    isolate(monkeypatch, case.outside / "another-home")
    file = case.outside / "evidence.tar"
    answer = check(file, "--root", case.do("verify")["root"])
    assert answer.code == 0, answer
    assert deviations(answer.json, ANSWERS["incident bundle --verify"]) == []
    assert (answer.json["by"], answer.json["rootGiven"]) == ("ada", True)
    assert answer.json["commit"] == case.git("rev-parse", "HEAD")
    assert list((case.outside / "elsewhere").iterdir()) == []


def test_what_it_holds_is_what_was_asked_for(case: Workbench) -> None:
    members = take_apart(case.outside / "evidence.tar")
    timeline = json.loads(members["timeline.json"])
    assert [event["action"] for event in timeline["events"]] == [
        "incident", "rollback", "quarantine", "incident",
    ]  # fmt: skip
    assert [entry["number"] for entry in timeline["entries"]] == [1, 2]
    diff = json.loads(members[DIFF])
    assert (diff["a"], diff["b"]) == ("fraud@1.0.0", "fraud@1.1.0")
    for version in ("1.0.0", "1.1.0"):
        path = f"models/fraud/versions/{version}/manifest.yaml"
        data = members[f"manifests/fraud/{version}/manifest.yaml"]
        assert data == (case.path / path).read_bytes()
    before = members["pins/staging/fraud/3-before.yaml"]
    assert b"1.1.0" in before
    after = (case.path / "stages/staging/fraud.yaml").read_bytes()
    assert members["pins/staging/fraud/3-after.yaml"] == after
    for version in ("1.0.0", "1.1.0"):
        [artifact] = case.do("show", f"fraud@{version}")["artifacts"]
        data = members[f"artifacts/{artifact['sha256']}"]
        assert data == f"fraud {version}".encode()


def test_it_can_be_verified_by_hand_as_it_says_itself(case: Workbench) -> None:
    """By tar, sha256sum and git, in the very words of README.txt."""
    by_hand = case.outside / "by-hand"
    by_hand.mkdir()
    members = take_apart(case.outside / "evidence.tar")
    text = members["README.txt"].decode()
    [block] = re.findall(r"By hand.*?\n((?:  .*\n)+)", text)
    commands = [
        line.partition("  #")[0].strip()
        for line in block.splitlines()
        if "COMMIT" not in line
    ]
    script = "\n".join(["set -eu", *commands]).replace("FILE", "../evidence.tar")
    done = subprocess.run(
        ["bash", "-c", script], cwd=by_hand, capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stderr
    assert "timeline.json: OK" in done.stdout
    assert case.git("rev-parse", "HEAD") in done.stdout
    root = case.do("verify")["root"].removeprefix("sha256:")
    assert f"{root}  .gitmodel/policy/1.yaml" in done.stdout
    assert "incident(INC-1): opened" in done.stdout


def test_it_is_the_same_every_time_but_for_when_and_the_signature(
    case: Workbench,
) -> None:
    file = case.outside / "again.tar"
    answer = case.do("incident", "bundle", "INC-1", "-o", file, "--with-artifacts")
    assert deviations(answer, ANSWERS["incident bundle"]) == []
    first, second = take_apart(case.outside / "evidence.tar"), take_apart(file)
    assert first.keys() == second.keys()
    differing = {name for name in first if first[name] != second[name]}
    assert differing <= {"index.json", "index.json.sigstore.json"}


def test_each_member_that_is_changed_is_found(case: Workbench) -> None:
    """One byte of any member, the index left as it is."""
    file = case.outside / "evidence.tar"
    whole = file.read_bytes()
    members = take_apart(file)
    assert len(members) > 12
    for name, data in members.items():
        place = whole.index(data) + len(data) // 2
        changed = bytearray(whole)
        changed[place] ^= 1
        bad = case.outside / "bad.tar"
        bad.write_bytes(changed)
        assert wrong(bad), name


def test_a_member_that_is_missing_or_too_many_is_found(case: Workbench) -> None:
    from gitmodel.adapters.archive import write_archive  # noqa: PLC0415

    members = take_apart(case.outside / "evidence.tar")
    bad = case.outside / "bad.tar"
    for name in members:
        rest = {key: data for key, data in members.items() if key != name}
        write_archive(bad, rest, moment=0)
        assert wrong(bad) <= {"E_INCIDENT_BUNDLE"}, name
    write_archive(bad, {**members, "more.txt": b"x"}, moment=0)
    assert wrong(bad) == {"E_INCIDENT_BUNDLE"}


def test_an_index_that_agrees_with_lies_is_not_signed(case: Workbench) -> None:
    members = take_apart(case.outside / "evidence.tar")
    members["timeline.json"] = members["timeline.json"].replace(b"ada", b"bob")
    bad = case.outside / "bad.tar"
    put_together(bad, members)
    assert wrong(bad) == {"E_DOCUMENT_DIGEST"}
    put_together(bad, members, a_signer())
    assert wrong(bad) == {"E_UNTRUSTED_KEY"}
    put_together(bad, members, owner_key(case), role="root")
    assert wrong(bad) == {"E_ROLE"}
    del members["index.json.sigstore.json"]
    put_together(bad, members)
    assert wrong(bad) == {"E_INCIDENT_BUNDLE"}


def _timeline(members: dict[str, bytes], **changes: Any) -> None:
    timeline = json.loads(members["timeline.json"])
    timeline["events"][1] |= changes
    members["timeline.json"] = json.dumps(timeline).encode()


def _forget(members: dict[str, bytes]) -> None:
    timeline = json.loads(members["timeline.json"])
    del timeline["events"][1]
    members["timeline.json"] = json.dumps(timeline).encode()


def _swap(members: dict[str, bytes], one: str, other: str) -> None:
    members[one] = members[other]


#: What its maker says besides the truth, with a good signature.
LIES: dict[str, Callable[[dict[str, bytes]], object]] = {
    "another-actor": lambda m: _timeline(m, actor="mallory"),
    "another-time": lambda m: _timeline(m, time="2020-01-01T00:00:00Z"),
    "an-event-left-out": _forget,
    "no-timeline": lambda m: m.pop("timeline.json"),
    "another-manifest": lambda m: _swap(
        m, "manifests/fraud/1.1.0/manifest.yaml", "manifests/fraud/1.0.0/manifest.yaml"
    ),
    "a-manifest-left-out": lambda m: m.pop("manifests/fraud/1.1.0/manifest.yaml"),
    "a-manifest-too-many": lambda m: m.update({"manifests/x/1.0.0/manifest.yaml": b""}),
    "another-pin": lambda m: _swap(
        m, "pins/staging/fraud/3-before.yaml", "pins/staging/fraud/3-after.yaml"
    ),
    "another-difference": lambda m: m.update({DIFF: b"{}\n"}),
    "no-bytes": lambda m: [m.pop(name) for name in [*m] if name[:9] == "artifacts"],
    "other-bytes": lambda m: m.update(
        {next(name for name in m if name.startswith("artifacts/")): b"clean"}
    ),
}


@pytest.mark.parametrize("name", LIES)
def test_its_maker_cannot_lie_either(case: Workbench, name: str) -> None:
    assert "E_INCIDENT_BUNDLE" in wrong(remade(case, LIES[name]))


def test_what_the_maker_says_in_the_index_is_held_against_the_history(
    case: Workbench,
) -> None:
    members = take_apart(case.outside / "evidence.tar")
    bad = case.outside / "bad.tar"
    before = case.git("rev-parse", "HEAD~1")
    for said in (
        {"incident": "INC-2"},
        {"commit": before},
        {"commit": "HEAD"},
        {"created_by": "mallory"},
        {"with_artifacts": False},
    ):
        put_together(bad, members, owner_key(case), **said)
        assert "E_INCIDENT_BUNDLE" in wrong(bad), said
    assert check(put_together(bad, members, owner_key(case))).code == 0


def test_another_registry_is_not_the_one_that_you_trust(case: Workbench) -> None:
    file = case.outside / "evidence.tar"
    assert wrong(file, "--root", f"sha256:{'0' * 64}") == {"E_ROOT_ANCHOR"}
    assert check(file, "--root", "sha256:0").code == 2


def test_a_history_that_was_tampered_with_is_found(case: Workbench) -> None:
    """Attack: make evidence in a clone whose history has something illegal."""
    case.commit_file("incidents/INC-1/9.yaml", b"x: 1\n")
    case.commit_file("incidents/INC-1/9.yaml", None)
    file = case.outside / "tampered.tar"
    assert case.run("incident", "bundle", "INC-1", "-o", file).code == 0
    assert {"E_APPEND_ONLY", "E_UNSIGNED"} & wrong(file)


def test_half_a_history_is_none(case: Workbench) -> None:
    """Attack: pack only what came last, so that nobody can judge the rest."""
    part = case.outside / "part.bundle"
    case.git("bundle", "create", "-q", part, "HEAD~2..HEAD", "main", "HEAD")

    def shorten(members: dict[str, bytes]) -> None:
        members["registry.bundle"] = part.read_bytes()

    assert wrong(remade(case, shorten)) == {"E_INCIDENT_BUNDLE"}

    def break_it(members: dict[str, bytes]) -> None:
        members["registry.bundle"] = b"# v2 git bundle\n\nPACK"

    assert wrong(remade(case, break_it)) == {"E_INCIDENT_BUNDLE"}


def test_a_history_without_a_registry_is_none(case: Workbench) -> None:
    place = case.outside / "empty"
    case.git("init", "-q", "--initial-branch=main", place)
    case.git("-C", place, "commit", "-q", "--allow-empty", "-m", "nothing")
    case.git("-C", place, "bundle", "create", "-q", "../empty.bundle", "HEAD", "main")
    members = take_apart(case.outside / "evidence.tar")
    members["registry.bundle"] = (case.outside / "empty.bundle").read_bytes()
    commit = case.git("-C", place, "rev-parse", "HEAD")
    bad = case.outside / "bad.tar"
    put_together(bad, members, owner_key(case), commit=commit)
    assert wrong(bad) == {"E_NO_REGISTRY"}


def test_what_is_no_evidence_is_refused(case: Workbench) -> None:
    bad = case.outside / "bad.tar"
    for data in (b"", b"x" * 4096, b"\x1f\x8b" + b"x" * 2000):
        bad.write_bytes(data)
        assert wrong(bad) == {"E_INCIDENT_BUNDLE"}
    assert check(case.outside / "nosuch.tar").code == 1
    members = take_apart(case.outside / "evidence.tar")
    from gitmodel.adapters.archive import write_archive  # noqa: PLC0415

    for index in (b"", b"[]", b"{}", b"\xff", b'{"members": 1}'):
        write_archive(bad, {**members, "index.json": index}, moment=0)
        assert wrong(bad) == {"E_INCIDENT_BUNDLE"}


def test_evidence_replaces_nothing(case: Workbench) -> None:
    file = case.outside / "evidence.tar"
    before = file.read_bytes()
    error = refused(case, "incident", "bundle", "INC-1", "-o", file, code=1)
    assert error["code"] == "E_EXISTS"
    assert file.read_bytes() == before
    refused(case, "incident", "bundle", "INC-1", "-o", "/nonexistent/e.tar", code=5)


def test_who_makes_it_must_have_a_say(case: Workbench) -> None:
    carol = enrol(case, "carol", "publisher")
    robot = enrol(case, "robot", "collector")
    bundle = ("incident", "bundle", "INC-1", "-o", case.outside / "e.tar")
    assert as_(case, robot, *bundle).json["error"]["code"] == "E_ROLE"
    # What is in quarantine is not for everybody.
    withheld = as_(case, carol, *bundle, "--with-artifacts")
    assert (withheld.code, withheld.json["error"]["code"]) == (3, "E_ROLE")
    assert as_(case, carol, *bundle).code == 0
    assert check(case.outside / "e.tar").json["by"] == "carol"


def test_bytes_that_are_gone_or_altered_are_no_evidence(case: Workbench) -> None:
    bundle = ("incident", "bundle", "INC-1", "-o", case.outside / "e.tar",
              "--with-artifacts")  # fmt: skip
    case.tamper("fraud@1.1.0")
    refused(case, *bundle, code=4)
    [artifact] = case.do("show", "fraud@1.1.0")["artifacts"]
    case.object_path(artifact["sha256"]).unlink()
    refused(case, *bundle, code=1)
    assert not (case.outside / "e.tar").exists()


def test_a_shallow_clone_has_no_evidence(case: Workbench) -> None:
    place = case.outside / "shallow"
    case.git("clone", "-q", "--depth=1", "--no-checkout", f"file://{case.path}", place)
    answer = gitmodel("--json", "incident", "bundle", "INC-1", cwd=place)
    assert (answer.code, answer.json["error"]["code"]) == (1, "E_SHALLOW")
