"""Attacks on what takes more than one: thresholds, requests, names of branches, words.

Numbers are those of the catalogue in docs/threat-model.md.
"""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from gitmodel.domain.digest import Digest
from gitmodel.formats import yaml_writer
from tests.support.forgery import (
    Forged,
    commit_files,
    digest_at,
    document_at,
    forge_move,
    owner_key,
    pin_of,
    signed,
)
from tests.support.refusals import found_by_verify, nothing_acts_on, refused
from tests.support.signing import a_signer

if TYPE_CHECKING:
    from collections.abc import Sequence

    from gitmodel.adapters.signing.keys import FileSigner
    from tests.support.workbench import Workbench

ACTS = (
    ("promote", "fraud@1.1.0", "production"),
    ("rollback", "fraud", "staging", "-m", "x"),
)
PIN = "stages/staging/fraud.yaml"


def _policy(bench: Workbench, **changes: Any) -> dict[str, Any]:
    """Return the next policy, so far like the newest but for ``changes``."""
    paths = (bench.path / ".gitmodel/policy").glob("*.yaml")
    newest = max(int(path.stem) for path in paths)
    path = f".gitmodel/policy/{newest}.yaml"
    prior = str(digest_at(bench, path))
    return document_at(bench, path) | {
        "version": newest + 1, "prior": prior, **changes
    }  # fmt: skip


def _enact(
    bench: Workbench, document: dict[str, Any], signers: Sequence[FileSigner]
) -> None:
    """Commit a policy with the signatures of these keys, as roots."""
    data = yaml_writer.dump(document)
    path = f".gitmodel/policy/{document['version']}.yaml"
    said = Forged(kind="policy", role="root", policy=Digest.of(data))
    files: dict[str, bytes | None] = {path: data}
    for signer in signers:
        files |= signed(bench, path, data, said, signer)
    commit_files(bench, files)


def _principal(signer: FileSigner) -> dict[str, Any]:
    return {"keys": [{"keyid": signer.keyid, "public": signer.public}]}


@pytest.fixture
def bob(stocked: Workbench) -> FileSigner:
    """Return the second of two roots, both of whom every policy takes from now on."""
    bob = a_signer()
    document = _policy(stocked)
    document["principals"]["bob"] = _principal(bob)
    document["roles"]["root"] = {"members": ["ada", "bob"], "threshold": 2}
    _enact(stocked, document, [owner_key(stocked), bob])
    assert stocked.verify("--history") == (0, [])
    return bob


def test_039_two_roots_are_two(stocked: Workbench, bob: FileSigner) -> None:
    _enact(stocked, _policy(stocked), [owner_key(stocked), bob])
    assert stocked.verify("--history") == (0, [])


@pytest.mark.parametrize("thief", ["ada", "bob"])
def test_039_one_of_two_roots_makes_no_policy(
    stocked: Workbench, bob: FileSigner, thief: str
) -> None:
    """One root key is stolen: it lets itself rule alone, by a policy of its own."""
    key = bob if thief == "bob" else owner_key(stocked)
    alone = _policy(stocked)
    alone["roles"]["root"] = {"members": [thief], "threshold": 1}
    _enact(stocked, alone, [key])
    for options in ((), ("--history",), ("--full", "--no-bytes")):
        assert "E_THRESHOLD" in found_by_verify(stocked, *options)
    nothing_acts_on(stocked, *ACTS)


def test_039_new_roots_do_not_sign_themselves_in(
    stocked: Workbench, bob: FileSigner
) -> None:
    """Attack: enough signatures, by those whom only the new policy calls roots."""
    eve, mallory = a_signer(), a_signer()
    theirs = _policy(stocked)
    theirs["principals"] |= {"eve": _principal(eve), "mallory": _principal(mallory)}
    theirs["roles"]["root"] = {"members": ["eve", "mallory"], "threshold": 2}
    _enact(stocked, theirs, [eve, mallory, bob])
    assert "E_THRESHOLD" in found_by_verify(stocked, "--history")
    nothing_acts_on(stocked, *ACTS)


def test_037_one_key_under_two_names_is_no_policy(stocked: Workbench) -> None:
    """Attack: whoever has two names could meet a threshold of two."""
    ada = owner_key(stocked)
    twice = _policy(stocked)
    twice["principals"]["adam"] = _principal(ada)
    twice["roles"]["root"] = {"members": ["ada", "adam"], "threshold": 2}
    _enact(stocked, twice, [ada])
    assert "E_KEY_SHARED_BY_PRINCIPALS" in found_by_verify(stocked, "--history")
    nothing_acts_on(stocked, *ACTS)


