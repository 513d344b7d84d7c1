"""Attacks on the record of an incident, by whoever would rather not have one."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from gitmodel.adapters.signing import keys
from gitmodel.domain.digest import Digest
from tests.support.forgery import Forged, forge_move, signed
from tests.support.incidents import closed, forge_entry, opened
from tests.support.quarantined import enrol
from tests.support.refusals import found_by_verify, nothing_acts_on, refused
from tests.support.signing import a_signer

if TYPE_CHECKING:
    from collections.abc import Callable

    from tests.support.served import Served
    from tests.support.workbench import Workbench

OTHER = str(Digest("1" * 64))
FIRST = "incidents/INC-1/1.yaml"
ACTS = (
    ("incident", "note", "INC-1", "-m", "x"),
    ("incident", "close", "INC-1", "--root-cause", "x", "--fixed-in", "4f0c2b9"),
    ("incident", "show", "INC-1"),
    ("incident", "bundle", "INC-1", "-o", "/nonexistent/e.tar"),
)


def test_what_the_tests_forge_is_right_but_for_what_they_change(
    stocked: Workbench,
) -> None:
    for entry in ("opened", "note", "closed", "note", "reopened", "closed"):
        forge_entry(stocked, entry)
    assert stocked.verify("--history", "--full") == (0, [])
    assert stocked.verify() == (0, [])
    assert stocked.do("incident", "show", "INC-1")["state"] == "closed"


#: What an entry after ``opened`` is besides the truth → what verify says of it.
FORGED: dict[str, tuple[dict[str, Any], str]] = {
    "closed-without-a-root-cause": (
        {"entry": "closed", "rootCause": "dropped"}, "E_SCHEMA"),
    "closed-with-an-empty-root-cause": (
        {"entry": "closed", "rootCause": ""}, "E_SCHEMA"),
    "closed-without-a-fix": ({"entry": "closed", "fixedIn": "dropped"}, "E_SCHEMA"),
    "fixed-in-what-is-not-there": (
        {"entry": "closed", "fixedIn": "fraud@9.9.9"}, "E_INCIDENT"),
    "fixed-in-nothing": ({"entry": "closed", "fixedIn": "soon"}, "E_INCIDENT"),
    "opened-twice": ({"entry": "opened"}, "E_INCIDENT"),
    "opened-again-while-open": ({"entry": "reopened"}, "E_INCIDENT"),
    "inserted": ({"entry": "note", "number": 3}, "E_INCIDENT"),
    "inserted-where-it-says": (
        {"entry": "note", "number": 3, "place": ("INC-1", 3)}, "E_INCIDENT"),
    "no-predecessor": ({"entry": "note", "prior": None}, "E_INCIDENT"),
    "another-predecessor": ({"entry": "note", "prior": OTHER}, "E_INCIDENT"),
    "of-another-incident": ({"entry": "note", "incident": "INC-2"}, "E_INCIDENT"),
    "unsigned": ({"entry": "note", "sign": False}, "E_UNSIGNED"),
    "by-somebody-else": ({"entry": "note", "createdBy": "bob"}, "E_UNSIGNED"),
    "by-nobody": ({"entry": "note", "signer": a_signer()}, "E_UNTRUSTED_KEY"),
    "in-a-role-without-a-say": (
        {"entry": "note", "said": Forged(kind="incident", role="root")}, "E_UNSIGNED"),
    "closed-by-a-witness": (
        {"entry": "closed", "said": Forged(kind="incident", role="publisher")},
        "E_UNSIGNED"),
    "a-refusal-of-it": (
        {"entry": "note",
         "said": Forged(kind="incident", role="auditor", decision="reject")},
        "E_UNSIGNED"),
    "signed-as-something-else": (
        {"entry": "note", "said": Forged(kind="access-review", role="auditor")},
        "E_PREDICATE"),
    "signed-for-another-place": (
        {"entry": "note", "said": Forged(kind="incident", role="auditor",
                                         subject="incidents/INC-2/1.yaml")},
        "E_OTHER_PATH"),
}  # fmt: skip


@pytest.mark.parametrize("name", FORGED)
def test_a_forged_entry_is_found(bench: Workbench, name: str) -> None:
    opened(bench)
    fields, code = FORGED[name]
    forge_entry(bench, **fields)
    assert code in found_by_verify(bench, "--history", "--full")
    assert code in found_by_verify(bench, "--no-bytes")
    if fields.get("place") is None:
        nothing_acts_on(bench, ACTS[0])


def test_an_entry_by_another_policy_than_was_in_force_is_found(
    bench: Workbench,
) -> None:
    opened(bench)
    forge_entry(bench, "note", policy=OTHER)
    assert "E_OTHER_POLICY" in found_by_verify(bench, "--history", "--full")


def test_an_incident_does_not_begin_with_its_end(bench: Workbench) -> None:
    forge_entry(bench, "note")
    assert "E_INCIDENT" in found_by_verify(bench, "--history", "--full")
    assert "E_INCIDENT" in found_by_verify(bench, "--no-bytes")


def test_closing_early_by_hand_is_found(stocked: Workbench) -> None:
    """Attack: a responder closes while the suspect is live, past every command."""
    opened(stocked)
    stocked.do("rollback", "fraud", "staging", "-m", "x", "--incident", "INC-1")
    forge_entry(stocked, "closed")
    found = {"E_INCIDENT_UNFINISHED"}
    assert found_by_verify(stocked, "--history", "--full") == found
    stocked.git("reset", "-q", "--hard", "HEAD~1")
    # From what was verified before, logs are read when they are needed.
    assert stocked.verify("--history") == (0, [])
    forge_entry(stocked, "closed")
    assert found_by_verify(stocked, "--history") == found
    stocked.git("reset", "-q", "--hard", "HEAD~1")
    stocked.do("rollback", "fraud", "dev", "-m", "x")
    forge_entry(stocked, "closed", fixedIn="fraud@1.1.0")
    assert found_by_verify(stocked, "--history", "--full") == found
    stocked.git("reset", "-q", "--hard", "HEAD~1")
    forge_entry(stocked, "closed")
    assert stocked.verify("--history", "--full") == (0, [])


def test_what_is_closed_is_not_closed_again(stocked: Workbench) -> None:
    opened(stocked)
    closed(stocked)
    forge_entry(stocked, "closed")
    assert "E_INCIDENT" in found_by_verify(stocked, "--history", "--full")
    nothing_acts_on(stocked, *ACTS)


def test_an_incident_named_like_no_directory_is_found(bench: Workbench) -> None:
    for incident in ("a..b", "x.lock"):
        forge_entry(bench, "opened", incident=incident, place=(incident, 1))
        found = found_by_verify(bench, "--history", "--full")
        assert {"E_NAME", "E_SCHEMA"} & found
        bench.git("reset", "-q", "--hard", "HEAD~1")
        bench.git("clean", "-qfd")


def _edit(bench: Workbench) -> None:
    text = (bench.path / FIRST).read_text()
    bench.commit_file(FIRST, text.replace("recall fell", "a drill").encode())


def _delete_the_last(bench: Workbench) -> None:
    bench.git("rm", "-q", *bench.git("ls-files", "incidents/INC-1/2.*").split())
    bench.git("commit", "-qm", "hand")


def _delete_all(bench: Workbench) -> None:
    bench.git("rm", "-qr", "incidents")
    bench.git("commit", "-qm", "hand")


def _rename(bench: Workbench) -> None:
    bench.git("mv", "incidents/INC-1", "incidents/INC-2")
    bench.git("commit", "-qm", "hand")


def _unsign(bench: Workbench) -> None:
    [signature] = bench.git("ls-files", f"{FIRST}.*").split()
    bench.commit_file(signature, None)


@pytest.mark.parametrize("tamper", [_edit, _delete_the_last, _delete_all, _rename,
                                    _unsign])  # fmt: skip
def test_no_entry_is_ever_changed_or_taken_away(
    bench: Workbench, tamper: Callable[[Workbench], None]
) -> None:
    opened(bench)
    bench.do("incident", "note", "INC-1", "-m", "it was mallory")
    tamper(bench)
    assert "E_APPEND_ONLY" in found_by_verify(bench, "--history", "--full")
    assert found_by_verify(bench, "--no-bytes")


def test_an_entry_of_one_incident_cannot_be_put_into_another(
    bench: Workbench,
) -> None:
    opened(bench)
    for file in (bench.path / "incidents/INC-1").iterdir():
        bench.commit_file(f"incidents/INC-2/{file.name}", file.read_bytes())
    found = found_by_verify(bench, "--history", "--full")
    assert {"E_OTHER_PATH", "E_INCIDENT"} <= found
    refused(bench, "incident", "note", "INC-2", "-m", "x", code=4)


def test_who_has_left_writes_no_more(bench: Workbench) -> None:
    """Attack: with the old key, and by the policy that still had its owner."""
    erin = enrol(bench, "erin", "responder")
    policy = bench.do("policy", "show")["digest"]
    opened(bench)
    bench.do("policy", "remove-principal", "erin")
    said = Forged(kind="incident", role="responder", policy=Digest.parse(policy))
    signer = keys.load(erin, lambda: None)
    forge_entry(bench, "note", said=said, signer=signer, createdBy="erin",
                policy=policy)  # fmt: skip
    assert found_by_verify(bench, "--history", "--full")
    assert "E_OTHER_POLICY" in found_by_verify(bench, "--no-bytes")


def test_a_later_signature_adds_nothing(bench: Workbench) -> None:
    """Attack: sign somebody's entry afterwards, so that it looks like agreement."""
    opened(bench)
    erin = enrol(bench, "erin", "responder")
    path = bench.path / FIRST
    digest = Digest.parse(bench.do("policy", "show")["digest"])
    said = Forged(kind="incident", role="responder", policy=digest)
    signer = keys.load(erin, lambda: None)
    for name, data in signed(bench, FIRST, path.read_bytes(), said, signer).items():
        if name != FIRST:
            bench.commit_file(name, data)
    assert "E_EXTRA_FILE" in found_by_verify(bench, "--history", "--full")


