"""Gates as people read them: what is asked for, in a few words."""

from __future__ import annotations

from gitmodel.domain.gates import (
    AttestationGate,
    CompleteGate,
    Freeze,
    Gate,
    LabelGate,
    MetricGate,
    NoRegressionGate,
    SoakGate,
)
from gitmodel.domain.moment import to_text


def gate_words(gate: Gate | Freeze) -> tuple[str, str]:
    """Return the kind of a gate, and what it asks for."""
    match gate:
        case AttestationGate():
            by = f" by a member of {gate.role}" if gate.role else ""
            return "attestation", f"a passed {gate.type}{by}"
        case MetricGate():
            bounds = (("at least", gate.minimum), ("at most", gate.maximum))
            said = [f"{word} {value}" for word, value in bounds if value is not None]
            return "metric", f"{gate.set}.{gate.name} {' and '.join(said)}"
        case NoRegressionGate():
            by = f" by more than {gate.tolerance}" if gate.tolerance else ""
            return "noRegression", f"{gate.set}.{gate.name} not worse{by}"
        case CompleteGate():
            return "complete", f"a manifest with {', '.join(gate.sections)}"
        case LabelGate():
            pairs = [f"{name}={value}" for name, value in gate.required]
            pairs += [f"not {name}={value}" for name, value in gate.forbidden]
            return "label", ", ".join(pairs)
        case SoakGate():
            return "soak", f"{gate.duration} in {gate.stage}"
        case Freeze():
            return "freeze", f"not in {to_text(gate.start)} to {to_text(gate.end)}"
