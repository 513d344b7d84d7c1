"""What lists say of the quarantine, kept as ``catalog_store`` says.

A list asks about every version, and about the ancestors of each. So what versions are
made of is read once; only where something is in quarantine, and bound to the trees that
it was read from.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from gitmodel.domain.digest import Digest
from gitmodel.domain.quarantine import Quarantine
from gitmodel.domain.quarantine_state import Entry, Marks, Origins, fold
from gitmodel.registry import layout
from gitmodel.registry.catalog_store import MALFORMED, cache_of

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from gitmodel.registry.view import View

_POLICIES = layout.policy_path(1).rpartition("/")[0]


@dataclass(frozen=True, slots=True)
class Made:
    """What a version is made of, and when its manifest says that it was registered.

    Attributes:
        source: Id of the tree of its directory.
    """

    version: str
    source: str
    created_at: str
    origins: Origins

    @classmethod
    def from_row(cls, row: Sequence[Any]) -> Made:
        """Read what :meth:`to_row` returned."""
        version, source, created_at, manifest, files, data, parents = row
        origins = Origins(
            manifest=Digest(manifest),
            files=frozenset(files),
            data=tuple((name, number, digest) for name, number, digest in data),
            parents=tuple((model, number, said) for model, number, said in parents),
        )
        return cls(version, source, created_at, origins)

    def to_row(self) -> list[Any]:
        """Return it as JSON."""
        made = self.origins
        return [
            self.version, self.source, self.created_at, made.manifest.hex,
            sorted(made.files), made.data, made.parents,
        ]  # fmt: skip


def marks(view: View) -> Marks:
    """Return what is in quarantine, for lists; quick where nothing is.

    Raises:
        IntegrityError: The chain of quarantines is broken.
    """

    def origins(model: str, version: str) -> Origins | None:
        found = made_of(view, model).get(version)
        return found.origins if found is not None else None

    return view.once(
        "quarantine marks of lists", lambda: Marks(fold(_entries(view)), origins)
    )


def made_of(view: View, model: str) -> Mapping[str, Made]:
    """Return what each version of a model is made of, lowest first; {} for no model.

    Raises:
        IntegrityError: A manifest is malformed, or gone.
    """
    return view.once(("made of", model), lambda: _made_of(view, model))


def _made_of(view: View, model: str) -> Mapping[str, Made]:
    directory = view.entry(layout.versions_dir(model))
    if directory is None or not directory.is_tree:
        return {}
    cache, name = cache_of(view), f"made/{model}"
    tree, known = _known(cache.get(name))
    if tree == directory.oid:
        return {made.version: made for made in known}
    found = list(_read(view, model, known))
    rows = [made.to_row() for made in found]
    cache.put(name, {"tree": directory.oid, "rows": rows})
    return {made.version: made for made in found}


def _known(kept: Any) -> tuple[str, list[Made]]:
    try:
        return str(kept["tree"]), [Made.from_row(row) for row in kept["rows"]]
    except MALFORMED:
        return "", []


def _read(view: View, model: str, known: Sequence[Made]) -> Iterator[Made]:
    from gitmodel.registry.versions import read_manifests  # noqa: PLC0415 (slow)

    by_place = {(made.version, made.source): made for made in known}
    entries = view.names(layout.versions_dir(model))
    places = [(str(v), entries[str(v)].oid) for v in view.versions(model)]
    new = [place for place in places if place not in by_place]
    read = read_manifests(view, model, [version for version, _ in new])
    for (version, source), found in zip(new, read, strict=True):
        origins = Origins.of(found.document, found.digest)
        by_place[version, source] = Made(version, source, found.created_at, origins)
    yield from (by_place[place] for place in places)


def _entries(view: View) -> tuple[Entry, ...]:
    """Return the chain; its signatures are looked at when it is first seen."""
    directory, policies = view.entry(layout.QUARANTINE), view.entry(_POLICIES)
    if directory is None or not directory.is_tree or policies is None:
        return ()
    cache, source = cache_of(view), [directory.oid, policies.oid]
    try:
        kept: Any = cache.get("quarantine")
        if kept["source"] == source:
            return tuple(
                Entry(document=Quarantine.from_document(said), effective=bool(done))
                for said, done in kept["rows"]
            )
    except MALFORMED:
        pass
    # Signatures take a while to import, and where nothing is new, none are looked at.
    from gitmodel.registry.quarantine_chain import read_chain  # noqa: PLC0415

    found = tuple(entry for entry, _ in read_chain(view))
    rows = [[entry.document.to_document(), entry.effective] for entry in found]
    cache.put("quarantine", {"source": source, "rows": rows})
    return found
