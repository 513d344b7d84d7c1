"""Nobody overrules a move that they have not seen (``design`` §6).

Who asks for a promotion or a rollback knows the registry as their clone shows it
at that moment. Others may move the same pin before the change is made: in this
clone while it waits for its turn, or at the remote. Then the question has become
another one, and is given back: to bring in a better version than 1.0.0 is not to
replace the 1.2.0 that a colleague brought in a minute ago, and to roll back once
is not to roll back twice. Asked again, it is asked with that knowledge.

Other models and other stages do not matter, however much they moved.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from gitmodel.domain.digest import Digest
from gitmodel.errors import ConflictError, GitmodelError
from gitmodel.registry import layout
from gitmodel.registry.stage_log import sequence_numbers
from gitmodel.registry.versions import resolve
from gitmodel.registry.view import View

if TYPE_CHECKING:
    from gitmodel.domain.history import StageHistory
    from gitmodel.domain.selector import Selector
    from gitmodel.domain.transition import Transition
    from gitmodel.registry.handle import RegistryHandle
    from gitmodel.registry.records import Record
    from gitmodel.registry.versions import Found

_WORDS = {"promote": "promoted", "rollback": "rolled back", "retire": "retired"}


@dataclass(frozen=True, slots=True, kw_only=True)
class Sighting:
    """What a clone showed of one pin when its user asked.

    Attributes:
        moves: How often the pin had moved.
        newest: Digest of the last of these transitions; None for none.
        selector: What names the version to promote; None for a rollback.
        version: Digest of the version that ``selector`` named; None if it names the
            same one for ever, or named none.
    """

    moves: int
    newest: Digest | None
    selector: Selector | None = None
    version: Digest | None = None

    def require_unmoved(
        self, history: StageHistory, records: tuple[Record, ...]
    ) -> None:
        """Insist that the pin has not moved since.

        Raises:
            ConflictError: It has; the message says who moved what (E_STAGE_MOVED).
        """
        if (records[-1].digest if records else None) == self.newest:
            return
        newest = history.transitions[-1] if history.transitions else None
        news = "; ".join(map(told, history.transitions[self.moves :]))
        where = f"--stage {newest.stage}" if newest else ""
        raise ConflictError(
            f"The stage has moved since you asked: {news or 'its log is another one'}.",
            f"gitmodel log {newest.model if newest else ''} {where}  shows it all.",
            "If you still want your change, run the command again.",
            code="E_STAGE_MOVED",
        )

    def require_same_version(self, found: Found) -> None:
        """Insist that the selector still names what it named.

        Raises:
            ConflictError: It names another version (E_SELECTOR_MOVED).
        """
        if self.version is None or self.version == found.version.digest:
            return
        name = f"{found.version.model}@{found.version.version}"
        raise ConflictError(
            f"{self.selector} is {name} now, and was another version when you asked.",
            f"gitmodel show {name}  shows what it is.",
            "If that is what you want, run the command again.",
            code="E_SELECTOR_MOVED",
        )


def look(
    handle: RegistryHandle, model: str, stage: str, selector: Selector | None = None
) -> Sighting:
    """Return what this clone shows now, before any lock or network."""
    view = View(handle.reader, handle.repository.resolve("HEAD"))
    numbers = sequence_numbers(view, stage, model)
    newest = (
        view.blob(layout.transition_path(stage, model, numbers[-1]))
        if numbers
        else None
    )
    version = None
    if selector is not None and selector.kind not in {"version", "digest"}:
        try:
            version = resolve(view, selector).version.digest
        except GitmodelError:
            version = None  # nothing was seen; what is wrong is said later
    return Sighting(
        moves=len(numbers),
        newest=Digest.of(newest) if newest is not None else None,
        selector=selector,
        version=version,
    )


def told(move: Transition) -> str:
    """Say who moved what, and when, for people."""
    origin = move.origin.version if move.origin else "(empty)"
    target = move.target.version if move.target else "(empty)"
    return (
        f"{move.requester} {_WORDS[move.action]} {move.model} in {move.stage}, "
        f"{origin} -> {target}, at {move.created_at}"
    )
