from __future__ import annotations

import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from gitmodel import resources
from gitmodel.errors import NotFoundError

CHECKOUT = Path(resources.__file__).parents[1]


def test_every_file_in_schemas_has_a_name() -> None:
    files = {path.stem for path in (CHECKOUT / "schemas").iterdir()}
    assert set(resources.schema_names()) == files
    assert "modelversion-v1" in files


def test_a_schema_is_the_parsed_file() -> None:
    assert resources.schema("modelpin-v1")["properties"]["kind"]["const"] == "ModelPin"


def test_a_caller_cannot_spoil_the_schema_of_the_next() -> None:
    resources.schema("model-v1")["properties"].clear()
    assert resources.schema("model-v1")["properties"]


@pytest.mark.parametrize(
    "name", ["modelpin-v2", "modelpin-v1.json", "../schemas/modelpin-v1", "", "/"]
)
def test_an_unknown_schema_is_named_with_the_known_ones(name: str) -> None:
    with pytest.raises(NotFoundError) as refused:
        resources.schema(name)
    assert "modelpin-v1" in refused.value.hints[0]


@pytest.mark.parametrize(
    "name",
    ["no-such.yaml", "../pyproject.toml", "/etc/passwd", "", ".", "a/../../x", "a\0b"],
)
def test_templates_are_only_found_below_templates(name: str) -> None:
    with pytest.raises(NotFoundError):
        resources.template(name)


@pytest.mark.parametrize("layout", ["wheel", "checkout"])
def test_resources_are_found_in_both_layouts(layout: str, tmp_path: Path) -> None:
    package = tmp_path / "gitmodel"
    package.mkdir()
    for file in ("__init__.py", "errors.py", "resources.py", "version.py"):
        shutil.copy(CHECKOUT / "gitmodel" / file, package)
    data = package if layout == "wheel" else tmp_path
    (data / "schemas").mkdir()
    (data / "schemas" / "only-v1.json").write_text('{"title": "Ä"}', encoding="utf-8")
    (data / "templates" / "ci").mkdir(parents=True)
    (data / "templates" / "ci" / "job.yaml").write_text("job: ä\n", encoding="utf-8")
    program = (
        "from gitmodel import resources as r;"
        "assert r.schema_names() == ('only-v1',);"
        "assert r.schema('only-v1') == {'title': 'Ä'};"
        "assert r.template('ci/job.yaml') == 'job: ä\\n'"
    )
    environment = {**os.environ, "PYTHONPATH": str(tmp_path), "LC_ALL": "C"}
    subprocess.run(
        [sys.executable, "-W", "error", "-P", "-c", program],
        check=True,
        cwd=tmp_path,
        env=environment,
    )
