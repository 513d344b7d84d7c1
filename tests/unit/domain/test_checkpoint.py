"""What a checkpoint says of time and of other checkpoints, in plain cases."""

from __future__ import annotations

import dataclasses
from datetime import UTC, datetime, timedelta

import pytest

from gitmodel.domain.checkpoint import Checkpoint
from gitmodel.domain.digest import Digest

NOON = datetime(2026, 3, 1, 12, tzinfo=UTC)
HERE = Checkpoint(
    registry=Digest.of(b"registry"),
    seq=7,
    prior=None,
    commit="a" * 40,
    tree=Digest.of(b"tree"),
    policy=Digest.of(b"policy"),
    created_at="2026-03-01T12:00:00Z",
    expires_at="2026-03-08T12:00:00Z",
    chains=(),
)


@pytest.mark.parametrize(
    ("days", "max_age", "says"),
    [
        (7, None, None),
        (8, None, "expired at 2026-03-08T12:00:00Z"),
        (3, 3, None),
        (4, 3, "of 2026-03-01T12:00:00Z, older than you allow"),
        (8, 30, "expired"),
    ],
)
def test_it_says_why_it_is_stale(
    days: int, max_age: int | None, says: str | None
) -> None:
    allowed = None if max_age is None else timedelta(days=max_age)
    problems = HERE.staleness(NOON + timedelta(days=days), allowed)
    assert [problem.code for problem in problems] == ([] if says is None else
                                                      ["E_FROZEN"])  # fmt: skip
    assert all(str(says) in problem.message for problem in problems)


@pytest.mark.parametrize(
    ("change", "contradicts"),
    [
        ({"commit": "b" * 40}, True),
        ({"commit": "b" * 40, "seq": 8}, False),
        ({"commit": "b" * 40, "registry": Digest.of(b"other")}, False),
        ({"tree": Digest.of(b"other")}, False),
    ],
)
def test_one_place_in_one_registry_is_one_commit(
    change: dict[str, object], *, contradicts: bool
) -> None:
    other = dataclasses.replace(HERE, **change)  # type: ignore[arg-type]
    found = HERE.equivocations([other])
    assert [problem.code for problem in found] == ["E_EQUIVOCATION"] * contradicts
    if contradicts:
        assert "a" * 12 in found[0].message
        assert "b" * 12 in found[0].message
