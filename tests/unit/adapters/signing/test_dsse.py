from __future__ import annotations

import dataclasses
from pathlib import Path

import pytest

from gitmodel.adapters.signing.dsse import (
    oms_bundle,
    sign_bundle,
    sign_statement,
    verify_bundle,
    verify_oms,
    verify_statement,
)
from gitmodel.adapters.signing.keys import public_key
from gitmodel.domain.digest import Digest
from gitmodel.errors import InputError, IntegrityError
from gitmodel.formats.bundle import Bundle
from gitmodel.formats.statement import PAYLOAD_TYPE, Statement, predicate_type
from tests.support.signing import a_signer

ALICE, BOB = a_signer(), a_signer()
EXAMPLES = Path(__file__).parents[3] / "examples/oms"
A_STATEMENT = Statement(
    subject_name="m.yaml",
    subject_digest=Digest.of(b"m"),
    predicate_type=predicate_type("version"),
    predicate={"a": 1},
)
FILES = [("manifest.yaml", Digest.of(b"m")), ("artifacts/w", Digest.of(b"w"))]


def _refusal(bundle: Bundle, *keys: object) -> str:
    with pytest.raises(IntegrityError) as caught:
        verify_bundle(bundle, keys)  # type: ignore[arg-type]
    return caught.value.code


@pytest.mark.parametrize("curve", ["P-256", "P-384", "P-521"])
def test_sign_and_verify(curve: str) -> None:
    signer = a_signer(curve)
    bundle = sign_statement(signer, A_STATEMENT)
    stored = Bundle.from_bytes(bundle.to_bytes(), "x")
    keys = [BOB.public_key, signer.public_key]
    assert verify_bundle(stored, keys) == signer.public_key
    assert verify_statement(stored, keys) == (signer.public_key, A_STATEMENT)
    assert stored.hint == signer.keyid


@pytest.mark.parametrize(
    "change",
    [
        {"payload": A_STATEMENT.to_bytes().replace(b"m.yaml", b"n.yaml")},
        {"payload": A_STATEMENT.to_bytes() + b" "},
        {"payload_type": "application/json"},
        {"signature": b"\x30\x06\x02\x01\x01\x02\x01\x01"},
        {"signature": b"garbage"},
        {"hint": BOB.keyid},
        {"hint": BOB.public_key.oms_hint},
    ],
)
def test_any_change_breaks_the_signature(change: dict[str, str | bytes]) -> None:
    bundle = sign_statement(ALICE, A_STATEMENT)
    keys = ALICE.public_key, BOB.public_key
    assert verify_bundle(bundle, keys) == ALICE.public_key
    changed = dataclasses.replace(bundle, **change)  # type: ignore[arg-type]
    assert _refusal(changed, *keys) == "E_SIGNATURE"


def test_untrusted_keys() -> None:
    bundle = sign_statement(ALICE, A_STATEMENT)
    assert _refusal(bundle, BOB.public_key) == "E_UNTRUSTED_KEY"
    assert _refusal(bundle) == "E_UNTRUSTED_KEY"
    posing = dataclasses.replace(sign_statement(BOB, A_STATEMENT), hint=ALICE.keyid)
    assert _refusal(posing, ALICE.public_key) == "E_SIGNATURE"


def test_a_hint_cannot_write_on_the_terminal() -> None:
    bundle = sign_bundle(ALICE, PAYLOAD_TYPE, b"{}", "\x1b[2J" + "x" * 10_000)
    with pytest.raises(IntegrityError) as caught:
        verify_bundle(bundle, [ALICE.public_key])
    assert caught.value.message.isprintable()
    assert len(caught.value.message) < 100


def test_without_a_hint_every_key_is_tried() -> None:
    bundle = sign_bundle(ALICE, PAYLOAD_TYPE, b"{}", "")
    assert verify_bundle(bundle, [BOB.public_key, ALICE.public_key]) == ALICE.public_key
    assert _refusal(bundle, BOB.public_key) == "E_UNTRUSTED_KEY"


def test_keys_may_be_given_once_only() -> None:
    bundle = sign_statement(ALICE, A_STATEMENT)
    assert verify_bundle(bundle, iter([ALICE.public_key])) == ALICE.public_key


def test_verify_statement_checks_the_payload_type() -> None:
    bundle = sign_bundle(ALICE, "application/json", A_STATEMENT.to_bytes())
    assert verify_bundle(bundle, [ALICE.public_key]) == ALICE.public_key
    with pytest.raises(IntegrityError) as caught:
        verify_statement(bundle, [ALICE.public_key])
    assert caught.value.code == "E_STATEMENT"


def test_a_commit_signature_is_no_statement_signature() -> None:
    # The same key signs both: "SSHSIG" and "DSSEv1 " keep them apart.
    assert not ALICE.public_key.verify(ALICE.sign(b"SSHSIG..."), b"DSSEv1 0  0 ")


@pytest.mark.parametrize("curve", ["P-256", "P-384", "P-521"])
def test_oms(curve: str) -> None:
    signer = a_signer(curve)
    bundle = Bundle.from_bytes(oms_bundle(signer, "1.0.0", FILES).to_bytes(), "x")
    assert bundle.hint == signer.public_key.oms_hint
    assert verify_oms(bundle, [signer.public_key]) == (signer.public_key, dict(FILES))


def test_oms_refusals() -> None:
    with pytest.raises(InputError):
        oms_bundle(ALICE, "m", [("../x", Digest.of(b""))])
    other = sign_statement(ALICE, A_STATEMENT)
    with pytest.raises(IntegrityError) as caught:
        verify_oms(other, [ALICE.public_key])
    assert caught.value.code == "E_OMS"
    payload = oms_bundle(ALICE, "m", FILES).payload
    with pytest.raises(IntegrityError) as caught:
        verify_oms(sign_bundle(ALICE, "text/x", payload), [ALICE.public_key])
    assert caught.value.code == "E_OMS"
    with pytest.raises(IntegrityError) as caught:
        verify_oms(oms_bundle(ALICE, "m", FILES), [BOB.public_key])
    assert caught.value.code == "E_UNTRUSTED_KEY"


def test_published_vector_verifies() -> None:
    key = public_key((EXAMPLES / "key.pub.pem").read_text())
    bundle = Bundle.from_bytes((EXAMPLES / "key.bundle.json").read_bytes(), "vector")
    signer, files = verify_oms(bundle, [ALICE.public_key, key])
    assert (signer.curve, list(files)) == ("P-384", ["signme-1", "signme-2"])
    assert bundle.hint == key.oms_hint