def test_a_rollback_cannot_be_hidden_from_its_incident(story: Workbench) -> None:
    """Attack: write over the transition, so that no incident is named."""
    path = "log/staging/fraud/3.yaml"
    text = (story.path / path).read_text()
    assert "incident: I-1" in text
    story.commit_file(path, text.replace("incident: I-1", "incident: I-2").encode())
    assert "E_APPEND_ONLY" in found_by_verify(story, "--history", "--full")
    story.do("incident", "open", "I-1", "-m", "x")
    fix = ("--root-cause", "x", "--fixed-in", "4f0c2b9")
    shown = story.do("incident", "show", "I-1")
    assert [event["action"] for event in shown["events"]] == ["incident"]
    # Closing is refused where the log of a suspect is broken.
    refused(story, "incident", "close", "I-2", *fix, code=1)


def test_closing_does_not_trust_a_log_that_was_tampered_with(
    stocked: Workbench,
) -> None:
    """Attack: hide where the suspect is live by a forged log of that stage."""
    opened(stocked)
    stocked.do("rollback", "fraud", "staging", "-m", "x", "--incident", "INC-1")
    forge_move(stocked, "dev", "fraud", "2.0.0", signer=a_signer())
    fix = ("--root-cause", "x", "--fixed-in", "4f0c2b9")
    refused(stocked, "incident", "close", "INC-1", *fix, code=4)


def test_a_server_takes_no_forged_entry(served: Served) -> None:
    opened(served.ours)
    served.lands("main")
    forge_entry(served.ours, "closed", rootCause="dropped")
    served.refuses("main", codes={"E_SCHEMA"})
