from __future__ import annotations

import subprocess
import sys
from typing import TYPE_CHECKING, Any

import pytest

from gitmodel import resources
from gitmodel.errors import InputError, NotFoundError
from gitmodel.formats import schema
from gitmodel.formats.yaml_reader import read
from gitmodel.formats.yaml_writer import dump
from tests.support.examples import Expected, examples, expected, name

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

KINDS = {kind.lower(): kind for kind in schema.kinds()}


def kind_of(file: Path) -> str:
    return KINDS[file.parts[-3]]


def example(kind: str) -> dict[str, Any]:
    found: dict[str, Any] = resources.schema(f"{kind.lower()}-v1")["examples"][0]
    return found


def messages(kind: str, text: str) -> list[str]:
    _, problems = schema.parse_document(text.encode(), "f.yaml", kind)
    return [problem.message for problem in problems]


def only_message(kind: str, document: dict[str, Any]) -> str:
    (problem,) = schema.problems(kind, read(dump(document), "f.yaml"), "f.yaml")
    assert problem.code == "E_SCHEMA"
    assert problem.path == "f.yaml"
    assert problem.line
    return problem.message


INVALID = [file for kind in KINDS for file in examples(kind, "invalid")]
VALID = [file for kind in KINDS for file in examples(kind, "valid")]


@pytest.mark.parametrize("file", VALID, ids=name)
def test_valid_documents_pass(file: Path) -> None:
    document = schema.read_document(file.read_bytes(), file.name, kind_of(file))
    assert document.value["kind"] == kind_of(file)


@pytest.mark.parametrize("file", INVALID, ids=name)
def test_invalid_documents_have_exactly_the_problems_that_they_say(file: Path) -> None:
    wanted = expected(file)
    _, problems = schema.parse_document(file.read_bytes(), file.name, kind_of(file))
    found = []
    for problem, want in zip(problems, wanted, strict=False):
        shown = want.path if problem.message.startswith(f"{want.path}: ") else "?"
        found.append(Expected(problem.code, problem.line, shown if want.path else ""))
    assert found == wanted
    assert len(problems) == len(wanted), [str(problem) for problem in problems]


def test_every_kind_has_valid_and_invalid_examples() -> None:
    for kind in KINDS:
        assert len(examples(kind, "valid")) >= 3
        assert len(examples(kind, "invalid")) >= 8


def test_an_unquoted_version_is_told_how_to_be_quoted() -> None:
    text = "apiVersion: gitmodel.dev/v1\nkind: ModelVersion\nversion: 1.10\n"
    assert 'version: 1.10 is a number; write it in quotes: "1.10"' in messages(
        "ModelVersion", text
    )


FIELDS = [
    *("apiVersion", "kind", "model", "version", "createdAt", "createdBy", "previous"),
    *("change", "artifacts", "description", "training", "environment", "metrics"),
    *("lineage", "architecture", "card", "labels"),
]


def test_a_plain_value_has_messages_without_lines() -> None:
    document = example("ModelVersion") | {"version": 1.1, "extra": 1}
    del document["model"]
    problems = schema.problems("ModelVersion", document, "m.yaml")
    assert {problem.message for problem in problems} == {
        'version: 1.1 is a number; write it in quotes: "1.1"',
        "model: it is missing.",
        f"extra: there is no such field. The fields are: {', '.join(FIELDS)}.",
    }
    assert {problem.line for problem in problems} == {None}


def test_a_plain_value_is_shown_as_yaml_writes_it() -> None:
    document = example("Model") | {"labels": {"gold": True}}
    (problem,) = schema.problems("Model", document)
    assert problem.message == (
        'labels.gold: true is a boolean; write it in quotes: "true"'
    )


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"stages": "dev"}, "stages: 'dev' is not a list."),
        ({"stages": []}, "stages: it needs at least 1 of them."),
        ({"stages": None}, "stages: it is empty and must be a list."),
        ({"stages": {"dev": 1}}, "stages: it is a mapping and must be a list."),
        ({"stages": ["dev", "dev"]}, "stages[1]: 'dev' is in the list twice."),
        ({"stages": ["dev", 7]}, 'stages[1]: 7 is a number; write it in quotes: "7"'),
        ({"name": ""}, "name: it must not be empty."),
        ({"name": True}, 'name: true is a boolean; write it in quotes: "true"'),
        ({"name": "x" * 101}, "name: it is longer than 100 characters."),
        ({"name": "a\nb"}, "name: 'a\\nb' is not one line of up to 100 characters."),
        (
            {"xdescription": ""},
            "xdescription: there is no such field. Did you mean description?",
        ),
        ({"naming": {"model": "("}}, "naming.model: '(' is not a regular expression."),
    ],
)
def test_messages_say_what_to_do(change: dict[str, Any], message: str) -> None:
    assert only_message("Registry", example("Registry") | change) == message


