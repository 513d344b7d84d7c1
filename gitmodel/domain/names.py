"""Names that become paths in a registry: models, stages, principals.

A name is a path component on every operating system that a clone may land on,
and a word in commands and commit trailers. So names are plain ASCII, do not
start with ``-`` or ``.``, and two names never differ by case alone (R007;
attacks 10 and 15 of the catalogue).
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from gitmodel.errors import ConflictError, InputError

if TYPE_CHECKING:
    from collections.abc import Iterable

_MODEL = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,99}")
_STAGE = re.compile(r"[a-z0-9][a-z0-9-]{0,39}")
_PRINCIPAL = re.compile(r"[a-z0-9][a-z0-9._-]{0,63}")
_INCIDENT = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,63}")
_DEVICES = frozenset(
    {"con", "prn", "aux", "nul"}
    | {f"{port}{number}" for port in ("com", "lpt") for number in range(1, 10)}
)


def model_name(text: str) -> str:
    """Return ``text`` if it can name a model.

    Raises:
        InputError: It cannot; the message says which rule it breaks.
    """
    if (
        _MODEL.fullmatch(text) is None
        or ".." in text
        or text.endswith((".", ".lock"))
        or text.split(".", maxsplit=1)[0].lower() in _DEVICES
    ):
        bare = text.partition("@")[0].partition("#")[0]
        if bare != text and _MODEL.fullmatch(bare):
            raise InputError(
                f"{_shown(text)} cannot name a model.",
                f"Write {bare} alone here, and a version as --help says.",
                code="E_NAME",
            )
        raise InputError(
            f"{_shown(text)} cannot name a model.",
            "Use up to 100 ASCII letters, digits, '.', '_' and '-', starting with a "
            "letter or digit; no '..', no trailing '.', no '.lock'.",
            code="E_NAME",
        )
    return text


def stage_name(text: str) -> str:
    """Return ``text`` if it can name a stage.

    Raises:
        InputError: It cannot.
    """
    if _STAGE.fullmatch(text) is None or text in _DEVICES:
        raise InputError(
            f"{_shown(text)} cannot name a stage.",
            "Use up to 40 lower-case ASCII letters, digits and '-', starting with a "
            "letter or digit.",
            code="E_NAME",
        )
    return text


def incident_id(text: str) -> str:
    """Return ``text`` if it can name an incident.

    Raises:
        InputError: It cannot.
    """
    if (
        _INCIDENT.fullmatch(text) is None
        or ".." in text
        or text.endswith((".", ".lock"))
        or text.split(".", maxsplit=1)[0].lower() in _DEVICES
    ):
        raise InputError(
            f"{_shown(text)} cannot name an incident.",
            "Use up to 64 ASCII letters, digits, '.', '_' and '-', starting with a "
            "letter or digit, such as INC-2026-042.",
            code="E_NAME",
        )
    return text


def principal_name(text: str) -> str:
    """Return ``text`` if it can name a principal.

    Raises:
        InputError: It cannot.
    """
    if _PRINCIPAL.fullmatch(text) is None:
        raise InputError(
            f"{_shown(text)} cannot name a principal.",
            "Use up to 64 lower-case ASCII letters, digits, '.', '_' and '-'.",
            code="E_NAME",
        )
    return text


def principal_slug(text: str) -> str:
    """Make a principal's name out of a person's name, such as ``Ada Byron``."""
    slug = re.sub(r"[^a-z0-9._-]+", "-", text.lower()).strip("-._")[:64]
    return slug or "owner"


def refuse_case_collision(name: str, existing: Iterable[str]) -> None:
    """Refuse a name that a case-blind file system would mix up with another.

    Raises:
        ConflictError: ``existing`` holds the name in another casing.
    """
    for other in existing:
        if other != name and other.casefold() == name.casefold():
            raise ConflictError(
                f"{name!r} differs from the existing {other!r} only by case.",
                f"Use {other!r}, or a name that differs by more than case.",
                code="E_NAME_COLLISION",
            )


def _shown(text: str) -> str:
    shown = ascii(text)
    return shown if len(shown) <= 80 else f"{shown[:77]}..."  # noqa: PLR2004
