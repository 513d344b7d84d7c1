"""Laws of checkpoints and access reviews: what is written is what is read, and when."""

from __future__ import annotations

import dataclasses
from datetime import UTC, datetime, timedelta

from hypothesis import given
from hypothesis import strategies as st

from gitmodel.domain.access_review import AccessReview
from gitmodel.domain.checkpoint import Checkpoint, Tip
from gitmodel.domain.digest import Digest
from gitmodel.domain.moment import from_text, to_text
from gitmodel.formats import canonical_json, schema

HEX = "0123456789abcdef"
NAMES = st.from_regex(r"[a-z][a-z0-9]{0,8}", fullmatch=True)
DIGESTS = st.binary(max_size=4).map(Digest.of)
MOMENTS = st.datetimes(
    datetime(2000, 1, 1),  # noqa: DTZ001 the zone is added
    datetime(2100, 1, 1),  # noqa: DTZ001
    timezones=st.just(UTC),
).map(lambda moment: moment.replace(microsecond=0))
SPANS = st.timedeltas(timedelta(seconds=1), timedelta(days=400)).map(
    lambda span: timedelta(seconds=int(span.total_seconds()))
)
SECOND = timedelta(seconds=1)


@st.composite
def checkpoints(draw: st.DrawFn) -> Checkpoint:
    created = draw(MOMENTS)
    tips = st.builds(Tip, NAMES, NAMES, st.integers(1, 10**6), DIGESTS)
    return Checkpoint(
        registry=draw(DIGESTS),
        seq=draw(st.integers(1, 10**6)),
        prior=draw(st.none() | DIGESTS),
        commit=draw(st.text(HEX, min_size=40, max_size=40)),
        tree=draw(DIGESTS),
        policy=draw(DIGESTS),
        created_at=to_text(created),
        expires_at=to_text(created + draw(SPANS)),
        chains=tuple(draw(st.lists(tips, max_size=3, unique=True))),
    )


@st.composite
def reviews(draw: st.DrawFn) -> AccessReview:
    created = draw(MOMENTS)
    return AccessReview(
        seq=draw(st.integers(1, 10**6)),
        prior=draw(st.none() | DIGESTS),
        policy=draw(DIGESTS),
        reviewer=draw(NAMES),
        comment=draw(st.text(st.characters(categories=("L", "N")), max_size=20)),
        created_at=to_text(created),
        due_at=to_text(created + draw(SPANS)),
    )


@given(checkpoints())
def test_a_checkpoint_survives_its_document_which_is_by_the_schema(
    checkpoint: Checkpoint,
) -> None:
    document = checkpoint.to_document()
    assert schema.problems("Checkpoint", document, "x") == ()
    assert Checkpoint.from_document(document) == checkpoint


@given(reviews())
def test_a_review_survives_its_document_which_is_by_the_schema(
    review: AccessReview,
) -> None:
    document = review.to_document()
    assert schema.problems("AccessReview", document, "x") == ()
    assert AccessReview.from_document(document) == review


@given(checkpoints(), checkpoints())
def test_other_checkpoints_have_other_bytes(a: Checkpoint, b: Checkpoint) -> None:
    written = [canonical_json.dumps(one.to_document()) for one in (a, b)]
    assert (written[0] == written[1]) == (a == b)


@given(checkpoints(), st.none() | SPANS)
def test_a_checkpoint_is_fresh_until_a_moment_and_stale_ever_after(
    checkpoint: Checkpoint, max_age: timedelta | None
) -> None:
    last = from_text(checkpoint.expires_at)
    if max_age is not None:
        last = min(last, from_text(checkpoint.created_at) + max_age)
    assert checkpoint.staleness(last, max_age) == ()
    for later in (SECOND, timedelta(days=4000)):
        [problem] = checkpoint.staleness(last + later, max_age)
        assert (problem.code, problem.commit) == ("E_FROZEN", checkpoint.commit)


@given(checkpoints(), st.lists(checkpoints(), max_size=4))
def test_a_checkpoint_contradicts_whoever_contradicts_it(
    one: Checkpoint, others: list[Checkpoint]
) -> None:
    assert one.equivocations([one]) == ()
    for other in others:
        moved = dataclasses.replace(other, registry=one.registry, seq=one.seq)
        found = one.equivocations([moved])
        assert bool(found) == (moved.commit != one.commit)
        assert bool(moved.equivocations([one])) == bool(found)
    assert len(one.equivocations(others)) == sum(
        (other.registry, other.seq) == (one.registry, one.seq)
        and other.commit != one.commit
        for other in others
    )


@given(reviews())
def test_a_review_is_overdue_from_a_moment_on(review: AccessReview) -> None:
    due = from_text(review.due_at)
    assert not review.overdue(due)
    assert review.overdue(due + SECOND)
    assert not review.overdue(from_text(review.created_at))
