"""Direct approvals and those that a forge reports, counted side by side."""

from __future__ import annotations

import pytest

from gitmodel.domain.quorum import Quorum, Voice, count, shortfall

ASKED = (Quorum(role="approver", threshold=2, direct=1),)


def signed(who: str, role: str = "approver") -> Voice:
    return Voice(who, role)


def reviewed(who: str, role: str = "approver") -> Voice:
    return Voice(who, role, direct=False)


@pytest.mark.parametrize(
    ("voices", "lacking", "words"),
    [
        ([], 2, "0 count, 0 of them direct"),
        ([signed("bob")], 1, "1 count"),
        ([reviewed("bob")], 1, "1 count, 0 of them direct"),
        ([reviewed("bob"), reviewed("carol")], 1, "2 count, 0 of them direct"),
        ([reviewed("bob"), signed("bob")], 1, "1 count"),
        ([reviewed("bob"), signed("carol")], 0, None),
        ([signed("bob"), signed("carol")], 0, None),
        ([signed("ada"), reviewed("bob"), reviewed("carol")], 1, "2 count, 0"),
        ([signed("bob", "auditor"), reviewed("bob"), reviewed("carol")], 1, "2 count"),
    ],
)
def test_reviews_count_and_are_not_direct(
    voices: list[Voice], lacking: int, words: str | None
) -> None:
    [found] = count(ASKED, voices, requester="ada")
    assert found.lacking == lacking
    said = shortfall(ASKED, voices, requester="ada")
    assert bool(said) == bool(lacking)
    assert words is None or words in said[0]
