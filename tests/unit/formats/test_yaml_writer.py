from __future__ import annotations

from typing import Any

import pytest

from gitmodel.errors import InputError
from gitmodel.formats.yaml_reader import MAX_BYTES, MAX_LEVELS, read
from gitmodel.formats.yaml_writer import dump


def test_a_document_reads_like_one_that_a_person_wrote() -> None:
    assert (
        dump(
            {
                "apiVersion": "gitmodel.dev/v1",
                "kind": "ModelVersion",
                "version": "1.10.0",
                "createdAt": "2026-02-14T14:03:00Z",
                "previous": None,
                "artifacts": [
                    {"path": "model.safetensors", "size": 12, "sha256": "12ab" * 16},
                    {"path": "tok/vocab.json", "size": 0, "sha256": "3f2e" * 16},
                ],
                "description": "First line.\n\n  indented\nlast\n",
                "reason": "one\ntwo",
                "nested": [["a", ["b"]], []],
                "metrics": {"validation": {"accuracy": 0.97, "eps": 1e-05}},
                "dirty": False,
                "labels": {},
                "note": "Détecte la fraude: 99 %",
            }
        ).decode()
        == """\
apiVersion: gitmodel.dev/v1
kind: ModelVersion
version: "1.10.0"
createdAt: "2026-02-14T14:03:00Z"
previous: null
artifacts:
  - path: model.safetensors
    size: 12
    sha256: 12ab12ab12ab12ab12ab12ab12ab12ab12ab12ab12ab12ab12ab12ab12ab12ab
  - path: tok/vocab.json
    size: 0
    sha256: 3f2e3f2e3f2e3f2e3f2e3f2e3f2e3f2e3f2e3f2e3f2e3f2e3f2e3f2e3f2e3f2e
description: |
  First line.

    indented
  last
reason: |-
  one
  two
nested:
  -   - a
      -   - b
  - []
metrics:
  validation:
    accuracy: 0.97
    eps: 1.0e-05
dirty: false
labels: {}
note: "Détecte la fraude: 99 %"
"""
    )


LOOKALIKES = """
    1.10 1.2.0 1 -1 +1 0x1F 0o17 017 1e5 1e-5 .5 1. 1_000 0b101 12:30 1:2:3.5
    2026-01-01 2026-02-14T14:03:00Z 12e4 0e0 .inf -.inf .nan .NaN ~ null NULL true
    False yes No on OFF y N = << - ? : -- --- ... *a &a !a %a @a `a {a} [a] a: #a |a
    >a 'a "a
"""


@pytest.mark.parametrize("text", LOOKALIKES.split())
def test_what_any_reader_could_mistake_is_quoted(text: str) -> None:
    escaped = text.replace('"', '\\"')
    assert dump({"key": text}).decode() == f'key: "{escaped}"\n'


def test_a_date_with_a_time_after_a_space_is_quoted() -> None:
    assert dump({"a": "2026-01-01 10:00:00"}) == b'a: "2026-01-01 10:00:00"\n'
    assert dump({"a": ""}) == b'a: ""\n'
    assert dump({"yes": 1}) == b'"yes": 1\n'


@pytest.mark.parametrize(
    "text",
    [
        "fraud",
        "sha256:" + "ab" * 32,
        "a/b.c-d_e@f+g",
        "Better recall, at last (really)!",
        "gitmodel://fraud@sha256:00",
        "3 blind mice",
        "Über",
        "1.0.0rc",
    ],
)
def test_ordinary_text_is_not_quoted_except_what_begins_like_a_number(
    text: str,
) -> None:
    quoted = text == "1.0.0rc"
    assert dump({"key": text}).decode() == (
        f'key: "{text}"\n' if quoted else f"key: {text}\n"
    )


def test_what_does_not_show_is_escaped() -> None:
    text = 'a\x1b[0m\x85\u2028\u202e\ufeff\r\tz\xa0é🎉\\"'
    assert dump({"key": text}).decode() == (
        'key: "a\\u001B[0m\\u0085\\u2028\\u202E\\uFEFF\\r\\tz\xa0é🎉\\\\\\""\n'
    )


def test_long_lines_are_never_wrapped() -> None:
    prose = "word " * 5000 + "end"
    assert dump({"key": prose}) == f"key: {prose}\n".encode()
    assert dump({"key": f"# {prose}"}).count(b"\n") == 1


@pytest.mark.parametrize(
    ("document", "message"),
    [
        ({"a": {"b": [float("nan")]}}, "a.b[0]: it is not a finite number."),
        ({"a": float("-inf")}, "a: it is not a finite number."),
        ({"a": 2**64}, "a: it is a number beyond 64 bits."),
        ({"a": 10**5000}, "a: it is a number beyond 64 bits."),
        ({"a": -(2**63) - 1}, "a: it is a number beyond 64 bits."),
        ({"a": "x\0y"}, "a: \\u0000 is not allowed in text."),
        ({"a": "\ud83d"}, "a: \\uD83D is not allowed in text."),
        ({"\0": 1}, "['\\x00']: \\u0000 is not allowed in text."),
        ({"<<": {}}, "['<<']: the merge key << is not allowed."),
    ],
)
def test_what_the_reader_would_refuse_is_not_written(
    document: dict[str, Any], message: str
) -> None:
    with pytest.raises(InputError) as refused:
        dump(document, "m.yaml")
    assert str(refused.value) == f"m.yaml: {message}"


def test_all_that_cannot_be_written_is_named() -> None:
    with pytest.raises(InputError) as refused:
        dump({"a": float("inf"), "b": [2**70]})
    assert [problem["message"] for problem in refused.value.problems] == [
        "a: it is not a finite number.",
        "b[0]: it is a number beyond 64 bits.",
    ]


def test_the_limits_of_the_reader_hold() -> None:
    document: Any = "x"
    for _ in range(MAX_LEVELS):
        document = {"a": document}
    assert read(dump(document), "f").value == document
    with pytest.raises(InputError, match="20 levels"):
        dump({"a": document})
    with pytest.raises(InputError, match="1,048,576 are allowed"):
        dump({"a": "x" * MAX_BYTES})
    with pytest.raises(InputError, match="keys and values"):
        dump({"a": [1] * 110_000})


def test_a_cycle_ends_at_the_level_limit() -> None:
    document: dict[str, Any] = {}
    document["self"] = document
    with pytest.raises(InputError, match="20 levels"):
        dump(document)


@pytest.mark.parametrize("value", [b"bytes", {1}, object(), {1: "a"}, {None: 1}])
def test_other_types_are_a_bug_of_the_caller(value: Any) -> None:
    with pytest.raises(TypeError):
        dump({"key": value})
