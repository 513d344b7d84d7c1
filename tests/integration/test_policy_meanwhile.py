"""The policy changed while somebody worked on, and had not pushed yet.

Nobody attacks. A merge shows no order, so what rests on the old policy and what rests
on the new one cannot both be proved by it: what was not pushed is done again.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from tests.support.refusals import refusal

if TYPE_CHECKING:
    from tests.support.remotes import Team
    from tests.support.workbench import Workbench


@pytest.fixture
def ours(team: Team) -> Workbench:
    """Return a clone with a promotion that is not pushed; the policy has changed."""
    team.ours.promote("fraud@1.1.0", "dev")
    gate = ("--attestation", "scan", "--push")
    team.theirs.do("policy", "require", "production", *gate)
    answer = team.ours.run("--json", "promote", "fraud@1.0.0", "staging", "--push")
    refusal(answer, 1, "E_DIVERGED")
    return team.ours


def test_a_policy_alone_can_be_merged(ours: Workbench) -> None:
    ours.git("merge", "-q", "--no-edit", "origin/main")
    assert ours.verify("--history", "--no-bytes") == (0, [])


def test_a_policy_and_what_rests_on_it_cannot_be_merged_at_once(
    team: Team, ours: Workbench
) -> None:
    team.theirs.do("promote", "fraud@1.0.0", "staging", "--push")
    ours.git("fetch", "-q")
    ours.git("merge", "-q", "--no-edit", "origin/main")
    code, problems = ours.verify("--history", "--no-bytes")
    assert (code, set(problems)) == (4, {"E_OTHER_POLICY"})


def test_what_was_not_pushed_is_done_again(team: Team, ours: Workbench) -> None:
    team.theirs.do("promote", "fraud@1.0.0", "staging", "--push")
    ours.git("fetch", "-q")
    ours.git("reset", "-q", "--keep", "origin/main")
    assert ours.do("promote", "fraud@1.1.0", "dev", "--push")["status"] == "promoted"
    assert ours.verify("--history", "--no-bytes") == (0, [])
