"""Make a git repository a registry: settings, attributes, policy 1, a first commit."""

from __future__ import annotations

import uuid
from contextlib import closing
from dataclasses import dataclass
from typing import TYPE_CHECKING

from gitmodel.adapters.git import porcelain
from gitmodel.adapters.git.repository import Repository
from gitmodel.domain.digest import Digest
from gitmodel.domain.moment import to_text
from gitmodel.domain.names import principal_name, principal_slug, stage_name
from gitmodel.domain.policy import Key, Policy, Principal
from gitmodel.domain.settings import DEFAULT_STAGES, Settings
from gitmodel.errors import ConflictError, InputError, OutsideError
from gitmodel.formats import schema, yaml_writer
from gitmodel.formats.commit_message import CommitMessage
from gitmodel.registry import layout
from gitmodel.registry.change import Change, Plan, sign_document
from gitmodel.registry.handle import Context, RegistryHandle
from gitmodel.registry.signers_file import export_signers
from gitmodel.registry.transaction import Mode, transact
from gitmodel.registry.view import View

if TYPE_CHECKING:
    from pathlib import Path

    from gitmodel.domain.policy import Identity
    from gitmodel.domain.ports import DocumentSigner

_LONGEST_NAME = 100
#: Documents keep their bytes on every platform; artifacts go to LFS.
_ATTRIBUTES = (
    f"{layout.SETTINGS} -text",
    ".gitmodel/** -text",
    "models/** -text",
    "stages/** -text",
    "log/** -text",
    "quarantine/** -text",
    "incidents/** -text",
    "triggers/** -text",
    f"{layout.ARTIFACTS_PATTERN} filter=lfs diff=lfs merge=lfs -text",
)


@dataclass(frozen=True, slots=True, kw_only=True)
class InitResult:
    """A registry, new or as it was.

    Attributes:
        root: Digest of policy 1, the anchor that ``verify --root`` asks for.
        keyid: Of the principal's key, or what stands for the identity.
        identity: Whom the principal's certificates name; None for a key.
        commit: The commit that made it a registry.
        created: False if it was one already.
    """

    registry: str
    root: str
    stages: tuple[str, ...]
    principal: str
    keyid: str
    identity: Identity | None
    commit: str
    path: str
    created: bool


def init(
    directory: Path,
    context: Context,
    *,
    name: str | None = None,
    stages: tuple[str, ...] = (),
    principal: str | None = None,
) -> InitResult:
    """Make ``directory`` a registry; do nothing if it is one.

    Args:
        directory: Made if missing; an existing repository is adopted.
        context: Whose clock, and whose key or identity, to use.
        name: Of the registry; the directory's by default.
        stages: In promotion order; dev, staging, production by default.
        principal: Who signs; by default git's ``user.name``.

    Raises:
        InputError: A name is none, or the trust configuration is.
        OutsideError: Sigstore does not certify the identity.
        ConflictError: It is a registry with other stages or another name; or it has
            directories that a registry needs; or the repository is bare, or its HEAD
            detached.
    """
    wanted = tuple(map(stage_name, stages))
    if len(set(wanted)) != len(wanted):
        raise InputError("A stage is named twice.")
    if principal is not None:
        principal_name(principal)
    if name is not None:
        draft = Settings(name, wanted or DEFAULT_STAGES).to_document()
        schema.require("Registry", draft, layout.SETTINGS)
        yaml_writer.dump(draft)
    with closing(RegistryHandle(_repository(directory), context)) as handle:
        handle.writable_branch()
        handle.tidy_up()
        view = View(handle.reader, handle.repository.resolve("HEAD"))
        if view.commit is not None and view.entry(layout.SETTINGS) is not None:
            return _existing(handle, view, name, wanted)
        _require_room(view)
        return _make(handle, name, wanted or DEFAULT_STAGES, principal)


def _require_room(view: View) -> None:
    """Insist that nothing of somebody else's is where a registry keeps its own."""
    roots = {root.rstrip("/") for root in layout.PROTECTED_ROOTS}
    if taken := [name for name in view.names("") if name.lower() in roots]:
        raise ConflictError(
            f"This repository has {', '.join(taken)} already, where a registry keeps "
            "what is its own.",
            f"git mv {taken[0]} OTHER-NAME  and a commit make room;",
            "gitmodel init DIR  makes a registry elsewhere.",
            code="E_NO_ROOM",
        )


