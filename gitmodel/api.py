"""The Python API: the same verbs as the command line, returning frozen results.

    >>> import gitmodel
    >>> registry = gitmodel.open_registry(".")
    >>> registered = registry.register("fraud", ["model.safetensors"], version="1.0.0",
    ...                                metrics={"accuracy": 0.97})
    >>> registry.promote("fraud@1.0.0", "dev", reason="first candidate").status
    'promoted'

Nothing here prints or exits; what goes wrong raises a ``gitmodel.errors`` class.
"""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any, Self

from gitmodel.adapters.clock import SystemClock
from gitmodel.domain.digest import Digest
from gitmodel.domain.ports import Silent
from gitmodel.domain.selector import Selector
from gitmodel.domain.semver import Bump, Version
from gitmodel.operations import (
    check,
    diff,
    init,
    log,
    promote,
    pull,
    register,
    rollback,
    show,
    verify,
)
from gitmodel.operations import (
    list as listing,
)
from gitmodel.operations.facts import Facts
from gitmodel.registry.handle import Context, RegistryHandle
from gitmodel.registry.keys import KeyChoice
from gitmodel.registry.transaction import Mode

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from types import TracebackType

    from gitmodel.domain.ports import Progress

    PathLike = str | Path


def open_registry(
    path: PathLike = ".",
    *,
    key: PathLike | None = None,
    passphrase: bytes | None = None,
    progress: Progress | None = None,
) -> Registry:
    """Open the registry that ``path`` is in.

    Args:
        path: A directory inside a clone.
        key: The private key that signs; by default git's, then gitmodel's own.
        passphrase: Of the key, where it has one.
        progress: Told about long work, in bytes.

    Raises:
        NotFoundError: There is no registry.
    """
    context = _context(key, passphrase, progress, create=False)
    handle = RegistryHandle.open(Path(path), context)
    handle.view()
    return Registry(handle)


def init_registry(
    path: PathLike = ".",
    *,
    name: str | None = None,
    stages: Sequence[str] = (),
    principal: str | None = None,
    key: PathLike | None = None,
    passphrase: bytes | None = None,
) -> Registry:
    """Make ``path`` a registry, unless it is one, and open it.

    Raises:
        ConflictError: It is a registry with other stages or another name.
    """
    context = _context(key, passphrase, None, create=True)
    init.init(Path(path), context, name=name, stages=tuple(stages), principal=principal)
    return Registry(RegistryHandle.open(Path(path), context))


def _context(
    key: PathLike | None,
    passphrase: bytes | None,
    progress: Progress | None,
    *,
    create: bool,
) -> Context:
    return Context(
        clock=SystemClock(),
        keys=KeyChoice(
            named=str(key) if key else None,
            ask=lambda _: passphrase,
            create=create,
        ),
        progress=progress or Silent(),
    )


