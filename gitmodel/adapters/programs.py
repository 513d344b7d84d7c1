"""Finds the programs of this machine, as its user would start them."""

from __future__ import annotations

import shutil
from pathlib import Path


def find_program(name: str) -> Path | None:
    """Return where PATH has the program ``name``; None if nowhere."""
    found = shutil.which(name)
    return Path(found).absolute() if found else None
