"""What legal steps do not prove of the tree that they led to."""

from __future__ import annotations

from typing import TYPE_CHECKING

from gitmodel.domain.notification import notifications
from gitmodel.domain.settings import Settings
from gitmodel.errors import GitmodelError
from gitmodel.operations.verification.documents import verify_plain
from gitmodel.operations.verification.layout import verify_layout
from gitmodel.operations.verification.scope import EVERYTHING
from gitmodel.registry import layout
from gitmodel.registry.model_checks import checks_of
from gitmodel.registry.triggers import load_trigger

if TYPE_CHECKING:
    from collections.abc import Iterable

    from gitmodel.adapters.git.repository import Repository
    from gitmodel.operations.verification.findings import Findings
    from gitmodel.registry.view import View


def verify_additions(
    repository: Repository, view: View, findings: Findings, base: View | None
) -> None:
    """Look at names, modes, attributes, settings, and documents that are new.

    Args:
        repository: Where to look.
        view: The registry after the steps.
        findings: Told about every problem.
        base: A commit that is known to be right in all this; None for none.
    """
    files = verify_layout(repository, view, findings, EVERYTHING, base)
    verify_settings(view, findings)
    verify_models(view, findings, files)
    verify_triggers(view, findings, files)
    for path in files:
        place = layout.classify(path)
        if place.kind == "pin":
            verify_plain(view, findings, path, "ModelPin")
            if place.stage not in view.settings.stages:
                message = f"the registry has no stage {place.stage}"
                findings.add("E_STAGE", message, path)


def verify_settings(view: View, findings: Findings) -> None:
    """Look at ``gitmodel.yaml``."""
    document = verify_plain(view, findings, layout.SETTINGS, "Registry")
    if document is not None:
        try:
            Settings.from_document(document)
            notifications(document)
        except GitmodelError as error:
            findings.add_error(error, layout.SETTINGS)


def verify_models(view: View, findings: Findings, files: Iterable[str]) -> None:
    """Look at the ``model.yaml`` of every model that is among ``files``."""
    places = map(layout.classify, files)
    for model in sorted({place.model for place in places if place.kind == "model"}):
        path = layout.model_path(model)
        document = verify_plain(view, findings, path, "Model")
        if document is None:
            continue
        if document["name"] != model:
            findings.add("E_NAME", f"it describes {document['name']}", path)
        try:
            checks_of(document)
        except GitmodelError as error:
            findings.add_error(error, path)


def verify_triggers(view: View, findings: Findings, files: Iterable[str]) -> None:
    """Look at the triggers that are among ``files``: what they name must be there."""
    places = map(layout.classify, files)
    for model in sorted({place.model for place in places if place.kind == "trigger"}):
        try:
            load_trigger(view, model)
        except GitmodelError as error:
            findings.add_error(error, layout.trigger_path(model))
