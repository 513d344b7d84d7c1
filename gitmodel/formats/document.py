"""A document as it was read: its value, and where in the file each part stands.

A path is a tuple of keys and indices, such as ``("artifacts", 0, "sha256")``;
people see it as ``artifacts[0].sha256``. Problems of one document are reported
together, one line each: ``file:line: path: message``.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from gitmodel.errors import InputError

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from gitmodel.domain.problem import Problem

Path = tuple[str | int, ...]

_BARE_KEY = re.compile(r"[\w$@/+-]+")


@dataclass(frozen=True, slots=True, kw_only=True)
class Document:
    """What a YAML file says.

    Attributes:
        value: Plain ``dict``, ``list``, ``str``, ``int``, ``float``, ``bool``, None.
        lines: The 1-based line of each part, by its path.
        written: How the scalars that are not text stand in the file, by path:
            ``1.10`` where ``value`` has only 1.1.
    """

    value: Any
    lines: Mapping[Path, int] = field(default_factory=dict)
    written: Mapping[Path, str] = field(default_factory=dict)

    def line(self, path: Path) -> int | None:
        """Return the line of ``path``, or of the nearest part around it."""
        for length in range(len(path), -1, -1):
            found = self.lines.get(path[:length])
            if found is not None:
                return found
        return None


def display(path: Path) -> str:
    """Return ``path`` as people write it, such as ``artifacts[0].sha256``."""
    shown = ""
    for step in path:
        if isinstance(step, int):
            shown += f"[{step}]"
        elif _BARE_KEY.fullmatch(step):
            shown += f".{step}" if shown else step
        else:
            shown += f"[{step!r}]"
    return shown


def refusal(name: str, problems: Sequence[Problem]) -> InputError:
    """Return the error that lists every problem of the document ``name``."""
    lines = [_line(problem) for problem in problems]
    if len(lines) > 1:
        lines.insert(0, f"{name} has {len(lines)} problems:")
    return InputError(
        "\n  ".join(lines),
        code=problems[0].code,
        problems=[problem.to_dict() for problem in problems],
    )


def _line(problem: Problem) -> str:
    place = problem.path if problem.line is None else f"{problem.path}:{problem.line}"
    return f"{place}: {problem.message}" if place else problem.message
