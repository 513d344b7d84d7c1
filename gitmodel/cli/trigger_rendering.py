"""How triggers and their rehearsals look."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from gitmodel.cli.output import counted, table
from gitmodel.domain.conditions import shown
from gitmodel.domain.moment import to_text
from gitmodel.domain.trigger_words import (
    action_words,
    judge_words,
    no_data_words,
    row_words,
    safety_words,
    source_words,
)

if TYPE_CHECKING:
    from collections.abc import Sequence

    from gitmodel.cli.session import Session
    from gitmodel.domain.measurement import Measurement
    from gitmodel.domain.trigger import RollbackTrigger, WatchedMetric
    from gitmodel.operations.triggers import Played, Rehearsal

_COLUMNS = ("metric", "stage", "severity", "source", "it fails when", "how often",
            "what then happens", "no data means")  # fmt: skip


def explained_json(triggers: Sequence[RollbackTrigger]) -> dict[str, Any]:
    """Return what triggers say, as JSON."""
    return {
        "triggers": [
            {
                "model": trigger.model,
                "metrics": [
                    dict(zip(_KEYS, _cells(trigger, metric), strict=True))
                    | {"action": trigger.action_of(metric)}
                    for metric in trigger.metrics
                ],
                "limits": safety_words(trigger.safety),
            }
            for trigger in triggers
        ]
    }


_KEYS = ("name", "stage", "severity", "source", "failsWhen", "row", "then", "noData")


def explained_markdown(triggers: Sequence[RollbackTrigger]) -> str:
    """Return what triggers say, as a Markdown table per model."""
    parts = []
    for trigger in triggers:
        lines = [f"## {trigger.model}", "", _line(_COLUMNS), _line(["---"] * 8)]
        lines += [_line(_cells(trigger, metric)) for metric in trigger.metrics]
        parts.append("\n".join([*lines, "", safety_words(trigger.safety)]))
    return "\n\n".join(parts)


def _cells(trigger: RollbackTrigger, metric: WatchedMetric) -> tuple[str, ...]:
    return (
        metric.name,
        metric.stage,
        metric.severity,
        source_words(metric.source),
        judge_words(metric.judge),
        row_words(metric),
        action_words(trigger, metric),
        no_data_words(metric),
    )


def _line(cells: Sequence[str]) -> str:
    plain = (" ".join(cell.split()).replace("|", r"\|") for cell in cells)
    return f"| {' | '.join(plain)} |"


def rehearsal_json(found: Rehearsal) -> dict[str, Any]:
    """Return a rehearsal as JSON."""
    return {
        "model": found.model,
        "stage": found.stage,
        "metric": found.metric,
        "version": found.version,
        "steps": [
            {
                "time": to_text(each.sample.measurement.taken_at),
                "value": _value(each.sample.measurement),
                "outcome": each.outcome,
                "phase": each.phase,
                "reason": each.reason,
                "events": [event.to_dict() for event in each.events],
            }
            for each in found.played
        ],
        "decisions": [
            {"at": to_text(event.at), "action": event.kind, "reason": event.text}
            for event in found.decisions
        ],
    }


def rehearsal_text(session: Session, found: Rehearsal) -> str:
    """Return a rehearsal for people: a line per measurement, and the sum of it."""
    rows = [_row(session, each) for each in found.played]
    header = ("time", "value", "outcome", "phase", "what happens")
    live = found.version or "nothing"
    done = found.decisions
    summary = (
        f"{found.metric} of {found.model} in {found.stage}, where {live} is live: "
        f"{counted(len(rows), 'measurement')}, {counted(len(done), 'decision')}"
    )
    return f"{table(header, rows)}\n\n{summary}"


def _row(session: Session, each: Played) -> list[str]:
    told = "; ".join(f"{event.kind}: {event.text}" for event in each.events)
    drastic = any(event.level == "critical" for event in each.events)
    return [
        to_text(each.sample.measurement.taken_at),
        _value(each.sample.measurement),
        each.outcome,
        each.phase,
        session.style(told, fg="red") if drastic else told,
    ]


def _value(found: Measurement) -> str:
    return shown(found.value) if found.status == "value" else found.status
