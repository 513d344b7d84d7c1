"""Versions and promotions.

>>> import gitmodel
>>> registry = gitmodel.open_registry(".")
>>> registered = registry.register("fraud", ["model.safetensors"], version="3.0.0",
...                                metrics={"recall": 0.93}, labels={"team": "risk"})
>>> registry.promote("fraud@3.0.0", "dev", reason="first candidate").status
'promoted'
>>> registry.promote_all(["fraud@3.0.0", "churn@1.0.0"], "staging", reason="x").status
'promoted'
"""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

from gitmodel.api.opened import Opened
from gitmodel.domain.selector import Selector
from gitmodel.domain.semver import Bump, Version
from gitmodel.operations import (
    promote,
    promote_batch,
    register,
)
from gitmodel.operations.facts import Facts
from gitmodel.registry.transaction import Mode

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from gitmodel.api.opened import PathLike


class Changing(Opened):
    """Registers and promotes."""

    def register(
        self,
        model: str,
        paths: Sequence[PathLike],
        *,
        version: str | None = None,
        bump: Bump | None = None,
        metrics: Mapping[str, Any] | None = None,
        params: Mapping[str, Any] | None = None,
        labels: Mapping[str, str] | None = None,
        metadata: Mapping[str, Any] | None = None,
        code: PathLike | None = None,
        roles: Mapping[str, str] | None = None,
        allow_same_bytes: bool = False,
        message: str = "",
        dry_run: bool = False,
        push: bool = False,
    ) -> register.RegisterResult:
        """Register files as a new version; see ``gitmodel register``.

        Args:
            model: New or existing.
            paths: Files, and directories whose content is taken.
            version: Such as ``1.2.0``; else ``bump``, else the next patch.
            bump: ``major``, ``minor`` or ``patch`` of the highest version.
            metrics: By name, for validation; or by set, then by name.
            params: Hyperparameters.
            labels: Labels.
            metadata: Further manifest sections, as ``--metadata`` takes them.
            code: Where the training code is.
            roles: Artifact name → role.
            allow_same_bytes: Register bytes that another version has.
            message: Why, for the log.
            dry_run: Change nothing.
            push: Also push.

        Raises:
            InputError, ConflictError, RefusedError, OutsideError: As the command.
        """
        given: dict[str, Any] = dict(metadata or {})
        if metrics:
            given["metrics"] = {**given.get("metrics", {}), **_by_set(metrics)}
        if params:
            training = dict(given.get("training", {}))
            known = training.get("hyperparameters", {})
            training["hyperparameters"] = {**known, **params}
            given["training"] = training
        if labels:
            given["labels"] = {**given.get("labels", {}), **labels}
        return register.register(
            self._handle,
            model,
            [Path(path) for path in paths],
            naming=register.Naming(
                version=Version.parse(version) if version else None,
                bump=bump,
                allow_same_bytes=allow_same_bytes,
            ),
            facts=Facts(
                change=given.pop("change", None),
                given=given,
                code=Path(code) if code else Path(),
                code_required=code is not None,
            ),
            roles=roles,
            message=message,
            mode=Mode(dry_run=dry_run, push=push),
        )

    def promote(
        self,
        selector: str,
        stage: str,
        *,
        reason: str = "",
        dry_run: bool = False,
        push: bool = False,
    ) -> promote.PromoteResult:
        """Put a version into a stage; see ``gitmodel promote``."""
        return promote.promote(
            self._handle,
            Selector.parse(selector),
            stage,
            reason=reason,
            mode=Mode(dry_run=dry_run, push=push),
        )

    def promote_all(
        self,
        selectors: Sequence[str],
        stage: str,
        *,
        reason: str = "",
        dry_run: bool = False,
        push: bool = False,
    ) -> promote_batch.BatchResult:
        """Put several versions into a stage, all in one commit or none."""
        return promote_batch.promote_batch(
            self._handle,
            [Selector.parse(each) for each in selectors],
            stage,
            reason=reason,
            mode=Mode(dry_run=dry_run, push=push),
        )


def _by_set(metrics: Mapping[str, Any]) -> dict[str, Any]:
    """Return metrics by set; those given by name alone are for validation."""
    if all(
        isinstance(value, dict) and "value" not in value for value in metrics.values()
    ):
        return dict(metrics)
    return {"validation": dict(metrics)}
