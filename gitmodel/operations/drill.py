"""Rehearse an emergency: the whole way back, in a throw-away registry (R159, R183).

By the real policy, with the real bytes and the key of whoever runs it, and timed from
the moment that somebody knows to the moment that a host would serve the last known
good. Nothing of the registry is changed, and nobody is told. What stands in the way is
found with the command that mends it.
"""

from __future__ import annotations

import time
from contextlib import suppress
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from gitmodel.domain.aftermath import CheckOutcome
from gitmodel.domain.names import model_name
from gitmodel.domain.pin import Release
from gitmodel.domain.selector import Selector
from gitmodel.errors import (
    GitmodelError,
    IntegrityError,
    NotFoundError,
    RefusedError,
)
from gitmodel.operations.drill_checks import carry_out, probes
from gitmodel.operations.drill_outlook import check_signer, outlook
from gitmodel.operations.drill_result import DrillResult, Wishes, until_switched
from gitmodel.operations.emergency import emergency
from gitmodel.operations.fitness import Check
from gitmodel.operations.probing import one_line
from gitmodel.operations.pull import pull
from gitmodel.operations.throwaway import open_throwaway
from gitmodel.operations.verify import verify
from gitmodel.registry import layout
from gitmodel.registry.quarantines import quarantined
from gitmodel.registry.stage_log import require_sound_history
from gitmodel.registry.transaction import Mode
from gitmodel.registry.versions import load, read_manifests

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from gitmodel.domain.artifact import Artifact
    from gitmodel.domain.history import StageHistory
    from gitmodel.domain.manifest import ModelVersion
    from gitmodel.operations.drill_checks import Probes
    from gitmodel.operations.rollback_plan import RollbackResult
    from gitmodel.operations.throwaway import Throwaway
    from gitmodel.registry.handle import RegistryHandle
    from gitmodel.registry.view import View


def drill(
    handle: RegistryHandle, model: str, stage: str, wishes: Wishes | None = None
) -> DrillResult:
    """Rehearse an emergency of a stage.

    Args:
        handle: The registry; nothing of it is changed.
        model: Which model is taken back.
        stage: Where.
        wishes: How it is held.

    Raises:
        NotFoundError: There is no such model or stage, or the stage is empty.
        IntegrityError: The log of the stage is not sound.
        ConflictError: The directory to keep it in is there already.
        OutsideError: The throw-away registry cannot be made.
    """
    view = handle.view()
    view.settings.require_stage(stage)
    view.versions(model_name(model))
    history, _ = require_sound_history(view, stage, model)
    live = history.current
    if live is None:
        raise NotFoundError(
            f"Stage {stage} holds no version of {model}: there is nothing to rehearse.",
            f"gitmodel promote {model} {stage}",
        )
    run = _Drill(handle, view, model, stage, history, wishes or Wishes())
    run.hold()
    return DrillResult(
        model=model,
        stage=stage,
        version=live.version,
        manifest=live.manifest,
        target=run.made.target if run.made is not None else None,
        phases=tuple(run.phases),
        validations=tuple(run.validations),
        checks=tuple(run.checks),
        prepared=run.prepared,
        kept=run.wishes.keep if run.prepared else None,
    )


