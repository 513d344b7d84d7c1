"""What counts of what a forge said: one case for each rule, and laws over all."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gitmodel.domain.digest import Digest
from gitmodel.domain.forge import Review
from gitmodel.domain.forge_approval import ForgeApproval, Source, Voices, weigh

HEAD, EARLIER, OLD = "a" * 40, "b" * 40, "c" * 40
#: Accounts by number; 9 belongs to nobody.
OWNERS = {1: "ada", 2: "bob", 3: "cyd", 4: "robot", 5: "dora"}
APPROVERS = {"ada", "bob", "cyd"}


def review(user: int = 2, state: Any = "approved", **fields: Any) -> Review:
    said: dict[str, Any] = {"id": 1, "bot": False, "commit": HEAD}
    said |= {"submitted_at": "2026-02-14T14:00:00Z"}
    return Review(user=user, state=state, **said | fields)


def said(*reviews: Review, author: int | None = None) -> ForgeApproval:
    return ForgeApproval(
        number=1,
        transition=Digest.of(b"transition"),
        source=Source(forge="github", host="github.com", repository=7),
        pull_request=5,
        author=author,
        head=HEAD,
        unchanged=(EARLIER,),
        reviews=reviews,
        collector="ci",
        collected_at="2026-02-14T14:05:00Z",
    )


def heard(approval: ForgeApproval, requester: str = "ada") -> Voices:
    return weigh(
        approval,
        owner_of=OWNERS.get,
        may_approve=APPROVERS.__contains__,
        requester=requester,
    )


def test_an_approver_who_approved_the_head_counts() -> None:
    assert heard(said(review())) == Voices(approvals=("bob",))
    # What was added since is evidence about the very same promotion.
    assert heard(said(review(commit=EARLIER))).approvals == ("bob",)


@pytest.mark.parametrize(
    ("one", "author", "why"),
    [
        (review(commit=OLD), None, "another commit"),
        (review(commit=None), None, "another commit"),
        (review(state="dismissed"), None, "dismissed"),
        (review(state="stale"), None, "stale"),
        (review(bot=True), None, "robot"),
        (review(), 2, "author"),
        (review(user=1), None, "ada asked"),
        (review(user=9), None, "no principal"),
        (review(user=5), None, "no approver"),
        (review(user=5, state="changes_requested"), None, "no approver"),
        (review(user=1, state="changes_requested"), None, "ada asked"),
    ],
)
def test_who_has_no_say(one: Review, author: int | None, why: str) -> None:
    found = heard(said(one, author=author))
    assert (found.approvals, found.rejections) == ((), ())
    [passed] = found.passed_over
    assert passed.review == one
    assert why in passed.why


@pytest.mark.parametrize("state", ["commented", "pending"])
def test_a_comment_is_no_verdict_and_takes_none_back(state: Any) -> None:
    later = review(state=state, id=2, submitted_at="2026-02-14T15:00:00Z")
    assert heard(said(later)) == Voices()
    assert heard(said(review(), later)).approvals == ("bob",)


def test_the_newest_verdict_of_an_account_decides() -> None:
    asked = review(state="changes_requested", id=2, submitted_at="2026-02-14T15:00:00Z")
    assert heard(said(review(), asked)) == Voices(rejections=("bob",))
    again = replace(review(), id=3, submitted_at="2026-02-14T16:00:00Z")
    assert heard(said(asked, again, review())).approvals == ("bob",)
    # An old approval does not come back when the newer one falls.
    fallen = replace(again, state="dismissed")
    assert heard(said(review(), fallen)).approvals == ()
    stale = replace(again, commit=OLD)
    assert heard(said(review(), stale)).approvals == ()


def test_changes_asked_for_of_an_older_commit_still_refuse() -> None:
    asked = review(state="changes_requested", commit=OLD)
    assert heard(said(asked)).rejections == ("bob",)


def test_two_approvers_count_as_two_and_twice_the_same_as_one() -> None:
    again = review(id=2, submitted_at="2026-02-14T15:00:00Z")
    assert heard(said(review(), again, review(user=3))).approvals == ("bob", "cyd")


def test_the_document_says_all_of_it_in_order() -> None:
    approval = said(review(), review(user=3, commit=None, submitted_at=None), author=1)
    document = approval.to_document()
    assert ForgeApproval.from_document(document) == approval
    assert list(document) == [
        "apiVersion", "kind", "number", "transition", "forge", "host", "repository",
        "pullRequest", "author", "head", "unchanged", "reviews", "collector",
        "collectedAt",
    ]  # fmt: skip


def test_two_snapshots_differ_by_what_was_said_not_by_when() -> None:
    approval = said(review())
    later = replace(approval, number=2, collector="x", collected_at="later", head=OLD)
    assert approval.says_as(later)
    assert not approval.says_as(said(review(), review(user=3)))


_REVIEWS = st.lists(
    st.builds(
        Review,
        id=st.integers(1, 99),
        user=st.integers(1, 9),
        bot=st.booleans(),
        state=st.sampled_from(
            ["approved", "changes_requested", "commented", "dismissed", "stale"]
        ),
        commit=st.sampled_from([HEAD, EARLIER, OLD, None]),
        submitted_at=st.sampled_from(
            [None, "2026-02-14T14:00:00Z", "2026-02-14T15:00:00Z"]
        ),
    ),
    max_size=12,
    unique_by=lambda each: each.id,
)
_AUTHORS = st.none() | st.integers(1, 9)


@given(_REVIEWS, _AUTHORS)
def test_only_approvers_who_did_not_ask_ever_have_a_say(
    reviews: list[Review], author: int | None
) -> None:
    found = heard(said(*reviews, author=author))
    heard_from = {*found.approvals, *found.rejections}
    assert heard_from <= APPROVERS - {"ada"}
    assert OWNERS.get(author or 0) not in heard_from
    assert not set(found.approvals) & set(found.rejections)
    by_people = {OWNERS.get(each.user) for each in reviews if not each.bot}
    assert heard_from <= by_people


@given(_REVIEWS, _AUTHORS, st.randoms(use_true_random=False))
def test_the_order_in_which_a_forge_lists_them_means_nothing(
    reviews: list[Review], author: int | None, random: Any
) -> None:
    shuffled = list(reviews)
    random.shuffle(shuffled)
    one, other = said(*reviews, author=author), said(*shuffled, author=author)
    assert heard(one) == heard(other)


@given(_REVIEWS)
def test_an_approval_of_another_commit_adds_nobody(reviews: list[Review]) -> None:
    moved = [
        replace(each, commit=OLD) if each.state == "approved" else each
        for each in reviews
    ]
    assert heard(said(*moved)).approvals == ()
