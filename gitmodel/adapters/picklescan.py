"""A second opinion on pickles: picklescan, where it is installed (extra ``scan``)."""

from __future__ import annotations

import importlib
import importlib.metadata
import logging
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from typing import BinaryIO

_NAME = "picklescan"


def version() -> str | None:
    """Return the version of picklescan; None if it is not installed."""
    try:
        return importlib.metadata.version(_NAME)
    except importlib.metadata.PackageNotFoundError:
        return None


def problems(file: BinaryIO, name: str) -> tuple[str, ...]:
    """Return the imports that picklescan calls dangerous.

    Nothing is unpickled: picklescan reads opcodes too. What it cannot read is left to
    the built-in scanner, which fails closed.
    """
    scanner = importlib.import_module(f"{_NAME}.scanner")
    logging.getLogger(_NAME).setLevel(logging.CRITICAL)
    suffix = f".{name.rpartition('.')[2]}" if "." in name else None
    try:
        result = scanner.scan_bytes(file, name, suffix)
    except Exception:  # noqa: BLE001 hostile bytes, and somebody else's code
        return ()
    found = [
        f"picklescan: it imports {f'{each.module} {each.name}'[:200]!a}"
        for each in result.globals
        if str(each.safety.value) == "dangerous"
    ]
    return tuple(sorted(set(found)))