UNQUOTE = "leave out the quotes if it is"


@pytest.mark.parametrize(
    ("metric", "message"),
    [
        ("0.9", ": '0.9' is neither a finite number nor a mapping with a value."),
        (True, ": true is neither a finite number nor a mapping with a value."),
        ([1], ": this list is neither a finite number nor a mapping with a value."),
        (
            {"value": "x"},
            f".value: 'x' is text and must be a finite number; {UNQUOTE}.",
        ),
        (
            {"value": 1, "direction": "highr"},
            ".direction: 'highr' is not one of higher, lower. Did you mean higher?",
        ),
        (
            {"value": 1, "interval": [1, 2, 3]},
            ".interval: it may have at most 2 of them.",
        ),
        ({"direction": "higher"}, ".value: it is missing."),
    ],
)
def test_of_several_forms_the_one_that_was_meant_is_explained(
    metric: Any, message: str
) -> None:
    document = example("ModelVersion") | {"metrics": {"test": {"f1": metric}}}
    assert only_message("ModelVersion", document) == f"metrics.test.f1{message}"


def test_a_whole_number_is_not_a_float() -> None:
    document = example("Policy")
    document["roles"]["root"]["threshold"] = 1.0
    assert only_message("Policy", document) == (
        "roles.root.threshold: 1.0 is not a whole number from 1."
    )
    document["roles"]["root"]["threshold"] = True
    assert "true is not a whole number" in only_message("Policy", document)


@pytest.mark.parametrize("value", [float("nan"), float("inf")])
def test_what_is_not_finite_is_no_number(value: float) -> None:
    document = example("ModelVersion") | {"metrics": {"test": {"f1": value}}}
    (problem,) = schema.problems("ModelVersion", document)
    assert "is neither a finite number nor" in problem.message


@pytest.mark.parametrize("place", ["model", "version", "createdAt", "createdBy"])
def test_a_newline_at_the_end_is_part_of_the_text(place: str) -> None:
    document = example("ModelVersion")
    document[place] += "\n"
    assert only_message("ModelVersion", document).startswith(f"{place}: ")


@pytest.mark.parametrize(
    "path",
    ["", "/", "a/", "/a", "a//b", ".", "..", "../a", "a/..", "a/../b", "./a", "a/.",
     ".git/x", "a/.GIT", ".gitattributes", "GIT~1/x", "C:a", "c:/a", "a\\b", "a\nb",
     "a\x7fb", "a\x9bb"],
)  # fmt: skip
def test_artifact_paths_stay_inside(path: str) -> None:
    document = example("ModelVersion")
    document["artifacts"][0]["path"] = path
    assert only_message("ModelVersion", document).startswith("artifacts[0].path: ")


@pytest.mark.parametrize(
    "path",
    ["a", "a/b", ".hidden", "...", "a..b", "..a", "a.git", "é/ü.bin", "a b", "ab:c"],
)
def test_ordinary_artifact_paths_are_accepted(path: str) -> None:
    document = example("ModelVersion")
    document["artifacts"][0]["path"] = path
    assert schema.problems("ModelVersion", document) == ()


def test_require_raises_with_every_problem() -> None:
    text = b"apiVersion: gitmodel.dev/v1\nkind: Model\nname: a..b\nowners: x\n"
    with pytest.raises(InputError) as refused:
        schema.require("Model", read(text, "m.yaml"), "m.yaml")
    error = refused.value
    assert error.code == "E_SCHEMA"
    assert str(error) == (
        "m.yaml has 2 problems:\n"
        "  m.yaml:3: name: 'a..b' is not the name of a model "
        "(ASCII letters, digits, '.', '_', '-').\n"
        "  m.yaml:4: owners: 'x' is not a list."
    )
    assert [problem["line"] for problem in error.problems] == [3, 4]
    schema.require("Model", example("Model"))


def test_read_document_raises_what_the_reader_found() -> None:
    with pytest.raises(InputError) as refused:
        schema.read_document(b"a: &x 1\n", "m.yaml", "Model")
    assert refused.value.code == "E_YAML_ALIAS"


