"""Scalars of YAML 1.2: what a plain one means, and how to write each kind.

- The core schema decides (yaml.org/spec/1.2.2, §10.3.2): ``no`` and
  ``2026-01-01`` are text, ``0o17`` is 15.
- Text is quoted wherever *any* reader could take it for something else: Argo CD,
  Kustomize and Flux read pins with YAML 1.1 rules.
- Some characters must not stand in a file as themselves, for they do not show, or
  end a line for one reader and not for another; in double quotes they can be
  escaped. NUL and lone surrogates cannot be written at all.
"""

from __future__ import annotations

import math
import re

FORBIDDEN = re.compile(
    "[\x00-\x08\x0b\x0c\x0e-\x1f\x7f-\x9f]"  # controls
    "|\r(?!\n)"  # a line break that git and most editors do not show
    "|[\u2028\u2029\ufeff\ufffe\uffff]"  # line breaks for some, byte order marks
    "|[\u202a-\u202e\u2066-\u2069]"  # reorder what a reviewer sees
)
UNWRITABLE = re.compile("[\x00\ud800-\udfff]")

INTEGER_MIN, INTEGER_MAX = -(2**63), 2**64 - 1

_NULL = frozenset({"", "~", "null", "Null", "NULL"})
_BOOLEANS = {
    **dict.fromkeys(("true", "True", "TRUE"), True),
    **dict.fromkeys(("false", "False", "FALSE"), False),
}
_INTEGER = re.compile(r"[-+]?[0-9]+|0o[0-7]+|0x[0-9a-fA-F]+")
_FLOAT = re.compile(r"[-+]?(?:\.[0-9]+|[0-9]+(?:\.[0-9]*)?)(?:[eE][-+]?[0-9]+)?")
_NOT_FINITE = re.compile(r"[-+]?\.(?:inf|Inf|INF)|\.(?:nan|NaN|NAN)")
_LONGEST_INTEGER = 22  # digits: 2 ** 64 in octal
_LONGEST_FLOAT = 400  # characters: every double, even without an exponent

# Looks like something else to some reader, or would if a digit changed: versions,
# dates, times, 1_000, 0b1, 12:30:45, and the words of YAML 1.1.
_AMBIGUOUS = re.compile(
    r"[-+.]?[0-9][-+.:_0-9eEtTzZ]*"
    r"|[-+]?0[xob][0-9a-fA-F_]+"
    r"|[0-9]+\.[0-9]+.*"
    r"|[0-9]{4}-[0-9]{1,2}-[0-9]{1,2}.*"
    r"|y|n|yes|no|on|off|true|false|null",
    re.IGNORECASE | re.DOTALL,
)
_PLAIN = re.compile(r"[\w/](?:[\w ./@%+=~$^*()!&'\";,\[\]{}<>|?`:#-]*[\w./)+%!?])?")
_PLAIN_ENDS = re.compile(r":(?: |$)| #")  # here a plain scalar would end
_FLOW_INDICATORS = re.compile(r"[][{},:?#]")

_ESCAPES = {
    '"': '\\"',
    "\\": "\\\\",
    "\n": "\\n",
    "\r": "\\r",
    "\t": "\\t",
}
_TO_ESCAPE = re.compile(f'["\\\\\n\r\t]|{FORBIDDEN.pattern}')


def resolve(text: str) -> str | int | float | bool | None:
    """Return what the plain scalar ``text`` means.

    Raises:
        ValueError: It is a number that JSON or 64 bits cannot hold; the message
            says which, as in "is not a finite number".
    """
    if text in _NULL:
        return None
    if text in _BOOLEANS:
        return _BOOLEANS[text]
    if _INTEGER.fullmatch(text):
        return _integer(text)
    if _FLOAT.fullmatch(text):
        number = float(text) if len(text) <= _LONGEST_FLOAT else math.inf
        if math.isinf(number):
            raise ValueError("is a number beyond 64 bits")
        return number
    if _NOT_FINITE.fullmatch(text):
        raise ValueError("is not a finite number")
    return text


def _integer(text: str) -> int:
    base = {"0o": 8, "0x": 16}.get(text[:2], 10)
    digits = text.lstrip("+-0ox") or "0"
    # Counting first: int() takes quadratic time, and refuses 4,300 digits.
    number = int(digits, base) if len(digits) <= _LONGEST_INTEGER else INTEGER_MAX + 1
    if text[0] == "-":
        number = -number
    if not INTEGER_MIN <= number <= INTEGER_MAX:
        raise ValueError("is a number beyond 64 bits")
    return number


def quoted(text: str) -> str:
    """Return ``text`` in double quotes, on one line."""
    return f'"{_TO_ESCAPE.sub(_escape, text)}"'


def is_plain(text: str, *, flow: bool = False) -> bool:
    """Say whether ``text`` can stand without quotes and mean itself to any reader.

    Args:
        text: What is to be written.
        flow: Whether it stands inside ``[…]`` or ``{…}``.
    """
    return (
        _PLAIN.fullmatch(text) is not None
        and _AMBIGUOUS.fullmatch(text) is None
        and _PLAIN_ENDS.search(text) is None
        and not (flow and _FLOW_INDICATORS.search(text))
    )


def is_literal(text: str) -> bool:
    """Say whether ``text`` is best written as a literal block (``|``)."""
    if "\r" in text or FORBIDDEN.search(text):
        return False
    lines = text.removesuffix("\n").split("\n")
    return (
        len(lines) > 1
        and lines[0] == lines[0].strip() != ""
        and lines[-1] != ""
        and all(line == line.rstrip() for line in lines)
    )


def written(value: float | bool | None) -> str:
    """Return a number, boolean or null; ``resolve(written(x)) == x``.

    Raises:
        ValueError: The number is not finite, or beyond 64 bits.
    """
    if value is None:
        return "null"
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, int):
        if not INTEGER_MIN <= value <= INTEGER_MAX:
            raise ValueError("is a number beyond 64 bits")
        return str(value)
    if not math.isfinite(value):
        raise ValueError("is not a finite number")
    mantissa, exponent, power = repr(value).partition("e")
    # YAML 1.1 reads 1e-05 as text; it wants the point.
    point = ".0" if exponent and "." not in mantissa else ""
    return f"{mantissa}{point}{exponent}{power}"


def _escape(match: re.Match[str]) -> str:
    character = match[0]
    if character in _ESCAPES:
        return _ESCAPES[character]
    return f"\\u{ord(character):04X}"
