"""The checks that a ``model.yaml`` asks for, and whether they could be carried out."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from gitmodel.domain.validation import CommandProbe, post_rollback_checks
from gitmodel.formats import schema
from gitmodel.formats.json_path import parse_json_path
from gitmodel.registry import layout

if TYPE_CHECKING:
    from collections.abc import Mapping

    from gitmodel.domain.validation import Check
    from gitmodel.registry.view import View


def checks_of(document: Mapping[str, Any]) -> tuple[Check, ...]:
    """Return the checks of a schema-valid ``Model`` document.

    Raises:
        InputError: One could not be carried out (``E_VALIDATION``, ``E_JSON_PATH``).
    """
    checks = post_rollback_checks(document)
    for check in checks:
        probe = check.probe
        if isinstance(probe, CommandProbe) and probe.metric and probe.metric.json_path:
            parse_json_path(probe.metric.json_path)
    return checks


def read_checks(view: View, model: str) -> tuple[Check, ...]:
    """Return what a model wants to be looked at; nothing if it has no ``model.yaml``.

    Raises:
        InputError: The file is malformed, or asks for what could not be done.
    """
    path = layout.model_path(model)
    data = view.blob(path)
    if data is None:
        return ()
    document = schema.read_document(data, path, "Model")
    return checks_of(document.value)
