"""The quarantine as the history has proved it so far, and what that means."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Any, Protocol

from gitmodel.domain.quarantine_state import Entry, Marks, Origins, fold
from gitmodel.errors import GitmodelError
from gitmodel.registry.quarantine_chain import needed, read_chain, signers

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from gitmodel.domain.digest import Digest
    from gitmodel.operations.verification.findings import Findings
    from gitmodel.registry.policies import Edition
    from gitmodel.registry.seals import Seal
    from gitmodel.registry.view import View


class Known(Protocol):
    """What of the registry has been proved so far."""

    @property
    def base(self) -> View | None:
        """Where an earlier verification ended."""

    @property
    def findings(self) -> Findings:
        """Told about every problem."""

    def manifest_document(
        self, model: str, version: str
    ) -> tuple[Digest, Mapping[str, Any]] | None:
        """Return a version's manifest and its digest; None if it cannot be read."""


@dataclass(frozen=True, slots=True)
class Page:
    """One document of the chain, with its digest and who has signed it.

    Attributes:
        said: The document word by word, as whoever signs it states it.
    """

    entry: Entry
    said: Mapping[str, Any]
    digest: Digest
    seals: tuple[Seal, ...]

    def can_be_signed(self, edition: Edition) -> bool:
        """Say whether a further signature could still mean anything."""
        document = self.entry.document
        return document.action == "lift" and document.policy == edition.digest

    def with_seal(self, seal: Seal, edition: Edition) -> Page:
        """Return the same document, signed once more."""
        seals = (*self.seals, seal)
        document = self.entry.document
        who = signers(seals, document, edition.policy)
        effective = len(who) >= needed(document, edition.policy)
        entry = replace(self.entry, effective=effective)
        return replace(self, entry=entry, seals=seals)


@dataclass(slots=True)
class Book:
    """All documents so far; nothing is read before somebody asks."""

    _pages: list[Page] | None = None
    _marks: Marks | None = None
    _origins: dict[tuple[str, str], Origins] = field(default_factory=dict)

    def pages(self, known: Known) -> Sequence[Page]:
        """Return the documents, oldest first."""
        return self._read(known)

    def _read(self, known: Known) -> list[Page]:
        if self._pages is None:
            self._pages = []
            try:
                chain = read_chain(known.base) if known.base is not None else ()
                self._pages = [
                    Page(entry, record.document, record.digest, record.seals)
                    for entry, record in chain
                ]
            except GitmodelError as error:
                known.findings.add_error(error, "quarantine")
        return self._pages

    def add(self, page: Page) -> None:
        """Take in the next document; :meth:`pages` was asked before."""
        if self._pages is None:
            raise AssertionError("nothing is added before the rest is read")
        self._pages.append(page)
        if self._marks is not None:
            self._marks.take_in(page.entry)

    def replace(self, number: int, page: Page) -> None:
        """Take in a document that was signed once more."""
        if self._pages is None:
            raise AssertionError("nothing is replaced before the rest is read")
        self._pages[number - 1] = page
        if self._marks is not None:
            self._marks.take_in(page.entry)

    def marks(self, known: Known) -> Marks:
        """Return what is in quarantine.

        Raises:
            IntegrityError: A manifest that it names cannot be read.
        """
        if self._marks is None:
            pages = self._read(known)

            def origins(model: str, version: str) -> Origins | None:
                if (model, version) not in self._origins:
                    found = known.manifest_document(model, version)
                    if found is None:
                        return None
                    self._origins[model, version] = Origins.of(found[1], found[0])
                return self._origins[model, version]

            self._marks = Marks(fold(page.entry for page in pages), origins)
        return self._marks
