from __future__ import annotations

import base64
import dataclasses

import pytest

from gitmodel.errors import InputError, IntegrityError
from gitmodel.formats.sshsig import Reader, SshSignature, mpint, signed_data, string

A_SIGNATURE = SshSignature(
    public_key=b"key" * 40,
    namespace="git",
    hash_algorithm="sha512",
    algorithm="ecdsa-sha2-nistp256",
    signature=mpint(2**255) + mpint(5),
)


def _armor(blob: bytes) -> str:
    return (
        "-----BEGIN SSH SIGNATURE-----\n"
        f"{base64.b64encode(blob).decode()}\n"
        "-----END SSH SIGNATURE-----\n"
    )


def _blob() -> bytes:
    return base64.b64decode("".join(A_SIGNATURE.to_armor().split("\n")[1:-2]))


def test_round_trip() -> None:
    assert SshSignature.from_armor(A_SIGNATURE.to_armor()) == A_SIGNATURE


def test_armor_is_folded_as_ssh_keygen_folds_it() -> None:
    lines = A_SIGNATURE.to_armor().split("\n")
    assert lines[0] == "-----BEGIN SSH SIGNATURE-----"
    assert lines[-2:] == ["-----END SSH SIGNATURE-----", ""]
    assert {len(line) for line in lines[1:-3]} == {70}


def test_the_last_newline_is_optional() -> None:
    armor = A_SIGNATURE.to_armor().removesuffix("\n")
    assert SshSignature.from_armor(armor) == A_SIGNATURE


@pytest.mark.parametrize(
    ("number", "wire"),
    [
        (0, b"\x00\x00\x00\x00"),
        (1, b"\x00\x00\x00\x01\x01"),
        (0x7F, b"\x00\x00\x00\x01\x7f"),
        (0x80, b"\x00\x00\x00\x02\x00\x80"),
        (0x9A378F9B2E332A7, b"\x00\x00\x00\x08\x09\xa3\x78\xf9\xb2\xe3\x32\xa7"),
    ],
)
def test_mpints_are_those_of_rfc_4251(number: int, wire: bytes) -> None:
    assert mpint(number) == wire
    assert Reader(wire).mpint() == number


@pytest.mark.parametrize("data", [b"\x00", b"\x00\x01", b"\x80", b"\xff\xff"])
def test_mpints_have_one_spelling_and_no_sign(data: bytes) -> None:
    with pytest.raises(InputError):
        Reader(string(data)).mpint()


def test_signed_data() -> None:
    assert signed_data("git", "sha512", b"d") == (
        b"SSHSIG\0\0\0\x03git\0\0\0\0\0\0\0\x06sha512\0\0\0\x01d"
    )


def _inner(signature: bytes) -> bytes:
    return (
        b"SSHSIG\0\0\0\x01"
        + string(b"key")
        + string(b"git")
        + string(b"")
        + string(b"sha512")
        + string(signature)
    )


HOSTILE = {
    "empty": b"",
    "magic": b"SSHSIH" + _blob()[6:],
    "version": b"SSHSIG\0\0\0\x02" + _blob()[10:],
    "truncated": _blob()[:-1],
    "trailing": _blob() + b"\0",
    "length beyond the end": b"SSHSIG\0\0\0\x01\xff\xff\xff\xff",
    "inner trailing": _inner(string(b"ecdsa") + string(b"x") + b"\0"),
    "inner truncated": _inner(string(b"ecdsa") + b"\0\0\0\x09x"),
    "namespace is not ASCII": b"SSHSIG\0\0\0\x01"
    + string(b"key")
    + string(b"g\xc3\xadt")
    + string(b"")
    + string(b"sha512")
    + string(string(b"a") + string(b"b")),
    "reserved is used": b"SSHSIG\0\0\0\x01"
    + string(b"key")
    + string(b"git")
    + string(b"more")
    + string(b"sha512")
    + string(string(b"a") + string(b"b")),
}


@pytest.mark.parametrize("blob", HOSTILE.values(), ids=HOSTILE.keys())
def test_hostile_blobs_are_refused(blob: bytes) -> None:
    with pytest.raises(IntegrityError) as caught:
        SshSignature.from_armor(_armor(blob))
    assert caught.value.code == "E_SIGNATURE"


ARMOR = A_SIGNATURE.to_armor()


@pytest.mark.parametrize(
    "text",
    [
        "",
        "\n",
        "-----BEGIN SSH SIGNATURE-----",
        "-----BEGIN SSH SIGNATURE-----\n-----END SSH SIGNATURE-----\n",
        ARMOR.replace("BEGIN SSH", "BEGIN PGP"),
        ARMOR.replace("-----END SSH SIGNATURE-----\n", ""),
        ARMOR + ARMOR,
        ARMOR + "\n",
        " " + ARMOR,
        ARMOR.replace("\n", "\r\n"),
        ARMOR.replace("A", "*", 1).replace("A", "\udcff", 1),
        _armor(_blob()).replace("==", "=") + "=",
        "-----BEGIN SSH SIGNATURE-----\n" + "A" * 20_000 + "\n",
    ],
)
def test_hostile_armor_is_refused(text: str) -> None:
    with pytest.raises(IntegrityError) as caught:
        SshSignature.from_armor(text)
    assert caught.value.code == "E_SIGNATURE"


def test_spare_bits_of_base64_are_refused() -> None:
    # One byte more or less of key moves the padding to where there are spare bits.
    padded = next(
        armor
        for size in range(3)
        if "=\n-----END"
        in (
            armor := dataclasses.replace(A_SIGNATURE, public_key=b"k" * size).to_armor()
        )
    )
    head, _, tail = padded.partition("=")
    alphabet = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/"
    changed = alphabet[alphabet.index(head[-1]) + 1]
    with pytest.raises(IntegrityError, match="canonical"):
        SshSignature.from_armor(head[:-1] + changed + "=" + tail)
