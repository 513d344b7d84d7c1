"""Reads the secrets that receivers name, and nothing but those."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from gitmodel.errors import InputError, NotFoundError

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

#: A document must not be able to ask for any secret of the machine's.
PREFIX = "GITMODEL_NOTIFY_"
_UNSENDABLE = re.compile(r"[\x00-\x1f\x7f]")


def secret(environment: Mapping[str, str], name: str) -> str:
    """Return the value of a variable that a receiver names.

    Raises:
        NotFoundError: It is not set, or empty.
        InputError: Its name or its value is none that a receiver can have.
    """
    if not name.startswith(PREFIX):
        raise InputError(f"{name} does not begin with {PREFIX}")
    value = environment.get(name, "")
    if not value:
        raise NotFoundError(f"The variable {name} is not set.", f"export {name}=…")
    if _UNSENDABLE.search(value) or not value.isascii():
        raise InputError(
            f"The variable {name} holds line breaks, or characters that are not ASCII."
        )
    return value


def headers(
    environment: Mapping[str, str], names: Iterable[tuple[str, str]]
) -> dict[str, str]:
    """Return headers by the variables that hold their values.

    Raises:
        NotFoundError: A variable is not set.
        InputError: A value cannot be sent.
    """
    return {header: secret(environment, name) for header, name in names}
