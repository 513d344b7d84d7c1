"""What watching remembers, as JSON, which survives a restart.

What cannot be read, or was written by a later gitmodel, is not guessed at: the caller
begins anew, which counts from nothing and so acts later, never sooner.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import fields
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Any, get_args

from gitmodel.domain.digest import Digest
from gitmodel.domain.trigger import ACTIONS
from gitmodel.domain.watch_event import WatchEvent
from gitmodel.domain.watch_state import MOST, Ledger, MetricState, Phase, StageState
from gitmodel.errors import InputError

if TYPE_CHECKING:
    from collections.abc import Callable

VERSION = 1
_COUNT = 10**9
_FIELDS = fields(MetricState)


def state_json(state: StageState) -> dict[str, Any]:
    """Return what :func:`read_state` reads."""
    return {
        "version": VERSION,
        "manifest": str(state.manifest) if state.manifest else None,
        "since": _plain(state.since),
        "began": state.began.isoformat(),
        "stepped": state.stepped.isoformat(),
        "metrics": {
            name: {one.name: _plain(getattr(metric, one.name)) for one in _FIELDS}
            for name, metric in state.metrics.items()
        },
        "real": _ledger_json(state.real),
        "rehearsal": _ledger_json(state.rehearsal),
    }


def read_state(found: object) -> StageState | None:
    """Read what :func:`state_json` wrote; None if that is not certain."""
    try:
        body = _mapping(found)
        if body["version"] != VERSION or isinstance(body["version"], bool):
            return None
        return StageState(
            manifest=_or_none(Digest.parse, body["manifest"]),
            since=_or_none(_time, body["since"]),
            began=_time(body["began"]),
            stepped=_time(body["stepped"]),
            metrics={
                str(name): _metric(_mapping(metric))
                for name, metric in _mapping(body["metrics"]).items()
            },
            real=_ledger(_mapping(body["real"])),
            rehearsal=_ledger(_mapping(body["rehearsal"])),
        )
    except (KeyError, TypeError, ValueError, InputError):
        return None


def restore(
    found: object, model: str, stage: str, now: datetime
) -> tuple[StageState | None, tuple[WatchEvent, ...]]:
    """Read what was remembered of a stage, or begin anew and say so.

    Args:
        found: What :func:`state_json` wrote; None where nothing was.
        model: The model.
        stage: The stage.
        now: The time.
    """
    if found is None:
        return None, ()
    state = read_state(found)
    if state is not None:
        return state, ()
    event = WatchEvent(
        kind="reset",
        level="warning",
        at=now,
        model=model,
        stage=stage,
        metric=None,
        manifest=None,
        text="what was remembered of this stage cannot be read; counting begins anew",
    )
    return None, (event,)


def _metric(body: Mapping[str, Any]) -> MetricState:
    counts = ("failures", "gaps", "successes", "errors", "missing", "undecided")
    return MetricState(
        of=_text(body["of"]),
        phase=_one_of(get_args(Phase), body["phase"]),
        **{name: _count(body[name]) for name in counts},
        measured_at=_or_none(_time, body["measured_at"]),
        acted=_or_none(lambda found: _one_of(ACTIONS, found), body["acted"]),
        acted_at=_or_none(_time, body["acted_at"]),
        told=frozenset(_text(one) for one in _list(body["told"])),
    )


def _ledger(body: Mapping[str, Any]) -> Ledger:
    if not isinstance(body["frozen"], bool):
        raise TypeError
    return Ledger(
        rollbacks=tuple(map(_time, _list(body["rollbacks"]))),
        proposed_at=_or_none(_time, body["proposed_at"]),
        frozen=body["frozen"],
        condemned=tuple(Digest.parse(_text(one)) for one in _list(body["condemned"])),
    )


def _ledger_json(ledger: Ledger) -> dict[str, Any]:
    return {
        "rollbacks": [at.isoformat() for at in ledger.rollbacks],
        "proposed_at": _plain(ledger.proposed_at),
        "frozen": ledger.frozen,
        "condemned": [str(one) for one in ledger.condemned],
    }


def _plain(value: Any) -> Any:
    if isinstance(value, datetime):
        return value.isoformat()
    return sorted(value) if isinstance(value, frozenset) else value


def _mapping(found: object) -> Mapping[str, Any]:
    if not isinstance(found, Mapping) or len(found) > MOST:
        raise TypeError
    return found


def _list(found: object) -> list[Any]:
    if not isinstance(found, list) or len(found) > MOST:
        raise TypeError
    return found


def _text(found: object) -> str:
    if not isinstance(found, str):
        raise TypeError
    return found


def _count(found: object) -> int:
    if isinstance(found, bool) or not isinstance(found, int):
        raise TypeError
    if not 0 <= found <= _COUNT:
        raise ValueError
    return found


def _time(found: object) -> datetime:
    moment = datetime.fromisoformat(_text(found))
    if moment.utcoffset() != timedelta():
        raise ValueError
    return moment


def _one_of(known: tuple[Any, ...], found: object) -> Any:
    if _text(found) not in known:
        raise ValueError
    return found


def _or_none(read: Callable[[Any], Any], found: object) -> Any:
    return None if found is None else read(found)
