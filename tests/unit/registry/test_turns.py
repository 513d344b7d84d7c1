"""When a lost push is tried again: with chance, without favour, and not for ever."""

from __future__ import annotations

import pytest

from gitmodel.registry.turns import PATIENCE, QUIET, STUCK, Turns, pause


def test_chance_spreads_those_who_collided() -> None:
    chances = [0.0, 0.25, 0.5, 1.0]
    waits = [pause(2, 1.0, chance) for chance in chances]
    assert waits == [0.0, 0.5, 1.0, 2.0]


def test_who_lost_often_waits_hardly_longer_than_newcomers() -> None:
    longest = [pause(lost, 0.5, 1.0) for lost in range(1, 50)]
    assert longest == sorted(longest)
    assert longest[-1] <= 4 * longest[0]


@pytest.mark.parametrize("took", [0.0, 0.01, 1.0, 60.0, 3600.0])
def test_a_pause_is_bounded_whatever_an_attempt_takes(took: float) -> None:
    assert all(0 <= pause(lost, took, 0.999) <= 10 for lost in range(1, 100))
    assert pause(1, took, 1.0) > 0


def test_a_slow_remote_is_not_asked_as_often() -> None:
    assert pause(1, 3.0, 0.5) > pause(1, 0.3, 0.5)


def test_who_is_rejected_by_a_remote_that_does_not_move_is_stuck() -> None:
    turns = Turns(0.0)
    for _ in range(STUCK):
        turns.lose("same")
        assert not turns.is_stuck
    turns.lose("same")
    assert turns.is_stuck


def test_as_long_as_the_remote_moves_nobody_is_stuck() -> None:
    turns = Turns(0.0)
    for number in range(10 * STUCK):
        turns.lose(str(number // STUCK))
        assert not turns.is_stuck
    assert turns.lost == 10 * STUCK


def test_an_empty_remote_counts_as_one_that_does_not_move() -> None:
    turns = Turns(0.0)
    for _ in range(STUCK + 1):
        turns.lose(None)
    assert turns.is_stuck


def test_it_is_given_up_in_the_end_and_people_are_told_once_before() -> None:
    turns = Turns(100.0)
    assert not turns.should_tell(100.0 + QUIET)
    assert turns.should_tell(100.1 + QUIET)
    assert not turns.should_tell(200.0 + QUIET)
    assert not turns.is_over(100.0 + PATIENCE)
    assert turns.is_over(100.1 + PATIENCE)
