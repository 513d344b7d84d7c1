"""Reading and proving.

>>> import gitmodel
>>> registry = gitmodel.open_registry(".")
>>> {row.model: row.stages["staging"] for row in registry.models()}
{'churn': None, 'fraud': '1.1.0'}
>>> [row.version for row in registry.versions("fraud")]
['2.0.0', '1.1.0', '1.0.0']
>>> str(registry.show("fraud#staging").version.version)
'1.1.0'
>>> registry.log("fraud", stage="staging")[0].action
'promote'
>>> [checked.allowed for checked in registry.check("fraud@2.0.0", stage="dev")]
[True]
>>> pulled = registry.pull("fraud#staging", "live")
>>> registry.verify(root=registry.root).ok
True
"""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from gitmodel.api.opened import Opened
from gitmodel.domain.digest import Digest
from gitmodel.domain.selector import Selector
from gitmodel.operations import (
    check,
    diff,
    log,
    pull,
    show,
    verify,
)
from gitmodel.operations import (
    list as listing,
)

if TYPE_CHECKING:
    from collections.abc import Mapping

    from gitmodel.api.opened import PathLike


class Reading(Opened):
    """Reads a registry, and proves it."""

    def models(self, *, stage: str | None = None) -> tuple[listing.ModelRow, ...]:
        """Return every model with what its stages hold."""
        return listing.list_models(self._handle.view(), stage=stage)

    def versions(
        self,
        model: str,
        *,
        stage: str | None = None,
        labels: Mapping[str, str] | None = None,
        sort: str = "version",
        limit: int | None = None,
    ) -> tuple[listing.VersionRow, ...]:
        """Return the versions of a model; see ``gitmodel list MODEL``."""
        return listing.list_versions(
            self._handle.view(),
            model,
            stage=stage,
            labels=labels,
            sort=sort,
            limit=limit,
        )

    def show(self, selector: str) -> show.ShowResult:
        """Return one version with its status and history."""
        return show.show(self._handle.view(), Selector.parse(selector))

    def log(
        self, model: str | None = None, *, stage: str | None = None
    ) -> tuple[log.Event, ...]:
        """Return the audit trail, newest first."""
        return log.log(self._handle, log.LogFilter(model=model, stage=stage))

    def diff(self, a: str, b: str) -> diff.DiffResult:
        """Compare two versions."""
        return diff.diff(self._handle.view(), Selector.parse(a), Selector.parse(b))

    def check(
        self, selector: str | None = None, *, stage: str | None = None
    ) -> tuple[check.Checked, ...]:
        """Ask whether promotions would be allowed."""
        wanted = Selector.parse(selector) if selector else None
        now = self._handle.context.clock.now()
        return check.check(self._handle.view(), wanted, stage, now=now)

    def pull(
        self,
        selector: str,
        destination: PathLike | None = None,
        *,
        replace: bool = False,
        forensic: bool = False,
    ) -> pull.PullResult:
        """Write a version to a directory, verified; see ``gitmodel pull``."""
        target = Path(destination) if destination is not None else None
        return pull.pull(
            self._handle,
            Selector.parse(selector),
            target,
            replace=replace,
            forensic=forensic,
        )

    def verify(
        self,
        selector: str | None = None,
        *,
        hash_bytes: bool = True,
        root: str | None = None,
    ) -> verify.VerifyResult:
        """Verify one version or everything; never raises for what it finds wrong.

        Args:
            selector: One version, and the stages of its model; None for everything.
            hash_bytes: Whether to read the artifacts.
            root: The root digest as you know it from elsewhere.
        """
        wanted = Selector.parse(selector) if selector else None
        return verify.verify(
            self._handle,
            wanted,
            hash_bytes=hash_bytes,
            root=Digest.parse(root) if root else None,
        )
