"""Reads the YAML and JSON files that people name on the command line."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from gitmodel.errors import InputError, NotFoundError
from gitmodel.formats import canonical_json, yaml_reader


def read_mapping(file: str, what: str) -> tuple[bytes, dict[str, Any]]:
    """Return a file's bytes, and the mapping that it holds.

    Args:
        file: Its name; JSON if it ends in ``.json``, else YAML.
        what: What it should hold, for messages, such as ``a report``.

    Raises:
        NotFoundError: There is no such file.
        InputError: It is malformed, or holds no mapping.
    """
    try:
        with Path(file).open("rb") as stream:
            # One byte more than may be there: /dev/zero has no end.
            data = stream.read(yaml_reader.MAX_BYTES + 1)
    except OSError as error:
        raise NotFoundError(f"Cannot read {file}: {error.strerror}.") from error
    if file.endswith(".json") and len(data) <= yaml_reader.MAX_BYTES:
        try:
            value = canonical_json.loads(data)
        except InputError as error:
            raise InputError(f"{file}: {error.message}", code=error.code) from error
    else:
        value = yaml_reader.read(data, file).value
    if not isinstance(value, dict):
        raise InputError(f"{file} does not hold {what}.")
    return data, value
