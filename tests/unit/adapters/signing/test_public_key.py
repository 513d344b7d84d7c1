from __future__ import annotations

import base64
import hashlib
import pickle

import pytest
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec, ed25519, rsa
from cryptography.hazmat.primitives.asymmetric.utils import decode_dss_signature
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

from gitmodel.adapters.signing.public_key import PublicKey, declared_key, public_key
from gitmodel.errors import InputError
from gitmodel.formats.sshsig import Reader, string
from tests.support.signing import a_private_key, a_signer

CURVES = ["P-256", "P-384", "P-521"]


def _ssh(key: ed25519.Ed25519PrivateKey | rsa.RSAPrivateKey) -> bytes:
    return key.public_key().public_bytes(Encoding.OpenSSH, PublicFormat.OpenSSH)


@pytest.mark.parametrize("curve", CURVES)
def test_pem_and_openssh_are_the_same_key(curve: str) -> None:
    private = a_private_key(curve)
    point = private.public_key()
    pem = point.public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo)
    ssh = point.public_bytes(Encoding.OpenSSH, PublicFormat.OpenSSH).decode()
    der = point.public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo)
    expected = PublicKey(
        keyid=hashlib.sha256(der).hexdigest(), ssh=ssh, pem=pem.decode(), curve=curve
    )
    assert public_key(pem) == expected
    assert public_key(pem.decode()) == expected
    assert public_key(ssh) == expected
    assert public_key(f"{ssh} Zoë at home\n") == expected
    assert expected.oms_hint == hashlib.sha256(pem).hexdigest()


def test_one_key_has_one_name_however_it_is_written() -> None:
    point = a_private_key().public_key()
    compressed = point.public_bytes(Encoding.X962, PublicFormat.CompressedPoint)
    prefix = bytes.fromhex("3039301306072a8648ce3d020106082a8648ce3d030107032200")
    pem = (
        b"-----BEGIN PUBLIC KEY-----\n"
        + base64.b64encode(prefix + compressed)
        + b"\n-----END PUBLIC KEY-----\n"
    )
    plain = point.public_bytes(Encoding.OpenSSH, PublicFormat.OpenSSH)
    assert public_key(pem) == public_key(plain)


def test_parsing_is_remembered() -> None:
    text = a_signer().public
    assert public_key(text) is public_key(text)


def test_public_keys_travel_between_processes() -> None:
    signer = a_signer()
    copy = pickle.loads(pickle.dumps(signer.public_key))  # noqa: S301
    assert copy.verify(signer.sign(b"m"), b"m")


@pytest.mark.parametrize("curve", CURVES)
def test_verify(curve: str) -> None:
    signer = a_signer(curve)
    key = signer.public_key
    signature = signer.sign(b"message")
    assert key.verify(signature, b"message")
    assert not key.verify(signature, b"massage")
    assert not a_signer(curve).public_key.verify(signature, b"message")
    r, s = decode_dss_signature(signature)
    assert key.verify_raw(r, s, b"message")
    assert not key.verify_raw(r, s, b"massage")
    assert not key.verify_raw(s, r, b"message")


@pytest.mark.parametrize(
    "signature", [b"", b"x", b"\x30\x06\x02\x01\x00\x02\x01\x00", b"\x30\x80"]
)
def test_garbage_is_no_signature(signature: bytes) -> None:
    assert not a_signer().public_key.verify(signature, b"m")


def test_der_has_one_spelling() -> None:
    signer = a_signer()
    signature = signer.sign(b"m")
    assert not signer.public_key.verify(signature + b"\0", b"m")
    assert not signer.public_key.verify(b"\x30\x81" + signature[1:], b"m")


@pytest.mark.parametrize(("r", "s"), [(0, 0), (-1, 5), (5, -1), (1, 1), (2**600, 1)])
def test_impossible_pairs_are_no_signature(r: int, s: int) -> None:
    assert not a_signer().public_key.verify_raw(r, s, b"m")


def test_each_curve_has_its_own_digest() -> None:
    private = a_private_key("P-384")
    pem = private.public_key().public_bytes(
        Encoding.PEM, PublicFormat.SubjectPublicKeyInfo
    )
    weak = private.sign(b"m", ec.ECDSA(hashes.SHA256()))
    assert not public_key(pem).verify(weak, b"m")


def test_declared_key() -> None:
    key = a_signer().public_key
    assert declared_key(key.keyid, key.ssh) == key
    with pytest.raises(InputError) as caught:
        declared_key("ab" * 32, key.ssh)
    assert caught.value.code == "E_KEYID"


def test_other_types_are_refused_with_the_way_out() -> None:
    other_curve = ec.generate_private_key(ec.SECP256K1()).public_key()
    ed25519_key = ed25519.Ed25519PrivateKey.generate().public_key()
    texts = [
        ed25519_key.public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo),
        _ssh(ed25519.Ed25519PrivateKey.generate()),
        _ssh(rsa.generate_private_key(65537, 2048)),
        other_curve.public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo),
    ]
    for text in texts:
        with pytest.raises(InputError, match="P-256, P-384 or P-521") as caught:
            public_key(text)
        assert caught.value.code == "E_KEY_TYPE"
        assert "gitmodel key new" in caught.value.hints[0]


def _dressed(kind: str, *, after: tuple[bytes, ...] = ()) -> str:
    """Write a good P-256 key as another type of OpenSSH key, well-formed."""
    reader = Reader(base64.b64decode(a_signer().public.split()[1]))
    _, curve, point = reader.string(), reader.string(), reader.string()
    fields = (kind.encode(), curve, point, *after)
    blob = b"".join(string(field) for field in fields)
    return f"{kind} {base64.b64encode(blob).decode()}"


@pytest.mark.parametrize(
    "line",
    [
        # The library reads this one as a plain P-256 key.
        _dressed("sk-ecdsa-sha2-nistp256@openssh.com", after=(b"ssh:",)),
        "ssh-dss AAAA",
        "ssh-rsa AAAA",
        "ecdsa-sha2-nistp256-cert-v01@openssh.com AAAA",
    ],
)
def test_other_openssh_types_are_named(line: str) -> None:
    with pytest.raises(InputError, match=line.split(maxsplit=1)[0]) as caught:
        public_key(line)
    assert caught.value.code == "E_KEY_TYPE"


def test_a_private_key_is_told_from_a_public_one_and_not_repeated() -> None:
    text = "-----BEGIN OPENSSH PRIVATE KEY-----\nc2VjcmV0\n"
    with pytest.raises(InputError, match="private one") as caught:
        public_key(text)
    assert "c2VjcmV0" not in str(caught.value)


LINE = a_signer().public
PEM = a_signer().public_key.pem


@pytest.mark.parametrize(
    "text",
    [
        "",
        "hello",
        "\udcff".encode("utf-8", "surrogateescape"),
        LINE[:-8],
        LINE.replace("nistp256", "nistp384", 1),
        f"{LINE}\n{LINE}",
        PEM + PEM,
        "ecdsa-sha2-nistp256",
        "ecdsa-sha2-nistp256 !!!!",
        "-----BEGIN PUBLIC KEY-----\nAAAA\n-----END PUBLIC KEY-----\n",
        "x" * 100_000,
    ],
)
def test_what_is_no_key_is_refused(text: str | bytes) -> None:
    with pytest.raises(InputError):
        public_key(text)
