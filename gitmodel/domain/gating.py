"""Whether a version meets the gates of a stage: pure, so that history is judged alike.

- Attestations of one type supersede each other: the newest decides.
- A metric is what the manifest says, unless attestations say something: then each
  type's newest word counts, and every one of them must meet the gate. So no later
  attestation of another type can hide a bad number.
- What cannot be compared is a refusal, never a pass.
- What came of a rollback counts for nothing here: a responder may sign that.
- Soak time is counted by what transitions say of their time, which their signers
  choose; the longest single stay counts, and none if a rollback ended the last one.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from gitmodel.domain.attestation import REPORTS
from gitmodel.domain.gates import (
    AttestationGate,
    CompleteGate,
    LabelGate,
    MetricGate,
    NoRegressionGate,
    SoakGate,
)
from gitmodel.domain.metrics import Metric, compare, read_metrics
from gitmodel.domain.moment import from_text, to_text

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping
    from datetime import datetime

    from gitmodel.domain.attestation import Attested
    from gitmodel.domain.digest import Digest
    from gitmodel.domain.gates import Gate
    from gitmodel.domain.history import StageHistory
    from gitmodel.domain.stage_rules import StageRules


@dataclass(frozen=True, slots=True, kw_only=True)
class Standing:
    """What gates ask about a version: its manifest's facts and its attestations.

    Attributes:
        name: ``MODEL@VERSION``.
        sections: Those that are complete, see ``gates.SECTIONS``.
    """

    name: str
    manifest: Digest
    metrics: Mapping[str, Mapping[str, Metric]]
    labels: Mapping[str, str]
    sections: frozenset[str]
    attestations: tuple[Attested, ...] = ()

    @classmethod
    def of(
        cls,
        document: Mapping[str, Any],
        manifest: Digest,
        attestations: tuple[Attested, ...] = (),
    ) -> Standing:
        """Return what a schema-valid manifest and its attestations amount to.

        Raises:
            InputError: A metric is impossible.
        """
        return cls(
            name=f"{document['model']}@{document['version']}",
            manifest=manifest,
            metrics=read_metrics(document.get("metrics", {})),
            labels=document.get("labels", {}),
            sections=frozenset(_complete_sections(document)),
            attestations=tuple(one for one in attestations if one.type not in REPORTS),
        )

    def newest(self, kind: str, role: str | None) -> Attested | None:
        """Return the attestation of a type that counts now."""
        found = [
            one
            for one in self.attestations
            if one.type == kind and role in {None, one.role}
        ]
        return max(found, key=lambda one: one.number, default=None)

    def measured(self, of: str, name: str) -> tuple[Metric, ...]:
        """Return what is said of a metric; see above."""
        latest: dict[str, Attested] = {}
        for one in sorted(self.attestations, key=lambda one: one.number):
            if name in one.metrics.get(of, {}):
                latest[one.type] = one
        if latest:
            return tuple(one.metrics[of][name] for one in latest.values())
        stated = self.metrics.get(of, {}).get(name)
        return (stated,) if stated is not None else ()


@dataclass(frozen=True, slots=True)
class Verdict:
    """One gate that says no; ``hint`` is what to run about it, if anything."""

    gate: str
    message: str
    hint: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Occasion:
    """When and where a promotion is judged.

    Attributes:
        now: The time that counts.
        held: What the stage holds; None while it is empty.
        histories: Of the model, by stage.
    """

    now: datetime
    held: Standing | None
    histories: Mapping[str, StageHistory]


def refused(
    rules: StageRules, version: Standing, occasion: Occasion
) -> Iterator[Verdict]:
    """Yield every gate and every freeze that keeps a version out of a stage."""
    for freeze in rules.freeze:
        if freeze.start <= occasion.now < freeze.end:
            why = f": {freeze.reason}" if freeze.reason else ""
            until = to_text(freeze.end)
            yield Verdict("freeze", f"nothing is promoted until {until}{why}")
    for gate in rules.gates:
        yield from _refused_by(gate, version, occasion)


def _refused_by(gate: Gate, version: Standing, occasion: Occasion) -> Iterator[Verdict]:
    match gate:
        case AttestationGate():
            yield from _attestation(gate, version)
        case MetricGate():
            yield from _metric(gate, version)
        case NoRegressionGate():
            yield from _regression(gate, version, occasion.held)
        case CompleteGate():
            for name in gate.sections:
                if name not in version.sections:
                    yield Verdict("complete", _INCOMPLETE[name])
        case LabelGate():
            yield from _label(gate, version)
        case SoakGate():
            yield from _soak(gate, version, occasion)


def _attestation(gate: AttestationGate, version: Standing) -> Iterator[Verdict]:
    found = version.newest(gate.type, gate.role)
    who = f" by an {gate.role}" if gate.role else ""
    hint = f"gitmodel attest {version.name} {gate.type}"
    if found is None:
        yield Verdict("attestation", f"it has no {gate.type} attestation{who}", hint)
    elif found.result != "passed":
        yield Verdict(
            "attestation",
            f"its newest {gate.type} attestation{who}, by {found.by}, says that it "
            "failed",
        )


def _metric(gate: MetricGate, version: Standing) -> Iterator[Verdict]:
    name = f"{gate.set}.{gate.name}"
    found = version.measured(gate.set, gate.name)
    if not found:
        hint = f"gitmodel attest {version.name} test {name}=NUMBER"
        yield Verdict("metric", f"it has no metric {name}", hint)
    for metric in found:
        if gate.minimum is not None and metric.value < gate.minimum:
            message = f"{name} is {metric.value}; at least {gate.minimum} is asked for"
            yield Verdict("metric", message)
        if gate.maximum is not None and metric.value > gate.maximum:
            message = f"{name} is {metric.value}; at most {gate.maximum} is asked for"
            yield Verdict("metric", message)


def _regression(
    gate: NoRegressionGate, version: Standing, held: Standing | None
) -> Iterator[Verdict]:
    if held is None or held.manifest == version.manifest:
        return
    name = f"{gate.set}.{gate.name}"
    old, new = (one.measured(gate.set, gate.name) for one in (held, version))
    for one, values in ((version, new), (held, old)):
        if not values:
            message = f"{one.name} has no metric {name} to compare"
            hint = f"gitmodel attest {one.name} test {name}=NUMBER"
            yield Verdict("noRegression", message, hint)
    for after in new:
        for before in old:
            [delta] = compare(_alone(gate, before), _alone(gate, after))
            change = abs(after.value - before.value)
            if delta.verdict == "unknown":
                message = (
                    f"{name} cannot be compared with {held.name}: data or direction "
                    "differ"
                )
                yield Verdict("noRegression", message)
            elif delta.verdict == "worse" and change > gate.tolerance:
                message = (
                    f"{name} is {after.value}, worse than {before.value} of {held.name}"
                )
                yield Verdict("noRegression", message)


def _alone(gate: NoRegressionGate, metric: Metric) -> dict[str, Any]:
    fields = {
        "value": metric.value,
        "direction": metric.direction,
        "dataset": metric.dataset,
    }
    stated = {key: value for key, value in fields.items() if value is not None}
    return {gate.set: {gate.name: stated}}


def _label(gate: LabelGate, version: Standing) -> Iterator[Verdict]:
    for name, value in gate.required:
        found = version.labels.get(name)
        if found != value:
            said = f"{name}={found}" if found is not None else f"no label {name}"
            yield Verdict("label", f"it has {said}; {name}={value} is asked for")
    for name, value in gate.forbidden:
        if version.labels.get(name) == value:
            yield Verdict("label", f"it has the label {name}={value}")


def _soak(gate: SoakGate, version: Standing, occasion: Occasion) -> Iterator[Verdict]:
    history = occasion.histories.get(gate.stage)
    stays = [
        tenure
        for tenure in (history.tenures() if history else ())
        if tenure.release.manifest == version.manifest
    ]
    if stays and stays[0].ended and stays[0].ended.action == "rollback":
        yield Verdict("soak", f"it was rolled back from {gate.stage}")
        return
    longest = max(
        (
            (from_text(stay.ended.created_at) if stay.ended else occasion.now)
            - from_text(stay.began.created_at)
            for stay in stays
        ),
        default=None,
    )
    if longest is None:
        hint = f"gitmodel promote {version.name} {gate.stage}"
        yield Verdict("soak", f"it has never been in {gate.stage}", hint)
    elif longest < gate.duration:
        message = (
            f"it has been in {gate.stage} for {longest}; {gate.duration} is asked for"
        )
        yield Verdict("soak", message)


_INCOMPLETE = {
    "lineage": "its lineage names no parent and no experiment",
    "card": "it has no model card",
    "environment": "its environment does not say which Python and packages it needs",
    "code": "its training code is not a clean commit",
    "data": "its training data is not named by digest",
}


def _complete_sections(document: Mapping[str, Any]) -> Iterator[str]:
    training = document.get("training", {})
    lineage = document.get("lineage", {})
    environment = document.get("environment", {})
    code, data = training.get("code", {}), training.get("data", [])
    if lineage.get("parents") or lineage.get("experiments"):
        yield "lineage"
    if document.get("card") or any(
        artifact["role"] == "card" for artifact in document["artifacts"]
    ):
        yield "card"
    fixed = ("packages", "lock", "container")
    if environment.get("python") and any(environment.get(name) for name in fixed):
        yield "environment"
    if code.get("commit") and code.get("dirty") is False:
        yield "code"
    if data and all(reference.get("digest") for reference in data):
        yield "data"
