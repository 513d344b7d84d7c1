"""Which checks of a model a drill can carry out, and what keeps it from the others.

A drill changes nothing that is served, so what looks there would see the version that
is live still: requests over HTTP, directories, and programs that get no files. The
others look at the version that the stage would go back to, and are carried out.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from gitmodel.domain.validation import CommandProbe, HttpProbe, IntegrityProbe
from gitmodel.errors import GitmodelError
from gitmodel.operations.fitness import Check
from gitmodel.operations.probing import Bench
from gitmodel.registry.allowed import require_allowed
from gitmodel.registry.model_checks import read_checks

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from gitmodel.domain.aftermath import CheckOutcome
    from gitmodel.domain.pin import Release
    from gitmodel.domain.validation import Check as Wanted
    from gitmodel.operations.throwaway import Throwaway
    from gitmodel.registry.handle import RegistryHandle
    from gitmodel.registry.view import View


@dataclass(frozen=True, slots=True)
class Probes:
    """What of ``validation.postRollback`` a drill carries out.

    Attributes:
        wanted: The checks that are carried out.
        programs: What they run, which this machine allows.
        checks: What there is to say of the others.
    """

    wanted: tuple[Wanted, ...]
    programs: tuple[Path, ...]
    checks: tuple[Check, ...]


def probes(handle: RegistryHandle, view: View, model: str) -> Probes:
    """Sort the checks of a model; none of them is carried out yet."""
    file = f"models/{model}/model.yaml"
    try:
        every = read_checks(view, model)
    except GitmodelError as error:
        broken = Check(file, False, error.message, "gitmodel verify  shows all of it.")
        return Probes((), (), (broken,))
    if not every:
        hint = f"validation.postRollback in {file} says what to look at."
        nothing = "nothing is looked at after a rollback"
        return Probes((), (), (Check("checks", False, nothing, hint, required=False),))
    wanted, programs, told = [], [], []
    for check in every:
        name, probe = f"check {check.name}", check.probe
        if _looks_outside(probe):
            found = "looks at what is served, and a drill leaves that alone"
            told.append(Check(name, True, found))
            continue
        if isinstance(probe, CommandProbe):
            # Asked of the registry itself: what is in its work tree is never allowed.
            try:
                programs.append(require_allowed(handle.repository, probe.argv[0]))
            except GitmodelError as error:
                told.append(
                    Check(name, False, error.message, error.hint, required=False)
                )
                continue
        wanted.append(check)
    return Probes(tuple(wanted), tuple(programs), tuple(told))


def carry_out(
    place: Throwaway, found: Probes, model: str, stage: str, release: Release
) -> Iterator[CheckOutcome]:
    """Carry out checks on a version, in a throw-away registry."""
    for program in found.programs:
        place.allow(program)
    with Bench(place.handle, place.handle.view(), model, stage, release) as bench:
        for check in found.wanted:
            yield bench.carry_out(check)


def _looks_outside(probe: object) -> bool:
    if isinstance(probe, CommandProbe):
        return not probe.wants_files
    if isinstance(probe, IntegrityProbe):
        return probe.path is not None
    return isinstance(probe, HttpProbe)
