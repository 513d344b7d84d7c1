"""The versions and models of a registry, for lists: read once, then kept.

What is new is read from git, and only that. What is kept, and who may rely on it,
``catalog_store`` says.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from gitmodel.registry import layout
from gitmodel.registry.catalog_store import Summary, cache_of, known_summaries

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from gitmodel.registry.view import View


@dataclass(frozen=True, slots=True)
class Numbers:
    """How many versions a model has, and which one people mean by the latest.

    Attributes:
        latest: Its highest release, or else its highest version; None if it has none.
    """

    latest: str | None
    count: int


def summaries(view: View, model: str) -> tuple[Summary, ...]:
    """Return every version of a model, lowest first.

    Raises:
        NotFoundError: There is no such model.
        IntegrityError: A manifest is malformed, or gone.
    """
    directory = view.entry(layout.versions_dir(model))
    if directory is None or not directory.is_tree:
        view.versions(model)  # says what is wrong, if anything is
        return ()
    cache, name = cache_of(view), f"versions/{model}"
    tree, known = known_summaries(cache.get(name))
    if tree == directory.oid:
        return tuple(known)
    found = tuple(_read_summaries(view, model, known))
    rows = [summary.to_row() for summary in found]
    cache.put(name, {"tree": directory.oid, "rows": rows})
    return found


def numbers(view: View) -> dict[str, Numbers]:
    """Return every model, in order, with what its versions' names tell."""
    cache, name = cache_of(view), "models"
    kept = cache.get(name)
    known = kept if isinstance(kept, dict) else {}
    rows: dict[str, tuple[str, Numbers]] = {}
    for model, entry in sorted(view.names("models").items()):
        if entry.is_tree:
            found = _known_numbers(known.get(model), entry.oid)
            rows[model] = (entry.oid, found or _count(view, model))
    said = {
        model: [tree, found.latest, found.count]
        for model, (tree, found) in rows.items()
    }
    if said != known:
        cache.put(name, said)
    return {model: found for model, (_, found) in rows.items()}


def _read_summaries(
    view: View, model: str, known: Sequence[Summary]
) -> Iterator[Summary]:
    """Yield all versions, lowest first, reading those that are not known."""
    from gitmodel.registry.versions import read_manifests  # noqa: PLC0415 (slow)

    by_place = {(summary.version, summary.source): summary for summary in known}
    entries = view.names(layout.versions_dir(model))
    places = [(str(v), entries[str(v)].oid) for v in view.versions(model)]
    # The newest first: if some are malformed, that is the one to hear about.
    new = [place for place in reversed(places) if place not in by_place]
    read = read_manifests(view, model, [version for version, _ in new])
    for place, version in zip(new, read, strict=True):
        by_place[place] = Summary.of(version, place[1])
    yield from (by_place[place] for place in places)


def _known_numbers(row: Any, tree: str) -> Numbers | None:
    match row:
        case [str(kept), str() | None as latest, int(count)] if kept == tree:
            return Numbers(latest, count)
    return None


def _count(view: View, model: str) -> Numbers:
    versions = view.versions(model)
    releases = [version for version in versions if not version.prerelease]
    highest = (releases or versions or (None,))[-1]
    return Numbers(str(highest) if highest else None, len(versions))