def test_037_one_key_twice_in_one_name_is_one(stocked: Workbench) -> None:
    ada = owner_key(stocked)
    twice = _policy(stocked)
    twice["principals"]["ada"]["keys"] *= 2
    twice["roles"]["root"] = {"members": ["ada"], "threshold": 2}
    _enact(stocked, twice, [ada])
    assert found_by_verify(stocked, "--history") == {"E_POLICY", "E_SCHEMA"}
    nothing_acts_on(stocked, *ACTS)


def test_047_a_branch_whose_name_is_that_of_another_ref(stocked: Workbench) -> None:
    """Names that git's own commands, given them short, take for the main line."""
    good = stocked.git("rev-parse", "HEAD")
    pin = pin_of(stocked, "staging", "fraud", "2.0.0")
    evil = stocked.commit_file(PIN, pin)
    stocked.git("reset", "-q", "--hard", good)
    for ref in ("refs/heads/refs/heads/main", "refs/heads/HEAD", "refs/tags/main",
                "refs/tags/HEAD", "refs/remotes/main/HEAD"):  # fmt: skip
        stocked.git("update-ref", ref, evil)
    assert stocked.live("fraud", "staging") == "1.1.0"
    assert stocked.verify("--history") == (0, [])
    stocked.promote("fraud@2.0.0", "dev")
    assert stocked.git("rev-parse", "refs/heads/main~1") == good
    assert stocked.git("rev-parse", "refs/heads/refs/heads/main") == evil


def test_047_a_request_that_is_of_another_stage(stocked: Workbench) -> None:
    """Attack: what is next in staging, on the branch of a request to production."""
    last = str(digest_at(stocked, "log/staging/fraud/2.yaml"))
    origin = document_at(stocked, "log/staging/fraud/2.yaml")["to"]
    stocked.git("switch", "-qc", "request/production/fraud/3")
    pin = pin_of(stocked, "staging", "fraud", "1.0.0")
    forge_move(
        stocked, "production", "fraud", "1.0.0", pin=pin,
        stage_="staging", seq=3, prior=last, from_=origin, requester="ada",
    )  # fmt: skip
    stocked.commit_file(PIN, pin)
    stocked.git("switch", "-q", "main")
    before = stocked.snapshot()
    finalize = ("promote", "--finalize", "request/production/fraud/3")
    assert refused(stocked, *finalize, code=4)["code"] == "E_TRANSITION_PATH"
    assert stocked.snapshot() == before


def test_048_two_moves_from_the_same_place_merged_in_turn(stocked: Workbench) -> None:
    base = stocked.git("rev-parse", "HEAD")
    forge_move(stocked, "staging", "fraud", "1.0.0")
    stocked.git("switch", "-qc", "late", base)
    forge_move(stocked, "staging", "fraud", "1.0.0", reason="the other one")
    stocked.git("switch", "-q", "main")
    stocked.git("merge", "-q", "--no-edit", "-X", "theirs", "late")
    assert "E_APPEND_ONLY" in found_by_verify(stocked)
    assert "E_APPEND_ONLY" in found_by_verify(stocked, "--history")


WORDS = (
    "$(touch ran)",
    "`touch ran`",
    "; touch ran #",
    "x\n\nGitmodel-Principal: eve\nThis reverts commit " + "0" * 40,
    "--upload-pack=touch ran",
)


@pytest.mark.parametrize("words", WORDS)
def test_051_words_are_never_run_nor_taken_for_records(
    bench: Workbench, words: str
) -> None:
    """Texts that somebody else wrote, on their way through git, logs and terminals."""
    file = bench.file("m.bin", b"x")
    for version in ("1.0.0", "1.1.0"):
        file.write_bytes(version.encode())
        bench.do("register", "fraud", file, "--version", version, "--no-capture",
                 "--description", words, "-m", words)  # fmt: skip
        assert bench.run("promote", f"fraud@{version}", "dev", "-m", words).code == 0
    bench.do("rollback", "fraud", "dev", f"--message={words}")
    for command in (("log",), ("show", "fraud"), ("list",), ("diff", "fraud@1.0.0",
                    "fraud@1.1.0"), ("check",)):  # fmt: skip
        assert "Traceback" not in bench.run(*command).err
    events = bench.do("log", "fraud")["events"]
    assert {event["actor"] for event in events} == {"ada"}
    assert bench.verify("--history") == (0, [])
    for place in (bench.path, bench.outside, Path.cwd()):
        assert not (place / "ran").exists()
