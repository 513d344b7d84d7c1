"""A registry on this machine: its repository, its object store, who signs."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass, field
from functools import cached_property
from typing import TYPE_CHECKING, Protocol

from gitmodel.adapters.git.objects import ObjectReader
from gitmodel.adapters.git.repository import Repository
from gitmodel.adapters.lock import exclusive
from gitmodel.domain.ports import IdentitySigner, Silent
from gitmodel.errors import (
    ConflictError,
    NotFoundError,
    OutsideError,
    RefusedError,
)
from gitmodel.registry import journal
from gitmodel.registry.view import View

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping
    from pathlib import Path

    from gitmodel.adapters.lfs.store import Store
    from gitmodel.adapters.signing.keyless import KeylessSigner
    from gitmodel.adapters.signing.places import KeyPlace
    from gitmodel.adapters.signing.public_key import PublicKey
    from gitmodel.domain.ports import Clock, DocumentSigner, Progress, Signer


class KeySource(Protocol):
    """Finds the key that signs, when it is first needed.

    Attributes:
        used: Where the key lives, once it was needed.
    """

    used: KeyPlace | None

    def chosen(self, repository: Repository | None) -> tuple[KeyPlace, PublicKey]:
        """Return the key that would sign, and where it lives.

        Raises:
            NotFoundError: No key was found.
        """

    def held(self) -> list[KeyPlace]:
        """Return the places of all keys that the user has.

        Raises:
            OutsideError: One of them cannot be asked.
        """

    def signer(self, repository: Repository) -> Signer:
        """Return the signer.

        Raises:
            NotFoundError: No key was found.
        """


@dataclass(slots=True, kw_only=True)
class Context:
    """What the caller brings along.

    Attributes:
        clock: Tells the time of new documents.
        keys: Finds the signing key.
        identity: Makes what signs for an identity instead of a key; None for a key.
        progress: Hears about long work.
        warn: Is told, in a sentence, what people should know.
        environment: The variables that documents may name, such as those of tokens.
    """

    clock: Clock
    keys: KeySource
    identity: Callable[[], KeylessSigner] | None = None
    progress: Progress = field(default_factory=Silent)
    warn: Callable[[str], None] = lambda _: None
    environment: Mapping[str, str] = field(default_factory=dict)


class RegistryHandle:
    """An open registry; close it, or let the process end."""

    def __init__(self, repository: Repository, context: Context) -> None:
        self.repository = repository
        self.context = context
        self.reader = ObjectReader(repository)

    @classmethod
    def open(cls, directory: Path, context: Context) -> RegistryHandle:
        """Open the registry that ``directory`` is in, finishing interrupted work.

        Raises:
            NotFoundError: There is no repository.
        """
        handle = cls(Repository.discover(directory), context)
        handle.tidy_up()
        return handle

    def close(self) -> None:
        """End the git process behind this handle."""
        self.reader.close()

    @property
    def lock_file(self) -> Path:
        """Held by whoever changes this clone."""
        return self.repository.state_dir / "lock"

    def tidy_up(self) -> None:
        """Finish what a killed command left, unless one is at work right now."""
        if not journal.pending(self.repository):
            return
        try:
            with exclusive(self.lock_file, patience=0):
                self.catch_up()
        except ConflictError:
            return  # the writer that holds the lock will see to it
        except OutsideError as error:
            self.context.warn(f"Your files lag behind the branch: {error.message}")

    def catch_up(self) -> None:
        """Bring files and index to where an interrupted command left the branch."""
        if not journal.pending(self.repository):
            return
        try:
            journal.recover(self.repository, self.reader)
        except (OutsideError, OSError) as error:
            self.context.warn(f"Your files lag behind the branch: {error}")

    @cached_property
    def store(self) -> Store:
        """The LFS object store of this clone."""
        from gitmodel.adapters.lfs.store import Store, locate  # noqa: PLC0415 (slow)

        setting = self.repository.config("lfs.storage")
        return Store(locate(self.repository.common_dir, setting))

    def view(self, revision: str = "HEAD") -> View:
        """Return the registry at a revision.

        Raises:
            NotFoundError: There is no such commit, or no registry in it.
        """
        commit = self.repository.resolve(revision)
        if commit is None:
            if revision == "HEAD":
                raise self._unborn()
            raise NotFoundError(f"There is no commit {revision!r} here.")
        view = View(self.reader, commit)
        _ = view.settings
        return view

    def _unborn(self) -> NotFoundError:
        """Explain HEAD without a commit: a new repository, or the wrong branch."""
        others = self.repository.git.run(
            "for-each-ref", "--count=1", "--format=%(refname:short)"
        ).decode()
        if others:
            return NotFoundError(
                f"The branch {self.repository.head().branch} has no commits yet; "
                f"other branches have, such as {others.strip()}",
                "git switch BRANCH  goes to the branch that holds the registry.",
                code="E_NO_REGISTRY",
            )
        return NotFoundError(
            "This repository has no commits yet.",
            "gitmodel init  makes it a registry.",
            code="E_NO_REGISTRY",
        )

    def blob_id(self, data: bytes) -> str:
        """Return the id that git gives to a blob of these bytes."""
        header = f"blob {len(data)}\0".encode()
        return hashlib.new(self.repository.hash_name, header + data).hexdigest()

    @cached_property
    def signer(self) -> DocumentSigner:
        """Who signs documents in this process: a key, or an identity."""
        if self.context.identity is not None:
            return self.context.identity()
        return self.key

    @cached_property
    def key(self) -> Signer:
        """The key that signs in this process.

        Raises:
            NotFoundError: There is none.
        """
        return self.context.keys.signer(self.repository)

    @property
    def commit_key(self) -> Signer | None:
        """The key that signs commits; None where an identity signs documents."""
        return None if self.context.identity is not None else self.key

    def rehearse(self) -> None:
        """Let identities sign nothing from now on: a log would keep it for ever."""
        signer = self.signer if self.context.identity is not None else None
        if isinstance(signer, IdentitySigner):
            from gitmodel.adapters.signing.rehearsal import Rehearsal  # noqa: PLC0415

            self.signer = Rehearsal(signer.identity)

    def principal(self, view: View) -> str:
        """Return who the signer is, by the policy in force.

        Raises:
            RefusedError: The key belongs to no principal.
        """
        signer = self.signer
        if isinstance(signer, IdentitySigner):
            signer.bind(view.edition.trusted_root)
        owner = view.policy.owner_of(signer.keyid)
        if owner is None:
            names = ", ".join(principal.name for principal in view.policy.principals)
            if isinstance(signer, IdentitySigner):
                raise RefusedError(
                    f"The identity {signer.identity} belongs to no principal of this "
                    "registry.",
                    f"Its principals are: {names}",
                    "gitmodel policy add-principal NAME --identity ISSUER=SAN  by a "
                    "root adds it.",
                    code="E_IDENTITY",
                )
            raise RefusedError(
                f"Key {signer.keyid[:8]} belongs to no principal of this registry.",
                f"Its principals are: {names}",
                "git pull --ff-only  first, if a root has let it in since;  gitmodel "
                "policy add-principal NAME --key FILE.pub  by a root does.",
                "GITMODEL_KEY=FILE or --key FILE chooses another key; "
                "gitmodel key list  shows yours.",
                code="E_UNTRUSTED_KEY",
            )
        return owner

    def acting_as(self, view: View, role: str) -> str:
        """Return who the signer is, if that principal may act in ``role``.

        Raises:
            RefusedError: It may not.
        """
        owner = self.principal(view)
        if not view.policy.has_role(owner, role):
            found = view.policy.role(role)
            members = ", ".join(found.members) if found else "nobody"
            raise RefusedError(
                f"{owner} is not a {role} in this registry.",
                f"Those who are: {members}",
                code="E_ROLE",
            )
        return owner

    def author(self, principal: str) -> str:
        """Return ``Name <email>`` for commits, as git is set up or by principal."""
        return self.repository.identity() or (
            f"{principal} <{principal}@gitmodel.invalid>"
        )

    def writable_branch(self) -> str:
        """Return the full name of the branch that changes go to.

        Raises:
            ConflictError: The repository is bare, or HEAD is detached.
        """
        if self.repository.work_tree is None:
            raise ConflictError(
                "This is a bare repository: registries are changed in a clone.",
                f"git clone {self.repository.git_dir} DIR",
                code="E_BARE",
            )
        ref = self.repository.head().ref
        if ref is None:
            raise ConflictError(
                "HEAD is detached: a change would belong to no branch.",
                "git switch main  goes back to the main line.",
                code="E_DETACHED",
            )
        return ref
