"""A Git-native model registry.

    >>> import gitmodel
    >>> registry = gitmodel.open_registry(".")
    >>> registry.register("fraud", ["model.safetensors"], version="1.0.0")

Versions are signed manifests, promotion is a commit, rollback is a revert and
the git log is the audit trail. See :mod:`gitmodel.api` for the verbs.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from gitmodel.version import __version__

if TYPE_CHECKING:
    from gitmodel.api import (
        Keyless,
        Registry,
        init_registry,
        open_registry,
        verify_incident_bundle,
    )


__all__ = [
    "Keyless",
    "Registry",
    "__version__",
    "init_registry",
    "open_registry",
    "verify_incident_bundle",
]


def __getattr__(name: str) -> Any:
    """Load the API when it is first used: ``gitmodel --help`` must stay quick."""
    if name in __all__:
        from gitmodel import api

        return getattr(api, name)
    raise AttributeError(f"module 'gitmodel' has no attribute {name!r}")
