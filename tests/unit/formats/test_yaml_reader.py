from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from gitmodel.errors import InputError
from gitmodel.formats.yaml_reader import MAX_BYTES, MAX_LEVELS, parse, read
from tests.support.examples import Expected, examples, expected, name

if TYPE_CHECKING:
    from pathlib import Path


def codes(data: bytes) -> list[str]:
    document, problems = parse(data, "f.yaml")
    assert (document is None) == bool(problems)
    return [problem.code for problem in problems]


@pytest.mark.parametrize("file", examples("yaml", "invalid"), ids=name)
def test_attacks_are_refused_with_all_their_problems(file: Path) -> None:
    _, problems = parse(file.read_bytes(), "f.yaml")
    found = [Expected(each.code, each.line, "") for each in problems]
    assert found == expected(file)
    assert all(each.path == "f.yaml" for each in problems)


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("no", "no"),
        ("yes", "yes"),
        ("on", "on"),
        ("y", "y"),
        ("2026-01-01", "2026-01-01"),
        ("2026-02-14T14:03:00Z", "2026-02-14T14:03:00Z"),
        ("1_000", "1_000"),
        ("12:30:45", "12:30:45"),
        ("0b1", "0b1"),
        ("1.2.0", "1.2.0"),
        ("=", "="),
        ("tRuE", "tRuE"),
        ("+0x1", "+0x1"),
        ("0x", "0x"),
        ("0o8", "0o8"),
        (".", "."),
        ("-.5e", "-.5e"),
        ("nan", "nan"),
        ("inf", "inf"),
        ("true", True),
        ("False", False),
        ("TRUE", True),
        ("null", None),
        ("~", None),
        ("", None),
        ("NULL", None),
        ("017", 17),
        ("0o17", 15),
        ("0x1F", 31),
        ("-0", 0),
        ("+12", 12),
        ("000000000000000000000000000001", 1),
        ("18446744073709551615", 2**64 - 1),
        ("-9223372036854775808", -(2**63)),
        ("1.10", 1.1),
        ("-.5", -0.5),
        ("1.", 1.0),
        ("1e3", 1000.0),
        ("6.02E+23", 6.02e23),
        ("1e-999", 0.0),
        ("'1'", "1"),
        ('"true"', "true"),
        ("''", ""),
        ("'~'", "~"),
        ('"\\u00e9\\t\\x41"', "é\tA"),
        ("|\n  a\n   b\n", "a\n b\n"),
        (">-\n  a\n  b\n", "a b"),
        ("[a, 1, {b: ~}]", ["a", 1, {"b": None}]),
        ("{}", {}),
    ],
)
def test_plain_scalars_follow_the_core_schema(text: str, value: Any) -> None:
    found = read(f"key: {text}\n".encode(), "f.yaml").value["key"]
    assert found == value
    assert type(found) is type(value)


def test_every_part_has_its_line() -> None:
    document = read(
        b"# head\n"
        b"a: 1\n"
        b"\n"
        b"list:\n"
        b"  - x: 1.10\n"
        b"    y:\n"
        b"      - q\n"
        b"\n"
        b"      -\n"
        b"  - [1,\n"
        b"     2]\n"
        b"text: |\n"
        b"  more\n"
        b"empty:\n"
        b"'last key':\n"
        b"   z\n",
        "f.yaml",
    )
    assert document.lines == {
        (): 2,
        ("a",): 2,
        ("list",): 4,
        ("list", 0): 5,
        ("list", 0, "x"): 5,
        ("list", 0, "y"): 6,
        ("list", 0, "y", 0): 7,
        ("list", 0, "y", 1): 9,
        ("list", 1): 10,
        ("list", 1, 0): 10,
        ("list", 1, 1): 11,
        ("text",): 12,
        ("empty",): 14,
        ("last key",): 15,
    }
    assert document.line(("list", 0, "missing")) == 5
    assert document.written == {
        ("a",): "1",
        ("list", 0, "x"): "1.10",
        ("list", 0, "y", 1): "",
        ("list", 1, 0): "1",
        ("list", 1, 1): "2",
        ("empty",): "",
    }


def test_windows_line_ends_are_read_and_counted() -> None:
    document = read(b"a: |\r\n  x\r\n  y\r\nb: 2\r\n", "f.yaml")
    assert document.value == {"a": "x\ny\n", "b": 2}
    assert document.lines["b",] == 4


def test_the_root_may_be_anything_but_nothing() -> None:
    assert read(b"[1]", "f.yaml").value == [1]
    assert read(b"word", "f.yaml").value == "word"
    assert read(b"---\na: 1\n...\n", "f.yaml").value == {"a": 1}
    for empty in (b"", b"---\n", b"...\n", b"\n\n", b"---\nnull\n"):
        assert codes(empty) == ["E_YAML"], empty


@pytest.mark.parametrize("encoding", ["utf-16", "utf-16-be", "utf-32", "utf-8-sig"])
def test_other_encodings_are_refused(encoding: str) -> None:
    data = "name: fraud\n".encode(encoding)
    assert set(codes(data)) == {"E_YAML"}


def test_all_problems_are_raised_together() -> None:
    with pytest.raises(InputError) as refused:
        read(b"a: &x 1\na: 2\nb: .nan\n", "models/m/model.yaml")
    error = refused.value
    assert error.code == "E_YAML_ALIAS"
    assert str(error) == (
        "models/m/model.yaml has 3 problems:\n"
        "  models/m/model.yaml:1: the anchor &x is not allowed.\n"
        "  models/m/model.yaml:2: the key 'a' is here twice, first on line 1.\n"
        "  models/m/model.yaml:3: .nan is not a finite number; "
        "write it in quotes if it is text."
    )
    assert [problem["line"] for problem in error.problems] == [1, 2, 3]
    assert error.problems[2]["code"] == "E_YAML"
    assert error.exit_code == 2


def test_one_problem_is_one_line() -> None:
    with pytest.raises(InputError, match=r"^f\.yaml:1: it is empty\.$"):
        read(b"", "f.yaml")


def test_the_size_limit_is_exact_and_can_be_moved() -> None:
    data = b"a: " + b"x" * (MAX_BYTES - 3)
    assert codes(data) == []
    assert codes(data + b"x") == ["E_LIMIT"]
    assert parse(b"a: 12", "f", limit=4)[1][0].code == "E_LIMIT"
    assert parse(b"a: b\n" * 10, "f", limit=50)[1][-1].code == "E_LIMIT"


@pytest.mark.parametrize(
    ("start", "end"), [(b"[", b"]"), (b"{a: ", b"}"), (b"- ", b""), (b"? ", b"")]
)
def test_the_level_limit_is_exact(start: bytes, end: bytes) -> None:
    deep = start * MAX_LEVELS + b"x" + end * MAX_LEVELS
    assert "E_LIMIT" not in codes(deep)
    assert codes(start + deep + end)[-1] == "E_LIMIT"


def test_many_problems_are_cut_short_with_a_word() -> None:
    _, problems = parse(b"a: 1\n" * 500, "f.yaml")
    assert len(problems) == 101
    assert problems[-1].message == "there may be more problems."
    assert problems[-1].line is None
