"""Something that happened to a registry, as those hear of it who must act (R147, R151).

An event is a CloudEvents 1.0 object: alike for a file, a queue, a webhook and a pager.
It says what a commit says already, or that there is no commit; it proves nothing.
"""

from __future__ import annotations

import hashlib
import json
import re
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Literal, get_args

if TYPE_CHECKING:
    from collections.abc import Mapping

EventType = Literal[
    "rollback_initiated",
    "rollback_completed",
    "rollback_failed",
    "quarantined",
    "quarantine_lifted",
    "incident_opened",
    "incident_closed",
    "validation_passed",
    "validation_failed",
    "trigger_alert",
    "trigger_fired",
    "trigger_frozen",
    "notify_test",
]
Severity = Literal["info", "warning", "critical"]

EVENT_TYPES: tuple[EventType, ...] = get_args(EventType)
SEVERITIES: tuple[Severity, ...] = get_args(Severity)  # the mildest first
_SEVERITY: dict[EventType, Severity] = {
    "rollback_initiated": "warning",
    "rollback_completed": "warning",
    "rollback_failed": "critical",
    "quarantined": "warning",
    "quarantine_lifted": "info",
    "incident_opened": "critical",
    "incident_closed": "info",
    "validation_passed": "info",
    "validation_failed": "critical",
    "trigger_alert": "warning",
    "trigger_fired": "warning",
    "trigger_frozen": "critical",
    "notify_test": "info",
}
_WORDS: dict[EventType, str] = {
    "quarantined": "quarantine.added",
    "validation_passed": "rollback.validation.passed",
    "validation_failed": "rollback.validation.failed",
}
_PREFIX = "dev.gitmodel."
_LONGEST = 500
_UNPRINTABLE = re.compile(
    r"[\x00-\x1f\x7f-\x9f\u200b-\u200f\u2028-\u202e\u2066-\u2069\ud800-\udfff\ufeff\s]+"
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Event:
    """One thing that happened, or was tried.

    Attributes:
        type: What happened.
        time: RFC 3339, UTC, as documents write it.
        reason: Why; of a failure, what failed. For people.
        actor: The principal, or the robot, that did it.
        model: Which model it is about; None for none in particular.
        stage: Which stage; None for none.
        origin: The version that was live before.
        target: The version that is live after, or was to be.
        incident: The incident that it belongs to.
        commit: The commit that it made; None for none.
        dry_run: Whether it only would have happened.
        details: What else receivers may want to know; plain JSON.
        severity: How urgent it is; None for what is usual for the type.
        registry: Digest of policy 1; whoever sends the event fills it in.
    """

    type: EventType
    time: str
    reason: str = ""
    actor: str | None = None
    model: str | None = None
    stage: str | None = None
    origin: str | None = None
    target: str | None = None
    incident: str | None = None
    commit: str | None = None
    dry_run: bool = False
    details: Mapping[str, Any] = field(default_factory=dict)
    severity: Severity | None = None
    registry: str | None = None

    @property
    def urgency(self) -> Severity:
        """How urgent it is."""
        return self.severity or _SEVERITY[self.type]

    @property
    def name(self) -> str:
        """Its CloudEvents type, such as ``dev.gitmodel.rollback.completed``."""
        return _PREFIX + _WORDS.get(self.type, self.type.replace("_", ".", 1))

    @property
    def subject(self) -> str | None:
        """What it is about: ``STAGE/MODEL``, a model, or an incident."""
        parts = [part for part in (self.stage, self.model) if part]
        return "/".join(parts) or self.incident

    @property
    def id(self) -> str:
        """The same for the same event, however often it is told.

        What made a commit happened once, whenever somebody tells of it; anything else
        is known by when and why.
        """
        happened = [self.commit] if self.commit else [None, self.time, self.reason]
        same = [
            self.registry,
            self.type,
            self.model,
            self.stage,
            self.origin,
            self.target,
            self.incident,
            self.dry_run,
            happened,
        ]
        return hashlib.sha256(json.dumps(same).encode()).hexdigest()[:32]

    def is_heard(self, wanted: frozenset[str]) -> bool:
        """Say whether somebody wants it who named types, and severities at least."""
        reached = SEVERITIES[: SEVERITIES.index(self.urgency) + 1]
        return self.type in wanted or not wanted.isdisjoint(reached)

    def to_cloudevent(self) -> dict[str, Any]:
        """Return it as a CloudEvents 1.0 object in the JSON format."""
        subject = {"subject": self.subject} if self.subject else {}
        return {
            "specversion": "1.0",
            "id": self.id,
            "source": f"gitmodel:{self.registry or 'registry'}",
            "type": self.name,
            **subject,
            "time": self.time,
            "datacontenttype": "application/json",
            "severity": self.urgency,
            "data": {
                "event": self.type,
                "severity": self.urgency,
                "text": self.text(),
                "model": self.model,
                "stage": self.stage,
                "from": self.origin,
                "to": self.target,
                "reason": self.reason,
                "incident": self.incident,
                "commit": self.commit,
                "actor": self.actor,
                "dryRun": self.dry_run,
                "details": dict(self.details),
            },
        }

    def to_line(self) -> bytes:
        """Return it as one line of JSON, whatever it quotes.

        Names of files need not be text; that must not keep anybody from hearing.
        """
        text = json.dumps(self.to_cloudevent(), ensure_ascii=False)
        return text.encode("utf-8", "replace") + b"\n"

    def text(self) -> str:
        """Return it as one line for people, without control characters."""
        what = self.type.replace("_", " ")
        about = " in ".join(part for part in (self.model, self.stage) if part)
        moved = " → ".join(part for part in (self.origin, self.target) if part)
        notes = [
            f"by {self.actor}" if self.actor else "",
            f"incident {self.incident}" if self.incident else "",
            f"commit {self.commit[:12]}" if self.commit else "",
        ]
        line = f"{self.urgency.upper()}: {what}"
        line += f": {about}" if about else ""
        line += f" {moved}" if moved else ""
        line += f" ({', '.join(filter(None, notes))})" if any(notes) else ""
        line += f": {self.reason}" if self.reason else ""
        line = "[dry run] " + line if self.dry_run else line
        line = _UNPRINTABLE.sub(" ", line).strip()
        return line if len(line) <= _LONGEST else line[: _LONGEST - 1] + "…"
