"""What strangers write stays text, and as long as it may be."""

from __future__ import annotations

from gitmodel.formats.fences import bound, code


def test_a_long_word_is_cut_off_visibly() -> None:
    assert code("a" * 10, 10) == "`aaaaaaaaaa`"
    assert code("a" * 11, 10) == "`aaaaaaaaa…`"
    assert code("``a``", 3) == "``` ``… ```"


def test_a_document_is_cut_between_lines() -> None:
    text = "one\ntwo\nthree\n"
    assert bound(text, 100, "more") == text
    assert bound(text, 13, "more") == "one\n\nmore"
    assert len(bound("é" * 100 + "\nb" * 100, 50, "more").encode()) <= 50
