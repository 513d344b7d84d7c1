"""An open registry, with all its verbs."""

from __future__ import annotations

from gitmodel.api.changing import Changing
from gitmodel.api.incidents import Incidents
from gitmodel.api.reading import Reading
from gitmodel.api.recovery import Recovery
from gitmodel.api.watching import Watching


class Registry(Changing, Recovery, Incidents, Watching, Reading):
    """An open registry; use it as a context, or ``close`` it."""
