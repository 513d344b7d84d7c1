"""What is in quarantine, and which versions that concerns: pure, so all judge alike.

A version is in quarantine if it is named itself, if one of its files or data sets is,
if it has exactly the files of a version that is named, or if any of its ancestors is.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from gitmodel.domain.quarantine import (
    BytesSubject,
    VersionSubject,
    meant_by,
    same_digest,
    same_name,
)
from gitmodel.domain.quarantine_index import NamedVersions
from gitmodel.errors import IntegrityError

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Mapping

    from gitmodel.domain.digest import Digest
    from gitmodel.domain.quarantine import Quarantine, Subject

    #: Returns what a version is made of; None if there is no such version.
    FindOrigins = Callable[[str, str], "Origins | None"]

#: Ancestors that are looked at; more than any registry has versions.
MOST_ANCESTORS = 1_000_000


@dataclass(frozen=True, slots=True, kw_only=True)
class Entry:
    """One document of the chain.

    Attributes:
        effective: Whether as many have signed as it takes. A quarantine always is.
    """

    document: Quarantine
    effective: bool = True


@dataclass(frozen=True, slots=True, kw_only=True)
class Origins:
    """What a version is made of.

    Attributes:
        manifest: Digest of its manifest.
        files: Digests of its artifacts.
        data: Name, version and digest of each data set; None for what is not known.
        parents: Model, version and manifest of each; the manifest may be None.
    """

    manifest: Digest
    files: frozenset[str]
    data: tuple[tuple[str, str | None, str | None], ...] = ()
    parents: tuple[tuple[str, str, str | None], ...] = ()

    @classmethod
    def of(cls, document: Mapping[str, Any], manifest: Digest) -> Origins:
        """Return what a schema-valid manifest says of it."""
        training, lineage = document.get("training", {}), document.get("lineage", {})
        return cls(
            manifest=manifest,
            files=frozenset(
                f"sha256:{artifact['sha256']}" for artifact in document["artifacts"]
            ),
            data=tuple(
                (
                    same_name(one["name"]),
                    same_name(one["version"]) if "version" in one else None,
                    same_digest(one["digest"]) if "digest" in one else None,
                )
                for one in training.get("data", ())
            ),
            parents=tuple(
                (parent["model"], parent["version"], parent.get("manifest"))
                for parent in lineage.get("parents", ())
            ),
        )


@dataclass(frozen=True, slots=True)
class Reason:
    """Why a version is in quarantine.

    Attributes:
        name: The version, as ``MODEL@VERSION``; "" for one that is not registered yet.
        by: The document that put it there.
        subject: What that names.
        via: The ancestor that it names, or that comes of it; "" if it is the version
            itself.
    """

    name: str
    by: Quarantine
    subject: Subject
    via: str = ""

    def __str__(self) -> str:
        """Say for what, who and when, and why, without a full stop."""
        through = f" through its ancestor {self.via}" if self.via else ""
        cause = (
            f"for {self.subject}{through}, " if str(self.subject) != self.name else ""
        )
        incident = f", incident {self.by.incident}" if self.by.incident else ""
        why = f": {self.by.reason}" if self.by.reason else ""
        return (
            f"{cause}put there by {self.by.created_by} at {self.by.created_at} "
            f"(quarantine {self.by.number}{incident}){why}"
        )


def fold(entries: Iterable[Entry]) -> dict[Subject, Quarantine]:
    """Return what is in quarantine, each with the newest document that says so.

    A lift takes out exactly what it names, and nothing that comes after it: what is
    put into quarantine later stays there, whenever the lift gets its signatures.
    """
    marks: dict[Subject, Quarantine] = {}
    for entry in entries:
        for subject in entry.document.subjects:
            if entry.document.action == "quarantine":
                marks[subject] = entry.document
            elif entry.effective:
                marks.pop(subject, None)
    return marks


@dataclass(slots=True)
class Marks:
    """What is in quarantine, and an answer for every version.

    Attributes:
        subjects: What is in quarantine, with the document that says so.
        origins: Finds what a version is made of.
    """

    subjects: dict[Subject, Quarantine]
    origins: FindOrigins
    _known: dict[tuple[str, str], Reason | None] = field(default_factory=dict)
    _versions: NamedVersions = field(default_factory=NamedVersions)

    def __post_init__(self) -> None:
        for subject in self.subjects:
            self._index(subject)

    def take_in(self, entry: Entry) -> None:
        """Take in the next document, or a lift of old that has just been signed.

        What comes of it is as if all were read again; but a long history asks after
        every document.
        """
        document = entry.document
        self._known.clear()
        for subject in document.subjects:
            if document.action == "quarantine":
                self.subjects[subject] = document
                self._index(subject)
                continue
            there = self.subjects.get(subject)
            if entry.effective and there is not None and there.number < document.number:
                del self.subjects[subject]
                if isinstance(subject, VersionSubject):
                    self._versions.remove(subject)

    def _index(self, subject: Subject) -> None:
        if isinstance(subject, VersionSubject):
            found = self.origins(subject.model, subject.version)
            self._versions.add(subject, found.files if found else frozenset())

    def reason(self, model: str, version: str) -> Reason | None:
        """Say why a version is in quarantine; None if it is not.

        Raises:
            IntegrityError: It has more ancestors than anybody can look at.
        """
        if not self.subjects:
            return None
        start = (model, version)
        if start in self._known:
            return self._known[start]
        origins = self.origins(model, version)
        found = self._search(start, origins) if origins is not None else None
        if found is not None:
            self._known[start] = found
        return found

    def reason_for(self, origins: Origins) -> Reason | None:
        """Say why a version that is not in the registry yet would be in quarantine."""
        return self._search(("", ""), origins) if self.subjects else None

    def _search(self, start: tuple[str, str], origins: Origins) -> Reason | None:
        """Look at a version and all its ancestors, each once, nearest last."""
        name = "@".join(filter(None, start))
        seen = {start}
        all_here = True
        pending = [(start, origins)]
        while pending:
            place, found = pending.pop()
            via = "" if place == start else f"{place[0]}@{place[1]}"
            known = self._known.get(place)
            subject = known.subject if known else self._named(found)
            if subject is not None:
                return Reason(name, self.subjects[subject], subject, via)
            if place in self._known:
                continue  # it is not in quarantine, nor is any ancestor of it
            for parent_model, parent_version, stated in found.parents:
                named = self._manifest(stated or "")
                parent = (parent_model, parent_version)
                if named is not None:
                    via = f"{parent_model}@{parent_version}"
                    return Reason(name, self.subjects[named], named, via)
                if parent in seen:
                    continue
                seen.add(parent)
                if len(seen) > MOST_ANCESTORS:
                    raise IntegrityError(
                        f"{start[0]}@{start[1]} has more than {MOST_ANCESTORS:,} "
                        "ancestors: nobody can look at them all.",
                        code="E_LIMIT",
                    )
                more = self.origins(*parent)
                if more is None:
                    all_here = False  # it may be registered yet
                else:
                    pending.append((parent, more))
        if all_here:  # whatever can be reached from here is as clean as this
            self._known.update(dict.fromkeys(seen - {("", "")}))
        return None

    def _named(self, origins: Origins) -> Subject | None:
        """Return what is in quarantine of a version itself; None for nothing."""
        return next(
            (each for each in self._parts(origins) if each in self.subjects),
            self._manifest(str(origins.manifest)) or self._versions.find(origins.files),
        )

    def _manifest(self, digest: str) -> Subject | None:
        """Return what is in quarantine of a manifest: a version, or any bytes."""
        whole = BytesSubject(digest)
        return whole if whole in self.subjects else self._versions.find(digest)

    @staticmethod
    def _parts(origins: Origins) -> Iterator[Subject]:
        yield from map(BytesSubject, origins.files)
        for name, version, digest in origins.data:
            yield from meant_by(name, version)
            if digest is not None:
                yield BytesSubject(digest)
