"""The JSON Schemas and templates that ship with gitmodel: the only door to them.

They live beside the package in a checkout (``schemas/``, ``templates/``) and
inside it in a wheel (``gitmodel/schemas``); callers see no difference.
"""

from __future__ import annotations

import json
from functools import cache
from pathlib import Path, PurePosixPath
from typing import Any

from gitmodel.errors import NotFoundError

_PACKAGE = Path(__file__).parent
_SUFFIX = ".json"


def schema(name: str) -> dict[str, Any]:
    """Return the JSON Schema called ``name``, such as ``modelpin-v1``.

    Each call returns a new object, so that a caller may change it.

    Raises:
        NotFoundError: No such schema ships with gitmodel.
    """
    if name not in schema_names():
        raise NotFoundError(
            f"There is no schema called {name!r}.",
            f"The schemas are: {', '.join(schema_names())}",
        )
    loaded: dict[str, Any] = json.loads(_text("schemas", name + _SUFFIX))
    return loaded


@cache
def schema_names() -> tuple[str, ...]:
    """Return the names that :func:`schema` knows, sorted."""
    return tuple(
        sorted(path.stem for path in _directory("schemas").glob("*" + _SUFFIX))
    )


def template(name: str) -> str:
    """Return the text of the template ``name``, such as ``ci/github/verify.yaml``.

    Raises:
        NotFoundError: No such template ships with gitmodel.
    """
    path = PurePosixPath(name)
    if path.is_absolute() or ".." in path.parts or not path.parts:
        raise NotFoundError(f"{name!r} does not name a template.")
    try:
        return _text("templates", name)
    except (OSError, ValueError) as error:
        raise NotFoundError(f"There is no template called {name!r}.") from error


@cache
def _text(directory: str, name: str) -> str:
    return (_directory(directory) / name).read_text(encoding="utf-8")


@cache
def _directory(name: str) -> Path:
    packaged = _PACKAGE / name
    return packaged if packaged.is_dir() else _PACKAGE.parent / name
