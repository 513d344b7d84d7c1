"""What lists show of pins and logs, kept as ``catalog_store`` says."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from gitmodel.domain.history import StageHistory
from gitmodel.domain.transition import Transition
from gitmodel.formats import schema, yaml_quick, yaml_reader
from gitmodel.registry import layout
from gitmodel.registry.catalog_store import MALFORMED, cache_of
from gitmodel.registry.parsing import as_found

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from gitmodel.registry.view import View


@dataclass(frozen=True, slots=True)
class _Log:
    """One log: the id of its tree, and each transition with the id of its blob."""

    tree: str
    transitions: tuple[tuple[str, Mapping[str, Any]], ...] = ()

    @classmethod
    def from_json(cls, kept: Any) -> _Log:
        """Read what :meth:`to_json` returned; an empty log from anything else."""
        try:
            return cls(kept["tree"], tuple((blob, said) for blob, said in kept["rows"]))
        except MALFORMED:
            return cls("")

    def to_json(self) -> dict[str, Any]:
        """Return it as JSON."""
        return {"tree": self.tree, "rows": self.transitions}

    @property
    def history(self) -> StageHistory:
        """What the stage has held."""
        return StageHistory(
            tuple(Transition.from_document(said) for _, said in self.transitions)
        )


def histories(view: View, model: str) -> dict[str, StageHistory]:
    """Return the history of a model in every stage, in the registry's order.

    Raises:
        IntegrityError: A transition is malformed.
    """
    cache, name = cache_of(view), f"log/{model}"
    kept = cache.get(name)
    known = kept if isinstance(kept, dict) else {}
    logs: dict[str, _Log] = {}
    found: dict[str, StageHistory] = {}
    changed = False
    for stage in view.settings.stages:
        before = _Log.from_json(known.get(stage))
        try:
            logs[stage] = _brought_up(view, stage, model, before)
            found[stage] = logs[stage].history
        except MALFORMED:  # what was kept, or what is there
            logs[stage] = _brought_up(view, stage, model, _Log(""))
            found[stage] = logs[stage].history
        changed |= logs[stage] is not before
    if changed:
        cache.put(name, {stage: log.to_json() for stage, log in logs.items()})
    return found


def pinned(view: View, models: Sequence[str]) -> dict[str, dict[str, str]]:
    """Return the version that each stage holds of each model, as the pins say it.

    Raises:
        IntegrityError: A pin is malformed.
    """
    cache, name = cache_of(view), "pins"
    kept = cache.get(name)
    known = kept if isinstance(kept, dict) else {}
    read: dict[str, str] = {}
    found: dict[str, dict[str, str]] = {}
    for stage in view.settings.stages:
        held = found[stage] = {}
        directory = layout.pin_path(stage, "").rpartition("/")[0]
        entries = view.names(directory)
        for model in models:
            entry = entries.get(layout.pin_path(stage, model).rpartition("/")[2])
            if entry is None or not entry.is_file:
                continue
            version = known.get(entry.oid)
            if not isinstance(version, str):
                pin = view.pin(stage, model)
                version = pin.release.version if pin else ""
            held[model] = read[entry.oid] = version
    if read != known:
        cache.put(name, read)
    return found


def _brought_up(view: View, stage: str, model: str, before: _Log) -> _Log:
    """Return a log as it is now, reading what was not in it before."""
    directory = view.entry(layout.log_dir(stage, model))
    if directory is None or not directory.is_tree:
        return before if not before.tree else _Log("")
    if directory.oid == before.tree:
        return before
    return _Log(
        directory.oid, tuple(_read(view, stage, model, dict(before.transitions)))
    )


def _read(
    view: View, stage: str, model: str, known: dict[str, Mapping[str, Any]]
) -> Iterator[tuple[str, Mapping[str, Any]]]:
    """Yield each transition, oldest first, with no look at signatures."""
    from gitmodel.registry.stage_log import sequence_numbers  # noqa: PLC0415 (slow)

    paths = [
        layout.transition_path(stage, model, number)
        for number in sequence_numbers(view, stage, model)
    ]
    entries = [(path, entry) for path in paths if (entry := view.entry(path))]
    files = [(path, entry.oid) for path, entry in entries if entry.is_file]
    new = [(path, oid) for path, oid in files if oid not in known]
    read = view.reader.read_all([oid for _, oid in new])
    for (path, oid), (_, data) in zip(new, read, strict=True):
        with as_found():
            document = yaml_quick.value_of(data) or yaml_reader.read(data, path).value
            schema.require("Transition", document, path)
        known[oid] = document
    yield from ((oid, known[oid]) for _, oid in files)
