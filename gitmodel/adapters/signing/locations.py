"""Where people's keys are."""

from __future__ import annotations

import os
from pathlib import Path

_NAME = "id_ecdsa"


def key_directory() -> Path:
    """Return the directory of gitmodel's own keys."""
    home = os.environ.get("XDG_CONFIG_HOME", "")
    base = Path(home) if home.startswith("/") else Path.home() / ".config"
    return base / "gitmodel" / "keys"


def default_key() -> Path:
    """Return the key that is used when nothing else is chosen."""
    return key_directory() / _NAME
