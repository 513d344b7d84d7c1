from __future__ import annotations

import datetime as dt
from typing import Any

import pytest

from gitmodel.domain.attestation import Attestation, Attested, Result, Type
from gitmodel.domain.digest import Digest
from gitmodel.domain.gates import Freeze, duration, read_gate
from gitmodel.domain.gating import Occasion, Standing, refused
from gitmodel.domain.history import StageHistory
from gitmodel.domain.metrics import read_metrics
from gitmodel.domain.pin import Release
from gitmodel.domain.stage_rules import StageRules, require_reachable
from gitmodel.domain.transition import Action, Transition
from gitmodel.errors import InputError

A, B = Digest.of(b"a"), Digest.of(b"b")
NOON = dt.datetime(2026, 2, 14, 12, tzinfo=dt.UTC)


def rules(*gates: dict[str, Any], **more: Any) -> StageRules:
    body = {
        "from": None,
        "approvals": {"threshold": 0, "role": "approver"},
        "rollback": {"approvals": 0, "role": "responder"},
        "gates": list(gates),
        **more,
    }
    return StageRules.from_dict("production", body)


def version(digest: Digest = A, **document: Any) -> Standing:
    attested = document.pop("attested", ())
    full = {"model": "m", "version": "1.0.0", "artifacts": [], **document}
    return Standing.of(full, digest, attested)


def attested(
    kind: Type, number: int, result: Result = "passed", **metrics: float
) -> Attested:
    measured = read_metrics({"test": metrics})
    return Attested(
        type=kind, number=number, result=result, by="ada", role="auditor",
        metrics=measured,
    )  # fmt: skip


def gates(
    asked: StageRules,
    one: Standing,
    *,
    now: dt.datetime = NOON,
    held: Standing | None = None,
    histories: dict[str, StageHistory] | None = None,
) -> list[str]:
    occasion = Occasion(now=now, held=held, histories=histories or {})
    return [verdict.gate for verdict in refused(asked, one, occasion)]


def move(seq: int, action: Action, to: Digest | None, hours: float) -> Transition:
    at = (NOON - dt.timedelta(hours=hours)).strftime("%Y-%m-%dT%H:%M:%SZ")
    return Transition(
        action=action, model="m", stage="staging", seq=seq, prior=None, origin=None,
        target=Release("1.0.0", to) if to else None, pin=None, policy=A,
        requester="ada", reason="", created_at=at,
    )  # fmt: skip


def test_what_came_of_a_rollback_is_heard_by_no_gate() -> None:
    """A responder signs it, who may say nothing of quality."""
    said = attested("postrollback", 1, accuracy=0.99)
    one = version(metrics={"test": {"accuracy": 0.1}}, attested=(said,))
    assert one.newest("postrollback", None) is None
    assert gates(rules({"metric": {"name": "test.accuracy", "min": 0.9}}), one) == [
        "metric"
    ]
    with pytest.raises(InputError, match="No gate asks for a postrollback"):
        rules({"attestation": {"type": "postrollback"}})


def test_the_newest_attestation_decides_whatever_the_order() -> None:
    asked = rules({"attestation": {"type": "scan"}})
    old, new = attested("scan", 9, "failed"), attested("scan", 10)
    assert gates(asked, version(attested=(new, old))) == []
    assert gates(asked, version(attested=(old,))) == ["attestation"]
    assert gates(asked, version()) == ["attestation"]


def test_bounds_are_allowed_themselves() -> None:
    asked = rules({"metric": {"name": "accuracy", "min": 0.5, "max": 0.9}})
    for value, refusals in ((0.5, 0), (0.9, 0), (0.49, 1), (0.91, 1)):
        one = version(metrics={"validation": {"accuracy": value}})
        assert len(gates(asked, one)) == refusals


def test_a_measured_metric_goes_before_a_claimed_one() -> None:
    asked = rules({"metric": {"name": "test.accuracy", "min": 0.9}})
    one = version(
        metrics={"test": {"accuracy": 0.99}},
        attested=(attested("test", 1, "passed", accuracy=0.5),),
    )
    assert gates(asked, one) == ["metric"]


@pytest.mark.parametrize(
    ("before", "after", "tolerance", "refusals"),
    [
        (0.9, 0.9, 0, 0),
        (0.9, 0.91, 0, 0),
        (0.9, 0.89, 0, 1),
        (0.9, 0.89, 0.02, 0),
        ({"value": 5, "direction": "lower"}, {"value": 4, "direction": "lower"}, 0, 0),
        ({"value": 5, "direction": "lower"}, {"value": 6, "direction": "lower"}, 0, 1),
        ({"value": 5, "direction": "lower"}, {"value": 9, "direction": "higher"}, 0, 1),
        ({"value": 5, "dataset": "x"}, {"value": 9, "dataset": "y"}, 0, 1),
    ],
)
def test_no_regression_knows_the_direction(
    before: Any, after: Any, tolerance: float, refusals: int
) -> None:
    asked = rules({"noRegression": {"metric": "score", "tolerance": tolerance}})
    old = version(B, metrics={"validation": {"score": before}})
    new = version(A, metrics={"validation": {"score": after}})
    assert len(gates(asked, new, held=old)) == refusals


