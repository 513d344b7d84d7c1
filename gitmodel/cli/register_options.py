"""Turns the options of ``register`` into facts for a manifest."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

from gitmodel.adapters.capture.data import parse_data
from gitmodel.cli.mapping_file import read_mapping
from gitmodel.domain.artifact import ROLES
from gitmodel.domain.metrics import parse_metrics
from gitmodel.domain.names import model_name
from gitmodel.domain.parameters import parse_labels, parse_parameters
from gitmodel.domain.semver import Version
from gitmodel.errors import InputError
from gitmodel.operations.facts import Facts

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from gitmodel.domain.ports import Progress


def facts_from_options(
    options: Mapping[str, Any], progress: Progress, virtual_environment: str | None
) -> Facts:
    """Combine ``--metadata`` with the options, which win.

    Raises:
        InputError: One of them is malformed.
    """
    given = _metadata(options["metadata"])
    training = dict(_mapping(given, "training"))
    if parameters := parse_parameters(options["params"]):
        known = _mapping(training, "hyperparameters")
        training["hyperparameters"] = {**known, **parameters}
    if data := [parse_data(text, progress=progress) for text in options["data"]]:
        named = {ref.name for ref in data}
        known_data = _items(training, "data")
        kept = [ref for ref in known_data if ref.get("name") not in named]
        training["data"] = kept + [ref.to_dict() for ref in data]
    given_metrics = _mapping(given, "metrics")
    metrics = {group: dict(_mapping(given_metrics, group)) for group in given_metrics}
    for group, values in parse_metrics(options["metrics"]).items():
        metrics.setdefault(group, {}).update(values)
    lineage = dict(_mapping(given, "lineage"))
    if parents := [_parent(text) for text in options["parents"]]:
        lineage["parents"] = [*_items(lineage, "parents"), *parents]
    labels = {**_mapping(given, "labels"), **parse_labels(options["labels"])}
    if options["card"]:
        given["card"] = Path(options["card"]).name
    if options["description"]:
        given["description"] = options["description"]
    change = options["change"] or given.pop("change", None)
    given |= {
        "training": training,
        "metrics": metrics,
        "lineage": lineage,
        "labels": labels,
    }
    return Facts(
        change=change,
        given=given,
        code=Path(options["code"] or "."),
        code_required=bool(options["code"]),
        capture=not options["no_capture"],
        environment=Path(virtual_environment) if virtual_environment else None,
    )


def roles_from_options(texts: Sequence[str], card: object) -> dict[str, str]:
    """Read ``NAME=ROLE`` pairs.

    Raises:
        InputError: A role does not exist.
    """
    roles = {Path(str(card)).name: "card"} if card else {}
    for text in texts:
        name, equals, role = text.rpartition("=")
        if not equals or role not in ROLES:
            raise InputError(
                f"--role {text!r} is not of the form NAME=ROLE.",
                f"Roles are: {', '.join(ROLES)}",
            )
        roles[name] = role
    return roles


def _metadata(file: str | None) -> dict[str, Any]:
    if file is None:
        return {}
    return read_mapping(file, "a mapping of manifest sections")[1]


def _mapping(given: Mapping[str, Any], name: str) -> Mapping[str, Any]:
    found = given.get(name) or {}
    if not isinstance(found, dict):
        raise InputError(f"The metadata's {name} is not a mapping.")
    return found


def _items(given: Mapping[str, Any], name: str) -> list[dict[str, Any]]:
    found = given.get(name) or []
    if not isinstance(found, list) or not all(isinstance(each, dict) for each in found):
        raise InputError(f"The metadata's {name} is not a list of mappings.")
    return found


def _parent(text: str) -> dict[str, str]:
    pointed, _, relation = text.partition(":")
    model, at, version = pointed.partition("@")
    if not at:
        raise InputError(f"--parent {text!r} is not of the form MODEL@V[:RELATION].")
    return {
        "model": model_name(model),
        "version": str(Version.parse(version)),
        "relation": relation or "derived",
    }
