from __future__ import annotations

import pytest

from gitmodel.domain.naming import NamingRules
from gitmodel.errors import InputError


def test_a_registry_without_a_rule_takes_any_name() -> None:
    assert NamingRules().broken_by("Any.Name_1") == ""


@pytest.mark.parametrize(
    ("pattern", "good", "bad"),
    [
        ("[a-z][a-z0-9-]*", "fraud-eu", "Fraud"),
        ("(risk|fraud)-[a-z]+", "risk-eu", "risk-"),
        (r"team\.[a-z]+", "team.fraud", "teamxfraud"),
    ],
)
def test_the_whole_name_must_match(pattern: str, good: str, bad: str) -> None:
    rules = NamingRules(pattern)
    assert rules.broken_by(good) == ""
    assert pattern in rules.broken_by(bad)
    assert rules.broken_by(f"{good}!") != ""


@pytest.mark.parametrize(
    "pattern",
    ["(a+)+x", r"(a\\)*x", "(a|a){9,}x", "a*a*a*a*x", "[a-z", "a{4294967296}"],
)
def test_patterns_that_cannot_be_used_are_refused(pattern: str) -> None:
    with pytest.raises(InputError, match=r"naming\.model"):
        NamingRules(pattern)
