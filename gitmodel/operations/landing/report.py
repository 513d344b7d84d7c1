"""What a change is, for those who decide: people, and the protection of a branch."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal

from gitmodel.errors import IntegrityError, NotFoundError
from gitmodel.operations.hooks.aspects import Refusal, aspect_of
from gitmodel.operations.hooks.remedies import right_way
from gitmodel.operations.landing.moves import MoveRow, moves_of
from gitmodel.operations.landing.trial import try_landing
from gitmodel.registry import layout

if TYPE_CHECKING:
    from collections.abc import Iterator

    from gitmodel.adapters.git.history import PathChange
    from gitmodel.domain.digest import Digest
    from gitmodel.domain.problem import Problem
    from gitmodel.operations.landing.trial import Trial
    from gitmodel.registry.handle import RegistryHandle

Status = Literal["allowed", "pending", "refused", "unchanged"]

#: What is no defect, but not there yet.
_PENDING = "E_THRESHOLD"


@dataclass(frozen=True, slots=True)
class Addition:
    """A document that comes in.

    Attributes:
        kind: version, attestation, policy, review or model.
        name: Such as ``fraud@1.2.0``, or the number of a policy.
        path: In the registry.
    """

    kind: str
    name: str
    path: str


@dataclass(frozen=True, slots=True, kw_only=True)
class ChangeReport:
    """What a branch would change, and what stands in its way.

    Attributes:
        status: allowed, pending (all that lacks is approvals), refused, or unchanged.
        base: The commit that it would be merged into.
        head: The commit that would be merged.
        root: Digest of the registry's policy 1.
        needed: What is lacking still, in words.
        refusals: Everything else that stands in the way.
        elsewhere: How many files change that are not the registry's.
    """

    status: Status
    base: str
    head: str
    root: Digest
    moves: tuple[MoveRow, ...]
    additions: tuple[Addition, ...]
    needed: tuple[Problem, ...]
    refusals: tuple[Refusal, ...]
    elsewhere: int


def report_change(
    handle: RegistryHandle, base: str, head: str, *, root: Digest | None = None
) -> ChangeReport:
    """Judge what merging one commit into another would change.

    Args:
        handle: The registry.
        base: Revision of the branch that holds the registry.
        head: Revision of the branch that is to be merged into it.
        root: Digest that policy 1 of the base must have; None to take it on trust.

    Raises:
        NotFoundError: There is no such revision, or no registry in the base.
        IntegrityError: The base is another registry (``E_ROOT_ANCHOR``), its policies
            do not verify, or the clone is shallow.
        OutsideError: git is too old to merge without a work tree.
    """
    view = handle.view(base)
    commit = handle.repository.resolve(head)
    if commit is None:
        raise NotFoundError(
            f"There is no commit {head[:80]!r} here.", "git fetch origin  may bring it."
        )
    if root is not None and view.registry_id != root:
        raise IntegrityError(
            f"The root of {base[:80]} is {view.registry_id}, not {root}.",
            "Do not merge anything into it until you know why.",
            code="E_ROOT_ANCHOR",
        )
    _ = view.policy  # its chain must verify, whatever the change is
    trial = try_landing(handle, view, commit)
    needed = tuple(each for each in trial.problems if each.code == _PENDING)
    refusals = tuple(
        Refusal(each, aspect_of(each), _commands(trial, each))
        for each in trial.problems
        if each.code != _PENDING
    )
    return ChangeReport(
        status=_status(trial, refusals, needed),
        base=str(view.commit),
        head=commit,
        root=view.registry_id,
        moves=tuple(moves_of(trial)),
        additions=tuple(_additions(trial.changes)),
        needed=needed,
        refusals=refusals,
        elsewhere=sum(not _is_ours(each.path) for each in trial.changes),
    )


def _status(
    trial: Trial, refusals: tuple[Refusal, ...], needed: tuple[Problem, ...]
) -> Status:
    if refusals:
        return "refused"
    if needed:
        return "pending"
    return "allowed" if trial.changes else "unchanged"


def _is_ours(path: str) -> bool:
    top = {layout.SETTINGS, layout.ATTRIBUTES, layout.LFS_CONFIG}
    return path in top or path.startswith(layout.PROTECTED_ROOTS)


def _commands(trial: Trial, problem: Problem) -> tuple[str, ...]:
    """Return what its author can run about a problem: put it back, do it right."""
    if problem.code == "E_MERGE_CONFLICT":
        return (_after_conflict(problem.path),)
    change = next((c for c in trial.changes if c.path == problem.path), None)
    if change is None:
        return ()
    data = trial.merged.blob(problem.path) if change.status != "D" else None
    way = right_way(problem.path, data)
    return (way,) if way else ()


def _after_conflict(path: str) -> str:
    """Return what helps: what was moved meanwhile has to be asked for anew."""
    place = layout.classify(path)
    if place.kind == "signature":
        place = layout.classify(place.document)
    if place.kind in {"pin", "transition"}:
        return f"gitmodel promote {place.model}@VERSION {place.stage}"
    if place.kind in layout.APPEND_ONLY:
        return right_way(path, None)
    return "git merge BASE"


_KINDS: dict[str, str] = {
    "manifest": "version",
    "attestation": "attestation",
    "policy": "policy",
    "review": "access review",
    "incident": "incident entry",
    "quarantine": "quarantine",
    "model": "model",
}


def _additions(found: tuple[PathChange, ...]) -> Iterator[Addition]:
    for change in found:
        place = layout.classify(change.path)
        kind = _KINDS.get(place.kind)
        if kind is None or change.status != "A":
            continue
        match place.kind:
            case "manifest":
                name = f"{place.model}@{place.version}"
            case "attestation":
                name = f"{place.model}@{place.version} {place.name} {place.seq}"
            case "model":
                name = place.model
            case "incident":
                name = f"{place.name} {place.seq}"
            case _:
                name = str(place.seq)
        yield Addition(kind, name, change.path)
