"""An alert as Alertmanager tells it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal

if TYPE_CHECKING:
    from collections.abc import Mapping
    from datetime import datetime


@dataclass(frozen=True, slots=True)
class Alert:
    """One alert, in one of its states; it is told again and again.

    Attributes:
        status: Whether it still fires.
        labels: What it is about; ``alertname`` is one of them.
        annotations: What people wrote about it.
        starts_at: When it began, in UTC. It and the fingerprint say which alert it
            is: the same one that begins anew has another time.
        fingerprint: Of its labels, as Alertmanager computes it.
    """

    status: Literal["firing", "resolved"]
    labels: Mapping[str, str]
    annotations: Mapping[str, str]
    starts_at: datetime
    fingerprint: str

    @property
    def identity(self) -> tuple[str, datetime]:
        """What two tellings of one alert have in common."""
        return self.fingerprint, self.starts_at

    def matches(self, alertname: str, labels: Mapping[str, str]) -> bool:
        """Say whether it has this name, and these labels among its own."""
        return self.labels.get("alertname") == alertname and all(
            self.labels.get(name) == value for name, value in labels.items()
        )
