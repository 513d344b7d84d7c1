"""The threat model says what is: its attacks are tests, and its codes are reported."""

from __future__ import annotations

import ast
import re
from functools import cache

import pytest

from tests.support.terminal import ROOT

TESTS = ROOT / "tests"
TEXT = (ROOT / "docs/threat-model.md").read_text()
ROWS = re.findall(r"^\| (?:(\d+) \| )?(.+) \|$", TEXT, re.MULTILINE)
NAMED = [
    (number, file, test)
    for number, row in ROWS
    for file, test in re.findall(r"`([a-z_]+): ([^`]+)`", row)
]
CATALOGUE = [int(number) for number, _ in ROWS if number]
#: Numbers of the catalogue that were never given to an attack.
UNUSED = {13, 17, 22, 33, 34, 41, 50, 63, 69, 70, 71}
_NUMBER = re.compile(r"(?:test_)?(\d{3})[-_]")


@cache
def names(file: str) -> frozenset[str]:
    """Return every function and every name of a case in the tests of that name."""
    return frozenset(
        node.name if isinstance(node, ast.FunctionDef) else str(node.value)
        for path in TESTS.rglob(f"test_{file}.py")
        for node in ast.walk(ast.parse(path.read_text()))
        if isinstance(node, ast.FunctionDef)
        or (isinstance(node, ast.Constant) and isinstance(node.value, str))
    )


def test_the_catalogue_is_whole() -> None:
    assert [each for each in range(1, 73) if each not in UNUSED] == CATALOGUE


def test_each_attack_has_a_test_or_says_why_not() -> None:
    for number, row in ROWS:
        if number:
            tests = row.rpartition(" | ")[2]
            assert "`" in tests or tests.startswith("none: "), row
    _, _, beyond = TEXT.partition("## Beyond the catalogue")
    rows = re.findall(r"^\| (?!---|attack).+: .+ \|$", beyond, re.MULTILINE)
    assert len(rows) >= 15


@pytest.mark.parametrize("file", sorted({file for _, file, _ in NAMED}))
def test_the_tests_that_it_names_exist(file: str) -> None:
    wanted = {test for _, each, test in NAMED if each == file}
    assert wanted - names(file) == set()


def test_a_test_is_named_under_its_own_number() -> None:
    for number, file, test in NAMED:
        match = _NUMBER.match(test)
        if match and number:
            assert int(match[1]) == int(number), (file, test)


def test_every_number_in_the_tests_is_one_of_the_catalogue() -> None:
    for path in TESTS.rglob("test_*.py"):
        found = re.findall(r"(?:def test_|\")(0\d\d)[-_][a-z]", path.read_text())
        assert {int(each) for each in found} <= set(CATALOGUE), path.name


def test_its_codes_are_documented() -> None:
    problems = (ROOT / "docs/reference/problems.md").read_text()
    for code in set(re.findall(r"E_[A-Z_]*[A-Z]", TEXT)):
        assert f"| `{code}` |" in problems, code
