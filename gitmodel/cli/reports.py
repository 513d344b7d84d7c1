"""Reads the reports that people attest."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from gitmodel.cli.mapping_file import read_mapping
from gitmodel.domain.digest import Digest
from gitmodel.operations.claims import Source, claim_from_report

if TYPE_CHECKING:
    from gitmodel.operations.claims import Claim


def read_report(file: str, kind: str) -> Claim:
    """Read a YAML or JSON file.

    Raises:
        NotFoundError: There is no such file.
        InputError: It is neither YAML nor JSON, or no report.
    """
    data, value = read_mapping(file, "a report")
    return claim_from_report(value, kind, Source(Path(file).name, Digest.of(data)))
