"""Asks Prometheus, or what speaks like it, one instant query (R172).

An empty answer is no data: nothing is measured, or nothing under that name. NaN is a
value, since that is what 0/0 gives. A query is asked once; the next round is the retry.
"""

from __future__ import annotations

import urllib.parse
from typing import TYPE_CHECKING, Any

from gitmodel.adapters.http import Request
from gitmodel.adapters.metrics.answers import BrokenSourceError, NoDataError, ask, read

if TYPE_CHECKING:
    from gitmodel.domain.sources import PrometheusSource

_MOST_SERIES = 10_000


def endpoint(source: PrometheusSource) -> str:
    """Return the address that is asked, without the question."""
    return f"{source.address}/api/v1/query"


def query(source: PrometheusSource) -> list[float]:
    """Return the numbers that the query gives, one per series.

    Raises:
        NoDataError: It gives none.
        BrokenSourceError: It cannot be asked, or gives something else.
    """
    seconds = source.timeout.total_seconds()
    asked = urllib.parse.urlencode(
        {"query": source.query, "timeout": f"{max(1, round(seconds))}s"}
    )
    url = f"{endpoint(source)}?{asked}"
    headers = {"Accept": "application/json"}
    answer = ask(Request(url=url, headers=headers), source.timeout)
    document = _document(answer.status, answer.body)
    return _numbers(document.get("data"))


def _document(status: int, body: bytes) -> dict[str, Any]:
    """Return a good answer; Prometheus explains errors in the same form."""
    good = 200 <= status < 300  # noqa: PLR2004 what "good" is in HTTP
    try:
        document = read(body)
    except BrokenSourceError as error:
        why = str(error) if good else f"HTTP status {status}"
        raise BrokenSourceError(why) from error
    if not isinstance(document, dict):
        raise _nonsense("it is no object")
    if document.get("status") == "error" or not good:
        said = document.get("error") or document.get("errorType")
        raise BrokenSourceError(f"the query fails ({status}): {said or 'no reason'}")
    if document.get("status") != "success":
        raise _nonsense("it has no status")
    if document.get("isPartial") is True:
        raise BrokenSourceError("the answer is partial: some storage is missing")
    return document


def _numbers(data: Any) -> list[float]:
    kind = data.get("resultType") if isinstance(data, dict) else None
    result = data.get("result") if isinstance(data, dict) else None
    if kind == "scalar":
        return [_number(result)]
    if kind in ("matrix", "string"):
        raise BrokenSourceError(f"the query gives a {kind}, not a vector or a scalar")
    if kind != "vector" or not isinstance(result, list):
        raise _nonsense("it holds no vector")
    if not result:
        raise NoDataError("the query gives no series")
    if len(result) > _MOST_SERIES:
        raise BrokenSourceError(f"the query gives more than {_MOST_SERIES:,} series")
    return [
        _number(each.get("value") if isinstance(each, dict) else None)
        for each in result
    ]


def _number(sample: Any) -> float:
    """Read ``[time, "number"]``."""
    match sample:
        case [int() | float(), str(text)] if text.isascii():
            try:
                return float(text)
            except ValueError:
                pass
    raise _nonsense("a sample is no number")


def _nonsense(why: str) -> BrokenSourceError:
    return BrokenSourceError(f"the answer is not Prometheus's: {why}")
