"""Files made to exhaust time or memory (attacks 58 and 62), at their full size."""

from __future__ import annotations

import time

import pytest

from gitmodel.formats.yaml_reader import MAX_BYTES, parse


def codes(data: bytes) -> list[str]:
    document, problems = parse(data, "f.yaml")
    assert document is None
    return [problem.code for problem in problems]


def _nested_blocks(levels: int) -> bytes:
    return b"\n".join(b" " * level + b"a:" for level in range(levels))


FULL = MAX_BYTES
HOSTILE = {
    "062-3000 brackets": b"[" * 3000,
    "062-a mebibyte of brackets": b"[" * FULL,
    "062-flow mappings": b"{a: " * (FULL // 4),
    "062-block sequences": b"- " * (FULL // 2),
    "062-complex keys": b"? " * (FULL // 2),
    "062-nested blocks": _nested_blocks(1400),
    "062-5000-digit integer": b"a: " + b"9" * 5000,
    "062-a mebibyte of digits": b"a: " + b"9" * (FULL - 3),
    "062-a long fraction": b"a: 0." + b"9" * (FULL - 5),
    "many small values": b"[" + b"a," * (FULL // 2 - 1) + b"]",
    "many small mappings": b"[" + b"a: b," * (FULL // 5 - 1) + b"]",
    "anchors": b"a: &a b\n" * (FULL // 8),
    "aliases": b"*a : b\n" * (FULL // 7),
    "duplicates": b"a: b\n" * (FULL // 5),
    "tags": b"!a " * (FULL // 3),
    "directives": b"%\n" * (FULL // 2),
    "control characters": b"\x01\n" * (FULL // 2),
    "NUL": b"\0" * FULL,
    "line breaks": b"\n" * FULL,
    "one comment": b"#" * FULL,
    "one long key": b"k" * (FULL - 2) + b": ",
    "an open quote": b'a: "' + b" x" * (FULL // 2 - 2),
    "continued lines": b'"\\\n' * (FULL // 3),
    "documents": b"---\n" * (FULL // 4),
}


@pytest.mark.parametrize("data", HOSTILE.values(), ids=HOSTILE)
def test_hostile_input_is_refused_soon(data: bytes) -> None:
    started = time.process_time()
    found = codes(data)
    assert found
    assert len(found) <= 101
    # Seconds of this process; the worst takes 2 on a slow machine, and what used
    # to hang took minutes.
    assert time.process_time() - started < 20


def test_aliases_are_refused_before_they_grow() -> None:
    lines = [b"a0: &a0 [lol, lol]"]
    for level in range(1, 19):
        inner = b", ".join([b"*a%d" % (level - 1)] * 9)
        lines.append(b"a%d: &a%d [%s]" % (level, level, inner))
    found = codes(b"\n".join(lines))
    assert set(found[:-1]) == {"E_YAML_ALIAS"}
    assert len(found) == 101  # and a last one that says there may be more
