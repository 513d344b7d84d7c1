"""The Python API: the same verbs as the command line, returning frozen results.

    >>> import gitmodel
    >>> registry = gitmodel.open_registry(".")
    >>> registered = registry.register("fraud", ["model.safetensors"], version="1.0.0",
    ...                                metrics={"accuracy": 0.97})
    >>> registry.promote("fraud@1.0.0", "dev", reason="first candidate").status
    'promoted'

Nothing here prints or exits; what goes wrong raises a ``gitmodel.errors`` class. What
goes well, but people should know, is a warning of the logger ``gitmodel``, unless
``warn`` is given. The environment is not read: name the key, the agent or the identity.
"""

from __future__ import annotations

import logging
import threading
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, Self

from gitmodel.adapters.clock import SystemClock
from gitmodel.adapters.signing.agent import Agent
from gitmodel.domain.digest import Digest
from gitmodel.domain.ports import Silent
from gitmodel.domain.selector import Selector
from gitmodel.domain.semver import Bump, Version
from gitmodel.errors import InputError
from gitmodel.formats.series import read_series
from gitmodel.operations import (
    check,
    diff,
    drill,
    drill_record,
    incident,
    incident_bundle,
    incident_bundle_check,
    incident_report,
    init,
    log,
    post_rollback,
    promote,
    promote_batch,
    pull,
    quarantine,
    quarantine_lift,
    quarantine_list,
    register,
    rollback,
    rollback_plan,
    runbook,
    show,
    verify,
    watch,
    watch_round,
)
from gitmodel.operations import (
    holds as holding,
)
from gitmodel.operations import (
    list as listing,
)
from gitmodel.operations import (
    triggers as triggering,
)
from gitmodel.operations.drill_result import DrillResult, Wishes
from gitmodel.operations.evidence import evidence_of
from gitmodel.operations.facts import Facts
from gitmodel.operations.quarantine_scope import Suspects
from gitmodel.registry.handle import Context, RegistryHandle
from gitmodel.registry.keys import KeyChoice
from gitmodel.registry.transaction import Mode

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence
    from datetime import datetime
    from types import TracebackType

    from gitmodel.adapters.signing.keyless import KeylessSigner
    from gitmodel.domain.attestation import Evidence
    from gitmodel.domain.incident import Severity
    from gitmodel.domain.ports import Progress
    from gitmodel.domain.trigger import RollbackTrigger
    from gitmodel.operations.delivery import Delivery

    PathLike = str | Path

_LOG = logging.getLogger("gitmodel")


@dataclass(frozen=True, slots=True)
class Keyless:
    """Signs as an identity instead of with a key.

    Attributes:
        token: Its OpenID Connect token, for the audience ``sigstore``; None for that
            of the CI job that this runs in.
        trust_config: The file of the Sigstore that certifies it; None for the public.
    """

    token: str | None = None
    trust_config: PathLike | None = None

    def signer(self) -> KeylessSigner:
        """Return what signs; its token is looked for when it is first needed.

        Raises:
            InputError: The trust configuration cannot be read.
        """
        # Sigstore takes a third of a second to import; keys never need it.
        from gitmodel.adapters.signing.keyless import KeylessSigner  # noqa: PLC0415
        from gitmodel.adapters.signing.tokens import obtain  # noqa: PLC0415
        from gitmodel.adapters.signing.trust_config import (  # noqa: PLC0415
            read_config_file,
        )

        config = read_config_file(
            Path(self.trust_config) if self.trust_config else None
        )
        return KeylessSigner(
            lambda: obtain(self.token, config, interactive=False), config
        )


def open_registry(
    path: PathLike = ".",
    *,
    key: PathLike | None = None,
    passphrase: bytes | None = None,
    agent: PathLike | None = None,
    keyless: Keyless | None = None,
    progress: Progress | None = None,
    warn: Callable[[str], None] | None = None,
    environment: Mapping[str, str] | None = None,
) -> Registry:
    """Open the registry that ``path`` is in.

    Args:
        path: A directory inside a clone.
        key: The key that signs: a file, or what else ``--key`` takes; by default
            git's, then gitmodel's own.
        passphrase: Of the key, where it has one; or the PIN of its token.
        agent: The socket of an ssh-agent that may hold the key.
        keyless: The identity that signs, instead of a key.
        progress: Told about long work, in bytes.
        warn: Told, in a sentence, what people should know; by default it is logged.
        environment: The variables that documents may name, such as those of tokens;
            by default there are none.

    Raises:
        NotFoundError: There is no registry.
        InputError: Both a key and an identity are given.
    """
    context = _context(key, passphrase, agent, keyless, progress, warn)
    context.environment = dict(environment or {})
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
    agent: PathLike | None = None,
    keyless: Keyless | None = None,
    warn: Callable[[str], None] | None = None,
) -> Registry:
    """Make ``path`` a registry, unless it is one, and open it.

    Who signs is chosen as by :func:`open_registry`; without any, a key is made.

    Raises:
        ConflictError: It is a registry with other stages or another name.
        InputError: Both a key and an identity are given.
    """
    context = _context(key, passphrase, agent, keyless, None, warn, create=True)
    init.init(Path(path), context, name=name, stages=tuple(stages), principal=principal)
    return Registry(RegistryHandle.open(Path(path), context))


