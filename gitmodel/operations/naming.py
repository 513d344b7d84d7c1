"""Models that are new, and named as the registry does not want it (R007)."""

from __future__ import annotations

from typing import TYPE_CHECKING

from gitmodel.errors import RefusedError

if TYPE_CHECKING:
    from gitmodel.operations.verification.findings import Findings
    from gitmodel.registry.view import View

_MODELS = "models"


def require_well_named(view: View, model: str) -> None:
    """Refuse a new model whose name breaks the rules of ``gitmodel.yaml``.

    Raises:
        RefusedError: It does (``E_NAMING``).
    """
    if model in view.names(_MODELS):
        return
    if why := view.settings.naming.broken_by(model):
        raise RefusedError(
            f"{why}.",
            "Choose another name, or change gitmodel.yaml if the rule is wrong.",
            code="E_NAMING",
        )


def judge_names(view: View, base: View | None, findings: Findings) -> None:
    """Report each model that is not in ``base``, and is named badly.

    The rules are those of ``base``: a change cannot bring its own.
    """
    known = set(base.names(_MODELS)) if base is not None else set()
    rules = (base or view).settings.naming
    for model in sorted(set(view.names(_MODELS)) - known):
        if why := rules.broken_by(model):
            findings.add("E_NAMING", f"{why}.", f"{_MODELS}/{model}")
