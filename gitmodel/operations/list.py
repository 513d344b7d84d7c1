"""List models with what their stages hold, or one model's versions."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Literal

from gitmodel.domain.metrics import direction_of, read_metrics
from gitmodel.domain.names import model_name
from gitmodel.domain.status import Status, live_stages, status_of
from gitmodel.errors import InputError
from gitmodel.registry.stage_log import read_histories
from gitmodel.registry.versions import load

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    from gitmodel.domain.manifest import ModelVersion
    from gitmodel.registry.view import View

SortKey = Literal["version", "createdAt"]


@dataclass(frozen=True, slots=True, kw_only=True)
class ModelRow:
    """One model: its highest version, and the version that each stage holds."""

    model: str
    latest: str | None
    versions: int
    stages: Mapping[str, str | None]


@dataclass(frozen=True, slots=True, kw_only=True)
class VersionRow:
    """One version of a model."""

    version: str
    created_at: str
    created_by: str
    metrics: Mapping[str, Any]
    labels: Mapping[str, str]
    stages: tuple[str, ...]
    status: Status
    size: int


def list_models(view: View, *, stage: str | None = None) -> tuple[ModelRow, ...]:
    """Return every model; with ``stage``, those that the stage holds."""
    stages = view.settings.stages
    if stage is not None:
        view.settings.require_stage(stage)
    rows = []
    for model in view.models():
        held: dict[str, str | None] = {}
        for name in stages:
            pin = view.pin(name, model)
            held[name] = pin.release.version if pin else None
        if stage is not None and held[stage] is None:
            continue
        versions = view.versions(model)
        releases = [version for version in versions if not version.prerelease]
        highest = (releases or versions or (None,))[-1]
        rows.append(
            ModelRow(
                model=model,
                latest=str(highest) if highest else None,
                versions=len(versions),
                stages=held,
            )
        )
    return tuple(rows)


def list_versions(
    view: View,
    model: str,
    *,
    stage: str | None = None,
    labels: Mapping[str, str] | None = None,
    where: Sequence[Callable[[ModelVersion], bool]] = (),
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
    versions = view.versions(model)
    histories = read_histories(view, model)
    if stage is not None:
        view.settings.require_stage(stage)
    found = []
    for number in reversed(versions):
        version = load(view, model, str(number)).version
        if stage is not None and not histories[stage].was_live(version.digest):
            continue
        if any(version.labels.get(k) != v for k, v in (labels or {}).items()):
            continue
        if all(holds(version) for holds in where):
            found.append(version)
    return tuple(
        VersionRow(
            version=str(version.version),
            created_at=version.created_at,
            created_by=version.created_by,
            metrics=version.metrics,
            labels=version.labels,
            stages=live_stages(version.digest, histories),
            status=status_of(version.digest, histories),
            size=version.size,
        )
        for version in _sorted(found, sort)[:limit]
    )


def _sorted(versions: list[ModelVersion], key: str) -> list[ModelVersion]:
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


def metric_value(version: ModelVersion, key: str) -> float | None:
    """Return a metric such as ``validation.accuracy``; None if it was not measured."""
    group, _, name = key.partition(".")
    metric = read_metrics(version.metrics).get(group, {}).get(name)
    return metric.value if metric is not None else None
