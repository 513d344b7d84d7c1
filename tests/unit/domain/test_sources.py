from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from gitmodel.domain.sources import (
    AlertmanagerSource,
    ExecSource,
    FileSource,
    Header,
    IntegritySource,
    PrometheusSource,
    Source,
    WebSource,
    source_from_dict,
)
from gitmodel.errors import InputError

TEN = timedelta(seconds=10)
WEB = "https://example.com/m"
VARIABLE = "GITMODEL_METRIC_TOKEN"


@pytest.mark.parametrize(
    ("kind", "body", "source"),
    [
        (
            "prometheus",
            {"address": "http://127.0.0.1:9090/tenant/", "query": "a\n/ b"},
            PrometheusSource("http://127.0.0.1:9090/tenant", "a\n/ b", TEN),
        ),
        ("web", {"url": WEB}, WebSource(WEB, "GET", (), None, TEN)),
        (
            "web",
            {
                "url": "http://[::1]:80/?a=b#c",
                "method": "POST",
                "headers": [
                    {"key": "A", "value": "b"},
                    {"key": "Authorization", "valueFromEnv": VARIABLE},
                ],
                "jsonPath": "$.a",
                "timeout": "2m",
            },
            WebSource(
                "http://[::1]:80/?a=b#c",
                "POST",
                (Header("A", "b"), Header("Authorization", None, VARIABLE)),
                "$.a",
                timedelta(minutes=2),
            ),
        ),
        ("file", {"path": "r.json"}, FileSource("r.json")),
        (
            "file",
            {"path": "/r.json", "preset": "evidently", "maxAge": "1d"},
            FileSource("/r.json", None, timedelta(days=1), "evidently"),
        ),
        (
            "exec",
            {"argv": ["scan", "", "a\nb"], "jsonPath": "$", "timeout": 5},
            ExecSource(("scan", "", "a\nb"), "$", timedelta(seconds=5)),
        ),
        (
            "alertmanager",
            {"alertname": "Low", "labels": {"b": "2", "a": "1"}},
            AlertmanagerSource("Low", (("a", "1"), ("b", "2"))),
        ),
        ("integrity", {"path": "/srv/m"}, IntegritySource("/srv/m")),
    ],
)
def test_each_kind(kind: str, body: Any, source: Source) -> None:
    assert source_from_dict({kind: body}) == source


def web(**changes: Any) -> dict[str, Any]:
    return {"web": {"url": WEB} | changes}


def header(**body: Any) -> dict[str, Any]:
    return web(headers=[body])


@pytest.mark.parametrize(
    ("provider", "said"),
    [
        ({}, "exactly one"),
        ({"carrier-pigeon": {}}, "exactly one"),
        ({"file": {"path": "a"}, "integrity": {"path": "a"}}, "exactly one"),
        ([], "exactly one"),
        ({"file": []}, "keys and values"),
        ({"file": None}, "keys and values"),
        ({"file": {}}, "path is missing"),
        ({"file": {"path": ""}}, "path is missing"),
        ({"file": {"path": 7}}, "path is missing"),
        ({"file": {"path": "a\0"}}, "path is missing"),
        ({"file": {"path": "a\nb"}}, "control character"),
        ({"file": {"path": "a" * 9000}}, "path is missing"),
        ({"file": {"path": "a", "age": "1h"}}, "'age' is none of"),
        ({"file": {"path": "a", "maxAge": "soon"}}, "maxAge is a duration"),
        ({"file": {"path": "a", "maxAge": 0}}, "maxAge is a duration"),
        ({"file": {"path": "a", "maxAge": 10**20}}, "maxAge is a duration"),
        ({"file": {"path": "a", "preset": "whylogs"}}, "evidently"),
        ({"file": {"path": "a", "preset": "evidently", "jsonPath": "$"}}, "one of"),
        (web(url="ftp://example.com"), "http or https"),
        (web(url="https://"), "http or https"),
        (web(url="https://u:p@example.com"), "http or https"),
        (web(url="https://example.com\\@evil.com"), "http or https"),
        (web(url="https://example.com:99999"), "http or https"),
        (web(url="https://[::1"), "http or https"),
        (web(url="https://exa mple.com"), "http or https"),
        (web(url="https://example.com/a\r\nX: y"), "control character"),
        (web(method="DELETE"), "GET or POST"),
        (web(timeout="1h"), "at most 300 seconds"),
        (web(timeout=True), "timeout is a duration"),
        (web(headers={}), "a list"),
        (web(headers=["A: b"]), "a header has"),
        (header(key="A"), "one of value"),
        (header(key="A", value="b", valueFromEnv=VARIABLE), "one of value"),
        (header(key="A b", value="c"), "no header"),
        (header(key="Host", value="internal"), "no header"),
        (header(key="content-length", value="0"), "no header"),
        (header(key="A", value="b\r\nC: d"), "control character"),
        (header(key="A", value="é"), "not ASCII"),
        (header(key="A", valueFromEnv="AWS_SECRET_ACCESS_KEY"), "GITMODEL_METRIC_"),
        (header(key="A", valueFromEnv="GITMODEL_METRIC_"), "GITMODEL_METRIC_"),
        ({"prometheus": {"address": WEB}}, "query is missing"),
        ({"prometheus": {"address": f"{WEB}?a=b", "query": "q"}}, "/api/v1/query"),
        ({"exec": {"argv": "scan --all"}}, "argv is a list"),
        ({"exec": {"argv": []}}, "argv is a list"),
        ({"exec": {"argv": [""]}}, "begins with a program"),
        ({"exec": {"argv": ["a\nb"]}}, "begins with a program"),
        ({"exec": {"argv": ["a", 1]}}, "argv holds text"),
        ({"exec": {"argv": ["a", "b\0"]}}, "argv holds text"),
        ({"exec": {"argv": ["a"] * 65}}, "argv is a list"),
        ({"alertmanager": {}}, "alertname is missing"),
        ({"alertmanager": {"alertname": "a", "labels": {"b": 1}}}, "text"),
        ({"alertmanager": {"alertname": "a", "labels": [1]}}, "labels has"),
    ],
)
def test_what_cannot_be_asked(provider: Any, said: str) -> None:
    with pytest.raises(InputError) as caught:
        source_from_dict(provider)

    assert said in caught.value.message
    assert caught.value.code == "E_TRIGGER"


KINDS = ("prometheus", "web", "file", "exec", "alertmanager", "integrity")
KEYS = (
    "address", "query", "timeout", "url", "method", "headers", "jsonPath", "path",
    "maxAge", "preset", "argv", "alertname", "labels", "key", "value", "valueFromEnv",
)  # fmt: skip
VALUES = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=20),
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.dictionaries(st.sampled_from(KEYS) | st.integers(), inner, max_size=4)
    ),
    max_leaves=8,
)


@settings(deadline=None)
@given(st.dictionaries(st.sampled_from(KINDS), VALUES, min_size=1, max_size=2))
def test_anything_is_a_source_or_bad_input(provider: Any) -> None:
    try:
        source_from_dict(provider)
    except InputError:
        return
