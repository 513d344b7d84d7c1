"""Laws of a stage's history and of the last known good (``design`` §5)."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from gitmodel.domain.digest import Digest
from gitmodel.domain.history import StageHistory
from gitmodel.domain.pin import Release
from gitmodel.domain.status import live_stages, status_of
from gitmodel.domain.transition import Action, Transition

RELEASES = tuple(
    Release(f"1.{minor}.0", Digest.of(b"%d" % minor)) for minor in range(5)
)


def _move(
    history: StageHistory, action: Action, target: Release | None
) -> StageHistory:
    done = history.transitions
    transition = Transition(
        action=action,
        model="m",
        stage="s",
        seq=len(done) + 1,
        prior=None,
        origin=history.current,
        target=target,
        pin=None,
        policy=Digest.of(b""),
        requester="ada",
        reason="",
        created_at="2026-01-01T00:00:00Z",
    )
    return StageHistory((*done, transition))


@st.composite
def histories(
    draw: st.DrawFn, releases: tuple[Release, ...] = RELEASES
) -> StageHistory:
    """Draw what promotions, rollbacks and retirements can lead to."""
    history = StageHistory(())
    for _ in range(draw(st.integers(0, 12))):
        lived = [r for r in releases if history.was_live(r.manifest)]
        back = [release for release in lived if release != history.current]
        actions: list[Action] = ["promote"]
        actions += ["rollback"] if back and history.current else []
        actions += ["retire"] if history.current else []
        action = draw(st.sampled_from(actions))
        others = [release for release in releases if release != history.current]
        target = None
        if action != "retire":
            target = draw(st.sampled_from(back if action == "rollback" else others))
        history = _move(history, action, target)
    return history


def _departures(history: StageHistory, release: Release) -> list[Action]:
    """Return how a release left, each time it did, in order: the plain way."""
    return [
        transition.action
        for transition in history.transitions
        if transition.origin == release and transition.target != release
    ]


@given(histories())
def test_known_good_is_what_lived_left_well_and_is_not_live(
    history: StageHistory,
) -> None:
    expected = {
        release
        for release in RELEASES
        if release != history.current
        and any(t.target == release for t in history.transitions)
        and _departures(history, release)[-1] != "rollback"
    }
    found = list(history.last_known_good())
    assert set(found) == expected
    assert len(found) == len(expected)


@given(histories())
def test_the_best_is_what_left_last(history: StageHistory) -> None:
    def left(release: Release) -> int:
        return max(t.seq for t in history.transitions if t.origin == release)

    found = list(history.last_known_good())
    assert found == sorted(found, key=left, reverse=True)


@given(histories())
def test_a_rollback_never_leads_back_to_what_it_left(history: StageHistory) -> None:
    current = history.current
    best = next(history.last_known_good(), None)
    if current is None or best is None:
        return
    after = _move(history, "rollback", best)
    assert current not in list(after.last_known_good())
    assert after.current == best


@given(histories())
def test_rolling_back_again_and_again_comes_to_an_end(history: StageHistory) -> None:
    seen = []
    while (best := next(history.last_known_good(), None)) and history.current:
        assert best not in seen
        seen.append(best)
        history = _move(history, "rollback", best)
    assert len(seen) <= len(RELEASES)


@given(histories(), st.permutations(RELEASES))
def test_it_does_not_matter_what_versions_are_called(
    history: StageHistory, others: list[Release]
) -> None:
    renamed = dict(zip(RELEASES, others, strict=True))
    again = StageHistory(())
    for transition in history.transitions:
        target = renamed[transition.target] if transition.target else None
        again = _move(again, transition.action, target)
    assert list(again.last_known_good()) == [
        renamed[release] for release in history.last_known_good()
    ]


@given(histories())
def test_tenures_tell_every_stay_newest_first(history: StageHistory) -> None:
    stays = list(history.tenures())
    assert [stay.release for stay in reversed(stays)] == [
        t.target for t in history.transitions if t.target is not None
    ]
    for stay in stays:
        assert (stay.ended is None) == (stay.began == history.transitions[-1])
        assert history.was_live(stay.release.manifest)


@given(histories(), histories())
def test_status_does_not_depend_on_the_order_of_stages(
    one: StageHistory, other: StageHistory
) -> None:
    ways = ({"a": one, "b": other}, {"b": other, "a": one})
    for release in RELEASES:
        first, second = (status_of(release.manifest, way) for way in ways)
        assert first == second
        live = {frozenset(live_stages(release.manifest, way)) for way in ways}
        assert len(live) == 1
        assert (first == "live") == any(live)