def test_header_problems_come_alone_and_together() -> None:
    text = "apiVersion: gitmodel.dev/v9\nkind: Modelx\nstages: []\n"
    version, kind = messages("Model", text)
    assert version == (
        "apiVersion: 'gitmodel.dev/v9' is not known to this gitmodel, which reads "
        "gitmodel.dev/v1; a newer gitmodel may."
    )
    assert kind == "kind: 'Modelx' is no kind of document; Model is expected here."


@pytest.mark.parametrize("header", ["[x]", "{a: b}", "1", "~", "!x y"])
def test_a_strange_header_is_still_explained(header: str) -> None:
    text = f"apiVersion: {header}\nkind: {header}\n"
    assert messages("Model", text)


def test_an_unknown_kind_is_a_bug_of_the_caller() -> None:
    with pytest.raises(NotFoundError):
        schema.problems("Modelx", {})


def test_the_kinds_are_those_of_the_schemas() -> None:
    wanted = {"Registry", "Model", "ModelVersion", "ModelPin", "Transition", "Policy"}
    assert wanted <= set(schema.kinds())


# ---- what holds for the schemas themselves


SCHEMAS = [
    schema_name for schema_name in resources.schema_names() if "-v" in schema_name
]


def subschemas(found: Any, path: str = "") -> Iterator[tuple[str, dict[str, Any]]]:
    if isinstance(found, dict):
        yield path, found
        for key, value in found.items():
            if key not in {"examples", "const", "enum"}:
                yield from subschemas(value, f"{path}/{key}")
    elif isinstance(found, list):
        for index, value in enumerate(found):
            yield from subschemas(value, f"{path}/{index}")


@pytest.mark.parametrize("schema_name", SCHEMAS)
def test_a_schema_describes_itself(schema_name: str) -> None:
    found = resources.schema(schema_name)
    assert found["$schema"] == "https://json-schema.org/draft/2020-12/schema"
    assert found["$id"] == f"https://gitmodel.dev/schemas/{schema_name}.json"
    assert found["title"]
    assert found["description"]
    assert found["examples"]
    kind = found["properties"]["kind"]["const"]
    assert schema_name == f"{kind.lower()}-v1"
    for document in found["examples"]:
        assert schema.problems(kind, document) == ()
        assert list(document)[:2] == ["apiVersion", "kind"]


@pytest.mark.parametrize("schema_name", SCHEMAS)
def test_every_property_has_a_description(schema_name: str) -> None:
    found = resources.schema(schema_name)
    bare = [
        f"{path}/properties/{key}"
        for path, part in subschemas(found)
        if isinstance(part.get("properties"), dict) and "/if" not in path
        for key, value in part["properties"].items()
        if not _described(value, found) and "/then" not in path and "/anyOf" not in path
    ]
    assert bare == []


def _described(part: dict[str, Any], root: dict[str, Any]) -> bool:
    name = part.get("$ref", "").rpartition("/")[2]
    return bool(
        part.get("description") or (name and root["$defs"][name]["description"])
    )


@pytest.mark.parametrize("schema_name", SCHEMAS)
def test_a_schema_needs_no_other_file(schema_name: str) -> None:
    found = resources.schema(schema_name)
    for path, part in subschemas(found):
        reference = part.get("$ref")
        if reference is not None:
            assert reference.removeprefix("#/$defs/") in found["$defs"], path


@pytest.mark.parametrize("schema_name", SCHEMAS)
def test_objects_with_fields_are_closed(schema_name: str) -> None:
    found = resources.schema(schema_name)
    for path, part in subschemas(found):
        if part.get("type") == "object" and "properties" in part:
            assert "additionalProperties" in part, path


@pytest.mark.parametrize("schema_name", SCHEMAS)
def test_forms_that_can_be_confused_have_titles_for_messages(schema_name: str) -> None:
    found = resources.schema(schema_name)
    for path, part in subschemas(found):
        for form in part.get("anyOf", ()):
            reference = form.get("$ref", "").rpartition("/")[2]
            assert (found["$defs"][reference] if reference else form)["title"], path
        if "pattern" in part:
            assert part["title"], path


def test_what_schemas_share_is_the_same_everywhere() -> None:
    seen: dict[str, Any] = {}
    for schema_name in SCHEMAS:
        for key, value in resources.schema(schema_name).get("$defs", {}).items():
            assert seen.setdefault(key, value) == value, f"{schema_name}: {key}"


def test_jsonschema_is_not_imported_before_it_is_needed() -> None:
    program = (
        "import sys; from gitmodel.formats import schema;"
        "schema.kinds(); assert 'jsonschema' not in sys.modules;"
        "schema.problems('Model', {}); assert 'jsonschema' in sys.modules"
    )
    subprocess.run([sys.executable, "-c", program], check=True)
