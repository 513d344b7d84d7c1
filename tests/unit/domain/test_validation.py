from __future__ import annotations

import math
from datetime import timedelta
from typing import Any

import pytest

from gitmodel.domain.validation import (
    Bounds,
    Check,
    CommandProbe,
    HttpProbe,
    IntegrityProbe,
    ScanProbe,
    post_rollback_checks,
)
from gitmodel.errors import InputError


def checks(*bodies: dict[str, Any]) -> tuple[Check, ...]:
    return post_rollback_checks({"validation": {"postRollback": [*bodies]}})


def test_a_model_need_not_ask_for_anything() -> None:
    assert post_rollback_checks({"name": "fraud"}) == ()


def test_checks_are_read_in_order_with_their_defaults() -> None:
    found = checks(
        {"name": "a", "command": {"argv": ["x", "{path}"], "timeout": "2m"}},
        {"name": "b", "http": {"url": "http://h/"}, "maxSeconds": 9},
        {"name": "c", "http": {"url": "http://h/", "p95": "2s", "requests": 1}},
        {"name": "d", "scan": True},
        {"name": "e", "integrity": True},
        {"name": "f", "integrity": {"path": "/srv"}},
    )
    ten = timedelta(seconds=10)
    assert found == (
        Check("a", CommandProbe(("x", "{path}"), timedelta(minutes=2), None)),
        Check("b", HttpProbe("http://h/", 20, 200, None, ten), 9),
        Check("c", HttpProbe("http://h/", 1, 200, 2000.0, ten)),
        Check("d", ScanProbe()),
        Check("e", IntegrityProbe(None)),
        Check("f", IntegrityProbe("/srv")),
    )


def test_placeholders_are_replaced_as_whole_words_only() -> None:
    probe = CommandProbe(("{path}", "x{y}", "{path}", "{version}"), None, None)
    assert probe.wants_files
    assert not CommandProbe(("x",), None, None).wants_files
    words = probe.words({"{path}": "/p", "{version}": "{path}"})
    assert words == ("/p", "x{y}", "/p", "{path}")


@pytest.mark.parametrize(
    ("body", "why"),
    [
        ({"command": {"argv": [""]}}, "begins with a program"),
        ({"command": {"argv": ["x"], "timeout": "0s"}}, "timeout is a duration"),
        ({"http": {"url": "http://h/", "p95": "0ms"}}, "p95 is a time"),
        ({}, "exactly one of"),
    ],
)
def test_what_could_not_be_carried_out(body: dict[str, Any], why: str) -> None:
    with pytest.raises(InputError, match=why) as caught:
        checks({"name": "a", **body})
    assert caught.value.code == "E_VALIDATION"


@pytest.mark.parametrize(
    ("value", "said"),
    [
        (0.9, ""),
        (1.0, ""),
        (0.89, "at least 0.9"),
        (1.01, "at most 1.0"),
        (math.nan, "at least 0.9"),
        (-math.inf, "at least 0.9"),
    ],
)
def test_bounds_are_allowed_themselves_and_nan_never_is(
    value: float, said: str
) -> None:
    objection = Bounds(None, 0.9, 1.0).objection(value)
    assert said in objection
    assert bool(objection) == bool(said)
    assert Bounds(None, None, 1.0).objection(math.nan)