def test_sections_are_complete_only_when_they_say_enough() -> None:
    names = ["lineage", "card", "environment", "code", "data"]
    asked = rules({"complete": names})
    assert gates(asked, version()) == ["complete"] * 5
    half = version(
        training={"code": {"commit": "a" * 40, "dirty": True}, "data": [{"name": "x"}]},
        environment={"python": "3.11.7"},
        lineage={"parents": []},
    )
    assert gates(asked, half) == ["complete"] * 5
    whole = version(
        training={
            "code": {"commit": "a" * 40, "dirty": False},
            "data": [{"name": "x", "digest": str(A)}],
        },
        environment={"python": "3.11.7", "packages": str(A)},
        lineage={"parents": [{"model": "base", "version": "1.0.0"}]},
        artifacts=[{"role": "card"}],
    )
    assert gates(asked, whole) == []


def test_soak_counts_the_longest_stay_and_none_after_a_rollback() -> None:
    asked = rules({"soak": {"stage": "staging", "for": "24h"}})

    def after(*moves: Transition) -> list[str]:
        return gates(asked, version(), histories={"staging": StageHistory(moves)})

    assert after() == ["soak"]
    assert after(move(1, "promote", A, 23.9)) == ["soak"]
    assert after(move(1, "promote", A, 24)) == []
    assert after(move(1, "promote", A, 40), move(2, "promote", B, 10)) == []
    assert after(move(1, "promote", A, 40), move(2, "promote", B, 20)) == ["soak"]
    assert after(move(1, "promote", A, 90), move(2, "rollback", B, 10)) == ["soak"]


def test_a_freeze_holds_from_its_beginning_until_before_its_end() -> None:
    window = {"from": "2026-02-14T12:00:00Z", "until": "2026-02-14T13:00:00Z"}
    asked = rules(freeze=[window])
    second = dt.timedelta(seconds=1)
    hour = dt.timedelta(hours=1)
    for now, refusals in (
        (NOON - second, []),
        (NOON, ["freeze"]),
        (NOON + hour - second, ["freeze"]),
        (NOON + hour, []),
    ):
        assert gates(asked, version(), now=now) == refusals


@pytest.mark.parametrize(
    "gate",
    [
        {},
        {"vibes": {}},
        {"complete": ["card"], "soak": {"stage": "dev", "for": "1h"}},
        {"attestation": {"type": "scan", "result": "failed"}},
        {"attestation": {"type": "vibes"}},
        {"metric": {"name": "accuracy"}},
        {"metric": {"name": "", "min": 1}},
        {"noRegression": {"metric": "accuracy", "tolerance": -1}},
        {"noRegression": {"metric": "accuracy", "tolerance": True}},
        {"complete": []},
        {"complete": ["hope"]},
        {"label": {}},
        {"soak": {"stage": "dev", "for": "forever"}},
    ],
)
def test_a_gate_that_is_not_known_is_refused_not_ignored(gate: Any) -> None:
    with pytest.raises(InputError):
        read_gate(gate)


def test_a_freeze_that_ends_before_it_begins_is_refused() -> None:
    with pytest.raises(InputError):
        Freeze.from_dict(
            {"from": "2026-02-15T00:00:00Z", "until": "2026-02-14T00:00:00Z"}
        )


def test_a_soak_time_of_the_stage_is_in_the_stage_before() -> None:
    asked = rules(**{"from": "staging", "soak": "24h"})
    assert gates(asked, version()) == ["soak"]
    with pytest.raises(InputError):
        rules(soak="24h")


def test_stages_that_wait_for_each_other_are_refused() -> None:
    waits = rules({"soak": {"stage": "staging", "for": "1h"}})
    back = rules(**{"from": "production"})
    with pytest.raises(InputError, match="could ever reach production, staging"):
        require_reachable({"staging": back, "production": waits}, {})
    require_reachable({"staging": rules(), "production": waits}, {})


def test_durations() -> None:
    assert duration("24h") == dt.timedelta(hours=24) == duration(86400)
    for wrong in ("0h", "24", "h", "1w", -1, True, None, 1.5):
        with pytest.raises(InputError):
            duration(wrong)


def test_an_attestation_is_what_its_document_says() -> None:
    document = {
        "apiVersion": "gitmodel.dev/v1",
        "kind": "Attestation",
        "model": "m",
        "version": "1.0.0",
        "manifest": str(A),
        "type": "scan",
        "result": "failed",
        "createdAt": "2026-02-14T12:00:00Z",
        "createdBy": "ada",
        "summary": "x",
        "metrics": {"test": {"accuracy": 1}},
        "tool": {"name": "t", "version": "1"},
        "findings": [{"message": "bad", "path": "p", "severity": "high"}],
        "evidence": {"uri": "https://example.com", "digest": str(B)},
    }
    found = Attestation.from_document(document)
    assert found.to_document() == document
    assert list(found.to_document()) == list(document)
    with pytest.raises(InputError):
        Attestation.from_document(document | {"result": "maybe"})
