from __future__ import annotations

import base64
import json
from typing import TYPE_CHECKING, Any

import pytest

from gitmodel.adapters.signing.dsse import sign_bundle, verify_bundle
from gitmodel.errors import IntegrityError
from gitmodel.formats.bundle import LIMIT, MEDIA_TYPE, Bundle, pae
from tests.support.signing import a_signer

if TYPE_CHECKING:
    from collections.abc import Callable

A_BUNDLE = Bundle(
    payload_type="application/vnd.in-toto+json",
    payload=b'{"a":1}',
    signature=b"\x30\x06\x02\x01\x01\x02\x01\x01",
    hint="ab" * 32,
)


def _document() -> dict[str, Any]:
    document: dict[str, Any] = json.loads(A_BUNDLE.to_bytes())
    return document


def _read(document: object) -> Bundle:
    return Bundle.from_bytes(json.dumps(document).encode(), "d.sigstore.json")


def test_round_trip() -> None:
    assert Bundle.from_bytes(A_BUNDLE.to_bytes(), "x") == A_BUNDLE


def test_bytes_are_stable_and_end_with_a_newline() -> None:
    data = A_BUNDLE.to_bytes()
    assert data == Bundle.from_bytes(data, "x").to_bytes()
    assert data.endswith(b"}\n")
    assert list(_document()) == ["mediaType", "verificationMaterial", "dsseEnvelope"]


def test_pae_is_that_of_the_dsse_specification() -> None:
    assert pae("http://example.com/HelloWorld", b"hello world") == (
        b"DSSEv1 29 http://example.com/HelloWorld 11 hello world"
    )


def test_pae_counts_bytes() -> None:
    assert pae("é", b"") == b"DSSEv1 2 \xc3\xa9 0 "


def test_stock_spellings_are_read() -> None:
    document = _document()
    document["dsseEnvelope"]["signatures"][0]["keyid"] = ""
    del document["verificationMaterial"]["tlogEntries"]
    assert _read(document) == A_BUNDLE
    document["verificationMaterial"]["publicKey"] = {"rawBytes": "", "keyDetails": "x"}
    assert _read(document).hint == ""


def _set(*path: str | int, to: object) -> Callable[[Any], None]:
    def change(document: Any) -> None:
        for step in path[:-1]:
            document = document[step]
        document[path[-1]] = to

    return change


def _second_signature(document: Any) -> None:
    document["dsseEnvelope"]["signatures"] *= 2


def _keyless(document: Any) -> None:
    document["verificationMaterial"] = {
        "certificate": {"rawBytes": "AAAA"},
        "tlogEntries": [],
    }


def _certified(document: Any) -> None:
    document["verificationMaterial"] = {
        "certificate": {"rawBytes": "AAAA"},
        "tlogEntries": [{}],
    }


def test_a_keyless_bundle_keeps_its_exact_bytes() -> None:
    document = _document()
    _certified(document)
    data = json.dumps(document, indent=7).encode()
    bundle = Bundle.from_bytes(data, "x")
    assert (bundle.keyless, bundle.hint) == (data, "")
    assert bundle.to_bytes() == data
    assert bundle.payload == A_BUNDLE.payload


def test_a_keyless_bundle_is_never_taken_for_one_by_a_key() -> None:
    """Its signature may be good by a key that is trusted: that is not what it says."""
    signer = a_signer()
    document = json.loads(sign_bundle(signer, "t", b"payload").to_bytes())
    _certified(document)
    with pytest.raises(IntegrityError) as caught:
        verify_bundle(_read(document), [signer.public_key])
    assert caught.value.code == "E_UNTRUSTED_KEY"


def _two_materials(document: Any) -> None:
    document["verificationMaterial"]["certificate"] = {"rawBytes": "AAAA"}


