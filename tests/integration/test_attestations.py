"""Late facts: signed, bound to the manifest, append-only (issue 3, "Attestations")."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import pytest

from tests.support.cli import Answer, gitmodel
from tests.support.forgery import commit_files
from tests.support.malware import samples, zipped

if TYPE_CHECKING:
    from pathlib import Path

    from tests.support.workbench import Workbench

DIRECTORY = "models/fraud/versions/1.0.0/attestations"


@pytest.fixture
def version(bench: Workbench) -> Workbench:
    """Return a registry with fraud@1.0.0."""
    bench.register(data=b"plain text, no code\n")
    return bench


def _person(bench: Workbench, name: str, *roles: str) -> Path:
    key = bench.outside / name
    assert gitmodel("key", "new", "--out", key).code == 0
    options = [option for role in roles for option in ("--role", role)]
    bench.do("policy", "add-principal", name, "--key", f"{key}.pub", *options)
    return key


def _as(bench: Workbench, key: Path, *args: str | Path) -> Answer:
    return gitmodel("--json", "--key", key, *args, cwd=bench.path)


def _files(bench: Workbench, name: str) -> dict[str, bytes]:
    directory = bench.path / DIRECTORY
    return {path.name: path.read_bytes() for path in directory.glob(f"{name}*")}


def _plant(
    bench: Workbench, files: dict[str, bytes], directory: str = DIRECTORY
) -> None:
    """Commit files by plain git, all in one commit."""
    commit_files(bench, {f"{directory}/{name}": files[name] for name in files})


def test_a_test_is_attested_in_one_signed_commit(version: Workbench) -> None:
    done = version.do(
        "attest", "fraud@1.0.0", "test", "accuracy=0.97", "-m", "held out"
    )
    assert (done["kind"], done["result"]) == ("test", "passed")
    assert (done["by"], done["role"]) == ("ada", "approver")
    assert done["commit"] == version.git("rev-parse", "HEAD")
    [shown] = version.do("show", "fraud@1.0.0")["attestations"]
    assert (shown["type"], shown["result"]) == ("test", "passed")
    assert (shown["by"], shown["role"]) == ("ada", "approver")
    assert shown["metrics"] == {"test": {"accuracy": 0.97}}
    assert shown["at"].endswith("Z")
    assert shown["problem"] is None
    assert version.verify("--history", "--full") == (0, [])
    [event, *_] = version.do("log", "fraud")["events"]
    assert (event["action"], event["to"], event["actor"]) == ("attest", "1.0.0", "ada")
    assert event["reason"] == "test passed: held out"
    assert "test 1" in version.run("show", "fraud@1.0.0").out


def test_attestations_of_a_type_are_numbered(version: Workbench) -> None:
    paths = [
        version.do("attest", "fraud@1.0.0", kind, "-m", "x")["path"].rpartition("/")[2]
        for kind in ("review", "review", "risk")
    ]
    assert paths == ["review-1.yaml", "review-2.yaml", "risk-1.yaml"]
    assert version.verify("--history", "--full") == (0, [])


def test_a_dry_run_changes_nothing(version: Workbench) -> None:
    before = version.snapshot()
    done = version.do("attest", "fraud@1.0.0", "review", "-m", "x", "--dry-run")
    assert (done["commit"], done["dryRun"]) == (None, True)
    assert version.snapshot() == before


def test_a_report_in_a_file_is_taken_whole(version: Workbench) -> None:
    report = version.file(
        "bias.yaml",
        b"tool: {name: fairlearn, version: 0.12.0}\n"
        b"metrics: {bias: {gap: {value: 0.02, direction: lower}}}\n"
        b"findings:\n  - message: the young are refused more often\n"
        b"    severity: high\n",
    )
    done = version.do("attest", "fraud@1.0.0", "bias", report)
    assert done["result"] == "failed"  # because something was found
    assert done["findings"][0]["severity"] == "high"
    accepted = version.do("attest", "fraud@1.0.0", "bias", report, "--result", "passed")
    assert accepted["result"] == "passed"


@pytest.mark.parametrize(
    "args",
    [
        ("review",),
        ("test", "accuracy=good"),
        ("test", "accuracy=0.9", "accuracy=0.8"),
        ("vibes", "accuracy=0.9"),
        ("scan", "--result", "passed"),
    ],
)
def test_what_says_nothing_or_nonsense_is_refused(
    version: Workbench, args: tuple[str, ...]
) -> None:
    before = version.snapshot()
    assert version.run("attest", "fraud@1.0.0", *args).code == 2
    assert version.snapshot() == before


def test_a_report_with_an_unknown_field_is_refused(version: Workbench) -> None:
    report = version.file("x.yaml", b"reslut: passed\n")
    assert version.run("attest", "fraud@1.0.0", "test", report).code == 2


def test_the_role_is_one_that_the_signer_has(version: Workbench) -> None:
    auditor = _person(version, "olga", "auditor")
    promoter = _person(version, "bob", "promoter")
    args = ("attest", "fraud@1.0.0", "review", "-m", "x")
    assert _as(version, auditor, *args).json["role"] == "auditor"
    assert version.do(*args, "--role", "publisher")["role"] == "publisher"
    before = version.snapshot()
    for answer in (
        _as(version, promoter, *args),
        _as(version, auditor, *args, "--role", "approver"),
    ):
        assert (answer.code, answer.json["error"]["code"]) == (3, "E_ROLE")
    assert version.snapshot() == before
    assert version.verify("--history", "--full") == (0, [])


def test_what_was_attested_stays_good_when_its_author_leaves(
    version: Workbench,
) -> None:
    olga = _person(version, "olga", "auditor")
    args = ("attest", "fraud@1.0.0", "review", "-m", "x")
    assert _as(version, olga, *args).code == 0
    version.do("policy", "remove-principal", "olga")
    assert _as(version, olga, *args).code == 3
    assert version.verify("--history", "--full") == (0, [])
    [shown] = version.do("show", "fraud@1.0.0")["attestations"]
    assert (shown["by"], shown["problem"]) == ("olga", None)


def test_a_scan_looks_at_the_stored_bytes(bench: Workbench) -> None:
    marker = bench.outside / "marker"
    bad = samples(marker)
    bench.register(version="1.0.0", data=bad["reduce.pkl"])
    bench.register(version="1.1.0", data=bad["hidden-member.pt"])
    bench.register(version="1.2.0", data=zipped({"readme.txt": b"hello\n"}))
    for number in ("1.0.0", "1.1.0"):
        done = bench.do("attest", f"fraud@{number}", "scan")
        assert done["result"] == "failed"
        assert "posix system" in done["findings"][0]["message"]
    assert bench.do("attest", "fraud@1.2.0", "scan")["result"] == "passed"
    assert not marker.exists()
    assert bench.verify("--history", "--full") == (0, [])


def test_a_scan_of_tampered_bytes_is_no_scan(version: Workbench) -> None:
    [artifact] = version.do("show", "fraud@1.0.0")["artifacts"]
    place = version.object_path(artifact["sha256"])
    place.chmod(0o644)
    place.write_bytes(place.read_bytes()[::-1])
    head = version.git("rev-parse", "HEAD")
    answer = version.run("--json", "attest", "fraud@1.0.0", "scan")
    assert (answer.code, answer.json["error"]["code"]) == (4, "E_ARTIFACT_DIGEST")
    assert version.git("rev-parse", "HEAD") == head


def test_the_report_of_modelscan_is_recorded(version: Workbench) -> None:
    report: dict[str, Any] = {
        "summary": {"modelscan_version": "0.8.8", "skipped": {"skipped_files": []}},
        "issues": [],
        "errors": [],
    }
    args = ("attest", "fraud@1.0.0", "scan", "--from-json")

    def record() -> Any:
        return version.do(*args, version.file("m.json", json.dumps(report).encode()))

    assert record()["result"] == "passed"
    report["summary"]["skipped"]["skipped_files"] = [{"source": "model.bin"}]
    assert record()["result"] == "failed"
    report["issues"] = [
        {"description": "os.system", "source": "model.bin", "severity": "CRITICAL"}
    ]
    assert record()["findings"][0]["severity"] == "critical"


# ---- attacks


def test_an_edited_attestation_is_found(version: Workbench) -> None:
    """Attack: turn a failed scan into one that passed."""
    version.do("attest", "fraud@1.0.0", "review", "-m", "x", "--result", "failed")
    path = f"{DIRECTORY}/review-1.yaml"
    text = (version.path / path).read_text()
    version.commit_file(path, text.replace("failed", "passed").encode())
    assert version.verify()[0] == 4
    code, problems = version.verify("--history", "--full")
    assert code == 4
    assert {"E_APPEND_ONLY", "E_DOCUMENT_DIGEST"} <= set(problems)
    [shown] = version.do("show", "fraud@1.0.0")["attestations"]
    assert shown["problem"]
    assert shown["role"] is None


def test_a_deleted_attestation_is_found(version: Workbench) -> None:
    """Attack: make a failed review disappear."""
    version.do("attest", "fraud@1.0.0", "review", "-m", "x", "--result", "failed")
    version.git("rm", "-qr", DIRECTORY)
    version.git("commit", "-qm", "hand")
    assert "E_APPEND_ONLY" in version.verify("--history")[1]


def test_an_attestation_of_another_version_does_not_count(version: Workbench) -> None:
    """Attack: copy a good scan, signature and all, to another version."""
    version.do("attest", "fraud@1.0.0", "scan")
    version.register(version="1.1.0")
    _plant(version, _files(version, "scan-1"), DIRECTORY.replace("1.0.0", "1.1.0"))
    for args in ((), ("--history", "--full")):
        code, problems = version.verify(*args)
        assert code == 4
        assert "E_OTHER_PATH" in problems


def test_an_attestation_cannot_be_replayed_under_the_next_number(
    version: Workbench,
) -> None:
    """Attack: let an old good scan follow a newer bad one."""
    version.do("attest", "fraud@1.0.0", "review", "-m", "x")
    version.do("attest", "fraud@1.0.0", "review", "-m", "x", "--result", "failed")
    first = _files(version, "review-1")
    _plant(version, {name.replace("1", "3", 1): first[name] for name in first})
    assert version.verify()[0] == 4
    assert "E_OTHER_PATH" in version.verify("--history", "--full")[1]


def test_an_attestation_by_someone_without_the_role_is_found(
    version: Workbench,
) -> None:
    """Attack: a promoter attests, in a registry where they were an auditor."""
    bob = _person(version, "bob", "promoter", "auditor")
    fork = version.copy(version.outside / "fork")
    version.do("policy", "revoke", "bob", "auditor")
    args = ("attest", "fraud@1.0.0", "scan")
    assert _as(fork, bob, *args).code == 0
    _plant(version, _files(fork, "scan-1"))
    code, problems = version.verify("--history", "--full")
    assert code == 4
    assert "E_OTHER_POLICY" in problems
    assert version.verify()[0] == 4


def test_a_scan_that_a_stranger_signed_is_found(version: Workbench) -> None:
    """Attack: sign a scan with a key that nobody knows."""
    fork = version.copy(version.outside / "fork")
    eve = _person(fork, "eve", "auditor")
    assert _as(fork, eve, "attest", "fraud@1.0.0", "scan").code == 0
    _plant(version, _files(fork, "scan-1"))
    code, problems = version.verify("--history", "--full")
    assert code == 4
    assert "E_UNTRUSTED_KEY" in problems


def test_numbers_cannot_be_skipped(version: Workbench) -> None:
    """Attack: leave a gap, as if one had been there."""
    fork = version.copy(version.outside / "fork")
    for _ in range(2):
        fork.do("attest", "fraud@1.0.0", "review", "-m", "x")
    _plant(version, _files(fork, "review-2"))
    assert "E_ATTESTATION" in version.verify()[1]
    assert "E_ATTESTATION" in version.verify("--history", "--full")[1]


def test_an_unsigned_attestation_is_found(version: Workbench) -> None:
    """Attack: forge a scan, and sign nothing."""
    fork = version.copy(version.outside / "fork")
    fork.do("attest", "fraud@1.0.0", "scan")
    path = f"{DIRECTORY}/scan-1.yaml"
    version.commit_file(path, (fork.path / path).read_bytes())
    for args in ((), ("--history", "--full")):
        assert "E_UNSIGNED" in version.verify(*args)[1]


def test_an_attestation_under_any_other_name_is_foreign(version: Workbench) -> None:
    version.commit_file(f"{DIRECTORY}/scan.yaml", b"kind: Attestation\n")
    assert "E_EXTRA_FILE" in version.verify("--history")[1]
