"""Show one version, with what became of it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from gitmodel.domain.status import Status, Statuses
from gitmodel.errors import GitmodelError, NotFoundError
from gitmodel.registry.attestations import AttestationRow, read_rows
from gitmodel.registry.quarantines import quarantined
from gitmodel.registry.stage_log import read_history, require_sound_history
from gitmodel.registry.versions import resolve

if TYPE_CHECKING:
    from collections.abc import Mapping
    from datetime import datetime

    from gitmodel.domain.digest import Digest
    from gitmodel.domain.history import StageHistory
    from gitmodel.domain.manifest import ModelVersion
    from gitmodel.domain.selector import Selector
    from gitmodel.registry.handle import RegistryHandle
    from gitmodel.registry.seals import Seal
    from gitmodel.registry.view import View


@dataclass(frozen=True, slots=True, kw_only=True)
class Stay:
    """One stay of the version in a stage; times as the transitions say."""

    stage: str
    since: str
    until: str | None
    left_by: str | None
    reason: str


@dataclass(frozen=True, slots=True, kw_only=True)
class ShowResult:
    """A version and its derived state.

    Attributes:
        seals: Its valid signatures.
        signature_problems: What is wrong with its signatures.
        log_problems: Why the logs that its status comes from cannot be relied on.
        stays: Where it was live, newest first.
        attestations: Its late facts, by type and number, good or bad.
        commit: The commit that was looked at.
        quarantine: Why it is in quarantine; None if it is not.
    """

    version: ModelVersion
    status: Status
    stages: tuple[str, ...]
    seals: tuple[Seal, ...]
    signature_problems: tuple[str, ...]
    log_problems: tuple[str, ...]
    stays: tuple[Stay, ...]
    commit: str
    attestations: tuple[AttestationRow, ...] = ()
    quarantine: str | None = None

    @property
    def document(self) -> Mapping[str, Any]:
        """The manifest as it was registered."""
        return self.version.document


def show(view: View, selector: Selector) -> ShowResult:
    """Return the version that ``selector`` names, with status and history.

    Raises:
        NotFoundError: It names none.
    """
    found = resolve(view, selector)
    digest = found.version.digest
    histories, log_problems = _histories(view, found.version.model)
    reason = quarantined(view, found.version.model, str(found.version.version))
    statuses = Statuses(histories, _quarantined(view, found.version, histories))
    stays = [
        Stay(
            stage=stage,
            since=tenure.began.created_at,
            until=tenure.ended.created_at if tenure.ended else None,
            left_by=tenure.ended.action if tenure.ended else None,
            reason=tenure.began.reason,
        )
        for stage, history in histories.items()
        for tenure in history.tenures()
        if tenure.release.manifest == digest
    ]
    return ShowResult(
        version=found.version,
        status=statuses.of(digest),
        stages=statuses.stages(digest),
        seals=found.record.seals,
        signature_problems=tuple(map(str, found.record.problems)),
        log_problems=log_problems,
        stays=tuple(sorted(stays, key=lambda stay: stay.since, reverse=True)),
        commit=str(view.commit),
        attestations=read_rows(view, found.version.model, str(found.version.version)),
        quarantine=str(reason) if reason is not None else None,
    )


def _quarantined(
    view: View, version: ModelVersion, histories: Mapping[str, StageHistory]
) -> set[Digest]:
    """Return the manifests in quarantine, of a version and of what was live."""
    places = {str(version.version): version.digest} | {
        tenure.release.version: tenure.release.manifest
        for history in histories.values()
        for tenure in history.tenures()
    }
    return {
        manifest
        for number, manifest in places.items()
        if quarantined(view, version.model, number) is not None
    }


def _histories(
    view: View, model: str
) -> tuple[dict[str, StageHistory], tuple[str, ...]]:
    """Return what each stage has held, and why some of it cannot be relied on."""
    histories: dict[str, StageHistory] = {}
    problems = []
    for stage in view.settings.stages:
        try:
            histories[stage], _ = require_sound_history(view, stage, model)
        except GitmodelError as error:
            problems.append(f"{error.message} [{error.code}]")
            histories[stage] = read_history(view, stage, model)
    return histories, tuple(problems)


def view_at(handle: RegistryHandle, moment: datetime) -> View:
    """Return the registry as it was at ``moment``, on its first-parent line (R136).

    Raises:
        NotFoundError: It did not exist yet.
    """
    # "@" and a zone, or else git takes a small number for something else than a time.
    seconds = max(0, int(moment.timestamp()))
    found = handle.repository.git.run(
        "rev-list", "--first-parent", "--max-count=1",
        f"--before=@{seconds} +0000", "HEAD", "--",
    )  # fmt: skip
    commit = found.decode().strip()
    if not commit:
        raise NotFoundError(f"The registry did not exist at {moment.isoformat()}")
    return handle.view(commit)
