"""The registry as its history has proved it so far: what the next step rests on."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from gitmodel.domain.digest import Digest
from gitmodel.domain.gating import Standing
from gitmodel.domain.holds import Holds
from gitmodel.domain.incident import Course
from gitmodel.formats import yaml_quick, yaml_reader
from gitmodel.operations.verification.quarantine_book import Book
from gitmodel.registry import layout
from gitmodel.registry.attestations import read_attested
from gitmodel.registry.hold_releases import release_numbers
from gitmodel.registry.incidents import read_course
from gitmodel.registry.reviews import last_digest
from gitmodel.registry.stage_log import read_proved

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from gitmodel.adapters.git.objects import ObjectReader
    from gitmodel.domain.attestation import Attested
    from gitmodel.domain.pin import Release
    from gitmodel.domain.transition import Transition
    from gitmodel.operations.verification.findings import Findings
    from gitmodel.registry.policies import Edition
    from gitmodel.registry.steps import Step
    from gitmodel.registry.view import View


@dataclass(slots=True)
class Chain:
    """One pin's log so far.

    Attributes:
        transitions: All of them, oldest first.
        last: Digest of the newest one; None before the first.
        pin: Digest of the pin; None while the stage is empty.
        lived: Every manifest that the stage has held.
        holds: What its rollbacks keep from coming back.
        released: Numbers of the rollbacks whose hold has ended.
    """

    transitions: list[Transition] = field(default_factory=list)
    last: Digest | None = None
    pin: Digest | None = None
    lived: set[Digest] = field(default_factory=set)
    holds: Holds = field(default_factory=Holds)
    released: set[int] = field(default_factory=set)

    @property
    def current(self) -> Release | None:
        """What the stage holds after the newest transition."""
        return self.transitions[-1].target if self.transitions else None

    def digest_of(self, seq: int) -> Digest | None:
        """Return the digest of transition ``seq``, which must be there."""
        if seq == len(self.transitions):
            return self.last
        return self.transitions[seq].prior

    def extend(self, transition: Transition, digest: Digest) -> None:
        """Take in the next transition."""
        self.transitions.append(transition)
        self.last = digest
        self.pin = transition.pin
        self.holds.take_in(transition)
        if transition.target is not None:
            self.lived.add(transition.target.manifest)


@dataclass(slots=True)
class Ledger:
    """What has been proved.

    Attributes:
        base: The registry where an earlier verification ended; None to begin at the
            beginning. Its chains and manifests are read when they are needed.
        edition: The policy in force; None before the registry's first commit.
        registry_id: Digest of policy 1.
        chains: Every pin's log, by stage and model.
        manifests: Digest of every version's manifest, by model and version.
        trusted_roots: Every trusted root of a Sigstore that came in, by its path.
        sources: The blob of every version's manifest, by model and version.
        attestations: What counts of each version's attestations, in order.
        reader: Reads ``sources``; None where nobody asks about them.
        reviews: How many access reviews there are, and the digest of the newest.
        quarantine: What must not be promoted, or gone back to.
        incidents: How far each incident has come, by its id, once it was asked.
    """

    findings: Findings
    base: View | None = None
    edition: Edition | None = None
    registry_id: Digest | None = None
    chains: dict[tuple[str, str], Chain] = field(default_factory=dict)
    manifests: dict[tuple[str, str], Digest] = field(default_factory=dict)
    trusted_roots: dict[str, bytes] = field(default_factory=dict)
    sources: dict[tuple[str, str], str] = field(default_factory=dict)
    attestations: dict[tuple[str, str], list[Attested]] = field(default_factory=dict)
    reader: ObjectReader | None = None
    reviews: tuple[int, Digest | None] = (0, None)
    quarantine: Book = field(default_factory=Book)
    incidents: dict[str, Course] = field(default_factory=dict)

    @classmethod
    def resume(cls, findings: Findings, base: View) -> Ledger:
        """Go on from a commit that was verified before."""
        return cls(
            findings,
            base,
            base.edition,
            base.registry_id,
            reader=base.reader,
            reviews=last_digest(base),
        )

    def chain(self, stage: str, model: str) -> Chain:
        """Return a pin's log, empty if it has none."""
        if (stage, model) not in self.chains:
            chain = Chain()
            if self.base is not None:
                for transition, digest in read_proved(self.base, stage, model):
                    chain.extend(transition, digest)
                chain.released.update(release_numbers(self.base, stage, model))
            self.chains[stage, model] = chain
        return self.chains[stage, model]

    def course(self, incident: str) -> Course:
        """Return how far an incident has come; not at all if it was never opened."""
        if incident not in self.incidents:
            self.incidents[incident] = (
                read_course(self.base, incident) if self.base else Course()
            )
        return self.incidents[incident]

    def trusted_root_finder(self, step: Step) -> Callable[[str], bytes | None]:
        """Return what finds a trusted root in a step, or in what came before it."""

        def find(path: str) -> bytes | None:
            found = step.blobs.get(path) or self.trusted_roots.get(path)
            if found is None and self.base is not None:
                return self.base.blob(path)
            return found

        return find

    def manifest(self, model: str, version: str) -> Digest | None:
        """Return the digest of a version's manifest; None if there is none."""
        if (model, version) not in self.manifests and self.base is not None:
            data = self.base.blob(layout.manifest_path(model, version))
            if data is not None:
                self.manifests[model, version] = Digest.of(data)
        return self.manifests.get((model, version))

    def attested(self, model: str, version: str) -> list[Attested]:
        """Return the attestations of a version so far, to be added to."""
        if (model, version) not in self.attestations:
            known = read_attested(self.base, model, version) if self.base else ()
            self.attestations[model, version] = list(known)
        return self.attestations[model, version]

    def standing(self, model: str, version: str) -> Standing | None:
        """Return what gates ask about a version; None if it cannot be read."""
        found = self.manifest_document(model, version)
        if found is None:
            return None
        digest, document = found
        attested = tuple(self.attested(model, version))
        return Standing.of(document, digest, attested)

    def manifest_document(
        self, model: str, version: str
    ) -> tuple[Digest, Mapping[str, Any]] | None:
        """Return a version's manifest and its digest; None if it cannot be read."""
        path = layout.manifest_path(model, version)
        oid = self.sources.get((model, version))
        data = None
        if oid is not None and self.reader is not None:
            data = self.reader.read(oid).data
        elif self.base is not None:
            data = self.base.blob(path)
        if data is None:
            return None
        document = yaml_quick.value_of(data) or yaml_reader.read(data, path).value
        return Digest.of(data), document