def _make(
    handle: RegistryHandle,
    name: str | None,
    stages: tuple[str, ...],
    principal: str | None,
) -> InitResult:
    settings = Settings(
        _directory_name(handle) if name is None else name,
        stages,
    )
    owner = _owner(handle) if principal is None else principal_name(principal)
    signer, founder, trusted_root = _founder(handle, owner)
    digest = Digest.of(trusted_root) if trusted_root else None
    pinned = {layout.trusted_root_path(digest): trusted_root} if digest else {}
    policy = Policy.first(
        uid=str(uuid.uuid4()),
        created_at=to_text(handle.context.clock.now()),
        owner=founder,
        stages=settings.stages,
        trusted_root=digest,
    )
    signed = sign_document(
        signer,
        layout.policy_path(1),
        policy.to_document(),
        kind="policy",
        role="root",
        authority=None,
    )

    def build(view: View) -> Plan[None]:
        change = Change(
            message=CommitMessage(
                subject=f"init: registry {settings.name}",
                trailers=(
                    ("Gitmodel-Action", "init"),
                    ("Gitmodel-Root", str(signed.digest)),
                    ("Gitmodel-Principal", owner),
                ),
            ),
            principal=owner,
            files={
                layout.SETTINGS: yaml_writer.dump(settings.to_document()),
                layout.ATTRIBUTES: _attributes(view.blob(layout.ATTRIBUTES)),
                **pinned,
                **signed.files,
            },
        )
        return Plan(change, None)

    done = transact(handle, build, Mode())
    export_signers(handle.repository, policy)
    _remember_key(handle)
    return InitResult(
        registry=settings.name,
        root=str(signed.digest),
        stages=settings.stages,
        principal=owner,
        keyid=signer.keyid,
        identity=next(iter(founder.identities), None),
        commit=str(done.commit),
        path=str(handle.repository.work_tree),
        created=True,
    )


def _founder(
    handle: RegistryHandle, owner: str
) -> tuple[DocumentSigner, Principal, bytes | None]:
    """Return who signs policy 1, as its one principal, and by which trusted root."""
    if handle.context.identity is None:
        key = handle.key
        return key, Principal(owner, (Key(key.keyid, key.public),)), None
    keyless = handle.context.identity()
    trusted_root = keyless.trusted_root()
    keyless.bind(trusted_root)
    return keyless, Principal(owner, (), (keyless.identity,)), trusted_root


def _remember_key(handle: RegistryHandle) -> None:
    """Let plain ``git commit -S`` and later commands use the same key."""
    used = handle.context.keys.used
    name = used.git_setting if used else None
    if name is not None and handle.repository.config("user.signingkey") is None:
        settings = {"user.signingkey": name, "gpg.format": "ssh"}
        porcelain.configure(handle.repository, settings)


def _repository(directory: Path) -> Repository:
    try:
        if (directory / ".git").exists() or (directory / "HEAD").is_file():
            return Repository.discover(directory)
        return porcelain.initialise(directory)
    except OSError as error:
        raise OutsideError(f"Cannot use {directory}: {error.strerror}.") from error


def _existing(
    handle: RegistryHandle, view: View, name: str | None, stages: tuple[str, ...]
) -> InitResult:
    settings = view.settings
    if (stages and stages != settings.stages) or (name and name != settings.name):
        raise ConflictError(
            f"This is the registry {settings.name} already, with the stages "
            f"{', '.join(settings.stages)}",
            f"Edit {layout.SETTINGS} and commit it to change its name.",
        )
    export_signers(handle.repository, view.policy)
    added = handle.repository.git.run(
        "rev-list", "--first-parent", "--reverse", "HEAD", "--",
        layout.policy_path(1),
    )  # fmt: skip
    first = view.policy.principals[0]
    return InitResult(
        registry=settings.name,
        root=str(view.registry_id),
        stages=settings.stages,
        principal=first.name,
        keyid=first.keyids[0],
        identity=None if first.keys else first.identities[0],
        commit=added.decode().partition("\n")[0],
        path=str(handle.repository.work_tree),
        created=False,
    )


def _owner(handle: RegistryHandle) -> str:
    identity = handle.repository.identity()
    if identity is None:
        handle.context.warn(
            "git has no user.name and user.email, so the principal is called owner; "
            "--principal NAME calls it otherwise."
        )
        return "owner"
    return principal_slug(identity.partition("<")[0])


def _attributes(existing: bytes | None) -> bytes:
    """Return the attributes file with our lines last, where they win."""
    text = (existing or b"").decode("utf-8", "surrogateescape")
    kept = [line for line in text.splitlines() if line.strip() not in _ATTRIBUTES]
    lines = [*kept, *_ATTRIBUTES]
    return ("\n".join(lines) + "\n").encode("utf-8", "surrogateescape")


def _directory_name(handle: RegistryHandle) -> str:
    name = handle.repository.work_tree.name if handle.repository.work_tree else ""
    return "".join(c for c in name if c.isprintable())[:_LONGEST_NAME] or "registry"