def _context(
    key: PathLike | None,
    passphrase: bytes | None,
    agent: PathLike | None,
    keyless: Keyless | None,
    progress: Progress | None,
    warn: Callable[[str], None] | None,
    *,
    create: bool = False,
) -> Context:
    if key and keyless:
        raise InputError("A key and an identity exclude each other.")
    return Context(
        clock=SystemClock(),
        keys=KeyChoice(
            named=str(key) if key else None,
            ask=lambda _: passphrase,
            agent=Agent(Path(agent)) if agent else None,
            create=create,
        ),
        identity=keyless.signer if keyless else None,
        progress=progress or Silent(),
        warn=warn or _log,
    )


def verify_incident_bundle(
    file: PathLike, *, root: str | None = None
) -> incident_bundle_check.BundleCheck:
    """Verify an evidence bundle, with no registry at hand.

    Args:
        file: The bundle.
        root: The digest of policy 1 as you know it from elsewhere.

    Raises:
        NotFoundError: There is no such file.
        IntegrityError: It is no evidence bundle, or no whole one.
    """
    known = Digest.parse(root) if root else None
    context = _context(None, None, None, None, None, None)
    return incident_bundle_check.verify_bundle(Path(file), context, root=known)


def _evidence(texts: Sequence[PathLike]) -> tuple[Evidence, ...]:
    return tuple(evidence_of(str(text)) for text in texts)


