"""Tells git whose commit signatures to believe, for ``git log --show-signature``.

gitmodel itself never reads this file: it verifies in process, by the policy.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from gitmodel.adapters.git import porcelain
from gitmodel.adapters.signing.commit import allowed_signers
from gitmodel.adapters.signing.public_key import declared_key

if TYPE_CHECKING:
    from gitmodel.adapters.git.repository import Repository
    from gitmodel.domain.policy import Policy

_SETTING = "gpg.ssh.allowedSignersFile"


def signers_text(policy: Policy) -> str:
    """Return the policy's keys in the format of ssh-keygen's allowed signers."""
    return allowed_signers(
        {
            principal.name: [
                declared_key(key.keyid, key.public) for key in principal.keys
            ]
            for principal in policy.principals
        }
    )


def export_signers(repository: Repository, policy: Policy) -> None:
    """Write the file, and name it in this clone's configuration if nothing else is."""
    path = repository.state_dir / "allowed_signers"
    text = signers_text(policy)
    if not path.exists() or path.read_text(encoding="utf-8") != text:
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text, encoding="utf-8")
    if repository.config(_SETTING.lower()) is None:
        porcelain.configure(repository, {_SETTING: str(path)})
