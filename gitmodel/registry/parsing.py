"""Documents into values: the quick way, and the slow way that explains itself."""

from __future__ import annotations

from contextlib import contextmanager, suppress
from typing import TYPE_CHECKING, Any, TypeVar

from gitmodel.errors import InputError, IntegrityError
from gitmodel.formats import schema, yaml_quick, yaml_reader

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping

T = TypeVar("T")


@contextmanager
def as_found() -> Iterator[None]:
    """Tell a malformed document of the registry from malformed input.

    Nobody has typed it just now: what only gitmodel writes was changed by other hands.

    Raises:
        IntegrityError: In place of an ``InputError``.
    """
    try:
        yield
    except InputError as error:
        raise IntegrityError(
            error.message, *error.hints, code=error.code, problems=error.problems
        ) from error


def parse(
    kind: str, data: bytes, path: str, build: Callable[[Mapping[str, Any]], T]
) -> T:
    """Read a document into a value.

    Building is the quick check; only when it fails is the schema asked, which then
    names every problem with its line.

    Raises:
        InputError: The document is malformed; ``problems`` lists all that is wrong.
    """
    quick = yaml_quick.value_of(data)
    if quick is not None and quick.get("kind") == kind:
        with suppress(KeyError, TypeError, AttributeError, ValueError, IndexError):
            return build(quick)
    document = yaml_reader.read(data, path)
    try:
        if document.value["kind"] == kind:
            return build(document.value)
    except (KeyError, TypeError, AttributeError, ValueError, IndexError) as error:
        schema.require(kind, document, path)
        raise InputError(
            f"{path} is not a {kind} document: {error}", code="E_SCHEMA"
        ) from error
    schema.require(kind, document, path)
    raise InputError(f"{path} is not a {kind} document.", code="E_SCHEMA")
