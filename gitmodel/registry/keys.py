"""Chooses the key that signs, and reads it when it is first needed.

In this order: the key that was named (``--key``, ``GITMODEL_KEY``); git's
``user.signingkey`` where it is a file of a usable kind; gitmodel's default key.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

from gitmodel.adapters.signing import keys, locations
from gitmodel.errors import GitmodelError, InputError, NotFoundError

if TYPE_CHECKING:
    from collections.abc import Callable

    from gitmodel.adapters.git.repository import Repository
    from gitmodel.adapters.signing.keys import FileSigner


@dataclass(slots=True, kw_only=True)
class KeyFiles:
    """A ``KeySource`` over files.

    Attributes:
        named: The file that the user named; None for none.
        passphrase: Asked for the passphrase of an encrypted key file.
        create: Make the default key if there is no key at all.
        used: The file that the signer was read from.
    """

    passphrase: Callable[[Path], bytes | None]
    named: Path | None = None
    create: bool = False
    used: Path | None = None

    def candidates(self, repository: Repository | None) -> list[Path]:
        """Return the files to try, best first."""
        if self.named is not None:
            return [self.named]
        found = []
        setting = repository.config("user.signingkey") if repository else None
        style = repository.config("gpg.format") if repository else None
        if setting and style == "ssh" and not setting.startswith(("key::", "ssh-")):
            found.append(Path(setting).expanduser())
        default = locations.default_key()
        if default.exists() or not found:
            found.append(default)
        return found

    def signer(self, repository: Repository) -> FileSigner:
        """Read the first usable key.

        Raises:
            NotFoundError: There is none.
            GitmodelError: The key cannot be used; see ``adapters.signing.keys.load``.
        """
        refused: GitmodelError | None = None
        for path in self.candidates(repository):
            try:
                signer = keys.load(path, partial(self.passphrase, path))
            except (InputError, NotFoundError) as error:
                if self.named is not None:
                    raise
                refused = refused or error
                continue
            self.used = path
            return signer
        if self.create:
            path = locations.default_key()
            if not path.exists():
                keys.write_new(path, keys.generate(None), comment="gitmodel")
                return self.signer(repository)
        if refused is not None and not isinstance(refused, NotFoundError):
            raise refused
        raise NotFoundError(
            "There is no key to sign with.",
            "gitmodel key new  makes one;  GITMODEL_KEY=FILE or --key FILE names one.",
            code="E_NO_KEY",
        )
