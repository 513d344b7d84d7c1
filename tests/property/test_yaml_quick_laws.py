"""The quick reader never disagrees with the strict one (laws in its docstrings)."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from hypothesis import given
from hypothesis import strategies as st

from gitmodel.errors import InputError
from gitmodel.formats import yaml_quick, yaml_reader, yaml_writer

if TYPE_CHECKING:
    from tests.support.workbench import Workbench

_ODD = st.sampled_from(
    ["1.10", "no", "~", "", "2026-01-01", "null", "a: b", "a #b", "- x", '"', "'", "\\",
     "é", "x\ty", "*a", "&a", "!t", "%d", "@", "`", "[1]", "{}", "[]", "? k", "a:",
     ":a",     "<<", "\u2028", "1e5", "0x1f", ".5",
     "+1", "=", "a\nb", "a\n", "…", "\ufeff", " x"]
)  # fmt: skip
_text = st.one_of(_ODD, st.text(max_size=12))
_scalars = st.one_of(
    st.none(),
    st.booleans(),
    st.integers(-(2**63), 2**64 - 1),
    st.floats(allow_nan=False, allow_infinity=False),
    _text,
)
_values = st.recursive(
    _scalars,
    lambda inner: st.one_of(
        st.lists(inner, max_size=4), st.dictionaries(_text, inner, max_size=4)
    ),
    max_leaves=12,
)
_documents = st.dictionaries(_text, _values, min_size=1, max_size=5)


@given(_documents)
def test_spelling_is_what_the_writer_writes(document: dict[str, Any]) -> None:
    quick = yaml_quick.spelling(document)
    if quick is not None:
        assert quick == yaml_writer.dump(document)


def _sorted(value: Any) -> Any:
    if isinstance(value, dict):
        return {key: _sorted(value[key]) for key in sorted(value)}
    return [_sorted(item) for item in value] if isinstance(value, list) else value


@given(_documents, _documents)
def test_saying_is_what_strict_reading_finds(
    document: dict[str, Any], other: dict[str, Any]
) -> None:
    try:
        data = yaml_writer.dump(document)
    except InputError:
        return
    read = yaml_reader.read(data, "x").value
    for value in (document, _sorted(document), other, {**document, **other}):
        if yaml_quick.says(data, value):
            assert read == value


def test_the_order_of_keys_makes_no_difference_to_what_is_said() -> None:
    item = {"path": "a", "role": "weights", "size": 1}
    document = {"z": "1.0", "a": [item, {**item, "path": "b"}], "m": {"k": 1, "b": 2.5}}
    data = yaml_writer.dump(document)
    assert yaml_quick.says(data, _sorted(document))
    assert not yaml_quick.says(data, {**document, "z": 1.0})
    assert not yaml_quick.says(data + b"# more\n", document)


@given(_documents)
def test_quick_reading_is_strict_reading(document: dict[str, Any]) -> None:
    try:
        data = yaml_writer.dump(document)
    except InputError:
        return
    found = yaml_quick.value_of(data)
    assert found is None or _same(found, yaml_reader.read(data, "x").value)


_LINES = st.sampled_from(
    ["a: 1", "b:", "  c: x", "  - d: 1", "    e: 2", "  - 3", "a: 1 # c", "a: &x 1",
     "a: *x", "a: !!str 1", "---", "...", "a: {b: 1}", "a: [1]", '"q": 1', '  - "k": 1',
     "<<: {a: 1}", "  ", "", "\ta: 1", "a : 1", "a: 'x'", "a: |", "  text", "a: 1.10",
     "a: 0o17", "? a", ": b", "%YAML 1.1", "a: 1\r", "x: .nan", "- a", "a:  1",
     "a: [ ]"]
)  # fmt: skip


@given(st.lists(_LINES, min_size=1, max_size=7).map("\n".join), st.booleans())
def test_what_a_person_or_an_attacker_wrote_is_never_misread(
    text: str, ended: bool
) -> None:
    data = (text + "\n" * ended).encode()
    found = yaml_quick.value_of(data)
    if found is not None:
        assert _same(found, yaml_reader.read(data, "x").value)


def test_the_documents_of_a_registry_are_read_quickly(bench: Workbench) -> None:
    bench.register()
    bench.promote("fraud@1.0.0", "dev")
    for path in bench.git("ls-files", "*.yaml").splitlines():
        data = (bench.path / path).read_bytes()
        assert yaml_quick.value_of(data) == yaml_reader.read(data, path).value, path


def _same(a: Any, b: Any) -> bool:
    """Compare as JSON would: 1, 1.0 and true differ."""
    return repr(a) == repr(b)


def test_what_has_too_many_parts_is_left_to_the_strict_reader() -> None:
    data = b"a:\n" + b"  - x\n" * 105_000
    assert yaml_quick.value_of(data) is None
