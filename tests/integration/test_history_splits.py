"""Wherever a verification goes on from, it says what one that begins at the root says.

A clone, and a server, remember how far they have judged. What counts from before, such
as what is held, in quarantine, or said of an incident, is then read from that commit
and not from its steps: both must come to the same.
"""

from __future__ import annotations

import shutil
from typing import TYPE_CHECKING, Any

import pytest

from gitmodel.adapters.clock import SystemClock
from gitmodel.adapters.signing import keys
from gitmodel.domain.digest import Digest
from gitmodel.operations.verification.findings import Findings
from gitmodel.operations.verification.history import judge_line
from gitmodel.registry import layout
from gitmodel.registry.handle import Context, RegistryHandle
from gitmodel.registry.keys import KeyChoice
from gitmodel.registry.steps import line_to
from tests.support.forgery import (
    Forged,
    commit_files,
    document_at,
    forge_move,
    signature,
    signed,
)
from tests.support.incidents import forge_entry
from tests.support.isolation import isolate
from tests.support.quarantined import ask_two_to_lift, enrol, lift
from tests.support.workbench import Workbench, unpack

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

ALARM = ("--emergency", "--incident", "INC-1", "-m", "trojaned", "--yes")


@pytest.fixture(scope="module")
def night(stock: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Make a registry in which everything of an incident has happened once."""
    root = tmp_path_factory.mktemp("night")
    with pytest.MonkeyPatch.context() as patch:
        isolate(patch, root / "home")
        _live_through(unpack(stock, root / "home", root))
    return root


def _live_through(bench: Workbench) -> None:
    bob, carol = (enrol(bench, name, "approver") for name in ("bob", "carol"))
    ask_two_to_lift(bench)
    bench.promote("fraud@2.0.0", "dev", "staging")
    bench.do("rollback", "fraud", "staging", *ALARM)
    bench.do("--key", bob, "approve", "fraud#staging", "-m", "seen")
    lift(bench, "fraud@2.0.0")
    bench.do("policy", "require", "staging", "--rollback-approvals", "1",
             "--rollback-review", "after")  # fmt: skip
    bench.do("rollback", "fraud", "staging", "-m", "slow", "--incident", "INC-1")
    bench.do("hold", "release", "fraud@1.1.0", "staging", "-m", "was not it")
    bench.promote("fraud@1.1.0", "staging")
    lift(bench, "fraud@2.0.0")
    bench.do("--key", carol, "quarantine", "--lift", "fraud@2.0.0", "-m", "harmless")
    bench.do("quarantine", "churn@1.0.0", "-m", "x")
    bench.do("rollback", "fraud", "dev", "-m", "x")
    bench.do("incident", "close", "INC-1", "--root-cause", "x", "--fixed-in", "4f0c2b9")
    bench.do("policy", "revoke", "bob", "approver")
    lift(bench, "churn@1.0.0")


@pytest.fixture
def lived(night: Path, home: Path, tmp_path: Path) -> Workbench:
    """Return that registry."""
    bench = unpack(night, home, tmp_path)
    shutil.copytree(night / "outside", bench.outside, dirs_exist_ok=True)
    return bench


def _policy(bench: Workbench) -> Digest:
    return Digest.parse(bench.do("policy", "show")["digest"])


def _move(bench: Workbench, stage: str, version: str, model: str = "fraud") -> None:
    policy = _policy(bench)
    forge_move(bench, stage, model, version, said=Forged(policy=policy),
               policy=str(policy))  # fmt: skip


def _late(bench: Workbench, path: str, name: str, **said: Any) -> None:
    """Commit a further signature of a document that was there before."""
    key = keys.load(bench.outside / name, lambda: None)
    data = (bench.path / path).read_bytes()
    policy = said.pop("policy", _policy(bench))
    bundle = signature(bench, key, path, data, Forged(policy=policy, **said))
    commit_files(bench, {layout.signature_path(path, key.keyid): bundle.to_bytes()})


def _emergency(bench: Workbench) -> None:
    policy = _policy(bench)
    said = Forged(role="responder", policy=policy)
    forge_move(bench, "dev", "fraud", "1.0.0", said=said, action="rollback",
               emergency=True, incident="INC-9", policy=str(policy))  # fmt: skip


def _release(bench: Workbench) -> None:
    """Release the same rollback again, under a number that promoted something."""
    path = layout.hold_release_path("staging", "fraud", 5)
    policy = _policy(bench)
    document = document_at(bench, path) | {"seq": 6, "policy": str(policy)}
    said = Forged(kind="hold-release", role="responder", policy=policy)
    at = layout.hold_release_path("staging", "fraud", 6)
    commit_files(bench, signed(bench, at, document, said))


def _entry(bench: Workbench, kind: str) -> None:
    policy = _policy(bench)
    said = Forged(kind="incident", role="responder", policy=policy)
    forge_entry(bench, kind, said=said, policy=str(policy))


def _reopened_and_closed(bench: Workbench) -> None:
    bench.do("incident", "reopen", "INC-1", "-m", "x")
    bench.do("rollback", "fraud", "staging", "-m", "x", "--incident", "INC-1")
    bench.do("hold", "release", "fraud@2.0.0", "staging", "-m", "it must return")
    bench.do("rollback", "fraud", "staging", "--to", "1.1.0", "-m", "as it was")
    _entry(bench, "closed")


#: What somebody does at the end → what history says of it.
ENDS: dict[str, tuple[Callable[[Workbench], None], set[str]]] = {
    "nothing": (lambda _: None, set()),
    "what-is-held-comes-back": (
        lambda bench: _move(bench, "dev", "2.0.0"), {"E_HELD"}),
    "what-is-in-quarantine-moves": (
        lambda bench: _move(bench, "staging", "1.0.0", "churn"), {"E_QUARANTINED"}),
    "an-emergency-without-its-incident": (_emergency, {"E_INCIDENT"}),
    "a-release-of-a-promotion": (_release, {"E_HOLD_RELEASE"}),
    "closed-twice": (lambda bench: _entry(bench, "closed"), {"E_INCIDENT"}),
    "opened-twice": (lambda bench: _entry(bench, "opened"), {"E_INCIDENT"}),
    "closed-while-the-suspect-is-live": (
        _reopened_and_closed, {"E_INCIDENT_UNFINISHED"}),
    "approved-late-by-who-may-no-more": (
        lambda bench: _late(bench, layout.transition_path("staging", "fraud", 5),
                            "bob", role="approver"),
        {"E_ROLE"}),
    "a-promotion-of-old-signed-again": (
        lambda bench: _late(bench, layout.transition_path("staging", "fraud", 3),
                            "carol", role="approver"),
        {"E_EXTRA_FILE"}),
    "a-lift-of-old-signed-again": (
        lambda bench: _late(bench, layout.quarantine_path(3), "bob",
                            kind="quarantine", role="approver"),
        {"E_EXTRA_FILE"}),
    "a-lift-signed-by-who-may-no-more": (
        lambda bench: _late(bench, layout.quarantine_path(5), "bob",
                            kind="quarantine", role="approver"),
        {"E_ROLE"}),
}  # fmt: skip


@pytest.mark.parametrize("end", ENDS)
def test_it_does_not_matter_where_it_goes_on_from(lived: Workbench, end: str) -> None:
    act, expected = ENDS[end]
    act(lived)
    context = Context(clock=SystemClock(), keys=KeyChoice(ask=lambda _: None))
    handle = RegistryHandle.open(lived.path, context)
    try:
        tip = lived.git("rev-parse", "HEAD")
        line = [commit for commit, _ in line_to(handle.repository, tip, None)]
        assert _found(handle, tip, None) == expected
        for base in line[:-6:2] if expected else line[:-1]:
            assert _found(handle, tip, base) == expected, lived.git("log", "-1", base)
    finally:
        handle.close()


def _found(handle: RegistryHandle, tip: str, after: str | None) -> set[str]:
    findings = Findings()
    judge_line(handle, findings, line_to(handle.repository, tip, after), after)
    return {problem.code for problem in findings.problems}
