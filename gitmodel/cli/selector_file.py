"""Reads files that list selectors: a YAML or JSON list, or one on each line."""

from __future__ import annotations

import re
import sys
from pathlib import Path

from gitmodel.errors import InputError, NotFoundError
from gitmodel.formats import yaml_reader

_COMMENT = re.compile(r"(^|\s)#.*$")


def read_selectors(file: str) -> tuple[str, ...]:
    """Return the selectors that a file lists, in order.

    Args:
        file: Its name; ``-`` for stdin.

    Raises:
        NotFoundError: There is no such file.
        InputError: It lists nothing, or something else than texts.
    """
    data, name = _bytes(file)
    # The reader of documents decides what is too large, or no text.
    lines = [_COMMENT.sub("", line).strip() for line in _text(data, name).splitlines()]
    filled = [line for line in lines if line]
    if not filled:
        raise InputError(f"{name} lists nothing.", "Write one MODEL@VERSION on a line.")
    if not filled[0].startswith(("-", "[")):
        return tuple(filled)
    found = yaml_reader.read(data, name).value
    if not isinstance(found, list) or not all(isinstance(each, str) for each in found):
        raise InputError(
            f"{name} is no list of selectors.",
            "Write - MODEL@VERSION on each line, or just MODEL@VERSION.",
        )
    return tuple(found)


def _bytes(file: str) -> tuple[bytes, str]:
    if file == "-":
        return sys.stdin.buffer.read(yaml_reader.MAX_BYTES + 1), "stdin"
    try:
        with Path(file).open("rb") as stream:
            # One byte more than may be there: /dev/zero has no end.
            return stream.read(yaml_reader.MAX_BYTES + 1), file
    except OSError as error:
        raise NotFoundError(f"Cannot read {file}: {error.strerror}.") from error


def _text(data: bytes, name: str) -> str:
    if len(data) > yaml_reader.MAX_BYTES:
        raise InputError(
            f"{name} has more than {yaml_reader.MAX_BYTES:,} bytes.", code="E_LIMIT"
        )
    try:
        return data.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        raise InputError(f"{name} is not UTF-8 text.") from error
