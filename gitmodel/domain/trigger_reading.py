"""Reads ``triggers/<model>.yaml``: what its schema cannot say."""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING, Any

from gitmodel.domain.conditions import (
    NAMES,
    Conditions,
    Drop,
    Flag,
    Judge,
    ThresholdRange,
)
from gitmodel.domain.expression import parse_expression
from gitmodel.domain.gates import Freeze, duration, metric_name
from gitmodel.domain.sources import (
    AlertmanagerSource,
    ExecSource,
    FileSource,
    IntegritySource,
    PrometheusSource,
    Source,
    WebSource,
    source_from_dict,
)
from gitmodel.domain.trigger import (
    DEFAULT_ACTIONS,
    RollbackTrigger,
    Safety,
    Samples,
    WatchedMetric,
)
from gitmodel.errors import InputError

if TYPE_CHECKING:
    from collections.abc import Mapping

_JUDGES = ("successCondition", "failureCondition", "thresholdRange", "drop", "flag")


def read_trigger(document: Mapping[str, Any]) -> RollbackTrigger:
    """Read a schema-valid ``RollbackTrigger``.

    Raises:
        InputError: Two metrics have one name, a condition cannot be read, or
            parts of it do not go together (``E_TRIGGER``,
            ``E_EXPRESSION``); it names everything that is wrong.
    """
    spec = document["spec"]
    found, wrong = list[WatchedMetric](), list[InputError]()
    safety = _safety({})
    try:
        safety = _safety(spec.get("safety", {}))
    except InputError as error:
        wrong.append(error)
    names = set[str]()
    for body in spec["metrics"]:
        try:
            if body["name"] in names:
                raise _wrong("another metric has this name")
            names.add(body["name"])
            found.append(_metric(body, spec["stage"], safety))
        except InputError as error:
            message = f"The metric {body['name']}: {error.message}"
            code = error.code if error.code == "E_EXPRESSION" else "E_TRIGGER"
            wrong.append(InputError(message, *error.hints, code=code))
    if wrong:
        raise _all_of(wrong)
    return RollbackTrigger(
        model=spec["model"],
        metrics=tuple(found),
        actions={**DEFAULT_ACTIONS, **spec.get("action", {})},
        safety=safety,
    )


def _metric(body: Mapping[str, Any], stage: str, safety: Safety) -> WatchedMetric:
    source = source_from_dict(body["provider"])
    judge = _judge(body, source)
    _require_recovery(judge, safety)
    return WatchedMetric(
        name=body["name"],
        stage=body.get("stage", stage),
        severity=body["severity"],
        source=source,
        judge=judge,
        samples=_samples(body.get("minSamples"), source),
        on_no_data=body.get("onNoData", "alert"),
        dry_run=body.get("dryRun", False),
        initial_delay=_time(body, "initialDelay", timedelta()),
        interval=_time(body, "interval", timedelta(minutes=1)),
        failure_limit=body.get("failureLimit", 3),
        success_limit=body.get("consecutiveSuccessLimit", 1),
        error_limit=body.get("consecutiveErrorLimit", 4),
        inconclusive_limit=body.get("inconclusiveLimit", 10),
    )


def _judge(body: Mapping[str, Any], source: Source) -> Judge:
    given = [key for key in _JUDGES if key in body]
    if len(given) > 1 and set(given) != set(_JUDGES[:2]):
        raise _wrong(f"{' and '.join(given)} are given; one must decide")
    if not given:
        flags = isinstance(source, IntegritySource | AlertmanagerSource)
        if flags or (isinstance(source, FileSource) and source.preset):
            return Flag()
        raise _wrong(f"it does not say when it fails, by one of {', '.join(_JUDGES)}")
    if "flag" in body:
        return Flag()
    if "drop" in body:
        of, metric = metric_name(body["drop"]["metric"])
        return Drop(of, metric, _number(body["drop"]["by"]))
    if "thresholdRange" in body:
        bounds = body["thresholdRange"]
        low, high = (
            _number(bounds[key]) if key in bounds else None for key in ("min", "max")
        )
        if low is not None and high is not None and low > high:
            raise _wrong("it can never pass: min is more than max")
        return ThresholdRange(low, high)
    success, failure = (
        parse_expression(body[key], NAMES) if key in body else None
        for key in ("successCondition", "failureCondition")
    )
    return Conditions(success, failure)


def _require_recovery(judge: Judge, safety: Safety) -> None:
    """Refuse bounds that leave nothing between them once hysteresis narrows them."""
    match judge:
        case ThresholdRange(minimum, maximum) if None not in {minimum, maximum}:
            room = (maximum or 0) - (minimum or 0)
            possible = 2 * safety.hysteresis <= room
        case _:
            possible = True
    if not possible:
        raise _wrong(
            "it could never recover: hysteresis leaves no room between min and max"
        )


def _samples(body: Mapping[str, Any] | None, source: Source) -> Samples | None:
    if body is None:
        return None
    if "query" in body and not isinstance(source, PrometheusSource):
        raise _wrong("minSamples.query is for the prometheus provider")
    if "jsonPath" in body and not isinstance(
        source, WebSource | FileSource | ExecSource
    ):
        what = "minSamples.jsonPath is for the web, file and exec providers"
        raise _wrong(what)
    return Samples(body.get("query"), body.get("jsonPath"), _number(body["min"]))


def _safety(body: Mapping[str, Any]) -> Safety:
    freezes = []
    for window in body.get("freeze", ()):
        try:
            freezes.append(Freeze.from_dict(window))
        except InputError as error:
            message = f"A freeze ends, {window['until']}, before it begins"
            raise _wrong(message) from error
    return Safety(
        cooldown=_time(body, "cooldown", timedelta(minutes=30)),
        window=_time(body, "window", timedelta(hours=24)),
        max_rollbacks=body.get("maxRollbacks", 2),
        hysteresis=_number(body.get("hysteresis", 0)),
        dry_run=body.get("dryRun", False),
        freeze=tuple(freezes),
    )


def _time(body: Mapping[str, Any], key: str, default: timedelta) -> timedelta:
    return duration(body[key]) if key in body else default


def _number(value: float) -> float:
    try:
        return float(value)
    except OverflowError as error:
        raise _wrong("A number is larger than any measurement can be") from error


def _wrong(what: str) -> InputError:
    return InputError(f"{what}.", code="E_TRIGGER")


def _all_of(wrong: list[InputError]) -> InputError:
    if len(wrong) == 1:
        return wrong[0]
    return InputError(
        f"The trigger has {len(wrong)} problems: "
        + " ".join(error.message for error in wrong),
        code=wrong[0].code,
        problems=[{"code": one.code, "message": one.message} for one in wrong],
    )
