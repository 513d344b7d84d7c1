"""What a watcher finds in the registry: what is to be watched, and what is live."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from gitmodel.domain.automation import is_automated
from gitmodel.domain.metrics import read_metrics
from gitmodel.domain.moment import from_text
from gitmodel.domain.problem import Problem
from gitmodel.domain.watching import Live
from gitmodel.errors import GitmodelError
from gitmodel.registry import layout
from gitmodel.registry.stage_log import require_sound_history
from gitmodel.registry.triggers import read_triggers
from gitmodel.registry.versions import load

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping
    from datetime import datetime

    from gitmodel.domain.artifact import Artifact
    from gitmodel.domain.trigger import RollbackTrigger
    from gitmodel.registry.handle import RegistryHandle
    from gitmodel.registry.view import View

_MOST = 1000


@dataclass(frozen=True, slots=True, kw_only=True)
class Place:
    """One model in one stage.

    Attributes:
        version: What is live; None for nothing.
        artifacts: Its files.
        logged: When automation rolled the stage back, oldest first.
    """

    trigger: RollbackTrigger
    stage: str
    version: str | None = None
    live: Live | None = None
    artifacts: tuple[Artifact, ...] = ()
    logged: tuple[datetime, ...] = ()

    @property
    def model(self) -> str:
        """The model."""
        return self.trigger.model

    @property
    def key(self) -> str:
        """``STAGE/MODEL``."""
        return f"{self.stage}/{self.model}"


@dataclass(frozen=True, slots=True)
class Scene:
    """Everything to watch at one commit, and what cannot be.

    Attributes:
        unsound: What cannot be watched, at this commit.
        lacking: What this watcher may not do, with what it has on this machine.
    """

    commit: str
    places: Mapping[str, Place] = field(default_factory=dict)
    unsound: tuple[Problem, ...] = ()
    lacking: tuple[Problem, ...] = ()

    @property
    def problems(self) -> tuple[Problem, ...]:
        """All that is wrong."""
        return (*self.unsound, *self.lacking)


def read_scene(view: View) -> Scene:
    """Look at all triggers, and at what is live where they watch.

    What is not sound - a trigger, the log of a stage, a manifest - is a problem of its
    own and is not watched; it keeps nothing else from being watched (R164).
    """
    triggers = read_triggers(view)
    places, problems = {}, list(triggers.problems)
    for trigger in triggers.found.values():
        for stage in trigger.stages:
            try:
                place = look_at(view, trigger, stage)
            except GitmodelError as error:
                path = layout.pin_path(stage, trigger.model)
                problems.append(Problem(error.code, error.message, path))
            else:
                places[place.key] = place
    return Scene(str(view.commit), places, tuple(problems))


def look_at(view: View, trigger: RollbackTrigger, stage: str) -> Place:
    """Return what is live in a stage.

    Raises:
        IntegrityError: The log of the stage, or the manifest, is not sound.
    """
    history, _ = require_sound_history(view, stage, trigger.model)
    current = history.current
    if current is None:
        return Place(trigger=trigger, stage=stage)
    found = load(view, trigger.model, current.version).version
    last = history.transitions[-1]
    moves = [each for each in history.transitions if is_automated(each)][-_MOST:]
    return Place(
        trigger=trigger,
        stage=stage,
        version=current.version,
        live=Live(
            manifest=current.manifest,
            since=from_text(last.created_at),
            automated=is_automated(last),
            baseline=read_metrics(found.metrics),
        ),
        artifacts=found.artifacts,
        logged=tuple(from_text(each.created_at) for each in moves),
    )


def rights_problems(
    handle: RegistryHandle, view: View, places: Iterable[Place]
) -> Iterator[Problem]:
    """Yield where this watcher may not do what its triggers may ask of it.

    That is to be known before it matters, and not in the night in which it does.
    """
    for place in places:
        trigger = place.trigger
        asked = {
            trigger.action_of(metric)
            for metric in trigger.of_stage(place.stage)
            if not (metric.dry_run or trigger.safety.dry_run)
        }
        wanted = asked - {"alert"}
        try:
            rules = view.policy.rules_for(place.stage, place.model) if wanted else None
            roles = {
                rules.requester_role(
                    "emergency" if action == "emergency" else "rollback"
                )
                for action in wanted
                if rules is not None
            }
            for role in sorted(roles):
                handle.acting_as(view, role)
        except GitmodelError as error:
            said = f"nothing can be done about it here: {error.message}"
            path = layout.pin_path(place.stage, place.model)
            yield Problem(error.code, said, path)