@dataclass(slots=True)
class _Drill:
    """One drill, while it is held."""

    handle: RegistryHandle
    view: View
    model: str
    stage: str
    history: StageHistory
    wishes: Wishes
    phases: list[CheckOutcome] = field(default_factory=list)
    checks: list[Check] = field(default_factory=list)
    validations: list[CheckOutcome] = field(default_factory=list)
    made: RollbackResult | None = None
    prepared: float = 0

    def hold(self) -> None:
        """Go through all of it, as far as it goes."""
        signer = check_signer(self.handle, self.view)
        self.checks.append(signer)
        if not signer.ok:
            return
        pin = layout.pin_path(self.stage, self.model)
        began = time.monotonic()
        self.wishes.tell("Making a throw-away registry")
        with open_throwaway(self.handle, pins=(pin,), keep=self.wishes.keep) as place:
            self._borrow(place)
            self.prepared = _milliseconds(time.monotonic() - began)
            self._rehearse(place)
        self.checks += outlook(self.handle, self.view, self.model, self.stage)
        self._judge_time()

    def _rehearse(self, place: Throwaway) -> None:
        if missing := self._missing(place):
            self._phase("fetch", lambda: self._fetch(place, missing))
        if not self._phase("commit", lambda: self._commit(place)):
            return
        made = self._require_made()
        passed_over = [
            Check(
                "passed over",
                False,
                f"{version}: {reason}",
                f"gitmodel verify {self.model}@{version}",
                required=False,
            )
            for version, reason in made.skipped
        ]
        found = f"{made.target}, live there from {made.target_since}"
        self.checks += [Check("last known good", True, found), *passed_over]
        if not self._phase("switch", lambda: self._switch(place)):
            return
        found_checks = probes(self.handle, self.view, self.model)
        self.checks += found_checks.checks
        if found_checks.wanted:
            self._phase("checks", lambda: self._validate(place, found_checks))
        if place.handle.context.identity is None:
            self._phase("verify", lambda: self._verify(place))

    def _phase(self, name: str, act: Callable[[], str]) -> bool:
        """Carry out one phase, by the clock; say whether it went well."""
        self.wishes.tell(f"Rehearsing: {name}")
        began = time.monotonic()
        error = None
        try:
            said = act()
        except GitmodelError as failure:
            said, error = failure.message, failure
        seconds = time.monotonic() - began
        self.phases.append(
            CheckOutcome(
                name=name,
                passed=error is None,
                value=_milliseconds(seconds),
                seconds=round(seconds, 3),
                detail=one_line(said),
            )
        )
        if error is not None:
            hint = (
                error.hint
                or "gitmodel doctor  looks for what is wrong with this clone."
            )
            self.checks.append(Check(name, False, error.message, hint))
        return error is None

    def _candidates(self) -> Iterator[ModelVersion]:
        for release in self.history.last_known_good():
            if quarantined(self.view, self.model, release.version) is not None:
                continue
            with suppress(GitmodelError):  # the way back passes it over, and says why
                yield load(self.view, self.model, release.version).version

    def _borrow(self, place: Throwaway) -> None:
        for version in self._candidates():
            place.borrow(version.artifacts)
        if self.wishes.full:
            place.borrow(self._everything())

    def _everything(self) -> Iterator[Artifact]:
        for model in self.view.models():
            versions = tuple(map(str, self.view.versions(model)))
            for found in read_manifests(self.view, model, versions):
                yield from found.artifacts

    def _missing(self, place: Throwaway) -> ModelVersion | None:
        """Return the best candidate, if this clone lacks bytes of it."""
        best = next(self._candidates(), None)
        if best is None:
            return None
        name = f"{self.model}@{best.version}"
        if not place.lacks(best.artifacts):
            found = f"every file of {name} is in this clone"
            self.checks.append(Check("bytes", True, found))
            return None
        self.checks.append(
            Check(
                "bytes",
                False,
                f"{name} was not in this clone as a whole: in an emergency it would "
                "have to be fetched first",
                f"gitmodel pull {name} -o DIR  on every machine that may act brings "
                "its bytes there; a drill does so, too.",
                required=False,
            )
        )
        return best

    def _fetch(self, place: Throwaway, version: ModelVersion) -> str:
        place.fetch(self.view, version)
        return f"{self.model}@{version.version} came from the remote"

    def _commit(self, place: Throwaway) -> str:
        now = self.handle.context.clock.now()
        # A log of identities would keep a drill for ever, so they sign nothing.
        planned = place.handle.context.identity is not None
        result = emergency(
            place.handle,
            ((self.model, self.stage),),
            incident=f"drill-{now:%Y%m%dT%H%M%SZ}",
            reason=f"DRILL: rehearses an emergency of {self.model} in {self.stage}",
            mode=Mode(dry_run=planned),
        )
        if result.failure is not None:
            raise result.failure
        self.made = result.members[0]
        said = f"{self.made.origin} -> {self.made.target}"
        if planned:
            return f"{said}; planned only, since identities sign no drills"
        return f"{said}, with quarantine and incident"

    def _require_made(self) -> RollbackResult:
        if self.made is None:
            raise AssertionError("the phase that makes it went well")
        return self.made

    def _switch(self, place: Throwaway) -> str:
        selector = Selector.parse(f"{self.model}@{self._require_made().target}")
        done = pull(place.handle, selector, place.place / "host")
        size = sum(artifact.size for artifact in done.artifacts)
        count = len(done.artifacts)
        files = f"{count} file{'s' if count > 1 else ''}"
        return f"{files}, {size:,} bytes, all verified"

    def _validate(self, place: Throwaway, wanted: Probes) -> str:
        target = self._require_made().target
        found = load(self.view, self.model, target).version
        release = Release(target, found.digest)
        self.validations += carry_out(place, wanted, self.model, self.stage, release)
        total = len(self.validations)
        failed = [check for check in self.validations if not check.passed]
        if failed:
            said = "; ".join(f"{check.name}: {check.detail}" for check in failed)
            raise RefusedError(
                f"{len(failed)} of {total} checks of {target} failed: {said}",
                f"models/{self.model}/model.yaml says what they ask for.",
            )
        return f"{total} of {total} passed"

    def _verify(self, place: Throwaway) -> str:
        full = self.wishes.full
        result = verify(place.handle, history=True, full=full, hash_bytes=full)
        wrong = [each for each in result.problems if each.code != "E_ARTIFACT_MISSING"]
        if wrong:
            more = f", and {len(wrong) - 1} more" if len(wrong) > 1 else ""
            raise IntegrityError(
                f"{wrong[0]}{more}",
                "gitmodel verify --history  shows all of it.",
                code=wrong[0].code,
            )
        return f"{result.steps} commits judged, and all is well"

    def _judge_time(self) -> None:
        limit = self.wishes.max_seconds
        if limit is None:
            return
        spent = until_switched(self.phases)
        self.checks.append(
            Check(
                "time",
                spent <= limit * 1000,
                f"{spent / 1000:.1f} seconds until switched; {limit:g} are allowed",
                "" if spent <= limit * 1000 else "The phases say where it was spent.",
            )
        )


def _milliseconds(seconds: float) -> float:
    return round(seconds * 1000, 1)
