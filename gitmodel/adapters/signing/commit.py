"""Signs and verifies git commits in process, as ``gpg.format=ssh`` does.

About a tenth of a millisecond each, where ``git log --format=%G?`` takes two
processes. Nothing of git's configuration is asked, so no ``gpg.ssh.program`` and
no ``allowed_signers`` file of a work tree can say who signed.

A commit signature is attribution and defence in depth. Authority comes from
signed statements only: forges sign the merges that they make.
"""

from __future__ import annotations

import base64
import hashlib
import re
from typing import TYPE_CHECKING

from cryptography.hazmat.primitives.asymmetric.utils import decode_dss_signature

from gitmodel.errors import InputError, IntegrityError
from gitmodel.formats.sshsig import (
    NAMESPACE_GIT,
    Reader,
    SshSignature,
    mpint,
    signed_data,
)

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

    from gitmodel.adapters.signing.public_key import PublicKey
    from gitmodel.domain.ports import Signer

_HASH = "sha512"
_HASHES = {"sha256", "sha512"}
# What would end, split or widen the principals field of an allowed signers line.
_UNSAFE_PRINCIPAL = re.compile(r"[\s,*?!\"'#\\\x00-\x1f\x7f]")


def sign_commit(signer: Signer, commit: bytes) -> str:
    """Return the armored signature of an unsigned commit object.

    ``formats.commit_object.with_signature`` puts it in its place.
    """
    algorithm, blob = signer.public.split()
    message = signed_data(NAMESPACE_GIT, _HASH, hashlib.new(_HASH, commit).digest())
    r, s = decode_dss_signature(signer.sign(message))
    return SshSignature(
        public_key=base64.b64decode(blob),
        namespace=NAMESPACE_GIT,
        hash_algorithm=_HASH,
        algorithm=algorithm,
        signature=mpint(r) + mpint(s),
    ).to_armor()


def verify_commit(armored: str, commit: bytes, keys: Iterable[PublicKey]) -> PublicKey:
    """Return which of ``keys`` signed ``commit``, the bytes without the signature.

    Raises:
        IntegrityError: The key is none of ``keys`` (``E_UNTRUSTED_KEY``); the
            signature is malformed, for another purpose, or wrong (``E_SIGNATURE``).
    """
    found = SshSignature.from_armor(armored)
    if found.namespace != NAMESPACE_GIT or found.hash_algorithm not in _HASHES:
        raise IntegrityError(
            f"The signature is for {found.namespace!r:.60}, with "
            f"{found.hash_algorithm!r:.60}: not one of a git commit.",
            code="E_SIGNATURE",
        )
    line = f"{found.algorithm} {base64.b64encode(found.public_key).decode()}"
    claimed = next((key for key in keys if key.ssh == line), None)
    if claimed is None:
        raise IntegrityError(
            "The commit is signed with a key that is not trusted here.",
            code="E_UNTRUSTED_KEY",
        )
    digest = hashlib.new(found.hash_algorithm, commit).digest()
    message = signed_data(found.namespace, found.hash_algorithm, digest)
    if not claimed.verify_raw(*_pair(found.signature), message):
        raise IntegrityError(
            f"The commit's signature was not made by key {claimed.keyid[:8]}, "
            "or the commit was changed.",
            code="E_SIGNATURE",
        )
    return claimed


def allowed_signers(principals: Mapping[str, Sequence[PublicKey]]) -> str:
    """Return the text of a ``gpg.ssh.allowedSignersFile``, for git's own commands.

    Raises:
        InputError: A name would mean something else in such a file.
    """
    for name in principals:
        if not name or _UNSAFE_PRINCIPAL.search(name):
            raise InputError(f"{name!r} cannot be a principal in an SSH signers file.")
    return "".join(
        f'{name} namespaces="{NAMESPACE_GIT}" {key.ssh}\n'
        for name, keys in principals.items()
        for key in keys
    )


def _pair(signature: bytes) -> tuple[int, int]:
    try:
        reader = Reader(signature)
        r, s = reader.mpint(), reader.mpint()
        reader.finish()
    except InputError as error:
        raise IntegrityError(
            f"The SSH signature is malformed: {error.message}", code="E_SIGNATURE"
        ) from error
    return r, s
