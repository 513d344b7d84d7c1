"""A key was stolen, and revoked: what the thief can still do with it, and git.

The past is not changed and no push is forced; only the order is another.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from tests.support.cli import gitmodel
from tests.support.refusals import found_by_verify
from tests.support.remotes import clone

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from tests.support.workbench import Workbench


@pytest.fixture
def bob(bench: Workbench) -> Path:
    """Bob's key, a promoter's, in a registry with two versions."""
    key = bench.outside / "bob"
    assert gitmodel("key", "new", "--out", key).code == 0
    bench.do("policy", "add-principal", "bob", "--key", f"{key}.pub",
             "--role", "promoter")  # fmt: skip
    bench.register(version="1.0.0")
    bench.register(version="1.1.0")
    bench.promote("fraud@1.0.0", "dev")
    return key


@pytest.fixture
def thief(bench: Workbench, bob: Path, tmp_path: Path) -> Workbench:
    """Return a clone of before bob was removed, with a promotion by his key in it."""
    thief = bench.copy(tmp_path / "thief")
    done = gitmodel("--key", bob, "promote", "fraud@1.1.0", "dev", cwd=thief.path)
    assert done.code == 0
    return thief


def _take_in(thief: Workbench, bench: Workbench) -> None:
    """Merge the main line into the thief's own, so that the theft comes first."""
    thief.git("fetch", "-q", str(bench.path), "main")
    thief.git("merge", "-q", "--no-ff", "--no-edit", "FETCH_HEAD")


def _in_one_merge(thief: Workbench, bench: Workbench) -> None:
    _take_in(thief, bench)


def _through_another_merge(thief: Workbench, bench: Workbench) -> None:
    """Let the revocation come from a merge that knows the theft already."""
    theft = thief.git("rev-parse", "HEAD")
    thief.git("fetch", "-q", str(bench.path), "main")
    thief.git("switch", "-q", "--detach", "FETCH_HEAD")
    thief.git("merge", "-q", "--no-ff", "--no-edit", theft)
    other = thief.git("rev-parse", "HEAD")
    thief.git("switch", "-q", "main")
    thief.git("merge", "-q", "--no-ff", "--no-edit", other)


def _with_a_copy_of_the_revocation(thief: Workbench, bench: Workbench) -> None:
    """Revoke bob oneself, byte for byte, only later."""
    thief.git("fetch", "-q", str(bench.path), "main")
    thief.git("cherry-pick", "FETCH_HEAD")
    _take_in(thief, bench)


@pytest.mark.parametrize(
    "how", [_in_one_merge, _through_another_merge, _with_a_copy_of_the_revocation]
)
def test_a_theft_that_is_merged_in_before_the_revocation(
    bench: Workbench,
    thief: Workbench,
    tmp_path: Path,
    how: Callable[[Workbench, Workbench], None],
) -> None:
    bench.do("policy", "remove-principal", "bob")
    how(thief, bench)
    bench.git("pull", "-q", "--ff-only", str(thief.path), "main")  # no force
    assert "E_UNTRUSTED_KEY" in found_by_verify(bench, "--history", "--no-bytes")
    fresh = clone(bench.path, tmp_path / "fresh", bench.outside)
    for options in (("--history",), ("--full", "--no-bytes")):
        assert "E_UNTRUSTED_KEY" in found_by_verify(fresh, *options)


def test_a_role_that_was_taken_away_beside_the_line(
    bench: Workbench, thief: Workbench
) -> None:
    bench.do("policy", "revoke", "bob", "promoter")
    _take_in(thief, bench)
    assert "E_ROLE" in found_by_verify(thief, "--history", "--full")


def test_two_who_work_at_once_and_merge_in_good_faith(
    bench: Workbench, thief: Workbench
) -> None:
    """Bob is no thief here: he had not pushed when ada gave him a role, and merges."""
    bench.do("policy", "grant", "bob", "publisher")
    _take_in(thief, bench)
    assert thief.verify("--history", "--full") == (0, [])


def test_a_policy_on_a_branch_that_is_merged_later(bench: Workbench, bob: Path) -> None:
    bench.git("switch", "-qc", "proposal")
    bench.do("policy", "grant", "bob", "publisher")
    bench.git("switch", "-q", "main")
    done = gitmodel("--key", bob, "promote", "fraud@1.1.0", "dev", cwd=bench.path)
    assert done.code == 0
    bench.git("merge", "-q", "--no-ff", "--no-edit", "proposal")
    assert bench.verify("--history", "--full") == (0, [])
