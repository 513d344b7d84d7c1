"""Whatever the schema lets pass is read or refused, and can be put into words."""

from __future__ import annotations

import copy
from typing import TYPE_CHECKING, Any

from hypothesis import event, given, settings
from hypothesis import strategies as st

from gitmodel import resources
from gitmodel.cli.trigger_rendering import explained_json, explained_markdown
from gitmodel.domain.conditions import judge_value
from gitmodel.domain.metrics import read_metrics
from gitmodel.domain.trigger_reading import read_trigger
from gitmodel.errors import InputError
from gitmodel.formats import schema, yaml_reader
from tests.support.examples import examples

if TYPE_CHECKING:
    from collections.abc import Iterator

    from gitmodel.domain.trigger import RollbackTrigger

DOCUMENTS = [
    *resources.schema("rollbacktrigger-v1")["examples"],
    *(
        yaml_reader.read(file.read_bytes(), file.name).value
        for file in examples("rollbacktrigger", "valid")
    ),
]
METRICS = [metric for each in DOCUMENTS for metric in each["spec"]["metrics"]]
PARTS = [(key, value) for metric in METRICS for key, value in metric.items()]
odd: st.SearchStrategy[Any] = st.sampled_from(
    [
        *(0, 1, -1, 0.5, 10**400, 1e308, True, None, [], {}),
        *("1s", "999999d", "result", "1 +", "$.a", "a|b", "x" * 900),
        {"min": 2, "max": 1},
        {"min": 10**400},
        {"query": "x", "min": 1},
        {"jsonPath": "$.x", "min": 1},
        {"metric": "test.f1", "by": 1},
        {"from": "2026-02-02T00:00:00Z", "until": "2026-02-01T00:00:00Z"},
    ]
)
values: st.SearchStrategy[Any] = st.recursive(
    st.none()
    | st.booleans()
    | st.integers()
    | st.floats()
    | st.sampled_from([10**400, -(10**400)])
    | st.text(max_size=3),
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.dictionaries(st.sampled_from(["a", "p95"]), inner, max_size=2)
    ),
    max_leaves=5,
)
BASELINE = read_metrics(
    {"test": {"accuracy": 0.9}, "validation": {"accuracy": 10**300}}
)


def _holders(value: Any) -> Iterator[Any]:
    if isinstance(value, dict | list):
        yield value
        for inner in value.values() if isinstance(value, dict) else value:
            yield from _holders(inner)


@st.composite
def documents(draw: st.DrawFn) -> dict[str, Any]:
    """Draw triggers whose metrics have parts of others, and oddities."""
    document: dict[str, Any] = copy.deepcopy(draw(st.sampled_from(DOCUMENTS)))
    for metric in document["spec"]["metrics"]:
        for key, value in draw(st.lists(st.sampled_from(PARTS), max_size=3)):
            metric[key] = copy.deepcopy(value)
        for key in draw(st.lists(st.sampled_from(sorted(metric)), max_size=2)):
            metric.pop(key, None)
    holders = [each for each in _holders(document) if each]
    for _ in range(draw(st.integers(0, 2))):
        holder = draw(st.sampled_from(holders))
        keys = sorted(holder) if isinstance(holder, dict) else range(len(holder))
        holder[draw(st.sampled_from(list(keys)))] = draw(odd)
    return document


def _read(document: dict[str, Any]) -> RollbackTrigger | InputError:
    try:
        return read_trigger(document)
    except InputError as error:
        return error


@given(documents(), values)
@settings(max_examples=300)
def test_what_the_schema_lets_pass_is_read_or_refused(
    document: dict[str, Any], value: Any
) -> None:
    if schema.problems("RollbackTrigger", document):
        return
    found = _read(document)
    if isinstance(found, InputError):
        event("refused")
        assert found.code in {"E_TRIGGER", "E_EXPRESSION"}
        return
    event("read")
    assert explained_json([found])["triggers"]
    rows = [row for row in explained_markdown([found]).splitlines() if row[:1] == "|"]
    assert len(rows) == len(found.metrics) + 2
    for metric in found.metrics:
        verdict = judge_value(metric.judge, value, BASELINE, found.safety.hysteresis)
        assert verdict.reason.isprintable()
