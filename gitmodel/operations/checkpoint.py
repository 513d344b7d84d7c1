"""Checkpoints: sign what the registry is now, and hold a registry against one."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta
from typing import TYPE_CHECKING

from gitmodel.adapters.git.history import first_parent_line, is_ancestor
from gitmodel.domain.checkpoint import Checkpoint
from gitmodel.domain.moment import from_text, to_text
from gitmodel.domain.problem import Problem
from gitmodel.errors import (
    ConflictError,
    GitmodelError,
    InputError,
    NotFoundError,
    OutsideError,
)
from gitmodel.registry import checkpoints, published_checkpoints
from gitmodel.registry.remotes import remote_of
from gitmodel.registry.view import View

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence
    from pathlib import Path

    from gitmodel.registry.checkpoints import Kept
    from gitmodel.registry.handle import RegistryHandle
    from gitmodel.registry.seals import Seal

#: How much a signer's clock may be ahead of ours.
_SKEW = timedelta(minutes=5)

#: What has so many bytes is no checkpoint; the rest of it is not read.
_MOST = 2 << 20


@dataclass(frozen=True, slots=True, kw_only=True)
class CheckpointResult:
    """A checkpoint that was made or looked at.

    Attributes:
        signer: The principal who signed it; None if no signature counts.
        path: The file that holds it; None where this clone cannot be written.
        problems: Why it does not hold; empty for one just made.
        published: The ref that names it on the remote; None if it was not pushed.
    """

    checkpoint: Checkpoint
    signer: str | None
    path: Path | None
    problems: tuple[Problem, ...] = ()
    published: str | None = None


def create_checkpoint(
    handle: RegistryHandle,
    *,
    lifetime: timedelta,
    output: Path | None = None,
    push: bool = False,
) -> CheckpointResult:
    """Sign what HEAD is, and keep it in this clone and in ``output``.

    Args:
        handle: The registry.
        lifetime: How long it is to hold.
        output: Write it here as well.
        push: Publish it on the remote, for ``fetch_checkpoint``.

    Raises:
        ConflictError: The clone is shallow, so that commits cannot be counted; or the
            remote is to have the checkpoint, and has not its commit.
        RefusedError: The signer is neither auditor nor root.
        OutsideError: ``output`` cannot be written, or the remote refuses.
    """
    repository, view = handle.repository, handle.view()
    if is_shallow(handle):
        raise ConflictError(
            "This clone is shallow: it cannot say where in history it is.",
            "git fetch --unshallow  brings the rest.",
            code="E_SHALLOW",
        )
    principal = handle.principal(view)
    held = (role for role in checkpoints.ROLES if view.policy.has_role(principal, role))
    role = next(held, None) or handle.acting_as(view, checkpoints.ROLES[0])
    remote = _remote_with(handle, str(view.commit)) if push else None
    now = handle.context.clock.now()
    seq = len(first_parent_line(repository, str(view.commit)))
    before = [kept for kept in _known(handle, view) if kept.checkpoint.seq <= seq]
    checkpoint = Checkpoint(
        registry=view.registry_id,
        seq=seq,
        prior=before[-1].digest if before else None,
        commit=str(view.commit),
        tree=checkpoints.tree_digest(view),
        policy=view.policy_digest,
        created_at=to_text(now),
        expires_at=to_text(now + lifetime),
        chains=checkpoints.tips(view),
    )
    kept = checkpoints.sign(handle.signer, checkpoint, role)
    ref = None
    if remote is not None:
        ref = published_checkpoints.publish(repository, remote, kept)
    path = checkpoints.remember(repository, kept)
    if output is not None:
        _write(output, kept.data)
        path = output
    return CheckpointResult(
        checkpoint=checkpoint, signer=principal, path=path, published=ref
    )


def fetch_checkpoint(handle: RegistryHandle, output: Path) -> CheckpointResult:
    """Write the newest checkpoint that the remote has, and whose signature counts.

    Whether it holds here is for ``verify_checkpoints`` to say, which also hears of the
    others that the remote has.

    Raises:
        NotFoundError: There is no remote, or it has no such checkpoint.
        OutsideError: The remote cannot be reached, or ``output`` be written.
    """
    repository, view = handle.repository, handle.view()
    remote = remote_of(repository, repository.head().ref or "")
    published_checkpoints.fetch(repository, remote)
    offered = published_checkpoints.fetched(repository, handle.reader)
    good = [
        (kept.checkpoint.seq, from_text(kept.checkpoint.created_at), kept, seal)
        for kept in offered
        if (seal := _seal(view, kept)) is not None
    ]
    if not good:
        raise NotFoundError(
            f"The remote {remote} has no checkpoint of this registry.",
            "gitmodel checkpoint create --push  by an auditor makes one.",
        )
    *_, kept, seal = max(good, key=lambda found: found[:2])
    _write(output, kept.data)
    return CheckpointResult(
        checkpoint=kept.checkpoint, signer=seal.principal, path=output
    )


def verify_checkpoints(
    handle: RegistryHandle, files: Sequence[Path], *, max_age: timedelta | None = None
) -> tuple[CheckpointResult, ...]:
    """Hold HEAD against checkpoints, and them against each other and those known.

    Those that hold are remembered in this clone.

    Raises:
        NotFoundError: A file cannot be read.
        IntegrityError: A file is no checkpoint.
    """
    view = handle.view()
    read = [(path, checkpoints.read(_bytes(path), path.name)) for path in files]
    fetched = published_checkpoints.fetched(handle.repository, handle.reader)
    known = [*_known(handle, view), *fetched, *(kept for _, kept in read)]
    commits = first_parent_line(handle.repository, str(view.commit))
    line = [commit for commit, _ in commits]
    results = []
    for path, kept in read:
        seal, problems = _judge(handle, view, kept, path.name, line)
        problems += kept.checkpoint.staleness(handle.context.clock.now(), max_age)
        if seal is not None:
            # Anybody can write an unsigned one; only signed ones accuse anybody.
            others = [one for one in known if _seal(view, one) is not None]
            problems += kept.checkpoint.equivocations(one.checkpoint for one in others)
        if not problems:
            checkpoints.remember(handle.repository, kept)
        results.append(
            CheckpointResult(
                checkpoint=kept.checkpoint,
                signer=seal.principal if seal else None,
                path=path,
                problems=tuple(dict.fromkeys(problems)),
            )
        )
    return tuple(results)


def is_shallow(handle: RegistryHandle) -> bool:
    """Say whether this clone has only the end of the history."""
    return handle.repository.is_shallow


def _judge(
    handle: RegistryHandle, view: View, kept: Kept, name: str, line: Sequence[str]
) -> tuple[Seal | None, tuple[Problem, ...]]:
    """Judge the signature, the place in history, and what it says of that commit."""
    checkpoint = kept.checkpoint
    try:
        seal = checkpoints.open_checkpoint(view, kept, name)
    except GitmodelError as error:
        return None, (Problem(error.code, error.message, name),)
    if checkpoint.commit not in line:
        if is_shallow(handle):
            message = "the history of this clone does not reach back to it."
            return seal, (Problem("E_SHALLOW", message, name, checkpoint.commit),)
        message = "the branch does not come from the commit that was signed."
        return seal, (
            Problem("E_CHECKPOINT_NOT_ANCESTOR", message, name, checkpoint.commit),
        )
    problems = list(_contradictions(handle, checkpoint))
    place = len(line) - line.index(checkpoint.commit)
    if not is_shallow(handle) and place != checkpoint.seq:
        problems.append(f"it is number {place} of its line, not {checkpoint.seq}.")
    return seal, tuple(
        Problem("E_CHECKPOINT", message, name, checkpoint.commit)
        for message in problems
    )


def _contradictions(handle: RegistryHandle, checkpoint: Checkpoint) -> Iterator[str]:
    """Yield what a checkpoint says that is not so at its commit."""
    then = View(handle.reader, checkpoint.commit)
    if then.registry_id != checkpoint.registry:
        yield f"its commit belongs to registry {then.registry_id}."
    if then.policy_digest != checkpoint.policy:
        yield "the policy that it names was not in force at its commit."
    if checkpoints.tips(then) != checkpoint.chains:
        yield "the logs of its commit do not end as it says."
    if checkpoints.tree_digest(then) != checkpoint.tree:
        yield "the files of its commit are not those that were signed."
    created, expires = map(from_text, (checkpoint.created_at, checkpoint.expires_at))
    if created > handle.context.clock.now() + _SKEW or expires <= created:
        yield "its dates cannot be true."


def _known(handle: RegistryHandle, view: View) -> list[Kept]:
    return [
        kept
        for kept in checkpoints.remembered(handle.repository)
        if kept.checkpoint.registry == view.registry_id
    ]


def _seal(view: View, kept: Kept) -> Seal | None:
    """Return the signature of a checkpoint; None if it does not count."""
    try:
        return checkpoints.open_checkpoint(view, kept, "")
    except GitmodelError:
        return None


def _remote_with(handle: RegistryHandle, commit: str) -> str:
    """Return the remote of this branch, which must have ``commit``."""
    from gitmodel.adapters.git import porcelain  # noqa: PLC0415 GitPython is slow

    ref = handle.writable_branch()
    remote = remote_of(handle.repository, ref)
    branch = ref.removeprefix("refs/heads/")
    theirs = porcelain.fetch(handle.repository, remote, branch)
    if theirs is None or not is_ancestor(handle.repository, commit, theirs):
        raise ConflictError(
            f"The remote {remote} has not got commit {commit[:12]}: a checkpoint of it "
            "would accuse the remote of a fork.",
            f"git push {remote} {branch}  first.",
        )
    return remote


def _write(path: Path, data: bytes) -> None:
    try:
        path.write_bytes(data)
    except OSError as error:
        raise OutsideError(f"{path} cannot be written: {error}") from error


def _bytes(path: Path) -> bytes:
    try:
        with path.open("rb") as file:
            return file.read(_MOST)
    except FileNotFoundError as error:
        raise NotFoundError(f"There is no file {path}") from error
    except OSError as error:
        raise InputError(f"{path} cannot be read: {error.strerror}") from error
