"""The registry as its history has proved it so far: what the next step rests on."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from gitmodel.domain.digest import Digest
from gitmodel.registry import layout
from gitmodel.registry.stage_log import read_records, transition_of

if TYPE_CHECKING:
    from gitmodel.domain.pin import Release
    from gitmodel.domain.transition import Transition
    from gitmodel.operations.verification.findings import Findings
    from gitmodel.registry.policies import Edition
    from gitmodel.registry.view import View


@dataclass(slots=True)
class Chain:
    """One pin's log so far.

    Attributes:
        transitions: All of them, oldest first.
        last: Digest of the newest one; None before the first.
        pin: Digest of the pin; None while the stage is empty.
        lived: Every manifest that the stage has held.
    """

    transitions: list[Transition] = field(default_factory=list)
    last: Digest | None = None
    pin: Digest | None = None
    lived: set[Digest] = field(default_factory=set)

    @property
    def current(self) -> Release | None:
        """What the stage holds after the newest transition."""
        return self.transitions[-1].target if self.transitions else None

    def extend(self, transition: Transition, digest: Digest) -> None:
        """Take in the next transition."""
        self.transitions.append(transition)
        self.last = digest
        self.pin = transition.pin
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
    """

    findings: Findings
    base: View | None = None
    edition: Edition | None = None
    registry_id: Digest | None = None
    chains: dict[tuple[str, str], Chain] = field(default_factory=dict)
    manifests: dict[tuple[str, str], Digest] = field(default_factory=dict)

    @classmethod
    def resume(cls, findings: Findings, base: View) -> Ledger:
        """Go on from a commit that was verified before."""
        return cls(findings, base, base.edition, base.registry_id)

    def chain(self, stage: str, model: str) -> Chain:
        """Return a pin's log, empty if it has none."""
        if (stage, model) not in self.chains:
            chain = Chain()
            for record in read_records(self.base, stage, model) if self.base else ():
                chain.extend(transition_of(record), record.digest)
            self.chains[stage, model] = chain
        return self.chains[stage, model]

    def manifest(self, model: str, version: str) -> Digest | None:
        """Return the digest of a version's manifest; None if there is none."""
        if (model, version) not in self.manifests and self.base is not None:
            data = self.base.blob(layout.manifest_path(model, version))
            if data is not None:
                self.manifests[model, version] = Digest.of(data)
        return self.manifests.get((model, version))
