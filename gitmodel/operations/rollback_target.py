"""What a stage goes back to: the last known good, or what somebody names.

Nothing is a target that does not verify now, down to its bytes (R143, R150). What is in
quarantine is none, nor what has never been live there; what the policy asks of a
promotion has no say (seeds D1 to D3, D13).
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from gitmodel.adapters.git.history import first_parent_line
from gitmodel.domain.digest import Digest
from gitmodel.domain.semver import Version
from gitmodel.errors import (
    ConflictError,
    GitmodelError,
    IntegrityError,
    NotFoundError,
)
from gitmodel.operations.fetching import fetch_sound_version
from gitmodel.registry import layout
from gitmodel.registry.versions import load
from gitmodel.registry.view import View

if TYPE_CHECKING:
    from collections.abc import Callable

    from gitmodel.domain.history import StageHistory, Tenure
    from gitmodel.domain.pin import Release
    from gitmodel.registry.handle import RegistryHandle

    #: Raises for a version of a model that must not be gone back to.
    Unfit = Callable[[str, str], None]


#: Versions that were passed over, as an error tells them; a plan tells all.
_TOLD = 3


@dataclass(frozen=True, slots=True)
class Target:
    """Where a stage goes back to.

    Attributes:
        tenure: The stay whose pin it gets back.
        skipped: Versions that were passed over as last known good, with the reason.
    """

    tenure: Tenure
    skipped: tuple[tuple[str, str], ...] = ()


def choose(
    handle: RegistryHandle,
    view: View,
    place: tuple[str, str],
    history: StageHistory,
    to: str | None,
    unfit: Unfit | None = None,
) -> Target:
    """Return what a stage goes back to, having verified it.

    Args:
        handle: The registry.
        view: Where to read.
        place: A model and a stage.
        history: Of that model there.
        to: A version; None for the last known good.
        unfit: Raises for versions that are about to be of no use.

    Raises:
        NotFoundError: There is no such version, or no last known good.
        ConflictError: ``to`` was never live there.
        RefusedError: It is in quarantine.
        IntegrityError: Its bytes or signatures are not sound.
    """

    def require_sound(release: Release) -> None:
        if unfit is not None:
            unfit(place[0], release.version)
        fetch_sound_version(handle, view, place[0], release)

    if to is not None:
        return Target(_named(view, place, history, to, require_sound))
    return _last_known_good(place, history, require_sound)


def _named(
    view: View,
    place: tuple[str, str],
    history: StageHistory,
    to: str,
    require_sound: Callable[[Release], None],
) -> Tenure:
    model, stage = place
    version = str(Version.parse(to))
    found = load(view, model, version)
    tenure = history.latest_tenure(found.version.digest)
    if tenure is None:
        lived = dict.fromkeys(stay.release.version for stay in history.tenures())
        raise ConflictError(
            f"{model}@{version} has never been in {stage}: that would be a promotion.",
            f"Versions that were: {', '.join(lived)}",
            f"gitmodel promote {model}@{version} {stage}",
            code="E_ROLLBACK_TO_NEVER_PROMOTED",
        )
    require_sound(tenure.release)
    return tenure


def _last_known_good(
    place: tuple[str, str],
    history: StageHistory,
    require_sound: Callable[[Release], None],
) -> Target:
    """Return the first good candidate, and why better ones were passed over."""
    model, stage = place
    skipped: list[tuple[str, str]] = []
    failure: GitmodelError | None = None
    for release in history.last_known_good():
        try:
            require_sound(release)
        except GitmodelError as error:
            skipped.append((release.version, error.message))
            failure = failure or error
            continue
        tenure = history.latest_tenure(release.manifest)
        if tenure is None:
            raise AssertionError("a candidate comes from the history")
        return Target(tenure, tuple(skipped))
    hint = (
        f"gitmodel rollback {model} {stage} --to VERSION -m REASON  goes further back;",
        f"gitmodel log {model} --stage {stage}  shows them.",
    )
    if failure is not None:
        # What stands in the way decides the exit code: missing bytes or bad ones.
        tried = "; ".join(f"{version}: {why}" for version, why in skipped[:_TOLD])
        if len(skipped) > _TOLD:
            tried += f"; and {len(skipped) - _TOLD} more"
        raise type(failure)(
            f"Stage {stage} has no version of {model} to go back to that verifies "
            f"now. {tried}",
            *failure.hints,
            *hint,
            code=failure.code,
            problems=failure.problems,
        )
    raise NotFoundError(
        f"Stage {stage} has no last known good of {model}: nothing else was live "
        "there that did not itself leave by a rollback.",
        *hint,
        code="E_NO_KNOWN_GOOD",
    )


def undone(
    handle: RegistryHandle, view: View, tenure: Tenure
) -> tuple[bytes, tuple[str, ...]]:
    """Return the pin's bytes in ``tenure``, and the commits that moved it since.

    Raises:
        IntegrityError: The history never had such a pin.
    """
    path = layout.pin_path(tenure.began.stage, tenure.began.model)
    reverts: list[str] = []
    for commit, _ in first_parent_line(
        handle.repository, str(view.commit), paths=(path,)
    ):
        data = View(handle.reader, commit).blob(path)
        if data is not None and Digest.of(data) == tenure.began.pin:
            return data, tuple(reverts)
        reverts.append(commit)
    raise IntegrityError(
        f"The history has no pin such as transition {tenure.began.seq} recorded.",
        "gitmodel verify  shows everything that is wrong.",
        code="E_TRANSITION_UNRECORDED",
    )