def _log(message: str) -> None:
    _LOG.warning("%s", message)


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

    def promote_all(
        self,
        selectors: Sequence[str],
        stage: str,
        *,
        reason: str = "",
        dry_run: bool = False,
        push: bool = False,
    ) -> promote_batch.BatchResult:
        """Put several versions into a stage, all in one commit or none."""
        return promote_batch.promote_batch(
            self._handle,
            [Selector.parse(each) for each in selectors],
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
    ) -> rollback_plan.RollbackResult:
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

    def watch_once(
        self, *, dry_run: bool = False, fetch: bool = False, push: bool = False
    ) -> watch_round.RoundResult:
        """Look once at what is live, and act; see ``gitmodel watch --once``."""
        options = watch_round.Options(fetch=fetch, push=push, dry_run=dry_run)
        return watch.Watcher(options).once(self._handle, threading.Event())

    def triggers(self, model: str | None = None) -> tuple[RollbackTrigger, ...]:
        """Return what is watched, as ``gitmodel triggers explain`` shows it."""
        return triggering.explain(self._handle.view(), model)

    def rehearse(
        self, model: str, series: PathLike, *, metric: str | None = None
    ) -> triggering.Rehearsal:
        """Play recorded measurements to a metric; see ``gitmodel triggers test``."""
        path = Path(series)
        samples = read_series(path.read_bytes(), path.name)
        return triggering.rehearse(self._handle, model, samples, metric=metric)

    def validate(
        self, model: str, stage: str, *, dry_run: bool = False, push: bool = False
    ) -> post_rollback.PostRollbackResult:
        """Look whether a rollback has helped; see ``gitmodel validate``."""
        return post_rollback.validate_rollback(
            self._handle, model, stage, mode=Mode(dry_run=dry_run, push=push)
        )

    def drill(
        self,
        model: str,
        stage: str,
        *,
        full: bool = False,
        max_seconds: float | None = None,
        record: bool = False,
        dry_run: bool = False,
        push: bool = False,
    ) -> DrillResult:
        """Rehearse an emergency; see ``gitmodel drill``.

        Raises:
            NotFoundError, IntegrityError, OutsideError: As the command. What stood in
                the way is in the result.
        """
        wishes = Wishes(full=full, max_seconds=max_seconds)
        done = drill.drill(self._handle, model, stage, wishes)
        if not record:
            return done
        mode = Mode(dry_run=dry_run, push=push)
        return drill_record.record_drill(self._handle, done, mode)

    def runbook(self, model: str) -> str:
        """Return what to do at night about a model, as Markdown."""
        return runbook.runbook(self._handle.view(), model)

    def quarantine(
        self,
        *selectors: str,
        reason: str,
        data: Sequence[str] = (),
        digests: Sequence[str] = (),
        since: datetime | None = None,
        until: datetime | None = None,
        incident: str | None = None,
        lift: bool = False,
        dry_run: bool = False,
        push: bool = False,
    ) -> quarantine.QuarantineResult:
        """Stop the use of something, or lift that; see ``gitmodel quarantine``."""
        act = quarantine_lift.lift if lift else quarantine.quarantine
        return act(
            self._handle,
            Suspects(
                selectors=tuple(map(Selector.parse, selectors)),
                data=tuple(data),
                digests=tuple(digests),
                since=since,
                until=until,
            ),
            reason=reason,
            incident=incident,
            mode=Mode(dry_run=dry_run, push=push),
        )

    def list_quarantine(self) -> tuple[quarantine_list.Held, ...]:
        """Return what is in quarantine."""
        return quarantine_list.list_quarantine(self._handle.view())

    def open_incident(
        self,
        title: str,
        *,
        incident_id: str | None = None,
        severity: Severity = "high",
        models: Sequence[str] = (),
        stages: Sequence[str] = (),
        text: str = "",
        evidence: Sequence[PathLike] = (),
        dry_run: bool = False,
        push: bool = False,
    ) -> incident.IncidentResult:
        """Open an incident; see ``gitmodel incident open``."""
        words = incident.Words(
            title=title,
            severity=severity,
            models=tuple(models),
            stages=tuple(stages),
            text=text,
            evidence=_evidence(evidence),
        )
        mode = Mode(dry_run=dry_run, push=push)
        return incident.open_incident(
            self._handle, words, incident=incident_id, mode=mode
        )

    def note_incident(
        self,
        incident_id: str,
        text: str,
        *,
        evidence: Sequence[PathLike] = (),
        dry_run: bool = False,
        push: bool = False,
    ) -> incident.IncidentResult:
        """Add a note to an incident."""
        words = incident.Words(text=text, evidence=_evidence(evidence))
        mode = Mode(dry_run=dry_run, push=push)
        return incident.note_incident(self._handle, incident_id, words, mode=mode)

    def close_incident(
        self,
        incident_id: str,
        *,
        root_cause: str,
        fixed_in: str,
        text: str = "",
        dry_run: bool = False,
        push: bool = False,
    ) -> incident.IncidentResult:
        """Close an incident; see ``gitmodel incident close``."""
        words = incident.Words(text=text, root_cause=root_cause, fixed_in=fixed_in)
        mode = Mode(dry_run=dry_run, push=push)
        return incident.close_incident(self._handle, incident_id, words, mode=mode)

    def reopen_incident(
        self,
        incident_id: str,
        reason: str,
        *,
        dry_run: bool = False,
        push: bool = False,
    ) -> incident.IncidentResult:
        """Open a closed incident again."""
        words = incident.Words(text=reason)
        mode = Mode(dry_run=dry_run, push=push)
        return incident.reopen_incident(self._handle, incident_id, words, mode=mode)

    def incidents(
        self, *, only_open: bool = False
    ) -> tuple[incident_report.IncidentRow, ...]:
        """Return the incidents that were opened."""
        return incident_report.list_incidents(self._handle.view(), only_open=only_open)

    def incident(self, incident_id: str) -> incident_report.IncidentReport:
        """Return what happened in an incident, and what is still to do."""
        return incident_report.show_incident(self._handle, incident_id)

    def bundle_incident(
        self, incident_id: str, output: PathLike, *, with_artifacts: bool = False
    ) -> incident_bundle.BundleResult:
        """Write the evidence of an incident to a new file."""
        return incident_bundle.make_bundle(
            self._handle, incident_id, Path(output), with_artifacts=with_artifacts
        )

    def holds(self, model: str | None = None) -> tuple[holding.Hold, ...]:
        """Return what rollbacks keep from coming back."""
        return holding.list_holds(self._handle.view(), model)

    def release_hold(
        self, selector: str, stage: str, *, reason: str, push: bool = False
    ) -> holding.ReleaseResult:
        """Let a version that was rolled back be promoted to that stage again."""
        return holding.release_hold(
            self._handle,
            Selector.parse(selector),
            stage,
            reason=reason,
            mode=Mode(push=push),
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
        forensic: bool = False,
    ) -> pull.PullResult:
        """Write a version to a directory, verified; see ``gitmodel pull``."""
        target = Path(destination) if destination is not None else None
        return pull.pull(
            self._handle,
            Selector.parse(selector),
            target,
            replace=replace,
            forensic=forensic,
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

    def try_notifications(self, name: str | None = None) -> tuple[Delivery, ...]:
        """Send a test event to all who hear of events, or to one of them."""
        from gitmodel.operations.notify import try_out  # noqa: PLC0415 (rarely used)

        return try_out(self._handle, name)


def _by_set(metrics: Mapping[str, Any]) -> dict[str, Any]:
    """Return metrics by set; those given by name alone are for validation."""
    if all(
        isinstance(value, dict) and "value" not in value for value in metrics.values()
    ):
        return dict(metrics)
    return {"validation": dict(metrics)}
