"""Laws of incidents: what may follow what, and what is written is what is read."""

from __future__ import annotations

import dataclasses

from hypothesis import given
from hypothesis import strategies as st

from gitmodel.domain.attestation import Evidence
from gitmodel.domain.digest import Digest
from gitmodel.domain.incident import (
    SEVERITIES,
    Course,
    IncidentEntry,
    Kind,
    fixed_version,
)
from gitmodel.errors import InputError
from gitmodel.formats import schema, yaml_reader, yaml_writer

KINDS: tuple[Kind, ...] = ("opened", "note", "closed", "reopened")
#: Kind → states in which it may come, and the state that it leads to; None for the
#: same.
AUTOMATON: dict[Kind, tuple[set[str], str | None]] = {
    "opened": ({"new"}, "open"),
    "note": ({"open", "closed"}, None),
    "closed": ({"open"}, "closed"),
    "reopened": ({"closed"}, "open"),
}
DIGESTS = st.binary(max_size=4).map(Digest.of)
NAMES = st.from_regex(r"[a-z][a-z0-9]{0,8}", fullmatch=True)
TEXTS = st.text(st.characters(categories=("L", "N", "P")), min_size=1, max_size=20)


def _next(course: Course, kind: Kind) -> IncidentEntry:
    return IncidentEntry(
        incident="INC-1",
        number=course.count + 1,
        prior=course.last,
        entry=kind,
        policy=Digest.of(b""),
        created_at="2026-01-01T00:00:00Z",
        created_by="ada",
        text="x",
    )


@st.composite
def courses(draw: st.DrawFn) -> tuple[Course, str]:
    """Draw how far an incident may have come, and the state that it is in."""
    course, state = Course(), "new"
    for _ in range(draw(st.integers(0, 12))):
        kind = draw(st.sampled_from([k for k in KINDS if state in AUTOMATON[k][0]]))
        entry = _next(course, kind)
        assert course.flaws(entry, "INC-1", entry.number) == ()
        course = course.after(entry, Digest.of(b"%d" % entry.number))
        state = AUTOMATON[kind][1] or state
    return course, state


@given(courses(), st.sampled_from(KINDS))
def test_what_may_come_next_depends_on_the_state_alone(
    found: tuple[Course, str], kind: Kind
) -> None:
    course, state = found
    assert course.is_open == (state == "open")
    entry = _next(course, kind)
    allowed = state in AUTOMATON[kind][0]
    assert (course.flaws(entry, "INC-1", entry.number) == ()) == allowed


@given(courses(), st.integers(0, 20), st.integers(0, 20), st.none() | DIGESTS, NAMES)
def test_nothing_is_inserted_left_out_or_moved(
    found: tuple[Course, str],
    number: int,
    place: int,
    prior: Digest | None,
    incident: str,
) -> None:
    course, state = found
    kind: Kind = "opened" if state == "new" else "note"
    entry = dataclasses.replace(
        _next(course, kind), number=number, prior=prior, incident=incident
    )
    right = (number, place, prior) == (course.count + 1,) * 2 + (course.last,)
    flaws = course.flaws(entry, "inc", place)
    assert (flaws == ()) == (right and incident == "inc")


@st.composite
def entries(draw: st.DrawFn) -> IncidentEntry:
    kind = draw(st.sampled_from(KINDS))
    opening, closing = kind == "opened", kind == "closed"
    evidence = st.builds(Evidence, TEXTS, st.none() | DIGESTS)
    names = st.lists(NAMES, max_size=3, unique=True).map(tuple)
    return IncidentEntry(
        incident=draw(NAMES),
        number=draw(st.integers(1, 10**6)),
        prior=draw(st.none() | DIGESTS),
        entry=kind,
        policy=draw(DIGESTS),
        created_at="2026-01-01T00:00:00Z",
        created_by=draw(NAMES),
        text=draw(TEXTS),
        severity=draw(st.sampled_from(SEVERITIES)) if opening else None,
        title=draw(TEXTS) if opening else "",
        models=draw(names) if opening else (),
        stages=draw(names) if opening else (),
        evidence=tuple(draw(st.lists(evidence, max_size=3))),
        root_cause=draw(TEXTS) if closing else "",
        fixed_in=draw(TEXTS) if closing else "",
    )


@given(entries())
def test_an_entry_is_read_as_it_was_written(entry: IncidentEntry) -> None:
    document = entry.to_document()
    assert schema.problems("IncidentEntry", document) == ()
    read = yaml_reader.read(yaml_writer.dump(document), "1.yaml").value
    assert IncidentEntry.from_document(read) == entry


@given(st.text(max_size=30) | st.from_regex(r"[a-z]+@[0-9.]+", fullmatch=True))
def test_a_fix_is_a_version_or_elsewhere_or_nothing(text: str) -> None:
    try:
        found = fixed_version(text)
    except InputError:
        return
    if found is None:
        assert "://" in text or all(c in "0123456789abcdef" for c in text)
    else:
        assert "@".join(found) == text
