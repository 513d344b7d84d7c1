"""Semantic versions 2.0.0, the identifiers of model versions (R003, R005).

Build metadata is refused: versions that differ only by it have the same
precedence, so "the highest" would not be one version.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from functools import total_ordering
from typing import Literal

from gitmodel.errors import InputError

_NUMBER = r"(0|[1-9][0-9]{0,8})"
_IDENTIFIER = r"(?:0|[1-9][0-9]*|[0-9]*[A-Za-z-][0-9A-Za-z-]*)"
_PATTERN = re.compile(
    rf"{_NUMBER}\.{_NUMBER}\.{_NUMBER}(?:-({_IDENTIFIER}(?:\.{_IDENTIFIER})*))?"
)
_MAX_LENGTH = 64

Bump = Literal["major", "minor", "patch"]
Change = Literal["breaking", "feature", "fix"]


@total_ordering
@dataclass(frozen=True, slots=True)
class Version:
    """A semantic version; ``Version.parse(str(v)) == v``, ordered by precedence."""

    major: int
    minor: int
    patch: int
    prerelease: tuple[str, ...] = ()

    @classmethod
    def parse(cls, text: str) -> Version:
        """Read ``1.2.3`` or ``1.2.3-rc.1``.

        Raises:
            InputError: ``text`` is not a semantic version.
        """
        match = _PATTERN.fullmatch(text) if len(text) <= _MAX_LENGTH else None
        if match is None:
            hint = "Write it as MAJOR.MINOR.PATCH, such as 1.2.0 or 1.2.0-rc.1."
            if "+" in text:
                hint = "Build metadata (+…) is not used; put it in a label."
            elif text[:1] in {"v", "V"}:
                hint = f"Leave out the {text[0]!r}: {text[1:40]}"
            raise InputError(
                f"{text[:_MAX_LENGTH]!a} is not a semantic version.",
                hint,
                code="E_NAME",
            )
        major, minor, patch, prerelease = match.groups()
        parts = tuple(prerelease.split(".")) if prerelease else ()
        return cls(int(major), int(minor), int(patch), parts)

    def bump(self, part: Bump) -> Version:
        """Return the next release after this version; 1.0.0-rc.1 bumps to 1.0.0."""
        if part == "major":
            ready = self.prerelease and self.minor == self.patch == 0
            return Version(self.major if ready else self.major + 1, 0, 0)
        if part == "minor":
            ready = self.prerelease and self.patch == 0
            return Version(self.major, self.minor if ready else self.minor + 1, 0)
        return Version(
            self.major, self.minor, self.patch if self.prerelease else self.patch + 1
        )

    def change_from(self, previous: Version | None) -> Change:
        """Say what kind of change this version announces after ``previous``."""
        if previous is None or self.major != previous.major:
            return "breaking" if previous is not None else "feature"
        return "feature" if self.minor != previous.minor else "fix"

    @property
    def _key(self) -> tuple[object, ...]:
        release = (self.major, self.minor, self.patch)
        if not self.prerelease:
            return (*release, 1, ())
        # Numbers sort before words, numbers by value: semver.org item 11.4.
        parts = tuple(
            (0, int(part), "") if part.isdigit() else (1, 0, part)
            for part in self.prerelease
        )
        return (*release, 0, parts)

    def __lt__(self, other: Version) -> bool:
        return self._key < other._key

    def __str__(self) -> str:
        release = f"{self.major}.{self.minor}.{self.patch}"
        return f"{release}-{'.'.join(self.prerelease)}" if self.prerelease else release
