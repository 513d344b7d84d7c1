"""Compare two versions: facts, metrics and artifacts (R089 to R093)."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from gitmodel.domain.metrics import Delta, compare
from gitmodel.registry.versions import resolve

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from gitmodel.domain.manifest import ModelVersion
    from gitmodel.domain.selector import Selector
    from gitmodel.registry.view import View

#: Shown in their own way, or different in every version.
_ELSEWHERE = frozenset(
    {"apiVersion", "kind", "metrics", "artifacts", "version", "model", "previous"}
    | {"createdAt"}
)


@dataclass(frozen=True, slots=True)
class FieldChange:
    """A field whose value differs; None stands for a field that is absent."""

    path: str
    before: Any
    after: Any


@dataclass(frozen=True, slots=True)
class ArtifactChange:
    """An artifact that was added, removed or changed."""

    path: str
    change: str
    before: str | None
    after: str | None
    size_before: int | None
    size_after: int | None


@dataclass(frozen=True, slots=True, kw_only=True)
class DiffResult:
    """Everything that differs between two versions."""

    before: ModelVersion
    after: ModelVersion
    fields: tuple[FieldChange, ...]
    metrics: tuple[Delta, ...]
    artifacts: tuple[ArtifactChange, ...]


def diff(view: View, a: Selector, b: Selector) -> DiffResult:
    """Compare the versions that two selectors name.

    Raises:
        NotFoundError: One names none.
    """
    before, after = resolve(view, a).version, resolve(view, b).version
    return DiffResult(
        before=before,
        after=after,
        fields=tuple(_fields(before.document, after.document)),
        metrics=compare(before.metrics, after.metrics),
        artifacts=tuple(_artifacts(before, after)),
    )


def _flat(value: Any, path: str) -> Iterator[tuple[str, Any]]:
    if isinstance(value, dict) and value:
        for key, inner in value.items():
            yield from _flat(inner, f"{path}.{key}" if path else key)
    elif isinstance(value, list) and value:
        for index, inner in enumerate(value):
            yield from _flat(inner, f"{path}[{index}]")
    else:
        yield path, value


def _fields(a: Mapping[str, Any], b: Mapping[str, Any]) -> Iterator[FieldChange]:
    before, after = (
        dict(_flat({k: v for k, v in doc.items() if k not in _ELSEWHERE}, ""))
        for doc in (a, b)
    )
    for path in dict.fromkeys([*before, *after]):
        if before.get(path) != after.get(path):
            yield FieldChange(path, before.get(path), after.get(path))


def _artifacts(a: ModelVersion, b: ModelVersion) -> Iterator[ArtifactChange]:
    before = {artifact.path: artifact for artifact in a.artifacts}
    after = {artifact.path: artifact for artifact in b.artifacts}
    for path in sorted({*before, *after}):
        old, new = before.get(path), after.get(path)
        if old is not None and new is not None and old.digest == new.digest:
            continue
        yield ArtifactChange(
            path=path,
            change="added" if old is None else "removed" if new is None else "changed",
            before=str(old.digest) if old else None,
            after=str(new.digest) if new else None,
            size_before=old.size if old else None,
            size_after=new.size if new else None,
        )
