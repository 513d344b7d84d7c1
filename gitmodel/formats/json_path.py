"""Finds one value in a JSON document: ``$.report.scores[0]['f1-macro']``.

A small part of RFC 9535: names and positions, one value at most. There are no
wildcards, filters, scripts or descents, so a path takes as many steps as it has.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Any

from gitmodel.errors import InputError

_LONGEST = 1000
_MOST_STEPS = 64
_STEP = re.compile(
    r"""\.(?P<name>[A-Za-z_\x80-\U0010ffff][-\w]*)
      | \[(?P<index>0|-?[1-9][0-9]{0,8})\]
      | \[(?P<quoted>'(?:[^'\\]|\\['\\])*'|"(?:[^"\\]|\\["\\])*")\]""",
    re.VERBOSE,
)
_ESCAPED = re.compile(r"\\(.)")


@dataclass(frozen=True, slots=True)
class JsonPath:
    """A way into a document: names of members, and positions in lists."""

    text: str
    steps: tuple[str | int, ...]

    def find(self, document: object) -> Any:
        """Return the value at the path.

        Raises:
            LookupError: There is none; the message is a clause that says where.
        """
        found = document
        way = "$"
        for step in self.steps:
            if isinstance(step, str):
                if not isinstance(found, dict) or step not in found:
                    raise LookupError(f"{way} has no member {step!a:.80}")
            elif not isinstance(found, list) or not -len(found) <= step < len(found):
                raise LookupError(f"{way} has no item {step}")
            found = found[step]  # type: ignore[index]
            way = f"{way}[{step!a:.80}]"
        return found


def parse_json_path(text: str) -> JsonPath:
    """Read a path such as ``$.a.b[0]['c']``; a negative position counts from the end.

    Raises:
        InputError: It is none (``E_JSON_PATH``).
    """
    if len(text) > _LONGEST:
        raise _malformed(text, f"it has more than {_LONGEST} characters")
    if not text.startswith("$"):
        raise _malformed(text, "it begins with $")
    steps: list[str | int] = []
    place = 1
    while place < len(text):
        step = _STEP.match(text, place)
        if step is None:
            raise _malformed(
                text, f"character {place + 1} begins no .name, [0] or [' ']"
            )
        steps.append(_step(step))
        place = step.end()
    if len(steps) > _MOST_STEPS:
        raise _malformed(text, f"it has more than {_MOST_STEPS} steps")
    return JsonPath(text, tuple(steps))


def _step(found: re.Match[str]) -> str | int:
    if found["name"] is not None:
        return found["name"]
    if found["index"] is not None:
        return int(found["index"])
    return _ESCAPED.sub(r"\1", found["quoted"][1:-1])


def _malformed(text: str, why: str) -> InputError:
    return InputError(
        f"{text!a:.80} is no path into JSON: {why}.",
        "Write names and positions, such as $.report.scores[0]['f1-macro'].",
        code="E_JSON_PATH",
    )
