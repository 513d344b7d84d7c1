"""Strict reading of YAML 1.2: one document, one meaning, every problem at once.

Built on the events of ruamel.yaml's parser, so that nothing is ever constructed
by it. Refused, because two readers could understand two things or one could be
made to hang (attacks 57-62 of the catalogue):

- anchors and aliases, explicit tags, directives, merge keys and duplicate keys;
- keys that are not text, several documents, no document;
- bytes that are not UTF-8, byte order marks, control characters, characters that
  reorder what a reviewer sees;
- NaN, infinities, and numbers beyond 64 bits;
- more than 1 MiB, 20 levels, or 100,000 keys and values.

It does not know any kind of document; that is :mod:`gitmodel.formats.schema`.
"""

from __future__ import annotations

import codecs
import re
import unicodedata
from itertools import islice
from typing import TYPE_CHECKING, Any

from gitmodel.domain.problem import Problem
from gitmodel.formats.document import Document, refusal
from gitmodel.formats.yaml_scalars import FORBIDDEN

if TYPE_CHECKING:
    from collections.abc import Iterator

    from ruamel.yaml.error import MarkedYAMLError

    from gitmodel.formats.yaml_events import Assembly

MAX_BYTES = 1 << 20
MAX_LEVELS = 20
MAX_PROBLEMS = 100  # reported for one document; reading stops there
BYTES_PER_NODE = 10  # a manifest has 17; [a,a,a…] has 2, and would take 10 s for 1 MiB

_TUPLE = re.compile(r"\('(<.*?>)',\)")  # ruamel.yaml formats a token's id so
_DIRECTIVE = re.compile(r"^%", re.MULTILINE)
_OTHER_ENCODINGS = (
    (codecs.BOM_UTF32_LE, "UTF-32"),  # before UTF-16, which it begins like
    (codecs.BOM_UTF32_BE, "UTF-32"),
    (codecs.BOM_UTF16_LE, "UTF-16"),
    (codecs.BOM_UTF16_BE, "UTF-16"),
)
_ADVICE = {
    "mapping values are not allowed here": "; text that holds ': ' needs quotes",
    "found unexpected end of stream": "; a quote is never closed",
}
# In these contexts the problem is where the thing began, not where it was missed.
_BLAME_THE_START = {"while scanning a simple key", "while scanning a quoted scalar"}

_Found = tuple[str, str, int | None]  # code, message, line


def read(data: bytes, name: str, *, limit: int = MAX_BYTES) -> Document:
    """Read a document, or refuse it with all its problems.

    Args:
        data: The bytes of the file.
        name: What messages call it: a repository path or a file name.
        limit: The most bytes that it may have.

    Raises:
        InputError: It is not strict YAML; ``problems`` lists all that is wrong.
    """
    document, problems = parse(data, name, limit=limit)
    if document is None:
        raise refusal(name, problems)
    return document


def parse(
    data: bytes, name: str, *, limit: int = MAX_BYTES
) -> tuple[Document | None, tuple[Problem, ...]]:
    """Read a document; return it, or None and everything that is wrong with it."""
    # ruamel.yaml is slow to import, and most documents are read by ``yaml_quick``.
    from gitmodel.formats.yaml_events import Assembly  # noqa: PLC0415

    found = list[_Found]()
    assembly = Assembly(
        max_levels=MAX_LEVELS,
        max_nodes=limit // BYTES_PER_NODE,
        max_found=MAX_PROBLEMS,
    )
    text = _decode(data, limit, found)
    if text is not None:
        _run(assembly, text)
        found += assembly.found
        if not found and assembly.is_empty:
            found.append(("E_YAML", "it is empty.", 1))
    if not found:
        return assembly.document(), ()
    found.sort(key=lambda each: each[2] or 0)
    problems = [
        Problem(code, message, name, line=line)
        for code, message, line in found[:MAX_PROBLEMS]
    ]
    if len(found) >= MAX_PROBLEMS:
        problems.append(Problem("E_YAML", "there may be more problems.", name))
    return None, tuple(problems)


def _decode(data: bytes, limit: int, found: list[_Found]) -> str | None:
    """Return the text to parse, harmless where it was not; None if there is none."""
    if len(data) > limit:
        size = f"it has {len(data):,} bytes, and {limit:,} are allowed."
        found.append(("E_LIMIT", size, None))
        return None
    for mark, encoding in _OTHER_ENCODINGS:
        if data.startswith(mark):
            found.append(("E_YAML", f"it is {encoding}; save it as UTF-8.", 1))
            return None
    try:
        text = data.decode("utf-8")
    except UnicodeDecodeError as error:
        line = data.count(b"\n", 0, error.start) + 1
        byte = f"it is not UTF-8: byte 0x{data[error.start]:02x}; save it as UTF-8."
        found.append(("E_YAML", byte, line))
        return None
    if text.startswith("\ufeff"):
        mark_message = "it begins with a byte order mark; save it as UTF-8 without."
        found.append(("E_YAML", mark_message, 1))
        text = text[1:]
    if FORBIDDEN.search(text):
        found += islice(_forbidden(text), MAX_PROBLEMS)
        if "\0" in text:
            return None
        text = FORBIDDEN.sub("\ufffd", text)
    if _DIRECTIVE.search(text):
        found += islice(_directives(text), MAX_PROBLEMS)
        text = _DIRECTIVE.sub("#", text)
    return text


def _forbidden(text: str) -> Iterator[_Found]:
    """Name the first forbidden character of each line."""
    for number, line in enumerate(text.split("\n"), 1):
        # The "\n" belongs to it: it decides whether a "\r" is one of CR LF.
        if match := FORBIDDEN.search(f"{line}\n"):
            code = f"{ord(match[0]):04X}"
            title = unicodedata.name(match[0], "a control character")
            message = f"U+{code} ({title}) does not show in a file; "
            escape = f"write it as \\u{code} in double quotes."
            yield (
                "E_YAML",
                message + (escape if match[0] != "\0" else "drop it."),
                number,
            )


def _directives(text: str) -> Iterator[_Found]:
    message = "a line that begins with % is a directive; remove it."
    for number, line in enumerate(text.split("\n"), 1):
        if line.startswith("%"):
            yield "E_YAML", message, number


def _run(assembly: Assembly, text: str) -> None:
    from ruamel.yaml import YAML  # noqa: PLC0415 (slow)
    from ruamel.yaml.error import MarkedYAMLError, YAMLError  # noqa: PLC0415

    events = YAML(typ="safe", pure=True).parse(text)
    try:
        for event in events:
            if not assembly.take(event):
                return
    except MarkedYAMLError as error:
        assembly.found.append(_syntax(error, text))
    except (YAMLError, ValueError, OverflowError):
        # Of chr(), which ruamel.yaml lets through without saying where.
        problem = "it is not YAML: an escape such as \\U names no character."
        assembly.found.append(("E_YAML", problem, None))


def _syntax(error: MarkedYAMLError, text: str) -> _Found:
    mark: Any = error.problem_mark or error.context_mark
    if error.context in _BLAME_THE_START:
        mark = error.context_mark
    problem = error.problem or error.context or "it cannot be parsed"
    problem = _TUPLE.sub(r"'\1'", problem)
    if "'\\t'" in problem:
        problem += "; indent with spaces, not tabs"
    problem += _ADVICE.get(problem, "")
    line = min(mark.line, text.rstrip().count("\n")) + 1
    return "E_YAML", f"it is not YAML: {problem}.", line
