"""When a result is bad: the four ways in which a trigger's metric may say so (R163).

What cannot be judged is neither bad nor good: no number at all, NaN, something of
another kind, a baseline that the manifest does not have (R164, R165).
"""

from __future__ import annotations

import json
import math
from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Literal, TypeAlias

from gitmodel.domain.direction import direction_of
from gitmodel.domain.expression_values import UndecidedError, kind_of, number
from gitmodel.domain.metrics import DEFAULT_SET

if TYPE_CHECKING:
    from gitmodel.domain.expression import Expression
    from gitmodel.domain.metrics import Metric

#: ``within``: not bad, and too near to the bound for a failure to be over.
Outcome: TypeAlias = Literal[
    "passed", "failed", "within", "inconclusive", "no_data", "error"
]
Baseline: TypeAlias = "Mapping[str, Mapping[str, Metric]]"

#: What an expression may mention.
NAMES = frozenset({"result", "baseline"})
_LONGEST = 120


@dataclass(frozen=True, slots=True)
class Verdict:
    """What a measurement means; ``reason`` is for people, on one line."""

    outcome: Outcome
    reason: str


@dataclass(frozen=True, slots=True)
class Conditions:
    """Expressions, as Argo Rollouts has them; at least one of the two is there."""

    success: Expression | None
    failure: Expression | None

    def judge(self, value: Any, baseline: Baseline, slack: float) -> Verdict:
        """Judge a result; an expression has no bound that slack could move."""
        del slack
        names = {"result": value, "baseline": _plain(baseline)}
        given = f"result {shown(value)}"
        truths = {}
        for meaning, expression in (("bad", self.failure), ("good", self.success)):
            if expression is None:
                continue
            truth = truths[meaning] = expression.decide(names)
            if truth.nan:
                return Verdict("no_data", f"{given}: a number of it is NaN")
            if truth.value is None:
                return Verdict("error", f"{given}: {truth.problem} ({expression.text})")
        bad, good = (
            truths[meaning].value if meaning in truths else None
            for meaning in ("bad", "good")
        )
        if bad or (bad is None and good is False):
            if any(truth.absent for truth in truths.values()):
                return Verdict("no_data", f"{given}: a part of it is not there")
            return Verdict("failed", f"{given}, and {self._text(bad=bool(bad))}")
        if good or good is None:
            return Verdict("passed", given)
        return Verdict("inconclusive", f"{given}: neither condition holds")

    def _text(self, *, bad: bool) -> str:
        if bad and self.failure:
            return self.failure.text
        return f"not {self.success.text}" if self.success else ""


@dataclass(frozen=True, slots=True)
class ThresholdRange:
    """Every number must lie within bounds, which are allowed themselves."""

    minimum: float | None
    maximum: float | None

    def judge(self, value: Any, baseline: Baseline, slack: float) -> Verdict:
        """Judge a number, or a list of which each counts."""
        del baseline
        found = _numbers(value)
        if isinstance(found, Verdict):
            return found
        low, high = min(found), max(found)
        if self.minimum is not None and low < self.minimum:
            return Verdict("failed", f"{low:g} is less than {self.minimum:g}")
        if self.maximum is not None and high > self.maximum:
            return Verdict("failed", f"{high:g} is more than {self.maximum:g}")
        near = (self.minimum is not None and low < self.minimum + slack) or (
            self.maximum is not None and high > self.maximum - slack
        )
        return Verdict("within" if near else "passed", f"{shown(value)} is in range")


@dataclass(frozen=True, slots=True)
class Drop:
    """It must not be worse than the manifest says, by more than this (R165)."""

    set: str
    name: str
    by: float

    def judge(self, value: Any, baseline: Baseline, slack: float) -> Verdict:
        """Judge a number, or a list of which the worst counts."""
        of = f"{self.set}.{self.name}"
        stated = baseline.get(self.set, {}).get(self.name)
        if stated is None:
            return Verdict("error", f"the manifest has no {of} to compare with")
        found = _numbers(value)
        if isinstance(found, Verdict):
            return found
        higher = direction_of(self.name, stated.direction) == "higher"
        worst = min(found) if higher else max(found)
        drop = stated.value - worst if higher else worst - stated.value
        said = f"{worst:g}, where {of} was {stated.value:g}"
        # 0.90 - 0.85 is a little more than 0.05, and yet no drop by more than that.
        if drop > self.by and not math.isclose(drop, self.by, rel_tol=1e-9):
            return Verdict("failed", f"{said}: worse by more than {self.by:g}")
        near = drop > self.by - slack
        return Verdict("within" if near and slack else "passed", said)


@dataclass(frozen=True, slots=True)
class Flag:
    """It must be false, 0 or empty: nothing is flagged (R166, R167, R168)."""

    def judge(self, value: Any, baseline: Baseline, slack: float) -> Verdict:
        """Judge a flag, a count, or a list of what was found."""
        del baseline, slack
        if value is None:
            return Verdict("no_data", "it is null")
        if isinstance(value, str):
            return Verdict("error", f"{shown(value)} is neither true nor false")
        if isinstance(value, list) and value and all(map(_is_countable, value)):
            # One series of Prometheus, or more: it is their values that count.
            counted = [one for one in value if not _is_nan(one)]
            if not counted:
                return Verdict("no_data", "there is no number but NaN")
            value = [one for one in counted if one]
        bad = len(value) > 0 if isinstance(value, list | Mapping) else bool(value)
        return Verdict("failed" if bad else "passed", f"it says {shown(value)}")


Judge: TypeAlias = Conditions | ThresholdRange | Drop | Flag


def judge_value(
    judge: Judge, value: Any, baseline: Baseline, slack: float = 0.0
) -> Verdict:
    """Say what a result means; what is only NaN means nothing, whoever judges."""
    several = value if isinstance(value, list) else [value]
    if several and all(map(_is_nan, several)):
        return Verdict("no_data", "there is no number but NaN")
    return judge.judge(value, baseline, slack)


def shown(value: Any) -> str:
    """Return a value for people: JSON, on one line, not too long."""
    try:
        text = json.dumps(value)
    except (TypeError, ValueError, RecursionError):
        return kind_of(value)
    return text if len(text) <= _LONGEST else f"{text[: _LONGEST - 3]}..."


def _numbers(value: Any) -> list[float] | Verdict:
    """Return the numbers of a result without NaN; or why there are none."""
    try:
        found = [number(one) for one in (value if isinstance(value, list) else [value])]
    except UndecidedError as error:
        return Verdict("error", f"{shown(value)}: {error}")
    finite = [one for one in found if not math.isnan(one)]
    return finite or Verdict("no_data", "there is no number")


def _plain(baseline: Baseline) -> dict[str, Any]:
    """Return what ``baseline`` means in an expression.

    ``baseline.test.f1``, and ``baseline.accuracy`` where a metric of the default set
    is not named like a set.
    """
    sets: dict[str, Any] = {
        of: {name: metric.value for name, metric in metrics.items()}
        for of, metrics in baseline.items()
    }
    return {**sets.get(DEFAULT_SET, {}), **sets}


def _is_countable(value: Any) -> bool:
    return isinstance(value, bool | int | float)


def _is_nan(value: Any) -> bool:
    return isinstance(value, float) and math.isnan(value)
