"""What watching comes to: events for people, and decisions for the registry."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Literal, TypeAlias

from gitmodel.domain.moment import to_text

if TYPE_CHECKING:
    from datetime import datetime

    from gitmodel.domain.digest import Digest
    from gitmodel.domain.trigger import Action

#: ``held``: it would act, and may not now. ``joined``: another metric acted already.
#: ``frozen``: no rollback any more without a person. ``broken``, ``restored``: of a
#: source. ``no_data``, ``undecided``: nothing to judge by. ``recovered``: what failed
#: is over. ``clock``: it jumped. ``reset``: what was remembered cannot be used.
#: ``gone``: what was watched is not any more.
Kind: TypeAlias = Literal[
    "alert",
    "propose",
    "rollback",
    "emergency",
    "held",
    "joined",
    "frozen",
    "broken",
    "restored",
    "no_data",
    "undecided",
    "recovered",
    "clock",
    "reset",
    "gone",
]
Level: TypeAlias = Literal["info", "warning", "critical"]

_LONGEST = 400


@dataclass(frozen=True, slots=True, kw_only=True)
class WatchEvent:
    """Something that people, or a log, are told.

    Attributes:
        level: How urgent it is.
        metric: The metric that it is about; None for the whole stage.
        manifest: What was live; None for nothing.
        text: For people, one line.
        dry_run: Whether nothing comes of it but this event.
    """

    kind: Kind
    level: Level
    at: datetime
    model: str
    stage: str
    metric: str | None
    manifest: Digest | None
    text: str
    dry_run: bool = False

    def to_dict(self) -> dict[str, Any]:
        """Return the JSON form."""
        return {
            "kind": self.kind,
            "level": self.level,
            "at": to_text(self.at),
            "model": self.model,
            "stage": self.stage,
            "metric": self.metric,
            "manifest": str(self.manifest) if self.manifest else None,
            "text": self.text,
            "dryRun": self.dry_run,
        }


@dataclass(frozen=True, slots=True, kw_only=True)
class Decision:
    """Something to do about a stage.

    Attributes:
        manifest: What it is about. If something else is live by then, it is void.
        metric: Which metric decided.
        reason: For the log of the registry, one line.
    """

    action: Action
    model: str
    stage: str
    manifest: Digest
    metric: str
    reason: str
    at: datetime
    dry_run: bool


def one_line(text: str) -> str:
    """Return text as one line that is not too long: some of it comes from outside."""
    plain = "".join(letter if letter.isprintable() else " " for letter in text)
    flat = " ".join(plain.split())
    return flat if len(flat) <= _LONGEST else f"{flat[: _LONGEST - 3]}..."
