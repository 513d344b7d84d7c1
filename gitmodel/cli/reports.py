"""Reads the reports that people attest."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from gitmodel.domain.digest import Digest
from gitmodel.errors import InputError, NotFoundError
from gitmodel.formats import canonical_json, yaml_reader
from gitmodel.operations.claims import Source, claim_from_report

if TYPE_CHECKING:
    from gitmodel.operations.claims import Claim


def read_report(file: str, kind: str) -> Claim:
    """Read a YAML or JSON file.

    Raises:
        NotFoundError: There is no such file.
        InputError: It is neither YAML nor JSON, or no report.
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
        raise InputError(f"{file} does not hold a report.")
    return claim_from_report(value, kind, Source(Path(file).name, Digest.of(data)))
