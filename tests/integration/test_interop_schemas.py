"""The stock ``check-jsonschema`` accepts every document of a registry that was used."""

from __future__ import annotations

import re
import subprocess
import sys
from collections import defaultdict
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from gitmodel import resources
from tests.support.workbench import git

if TYPE_CHECKING:
    from tests.support.workbench import Workbench

TOOL = Path(sys.executable).with_name("check-jsonschema")
SCHEMAS = Path(resources.__file__).parents[1] / "schemas"


@pytest.fixture
def used(bench: Workbench) -> Workbench:
    """Return a registry in which every command has written what it can write."""
    card = bench.file("card.md", b"# Fraud\n")
    weights = bench.file("one/model.bin", b"one")
    data = bench.file("train.csv", b"a,b\n1,2\n")
    code = bench.file("code/requirements.txt", b"numpy==1.26\n").parent
    git(code, "init", "-q")
    git(code, "add", ".")
    git(code, "commit", "-qm", "code")
    corpus = f"web=https://example.com/corpus@sha256:{0:064}"
    bench.do(
        *("register", "fraud", weights, "--version", "1.0.0"),
        *("--metric", "accuracy=0.97", "--metric", "test.f1=0.9"),
        *("--param", "depth=3", "--param", "rate=0.1", "--param", "loss=log"),
        *("--data", f"train={data}", "--data", corpus),
        *("--label", "team=risk", "--card", card, "--code", code),
        *("-m", 'the first: 100% "quoted"\nand two lines'),
    )
    bench.do("register", "churn", bench.file("two/model.bin", b"two"), "--no-capture",
             "--parent", "fraud@1.0.0", "--version", "0.1.0-rc.1")  # fmt: skip
    bench.register(version="1.1.0")
    for version in ("1.0.0", "1.1.0"):
        bench.promote(f"fraud@{version}", "dev", "staging", "production")
    bench.do("promote", "churn@0.1.0-rc.1", "dev", "-m", "yes: #1 — ünïcode")
    bench.do("rollback", "fraud", "production", "-m", "bad", "--incident", "INC-1")
    assert bench.verify() == (0, [])
    return bench


def test_every_document_satisfies_its_published_schema(used: Workbench) -> None:
    kinds = defaultdict(list)
    for path in used.git("ls-files", "*.yaml").splitlines():
        [kind] = re.findall(
            r"^kind: (\w+)$", (used.path / path).read_text(), re.MULTILINE
        )
        kinds[kind].append(path)
    assert set(kinds) == {
        "Registry",
        "Policy",
        "Model",
        "ModelVersion",
        "ModelPin",
        "Transition",
    }
    for kind, paths in kinds.items():
        schema = SCHEMAS / f"{kind.lower()}-v1.json"
        done = subprocess.run(
            [TOOL, "--schemafile", schema, *paths],
            cwd=used.path,
            capture_output=True,
            text=True,
            check=False,
        )
        assert done.returncode == 0, done.stdout