class Registry:
    """An open registry; use it as a context, or ``close`` it."""

    def __init__(self, handle: RegistryHandle) -> None:
        """Use :func:`open_registry` or :func:`init_registry`."""
        self._handle = handle

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.close()

    def close(self) -> None:
        """Release the git process behind it."""
        self._handle.close()

    @property
    def root(self) -> str:
        """The digest that ``verify(root=…)`` wants from somewhere else."""
        return str(self._handle.view().registry_id)

    @property
    def stages(self) -> tuple[str, ...]:
        """The stages, in promotion order."""
        return self._handle.view().settings.stages

    def register(
        self,
        model: str,
        paths: Sequence[PathLike],
        *,
        version: str | None = None,
        bump: Bump | None = None,
        metrics: Mapping[str, Any] | None = None,
        params: Mapping[str, Any] | None = None,
        labels: Mapping[str, str] | None = None,
        metadata: Mapping[str, Any] | None = None,
        code: PathLike | None = None,
        roles: Mapping[str, str] | None = None,
        allow_same_bytes: bool = False,
        message: str = "",
        dry_run: bool = False,
        push: bool = False,
    ) -> register.RegisterResult:
        """Register files as a new version; see ``gitmodel register``.

        Args:
            model: New or existing.
            paths: Files, and directories whose content is taken.
            version: Such as ``1.2.0``; else ``bump``, else the next patch.
            bump: ``major``, ``minor`` or ``patch`` of the highest version.
            metrics: By name, for validation; or by set, then by name.
            params: Hyperparameters.
            labels: Labels.
            metadata: Further manifest sections, as ``--metadata`` takes them.
            code: Where the training code is.
            roles: Artifact name → role.
            allow_same_bytes: Register bytes that another version has.
            message: Why, for the log.
            dry_run: Change nothing.
            push: Also push.

        Raises:
            InputError, ConflictError, RefusedError, OutsideError: As the command.
        """
        given: dict[str, Any] = dict(metadata or {})
        if metrics:
            given["metrics"] = {**given.get("metrics", {}), **_by_set(metrics)}
        if params:
            training = dict(given.get("training", {}))
            known = training.get("hyperparameters", {})
            training["hyperparameters"] = {**known, **params}
            given["training"] = training
        if labels:
            given["labels"] = {**given.get("labels", {}), **labels}
        return register.register(
            self._handle,
            model,
            [Path(path) for path in paths],
            naming=register.Naming(
                version=Version.parse(version) if version else None,
                bump=bump,
                allow_same_bytes=allow_same_bytes,
            ),
            facts=Facts(
                change=given.pop("change", None),
                given=given,
                code=Path(code) if code else Path(),
                code_required=code is not None,
            ),
            roles=roles,
            message=message,
            mode=Mode(dry_run=dry_run, push=push),
        )

    def promote(
        self,
        selector: str,
        stage: str,
        *,
        reason: str = "",
        dry_run: bool = False,
        push: bool = False,
    ) -> promote.PromoteResult:
        """Put a version into a stage; see ``gitmodel promote``."""
        return promote.promote(
            self._handle,
            Selector.parse(selector),
            stage,
            reason=reason,
            mode=Mode(dry_run=dry_run, push=push),
        )

    def rollback(
        self,
        model: str,
        stage: str,
        *,
        reason: str,
        to: str | None = None,
        incident: str | None = None,
        plan: bool = False,
        push: bool = False,
    ) -> rollback.RollbackResult:
        """Take a stage back; see ``gitmodel rollback``."""
        return rollback.rollback(
            self._handle,
            model,
            stage,
            to=to,
            reason=reason,
            incident=incident,
            mode=Mode(dry_run=plan, push=push),
        )

    def models(self, *, stage: str | None = None) -> tuple[listing.ModelRow, ...]:
        """Return every model with what its stages hold."""
        return listing.list_models(self._handle.view(), stage=stage)

    def versions(
        self,
        model: str,
        *,
        stage: str | None = None,
        labels: Mapping[str, str] | None = None,
        sort: str = "version",
        limit: int | None = None,
    ) -> tuple[listing.VersionRow, ...]:
        """Return the versions of a model; see ``gitmodel list MODEL``."""
        return listing.list_versions(
            self._handle.view(),
            model,
            stage=stage,
            labels=labels,
            sort=sort,
            limit=limit,
        )

    def show(self, selector: str) -> show.ShowResult:
        """Return one version with its status and history."""
        return show.show(self._handle.view(), Selector.parse(selector))

    def log(
        self, model: str | None = None, *, stage: str | None = None
    ) -> tuple[log.Event, ...]:
        """Return the audit trail, newest first."""
        return log.log(self._handle, log.LogFilter(model=model, stage=stage))

    def diff(self, a: str, b: str) -> diff.DiffResult:
        """Compare two versions."""
        return diff.diff(self._handle.view(), Selector.parse(a), Selector.parse(b))

    def check(
        self, selector: str | None = None, *, stage: str | None = None
    ) -> tuple[check.Checked, ...]:
        """Ask whether promotions would be allowed."""
        wanted = Selector.parse(selector) if selector else None
        now = self._handle.context.clock.now()
        return check.check(self._handle.view(), wanted, stage, now=now)

    def pull(
        self,
        selector: str,
        destination: PathLike | None = None,
        *,
        replace: bool = False,
    ) -> pull.PullResult:
        """Write a version to a directory, verified; see ``gitmodel pull``."""
        target = Path(destination) if destination is not None else None
        return pull.pull(
            self._handle, Selector.parse(selector), target, replace=replace
        )

    def verify(
        self,
        selector: str | None = None,
        *,
        hash_bytes: bool = True,
        root: str | None = None,
    ) -> verify.VerifyResult:
        """Verify one version or everything; never raises for what it finds wrong.

        Args:
            selector: One version, and the stages of its model; None for everything.
            hash_bytes: Whether to read the artifacts.
            root: The root digest as you know it from elsewhere.
        """
        wanted = Selector.parse(selector) if selector else None
        return verify.verify(
            self._handle,
            wanted,
            hash_bytes=hash_bytes,
            root=Digest.parse(root) if root else None,
        )


def _by_set(metrics: Mapping[str, Any]) -> dict[str, Any]:
    """Return metrics by set; those given by name alone are for validation."""
    if all(
        isinstance(value, dict) and "value" not in value for value in metrics.values()
    ):
        return dict(metrics)
    return {"validation": dict(metrics)}
