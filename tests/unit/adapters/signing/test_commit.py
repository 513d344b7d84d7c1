from __future__ import annotations

import base64
import dataclasses
import hashlib

import pytest
from cryptography.hazmat.primitives.asymmetric.utils import decode_dss_signature

from gitmodel.adapters.signing.commit import (
    allowed_signers,
    sign_commit,
    verify_commit,
)
from gitmodel.errors import InputError, IntegrityError
from gitmodel.formats.sshsig import SshSignature, mpint, signed_data
from tests.support.signing import a_signer

ALICE, BOB = a_signer(), a_signer()
KEYS = [BOB.public_key, ALICE.public_key]
COMMIT = b"tree 1234\nauthor A <a@example.com> 1 +0000\n\nSubject\n"


def _code(armored: str, commit: bytes = COMMIT) -> str:
    with pytest.raises(IntegrityError) as caught:
        verify_commit(armored, commit, KEYS)
    return caught.value.code


@pytest.mark.parametrize("curve", ["P-256", "P-384", "P-521"])
def test_sign_and_verify(curve: str) -> None:
    signer = a_signer(curve)
    armored = sign_commit(signer, COMMIT)
    keys = [*KEYS, signer.public_key]
    assert verify_commit(armored, COMMIT, keys) == signer.public_key
    assert verify_commit(armored, COMMIT, iter(keys)) == signer.public_key


def test_changed_commit() -> None:
    assert _code(sign_commit(ALICE, COMMIT), COMMIT + b" ") == "E_SIGNATURE"


def test_untrusted_key() -> None:
    assert _code(sign_commit(a_signer(), COMMIT)) == "E_UNTRUSTED_KEY"


def _changed(**changes: str | bytes) -> str:
    signature = SshSignature.from_armor(sign_commit(ALICE, COMMIT))
    return dataclasses.replace(signature, **changes).to_armor()  # type: ignore[arg-type]


def test_every_field_is_bound() -> None:
    bob = base64.b64decode(BOB.public.split()[1])
    assert _code(_changed(public_key=bob)) == "E_SIGNATURE"
    assert _code(_changed(namespace="file")) == "E_SIGNATURE"
    assert _code(_changed(hash_algorithm="sha256")) == "E_SIGNATURE"
    assert _code(_changed(hash_algorithm="md5")) == "E_SIGNATURE"
    assert _code(_changed(algorithm="ecdsa-sha2-nistp384")) == "E_UNTRUSTED_KEY"
    assert _code(_changed(signature=mpint(1) + mpint(1))) == "E_SIGNATURE"
    assert _code(_changed(signature=mpint(1))) == "E_SIGNATURE"
    assert _code(_changed(signature=b"")) == "E_SIGNATURE"


def test_bytes_after_the_pair_are_refused() -> None:
    genuine = SshSignature.from_armor(sign_commit(ALICE, COMMIT)).signature
    assert _code(_changed(signature=genuine + b"\0\0\0\0")) == "E_SIGNATURE"


def test_a_genuine_signature_for_another_purpose_is_refused() -> None:
    digest = hashlib.sha512(COMMIT).digest()
    r, s = decode_dss_signature(ALICE.sign(signed_data("file", "sha512", digest)))
    assert (
        _code(_changed(namespace="file", signature=mpint(r) + mpint(s)))
        == "E_SIGNATURE"
    )


def test_sha256_signatures_of_other_tools_are_accepted() -> None:
    digest = hashlib.sha256(COMMIT).digest()
    r, s = decode_dss_signature(ALICE.sign(signed_data("git", "sha256", digest)))
    armored = _changed(hash_algorithm="sha256", signature=mpint(r) + mpint(s))
    assert verify_commit(armored, COMMIT, KEYS) == ALICE.public_key


@pytest.mark.parametrize(
    "armored", ["", "-----BEGIN PGP SIGNATURE-----\n\nx\n-----END PGP SIGNATURE-----\n"]
)
def test_foreign_signatures_are_refused(armored: str) -> None:
    assert _code(armored) == "E_SIGNATURE"


def test_allowed_signers() -> None:
    text = allowed_signers(
        {"alice@example.com": [ALICE.public_key, BOB.public_key], "ci": []}
    )
    assert text == (
        f'alice@example.com namespaces="git" {ALICE.public}\n'
        f'alice@example.com namespaces="git" {BOB.public}\n'
    )


@pytest.mark.parametrize(
    "name", ["", "a b", "a,b", "*", "a?", "!a", '"a"', "a\nb", "#a", "a\\b", "a\x00"]
)
def test_names_that_mean_more_than_themselves_are_refused(name: str) -> None:
    with pytest.raises(InputError):
        allowed_signers({name: [ALICE.public_key]})
