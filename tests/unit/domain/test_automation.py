from __future__ import annotations

import pytest

from gitmodel.domain.automation import is_automated
from gitmodel.domain.digest import Digest
from gitmodel.domain.transition import Action, Transition


def moved(action: Action, reason: str) -> Transition:
    return Transition(
        action=action,
        model="fraud",
        stage="production",
        seq=1,
        prior=None,
        origin=None,
        target=None,
        pin=None,
        policy=Digest.of(b""),
        requester="ada",
        reason=reason,
        created_at="2026-02-14T14:03:00Z",
    )


@pytest.mark.parametrize(
    ("action", "reason", "automated"),
    [
        ("rollback", "Trigger accuracy (critical): 0.5 is less than 0.9", True),
        ("rollback", "1.1.0 failed its validation after the rollback: latency", True),
        ("rollback", "Proposed by trigger accuracy (high): 0.5 is less", False),
        ("rollback", "slow", False),
        ("promote", "Trigger happy", False),
    ],
)
def test_the_log_tells_what_no_person_decided(
    action: Action, reason: str, automated: bool
) -> None:
    assert is_automated(moved(action, reason)) is automated
