"""Checking documents against their JSON Schema: every problem, in plain words.

- The schema of a kind is ``schemas/<kind>-v1.json``, named in lower case.
- Stricter than JSON Schema where Python would be laxer than readers expect: 1.0
  is no whole number, NaN is no number, ``$`` does not match before a newline.
- A part that may have several forms is judged by the form that it resembles.

It knows nothing that needs two documents, or two parts of one; those are rules of
the domain and of verification.
"""

from __future__ import annotations

from functools import cache
from typing import TYPE_CHECKING, Any

from gitmodel import resources
from gitmodel.domain.problem import Problem
from gitmodel.formats import schema_quick, yaml_reader
from gitmodel.formats.document import Document, display, refusal

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from jsonschema.protocols import Validator

API_VERSION = "gitmodel.dev/v1"
_FORMAT = API_VERSION.rpartition("/")[2]


def problems(kind: str, document: Any, name: str = "") -> tuple[Problem, ...]:
    """Return everything that is wrong with a document of a kind.

    Args:
        kind: Such as ``ModelVersion``.
        document: A ``Document``, or a plain value, which has no lines.
        name: What messages call the file.

    Raises:
        NotFoundError: There is no schema for ``kind``.
    """
    if _is_valid(kind)(document.value if isinstance(document, Document) else document):
        return ()
    from gitmodel.formats.schema_messages import explain  # noqa: PLC0415 (100 ms)

    if not isinstance(document, Document):
        document = Document(value=document)
    found = explain(_validator(kind), document)
    return tuple(
        Problem(
            "E_SCHEMA",
            f"{display(path)}: {message}" if path else message,
            name,
            line=document.line(path),
        )
        for path, message in found
    )


def require(kind: str, document: Any, name: str = "") -> None:
    """Insist that a document is a valid one of its kind.

    Raises:
        InputError: It is not; message and ``problems`` list all that is wrong.
        NotFoundError: There is no schema for ``kind``.
    """
    if found := problems(kind, document, name):
        raise refusal(name or f"the {kind}", found)


def parse_document(
    data: bytes, name: str, kind: str
) -> tuple[Document | None, tuple[Problem, ...]]:
    """Read and check a file; return it, or None and everything wrong with it."""
    document, found = yaml_reader.parse(data, name)
    if document is not None:
        found = _header(document, name, kind) or problems(kind, document, name)
    return (None if found else document), found


def read_document(data: bytes, name: str, kind: str) -> Document:
    """Read and check a file, or refuse it with all its problems.

    Raises:
        InputError: It is not strict YAML (``E_YAML``, ``E_YAML_ALIAS``,
            ``E_LIMIT``), not a format known here (``E_API_VERSION``), not of this
            kind (``E_KIND``), or not valid (``E_SCHEMA``).
    """
    document, found = parse_document(data, name, kind)
    if document is None:
        raise refusal(name, found)
    return document


@cache
def kinds() -> tuple[str, ...]:
    """Return the kinds that have a schema, such as ``ModelVersion``."""
    return tuple(
        resources.schema(name)["properties"]["kind"]["const"]
        for name in resources.schema_names()
        if name.endswith(f"-{_FORMAT}")
    )


def _header(document: Document, name: str, kind: str) -> tuple[Problem, ...]:
    """Check what decides which schema applies; the rest makes no sense before."""
    value = document.value
    if not isinstance(value, dict):
        message = "it must be a mapping that begins with apiVersion and kind."
        return (Problem("E_SCHEMA", message, name, line=document.line(())),)
    found = list[Problem]()
    if message := _wrong_version(value):
        line = document.line(("apiVersion",))
        found.append(Problem("E_API_VERSION", message, name, line=line))
    if message := _wrong_kind(value, kind):
        found.append(Problem("E_KIND", message, name, line=document.line(("kind",))))
    return tuple(found)


def _wrong_version(value: Mapping[str, Any]) -> str:
    if "apiVersion" not in value:
        return f"apiVersion: it is missing; begin with apiVersion: {API_VERSION}"
    if value["apiVersion"] != API_VERSION:
        return (
            f"apiVersion: {_shown(value['apiVersion'])} is not known to this gitmodel, "
            f"which reads {API_VERSION}; a newer gitmodel may."
        )
    return ""


def _wrong_kind(value: Mapping[str, Any], kind: str) -> str:
    if "kind" not in value:
        return f"kind: it is missing; this must be kind: {kind}"
    found = value["kind"]
    if found == kind:
        return ""
    if found in kinds():
        return f"kind: this is a {found}, and a {kind} is expected here."
    return f"kind: {_shown(found)} is no kind of document; {kind} is expected here."


def _shown(value: Any) -> str:
    shown = repr(value)
    return shown if len(shown) <= 60 else f"{shown[:57]}..."  # noqa: PLR2004


@cache
def _is_valid(kind: str) -> Callable[[Any], bool]:
    return schema_quick.is_valid(resources.schema(f"{kind.lower()}-{_FORMAT}"))


@cache
def _validator(kind: str) -> Validator:
    from gitmodel.formats.schema_messages import strict_validator  # noqa: PLC0415

    return strict_validator(resources.schema(f"{kind.lower()}-{_FORMAT}"))
