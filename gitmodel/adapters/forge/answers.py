"""Reads fields out of what a forge answered, and trusts none of them."""

from __future__ import annotations

import re
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

from gitmodel.adapters.forge.failures import nonsense
from gitmodel.domain.moment import to_text

if TYPE_CHECKING:
    from collections.abc import Mapping

_COMMIT = re.compile(r"[0-9a-f]{40}([0-9a-f]{24})?")


class Fields:
    """One JSON object of an answer; a field is named by its path, such as head.sha.

    Every method raises ``OutsideError`` if a field is not of the kind that it must be.
    """

    def __init__(self, host: str, data: Any) -> None:
        if not isinstance(data, dict):
            raise nonsense(host, "it is no JSON object")
        self._host = host
        self._data: Mapping[str, Any] = data

    def value(self, path: str) -> Any:
        """Return a field; None if it is null or missing, or what it is in is."""
        found: Any = self._data
        for name in path.split("."):
            found = found.get(name) if isinstance(found, dict) else None
        return found

    def text(self, path: str) -> str:
        """Return a text."""
        found = self.value(path)
        if not isinstance(found, str):
            raise nonsense(self._host, f"{path} is no text")
        return found

    def number(self, path: str) -> int:
        """Return a whole number that is not negative."""
        found = self.maybe_number(path)
        if found is None:
            raise nonsense(self._host, f"{path} is no number")
        return found

    def maybe_number(self, path: str) -> int | None:
        """Return a whole number; None where there is none."""
        found = self.value(path)
        if found is None:
            return None
        if isinstance(found, bool) or not isinstance(found, int) or found < 0:
            raise nonsense(self._host, f"{path} is no number")
        return found

    def account(self, path: str) -> int | None:
        """Return the number of an account; None for one that is gone or never was.

        Gitea gives numbers below nought to those that nobody has registered.
        """
        found = self.value(path)
        if isinstance(found, int) and not isinstance(found, bool) and found < 1:
            return None
        return self.maybe_number(path)

    def flag(self, path: str) -> bool:
        """Return a truth value; False where there is none."""
        found = self.value(path)
        if not isinstance(found, bool | None):
            raise nonsense(self._host, f"{path} is neither true nor false")
        return bool(found)

    def commit(self, path: str) -> str:
        """Return the id of a commit."""
        found = self.maybe_commit(path)
        if found is None:
            raise nonsense(self._host, f"{path} is no commit")
        return found

    def maybe_commit(self, path: str) -> str | None:
        """Return the id of a commit; None where there is none."""
        found = self.value(path) or None
        if found is not None and not (
            isinstance(found, str) and _COMMIT.fullmatch(found)
        ):
            raise nonsense(self._host, f"{path} is no commit")
        return found

    def maybe_moment(self, path: str) -> str | None:
        """Return a point in time as documents write it; None where there is none."""
        found = self.value(path)
        if found is None:
            return None
        try:
            moment = datetime.fromisoformat(found)
            if moment.tzinfo is None:
                moment = moment.replace(tzinfo=UTC)
            return to_text(moment)
        except (TypeError, ValueError, OverflowError) as error:
            raise nonsense(self._host, f"{path} is no time") from error

    def each(self, path: str) -> list[Fields]:
        """Return the objects of a list; none where there is no list."""
        found = self.value(path)
        if found is None:
            return []
        if not isinstance(found, list):
            raise nonsense(self._host, f"{path} is no list")
        return [Fields(self._host, entry) for entry in found]
