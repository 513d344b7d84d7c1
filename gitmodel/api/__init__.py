"""The Python API: the same verbs as the command line, returning frozen results.

    >>> import gitmodel
    >>> registry = gitmodel.open_registry(".")
    >>> registered = registry.register("fraud", ["model.safetensors"], version="1.0.0",
    ...                                metrics={"accuracy": 0.97})
    >>> registry.promote("fraud@1.0.0", "dev", reason="first candidate").status
    'promoted'

The modules beside this one have more examples, each of its own area: ``changing``,
``recovery``, ``incidents``, ``watching`` and ``reading``.

Nothing here prints or exits; what goes wrong raises a ``gitmodel.errors`` class. What
goes well, but people should know, is a warning of the logger ``gitmodel``, unless
``warn`` is given. The environment is not read: name the key, the agent or the identity.
"""

from __future__ import annotations

from gitmodel.api.opening import (
    Keyless,
    init_registry,
    open_registry,
    verify_incident_bundle,
)
from gitmodel.api.registry import Registry

__all__ = [
    "Keyless",
    "Registry",
    "init_registry",
    "open_registry",
    "verify_incident_bundle",
]
