"""List models with what their stages hold, or one model's versions.

What lists say, documents say; who signed them, ``show`` and ``verify`` say. So they
come from what this clone keeps (``registry.catalog_store``), if it was read before.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Literal, Protocol

from gitmodel.domain.metrics import direction_of, read_metrics
from gitmodel.domain.names import model_name
from gitmodel.domain.status import Status, Statuses
from gitmodel.errors import InputError
from gitmodel.registry import catalog, catalog_quarantine, catalog_stages

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    from gitmodel.registry.catalog_store import Summary
    from gitmodel.registry.view import View

SortKey = Literal["version", "createdAt"]


class Measured(Protocol):
    """What conditions and sort keys ask about."""

    @property
    def metrics(self) -> Mapping[str, Mapping[str, Any]]:
        """Metrics by set, as the manifest has them."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ModelRow:
    """One model: its highest version, and the version that each stage holds."""

    model: str
    latest: str | None
    versions: int
    stages: Mapping[str, str | None]


@dataclass(frozen=True, slots=True, kw_only=True)
class VersionRow:
    """One version of a model.

    Attributes:
        quarantine: Why it is in quarantine; None if it is not.
    """

    version: str
    created_at: str
    created_by: str
    metrics: Mapping[str, Any]
    labels: Mapping[str, str]
    stages: tuple[str, ...]
    status: Status
    size: int
    quarantine: str | None = None


def list_models(view: View, *, stage: str | None = None) -> tuple[ModelRow, ...]:
    """Return every model; with ``stage``, those that the stage holds."""
    if stage is not None:
        view.settings.require_stage(stage)
    numbers = catalog.numbers(view)
    held = catalog_stages.pinned(view, tuple(numbers))
    return tuple(
        ModelRow(
            model=model,
            latest=found.latest,
            versions=found.count,
            stages={name: pins.get(model) for name, pins in held.items()},
        )
        for model, found in numbers.items()
        if stage is None or model in held[stage]
    )


def list_versions(
    view: View,
    model: str,
    *,
    stage: str | None = None,
    labels: Mapping[str, str] | None = None,
    where: Sequence[Callable[[Measured], bool]] = (),
    sort: str = "version",
    limit: int | None = None,
) -> tuple[VersionRow, ...]:
    """Return the versions of a model, best or newest first.

    Args:
        view: The registry.
        model: Its name.
        stage: Keep what this stage has ever held.
        labels: Keep versions that carry all of these.
        where: Keep versions for which every one of these holds.
        sort: ``version``, ``createdAt`` or a metric such as ``validation.f1``; a
            metric sorts the better value first and leaves out who has none.
        limit: Keep so many.

    Raises:
        NotFoundError: There is no such model or stage.
        InputError: ``sort`` is no sort key.
    """
    model_name(model)
    versions = catalog.summaries(view, model)
    if stage is not None:
        view.settings.require_stage(stage)
    marks = catalog_quarantine.marks(view)
    reasons = {
        version.manifest: str(reason)
        for version in versions
        if (reason := marks.reason(model, version.version)) is not None
    }
    statuses = Statuses(catalog_stages.histories(view, model), reasons)
    wanted = (labels or {}).items()
    found = [
        version
        for version in reversed(versions)
        if (stage is None or statuses.was_live(stage, version.manifest))
        and all(version.labels.get(key) == value for key, value in wanted)
        and all(holds(version) for holds in where)
    ]
    return tuple(
        VersionRow(
            version=version.version,
            created_at=version.created_at,
            created_by=version.created_by,
            metrics=version.metrics,
            labels=version.labels,
            stages=statuses.stages(version.manifest),
            status=statuses.of(version.manifest),
            size=version.size,
            quarantine=reasons.get(version.manifest),
        )
        for version in _sorted(found, sort)[:limit]
    )


def _sorted(versions: list[Summary], key: str) -> list[Summary]:
    if key == "version":
        return versions
    if key == "createdAt":
        return sorted(versions, key=lambda version: version.created_at, reverse=True)
    if "." not in key:
        key = f"validation.{key}"
    values = {
        version.version: value
        for version in versions
        if (value := metric_value(version, key)) is not None
    }
    if not values and versions:
        raise InputError(
            f"No version has the metric {key}",
            "Sort by version, createdAt, or a metric such as validation.accuracy.",
        )
    return sorted(
        (version for version in versions if version.version in values),
        key=lambda version: values[version.version],
        reverse=direction_of(key.rpartition(".")[2]) == "higher",
    )


def metric_value(version: Measured, key: str) -> float | None:
    """Return a metric such as ``validation.accuracy``; None if it was not measured."""
    group, _, name = key.partition(".")
    found = version.metrics.get(group, {})
    if name not in found:
        return None
    metric = read_metrics({group: {name: found[name]}})[group][name]
    return metric.value