HOSTILE = {
    "two signatures": _second_signature,
    "no signature": _set("dsseEnvelope", "signatures", to=[]),
    "signatures is an object": _set("dsseEnvelope", "signatures", to={}),
    "signature is a string": _set("dsseEnvelope", "signatures", 0, to="x"),
    "empty signature": _set("dsseEnvelope", "signatures", 0, "sig", to=""),
    "unknown member of signature": _set(
        "dsseEnvelope", "signatures", 0, "sig2", to="AAAA"
    ),
    "other version": _set("mediaType", to=MEDIA_TYPE.replace("v0.3", "v0.2")),
    "other spelling": _set(
        "mediaType", to="application/vnd.dev.sigstore.bundle+json;version=0.3"
    ),
    "no media type": _set("mediaType", to=None),
    "unknown member": _set("messageSignature", to={}),
    "unknown member of envelope": _set("dsseEnvelope", "payload2", to="AAAA"),
    "payload is not base64": _set("dsseEnvelope", "payload", to="!!!!"),
    "payload with spaces": _set("dsseEnvelope", "payload", to="eyJh IjoxfQ=="),
    "payload without padding": _set("dsseEnvelope", "payload", to="eyJhIjoxfQ"),
    "payload url-safe": _set("dsseEnvelope", "payload", to="__8_"),
    "payload with spare bits": _set("dsseEnvelope", "payload", to="eyJhIjoxfR=="),
    "payload not ASCII": _set("dsseEnvelope", "payload", to="é" * 4),
    "payload is null": _set("dsseEnvelope", "payload", to=None),
    "payload type is null": _set("dsseEnvelope", "payloadType", to=None),
    "payload type is empty": _set("dsseEnvelope", "payloadType", to=""),
    "hint is a number": _set("verificationMaterial", "publicKey", "hint", to=7),
    "publicKey is a list": _set("verificationMaterial", "publicKey", to=[]),
    "material is a list": _set("verificationMaterial", to=[]),
    "keyless without a log entry": _keyless,
    "two materials": _two_materials,
}


@pytest.mark.parametrize("change", HOSTILE.values(), ids=HOSTILE.keys())
def test_hostile_bundles_are_refused(change: Callable[[Any], None]) -> None:
    document = _document()
    change(document)
    with pytest.raises(IntegrityError) as caught:
        _read(document)
    assert caught.value.code == "E_BUNDLE"
    assert caught.value.message.startswith("d.sigstore.json is not a signature")


@pytest.mark.parametrize("member", ["mediaType", "dsseEnvelope", "payload", "sig"])
def test_duplicate_members_are_refused(member: str) -> None:
    text = A_BUNDLE.to_bytes().decode()
    doubled = text.replace(f'"{member}":', f'"{member}": "x", "{member}":', 1)
    with pytest.raises(IntegrityError, match="twice"):
        Bundle.from_bytes(doubled.encode(), "x")


@pytest.mark.parametrize("data", [b"", b"[]", b"null", b"\x80", b"[" * 50_000])
def test_what_is_no_object_is_refused(data: bytes) -> None:
    with pytest.raises(IntegrityError):
        Bundle.from_bytes(data, "x")


def test_size_is_checked_before_anything_is_read() -> None:
    huge = b"[" * (LIMIT + 1)
    with pytest.raises(IntegrityError, match="larger than") as caught:
        Bundle.from_bytes(huge, "x")
    assert caught.value.code == "E_BUNDLE"
    with pytest.raises(IntegrityError, match="larger than"):
        Bundle.from_bytes(A_BUNDLE.to_bytes(), "x", limit=100)


def test_the_limit_itself_is_allowed() -> None:
    data = A_BUNDLE.to_bytes()
    assert Bundle.from_bytes(data, "x", limit=len(data)) == A_BUNDLE


def test_a_keyless_bundle_needs_a_log_entry_and_says_so() -> None:
    document = _document()
    _keyless(document)
    with pytest.raises(IntegrityError, match="transparency log entry"):
        _read(document)


def test_log_entries_are_let_through_unread() -> None:
    document = _document()
    document["verificationMaterial"]["tlogEntries"] = [{"logIndex": "1"}]
    document["verificationMaterial"]["timestampVerificationData"] = {}
    assert _read(document) == A_BUNDLE


def test_payload_is_plain_base64() -> None:
    payload = _document()["dsseEnvelope"]["payload"]
    assert base64.b64decode(payload) == A_BUNDLE.payload
