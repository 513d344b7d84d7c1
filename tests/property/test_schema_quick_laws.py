"""The quick validator never says yes where the strict one says no."""

from __future__ import annotations

import copy
from typing import TYPE_CHECKING, Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gitmodel import resources
from gitmodel.formats import schema, schema_quick, yaml_reader
from gitmodel.formats.schema_messages import strict_validator
from tests.support.examples import examples

if TYPE_CHECKING:
    from collections.abc import Iterable

KINDS = {kind.lower(): kind for kind in schema.kinds()}
SCHEMAS = {name: resources.schema(f"{name}-v1") for name in KINDS}
QUICK = {name: schema_quick.is_valid(found) for name, found in SCHEMAS.items()}
STRICT = {name: strict_validator(found) for name, found in SCHEMAS.items()}

odd: st.SearchStrategy[Any] = st.sampled_from(
    [
        *(None, True, False, 0, 1, 1.0, -1, 10**12, float("nan")),
        *("", "x", "a\n", "ä" * 2000, "2026-02-30T00:00:00Z", "sha256:" + "0" * 64),
        *([], {}, [1, True], [{}, {}]),
    ]
)


def valid_documents() -> list[tuple[str, Any]]:
    found = [
        (file.parts[-3], yaml_reader.read(file.read_bytes(), file.name).value)
        for file in examples("*", "valid")
        if file.parts[-3] in KINDS
    ]
    found += [(name, SCHEMAS[name]["examples"][0]) for name in KINDS]
    return found


DOCUMENTS = valid_documents()


@pytest.mark.parametrize("name", sorted(KINDS))
def test_the_usual_document_is_judged_quickly(name: str) -> None:
    assert QUICK[name](SCHEMAS[name]["examples"][0]), "a keyword is not known"


def places(value: Any, path: tuple[Any, ...] = ()) -> list[tuple[Any, ...]]:
    found = [path]
    pairs: Iterable[tuple[Any, Any]] = ()
    if isinstance(value, dict):
        pairs = value.items()
    if isinstance(value, list):
        pairs = enumerate(value)
    for key, item in pairs:
        found += places(item, (*path, key))
    return found


def changed(document: Any, path: tuple[Any, ...], new: Any, how: str) -> Any:
    document = copy.deepcopy(document)
    if not path:
        return new
    holder = document
    for step in path[:-1]:
        holder = holder[step]
    if how == "remove":
        del holder[path[-1]]
    elif how == "add" and isinstance(holder, dict):
        holder["extra"] = new
    elif how == "double" and isinstance(holder, list):
        holder.append(copy.deepcopy(holder[0]))
    else:
        holder[path[-1]] = new
    return document


@given(st.data())
def test_yes_means_that_the_strict_validator_finds_nothing(data: st.DataObject) -> None:
    name, document = data.draw(st.sampled_from(DOCUMENTS))
    for _ in range(data.draw(st.integers(1, 2))):
        path = data.draw(st.sampled_from(places(document)))
        how = data.draw(st.sampled_from(["set", "remove", "add", "double"]))
        document = changed(document, path, data.draw(odd), how)
    if QUICK[name](document):
        assert not list(STRICT[name].iter_errors(document))


def test_what_is_not_known_is_left_to_the_strict_validator() -> None:
    assert not schema_quick.is_valid({"contains": {"const": 1}})([1])
    assert not schema_quick.is_valid({"uniqueItems": True})([1, True])
    assert not schema_quick.is_valid({"$ref": "https://example.com/x"})(1)
