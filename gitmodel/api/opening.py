"""Opening and making registries."""

from __future__ import annotations

import logging
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from gitmodel.adapters.clock import SystemClock
from gitmodel.adapters.signing.agent import Agent
from gitmodel.api.registry import Registry
from gitmodel.domain.digest import Digest
from gitmodel.domain.ports import Silent
from gitmodel.errors import InputError
from gitmodel.operations import (
    incident_bundle_check,
    init,
)
from gitmodel.registry.handle import Context, RegistryHandle
from gitmodel.registry.keys import KeyChoice

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    from gitmodel.adapters.signing.keyless import KeylessSigner
    from gitmodel.api.opened import PathLike
    from gitmodel.domain.ports import Progress


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


def _log(message: str) -> None:
    _LOG.warning("%s", message)
