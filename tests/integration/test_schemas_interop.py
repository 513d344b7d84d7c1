"""The schemas in the hands of a stock tool: the check-jsonschema command."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

from gitmodel import resources
from tests.support.examples import examples, expected, name

TOOL = Path(sys.executable).with_name("check-jsonschema")
SCHEMAS = Path(resources.__file__).parents[1] / "schemas"
KINDS = sorted(path.stem.removesuffix("-v1") for path in SCHEMAS.glob("*-v1.json"))


def check(*arguments: str | Path) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [TOOL, *arguments], check=False, capture_output=True, text=True
    )


def test_the_schemas_are_schemas() -> None:
    result = check("--check-metaschema", *sorted(SCHEMAS.glob("*.json")))
    assert result.returncode == 0, result.stdout


@pytest.mark.parametrize("kind", KINDS)
def test_valid_documents_pass(kind: str) -> None:
    schema = SCHEMAS / f"{kind}-v1.json"
    result = check("--schemafile", schema, *examples(kind, "valid"))
    assert result.returncode == 0, result.stdout


@pytest.mark.parametrize("kind", KINDS)
def test_documents_with_schema_problems_fail(kind: str) -> None:
    schema = SCHEMAS / f"{kind}-v1.json"
    files = [
        file
        for file in examples(kind, "invalid")
        if {each.code for each in expected(file)} <= {"E_SCHEMA", "E_API_VERSION"}
    ]
    result = check("--verbose", "--schemafile", schema, *files)
    assert result.returncode == 1
    passed = [name(file) for file in files if f"{file}::" not in result.stdout]
    assert passed == []
