"""How demands on a stage are written on a command line."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any

from gitmodel.domain.attestation import attestation_type
from gitmodel.domain.forge_approval import Source
from gitmodel.domain.gates import Freeze, duration, metric_name, read_gate
from gitmodel.domain.metrics import parse_metric
from gitmodel.domain.names import model_name
from gitmodel.domain.parameters import parse_labels
from gitmodel.errors import InputError
from gitmodel.operations.demands import Demands, require_something

if TYPE_CHECKING:
    from collections.abc import Sequence

    Gate = dict[str, Any]

_BOUND = re.compile(r"(?P<name>[^<>=]+)(?P<sign>>=|<=)(?P<value>[^<>=]+)")
_DAY = re.compile(r"[0-9]{4}-[0-9]{2}-[0-9]{2}")


def demands_from_words(  # noqa: PLR0913 one for each option
    *,
    model: str | None = None,
    sensitivity: str | None = None,
    approvals: int | None = None,
    direct: int | None = None,
    role: str | None = None,
    forges: Sequence[str] = (),
    no_forges: bool = False,
    attestations: Sequence[str] = (),
    metrics: Sequence[str] = (),
    regressions: Sequence[str] = (),
    sections: Sequence[str] = (),
    soaks: Sequence[str] = (),
    labels: Sequence[str] = (),
    forbidden: Sequence[str] = (),
    freezes: Sequence[str] = (),
    rollback_approvals: int | None = None,
    rollback_role: str | None = None,
    rollback_review: str | None = None,
    rollback_within: str | None = None,
    further_back: int | None = None,
    clear: bool = False,
    unfreeze: bool = False,
) -> Demands:
    """Return what the words of each option ask for.

    Raises:
        InputError: A word is malformed, or nothing is asked for.
    """
    own_soaks = [text for text in soaks if ":" not in text]
    if len(own_soaks) > 1:
        raise InputError("A stage has one soak time of its own.")
    gates = [
        *map(_attestation, attestations),
        *map(_metric, metrics),
        *map(_regression, regressions),
        *([{"complete": list(dict.fromkeys(sections))}] if sections else ()),
        *({"label": {"require": {k: v}}} for k, v in parse_labels(labels).items()),
        *({"label": {"forbid": {k: v}}} for k, v in parse_labels(forbidden).items()),
        *(_soak(text) for text in soaks if ":" in text),
    ]
    for gate in gates:
        read_gate(gate)
    for text in (*own_soaks, *([rollback_within] if rollback_within else ())):
        duration(text)
    return require_something(
        Demands(
            model=model_name(model) if model is not None else None,
            level=sensitivity,
            approvals=approvals,
            direct=direct,
            role=role,
            forges=tuple(map(Source.parse, forges)),
            no_forges=no_forges,
            gates=tuple(gates),
            soak=own_soaks[0] if own_soaks else None,
            freezes=tuple(map(_freeze, freezes)),
            rollback_approvals=rollback_approvals,
            rollback_role=rollback_role,
            rollback_review=rollback_review,
            rollback_within=rollback_within,
            further_back=further_back,
            clear=clear,
            unfreeze=unfreeze,
        )
    )


def _attestation(text: str) -> Gate:
    kind, _, role = text.partition(":")
    gate: Gate = {"type": attestation_type(kind), "result": "passed"}
    return {"attestation": gate | ({"role": role} if role else {})}


def _metric(text: str) -> Gate:
    found = _BOUND.fullmatch(text)
    if found is None:
        raise InputError(
            f"{text!r} is no bound of a metric.",
            "Write validation.accuracy>=0.9 or test.p99_ms<=50, in quotes.",
        )
    of, name = metric_name(found["name"].strip())
    key = "min" if found["sign"] == ">=" else "max"
    return {"metric": {"name": f"{of}.{name}", key: _number(found["value"].strip())}}


def _regression(text: str) -> Gate:
    named, colon, tolerance = text.rpartition(":")
    if not colon:
        named, tolerance = text, "0"
    of, name = metric_name(named)
    gate = {"metric": f"{of}.{name}", "tolerance": _number(tolerance)}
    return {"noRegression": gate}


def _soak(text: str) -> Gate:
    stage, _, time = text.partition(":")
    duration(time)
    return {"soak": {"stage": stage, "for": time}}


def _freeze(text: str) -> dict[str, str]:
    times, _, reason = text.partition("=")
    start, dots, end = times.partition("..")
    if not dots:
        raise InputError(
            f"{text!r} is no freeze.",
            "Write FROM..UNTIL or FROM..UNTIL=REASON, such as "
            "2026-12-20..2027-01-02='holidays'; days and times are in UTC.",
        )
    window = {"from": _moment(start), "until": _moment(end)}
    Freeze.from_dict(window)
    return window | ({"reason": reason} if reason else {})


def _moment(text: str) -> str:
    return f"{text}T00:00:00Z" if _DAY.fullmatch(text) else text


def _number(text: str) -> int | float:
    _, _, number = parse_metric(f"number={text}")
    return number
