"""What is in quarantine, for any chain of documents and any family of versions."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from hypothesis import given
from hypothesis import strategies as st

from gitmodel.domain.digest import Digest
from gitmodel.domain.quarantine import (
    BytesSubject,
    DataSubject,
    Quarantine,
    Subject,
    VersionSubject,
)
from gitmodel.domain.quarantine_state import Entry, Marks, Origins, fold
from gitmodel.formats import schema

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from gitmodel.domain.quarantine import Action

DIGEST = Digest("0" * 64)
FIRST = Quarantine(
    number=1, prior=None, action="quarantine", subjects=(), policy=DIGEST,
    incident=None, reason="", created_at="2026-01-01T00:00:00Z", created_by="ada",
)  # fmt: skip
ACTIONS: tuple[Action, ...] = ("quarantine", "lift")
NAMES = [str(number) for number in range(6)]

subjects: st.SearchStrategy[Subject] = st.one_of(
    st.builds(DataSubject, st.sampled_from("abc"), st.none() | st.just("1")),
    st.builds(BytesSubject, st.sampled_from(["sha256:1", "md5:2"])),
    st.builds(
        VersionSubject,
        st.just("m"),
        st.sampled_from(["1.0.0", "1.1.0"]),
        st.just(DIGEST),
    ),
)


@st.composite
def chains(draw: st.DrawFn) -> list[Entry]:
    """Return a chain of documents, some of whose lifts lack signatures."""
    parts = st.tuples(
        st.sampled_from(ACTIONS),
        st.lists(subjects, min_size=1, max_size=4).map(tuple),
        st.booleans(),
    )
    return [
        Entry(
            document=replace(FIRST, number=number, action=action, subjects=named),
            effective=signed or action == "quarantine",
        )
        for number, (action, named, signed) in enumerate(
            draw(st.lists(parts, max_size=12)), start=1
        )
    ]


def _entry(
    chain: Sequence[Entry], action: Action, named: Subject, **more: bool
) -> Entry:
    document = replace(FIRST, number=len(chain) + 1, action=action, subjects=(named,))
    return Entry(document=document, **more)


@given(chains(), subjects)
def test_the_last_word_that_counts_decides(chain: list[Entry], one: Subject) -> None:
    said = [
        entry.document
        for entry in chain
        if one in entry.document.subjects and entry.effective
    ]
    inside = bool(said) and said[-1].action == "quarantine"
    marks = fold(chain)
    assert (one in marks) == inside
    if inside:
        assert marks[one] == said[-1], "the newest document is the one to read"


@given(chains(), st.data())
def test_one_by_one_is_as_all_at_once(chain: list[Entry], data: st.DataObject) -> None:
    """Lifts that wait are signed at any time, and what is asked changes nothing."""
    made = {
        version: Origins(
            manifest=DIGEST, files=frozenset({f"sha256:{len(version)}"}),
            data=(("abc"[number], "1", None),),
        )
        for number, version in enumerate(("1.0.0", "1.1.0", "2.0.0"))
    }  # fmt: skip

    def find(_: str, version: str) -> Origins | None:
        return made.get(version)

    marks = Marks({}, find)
    so_far: list[Entry] = []
    for entry in chain:
        so_far.append(entry)
        marks.take_in(entry)
        waiting = [place for place, one in enumerate(so_far) if not one.effective]
        at = data.draw(st.sampled_from([None, *waiting]))
        if at is not None:
            so_far[at] = replace(so_far[at], effective=True)
            marks.take_in(so_far[at])
        again = Marks(fold(so_far), find)
        assert marks.subjects == again.subjects
        for version in made:
            found = marks.reason("m", version)
            assert bool(found) == bool(again.reason("m", version))
            assert found is None or found.subject in again.subjects


def test_one_document_more_reads_no_version_again() -> None:
    """Else a long chain, asked after each of its documents, would take for ever."""
    read: list[str] = []

    def find(_: str, version: str) -> Origins | None:
        read.append(version)
        return Origins(manifest=DIGEST, files=frozenset({version}))

    marks = Marks({}, find)
    for number in range(1, 101):
        named = VersionSubject("m", f"1.{number}.0", DIGEST)
        document = replace(FIRST, number=number, subjects=(named,))
        marks.take_in(Entry(document=document))
        assert marks.reason("m", f"2.{number}.0") is not None
    assert len(read) == 200


@given(chains(), subjects)
def test_in_and_out_is_out_and_out_and_in_is_in(
    chain: list[Entry], one: Subject
) -> None:
    taken = _entry(chain, "quarantine", one)
    lifted = _entry([*chain, taken], "lift", one)
    assert one not in fold([*chain, taken, lifted])
    assert one in fold([*chain, lifted, taken])
    without = {key for key in fold(chain) if key != one}
    assert fold([*chain, taken, lifted]).keys() == without


@given(chains(), subjects)
def test_the_same_word_again_changes_nothing(chain: list[Entry], one: Subject) -> None:
    for action in ACTIONS:
        again = _entry(chain, action, one)
        once = fold([*chain, again]).keys()
        assert fold([*chain, again, again]).keys() == once


@given(chains(), subjects, st.integers(0, 12))
def test_a_lift_that_is_signed_late_takes_out_nothing_that_came_later(
    chain: list[Entry], one: Subject, place: int
) -> None:
    waiting = _entry(chain, "lift", one, effective=False)
    at = min(place, len(chain))
    before, after = chain[:at], chain[at:]
    assert fold([*before, waiting, *after]) == fold(chain)
    signed = replace(waiting, effective=True)
    late = fold([*before, signed, *after])
    assert fold(chain).keys() - late.keys() <= {one}
    if any(
        one in entry.document.subjects and entry.document.action == "quarantine"
        for entry in after
    ):
        assert late == fold(chain)


@given(chains())
def test_documents_survive_being_written_and_are_what_the_schema_takes(
    chain: list[Entry],
) -> None:
    for entry in chain:
        if any(isinstance(each, BytesSubject) for each in entry.document.subjects):
            continue
        document = entry.document.to_document()
        assert schema.problems("Quarantine", document, "x") == ()
        assert Quarantine.from_document(document) == entry.document


@given(
    st.dictionaries(st.sampled_from(NAMES), st.sets(st.sampled_from(NAMES))),
    st.sets(st.sampled_from(NAMES)),
    st.permutations(NAMES),
)
def test_exactly_the_descendants_of_what_is_named_are_in_it(
    parents: Mapping[str, set[str]], named: set[str], order: Sequence[str]
) -> None:
    """Whatever the family looks like, circles too, and whoever is asked first."""
    data = {name: ((name, None, None),) for name in NAMES}

    def origins(model: str, version: str) -> Origins | None:
        if model != "m" or version not in NAMES:
            return None
        return Origins(
            manifest=Digest(version * 64),
            files=frozenset({f"sha256:{version}"}),
            data=data[version],
            parents=tuple(
                ("m", each, None) for each in sorted(parents.get(version, ()))
            ),
        )

    marks = Marks({DataSubject(name): FIRST for name in named}, origins)
    expected = set(named)
    while more := {
        child
        for child, found in parents.items()
        if found & expected and child not in expected
    }:
        expected |= more
    assert {name for name in order if marks.reason("m", name)} == expected
    again = {name for name in reversed(order) if marks.reason("m", name)}
    assert again == expected, "what was worked out before is right"


def test_a_copy_and_the_version_it_copies_are_one() -> None:
    files = frozenset({"sha256:1", "sha256:2"})
    made = {
        "1": Origins(manifest=Digest("1" * 64), files=files),
        "2": Origins(manifest=Digest("2" * 64), files=files),
        "3": Origins(manifest=Digest("3" * 64), files=frozenset({"sha256:1"})),
        "4": Origins(manifest=Digest("4" * 64), files=frozenset()),
    }
    marks = Marks(
        {VersionSubject("m", name, made[name].manifest): FIRST for name in "14"},
        lambda _, version: made.get(version),
    )
    assert [bool(marks.reason("m", name)) for name in "1234"] == [
        True, True, False, True,
    ]  # fmt: skip
    assert marks.reason("m", "9") is None
    new = Origins(manifest=Digest("5" * 64), files=frozenset())
    assert marks.reason_for(new) is None
