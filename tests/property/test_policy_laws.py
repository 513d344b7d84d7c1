"""Laws of what a policy asks for: overrides never weaken, principals count once."""

from __future__ import annotations

from typing import Any

from hypothesis import assume, given
from hypothesis import strategies as st

from gitmodel.domain.quorum import Quorum, Voice, count, join, shortfall
from gitmodel.domain.sensitivity import LEVELS, Sensitivity, reaches
from gitmodel.domain.stage_rules import StageRules, effective
from gitmodel.errors import InputError

ROLES = ("approver", "auditor", "responder")
PEOPLE = ("ada", "bob", "carol", "dave", "eve")

roles = st.sampled_from(ROLES)
small = st.integers(0, 4)
quorums = st.lists(st.builds(Quorum, role=roles, threshold=small), max_size=4)
voices = st.lists(st.builds(Voice, st.sampled_from(PEOPLE), roles), max_size=10)
gates = st.lists(
    st.one_of(
        st.builds(
            lambda name, least: {"metric": {"name": f"test.{name}", "min": least}},
            st.sampled_from("ab"),
            small,
        ),
        st.builds(
            lambda stage, hours: {"soak": {"stage": stage, "for": f"{hours + 1}h"}},
            st.sampled_from(("dev", "staging")),
            small,
        ),
        st.just({"attestation": {"type": "scan"}}),
        st.just({"complete": ["card"]}),
    ),
    max_size=3,
)
freezes = st.lists(
    st.builds(
        lambda day: {
            "from": f"2026-01-0{day + 1}T00:00:00Z",
            "until": "2026-02-01T00:00:00Z",
        },
        small,
    ),
    max_size=2,
)


@st.composite
def overrides(draw: st.DrawFn) -> dict[str, Any]:
    body: dict[str, Any] = {"gates": draw(gates), "freeze": draw(freezes)}
    if draw(st.booleans()):
        threshold = draw(st.integers(1, 4))
        body["approvals"] = {"threshold": threshold}
        if draw(st.booleans()):
            body["approvals"]["role"] = draw(roles)
        if draw(st.booleans()):
            body["approvals"]["direct"] = draw(st.integers(0, threshold))
    if draw(st.booleans()):
        body["soak"] = f"{draw(small) + 1}h"
    return body


@st.composite
def stages(draw: st.DrawFn) -> StageRules:
    threshold = draw(small)
    body = {
        "from": "staging",
        "approvals": {
            "threshold": threshold,
            "role": "approver",
            "direct": draw(st.integers(0, threshold)),
        },
        "rollback": {"approvals": draw(small), "role": "responder"},
        "gates": draw(gates),
        "freeze": draw(freezes),
        "models": draw(st.dictionaries(st.sampled_from("mn"), overrides())),
        "sensitivity": draw(st.dictionaries(st.sampled_from(LEVELS), overrides())),
    }
    try:
        return StageRules.from_dict("production", body)
    except InputError:
        assume(False)
        raise


models = st.sampled_from(("m", "M", "n", "other"))


@given(stages(), models, st.sampled_from(LEVELS), voices)
def test_whatever_lets_a_model_in_would_let_any_in(
    rules: StageRules, model: str, level: str, heard: list[Voice]
) -> None:
    """The rules of a model are never weaker than those of its stage."""
    own = effective(rules, model, level)
    for action in ("promote", "rollback"):
        if not shortfall(own.quorums(action), heard, requester="eve"):
            assert not shortfall(rules.quorums(action), heard, requester="eve")
    assert set(own.gates) >= set(rules.gates)
    assert set(own.freeze) >= set(rules.freeze)
    assert own.source == rules.source
    assert own.rollback == rules.rollback


@given(stages(), models, st.sampled_from(LEVELS), st.sampled_from(LEVELS), voices)
def test_what_is_more_sensitive_is_asked_for_no_less(
    rules: StageRules, model: str, one: str, other: str, heard: list[Voice]
) -> None:
    assume(reaches(other, one))
    lower, higher = effective(rules, model, one), effective(rules, model, other)
    if not shortfall(higher.quorums("promote"), heard, requester="eve"):
        for quorum in lower.quorums("promote"):
            assert not count([quorum], heard, requester="eve")[0].lacking
    assert set(higher.gates) >= set(lower.gates)
    assert set(higher.freeze) >= set(lower.freeze)


@given(stages(), models, st.sampled_from(LEVELS))
def test_applying_overrides_twice_is_applying_them_once(
    rules: StageRules, model: str, level: str
) -> None:
    once = effective(rules, model, level)
    again = effective(once, model, level)
    assert (again.quorums("promote"), again.gates, again.freeze) == (
        once.quorums("promote"),
        once.gates,
        once.freeze,
    )


@given(quorums, voices)
def test_nobody_counts_twice_and_the_requester_never(
    asked: list[Quorum], heard: list[Voice]
) -> None:
    counted = [who for each in count(asked, heard, requester="ada") for who in each.who]
    assert len(counted) == len(set(counted))
    assert "ada" not in counted


@given(quorums, voices, voices)
def test_more_voices_never_lack_more(
    asked: list[Quorum], heard: list[Voice], more: list[Voice]
) -> None:
    """With a quorum for each role, and nobody who speaks in two of them."""
    joined = join(asked)
    everybody = {voice.principal: voice for voice in [*more, *heard]}.values()
    some = [voice for voice in everybody if voice in heard]
    before = sum(each.lacking for each in count(joined, some, requester=""))
    after = sum(each.lacking for each in count(joined, everybody, requester=""))
    assert after <= before


@given(quorums, voices)
def test_joined_quorums_ask_for_all_of_them(
    asked: list[Quorum], heard: list[Voice]
) -> None:
    if not shortfall(join(asked), heard, requester="ada"):
        for quorum in asked:
            assert not shortfall([quorum], heard, requester="ada")


@given(st.sampled_from((None, *LEVELS)), st.text(max_size=5))
def test_what_nobody_declared_is_as_sensitive_as_can_be(
    default: str | None, model: str
) -> None:
    assert Sensitivity(default).level_of(model) == (default or "restricted")
    lowered = Sensitivity(default, ((model.upper(), "public"),))
    if model.upper().casefold() == model.casefold():
        assert lowered.level_of(model) == "public"
