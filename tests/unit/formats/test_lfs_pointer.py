"""The pointer has one spelling; nothing else is one."""

from __future__ import annotations

import pytest

from gitmodel.domain.digest import Digest
from gitmodel.formats.lfs_pointer import EMPTY, Pointer, resembles_pointer

OID = "4d7a214614ab2935c943f9e0ff69d22eadbb8f32b1258daaa5e2ca24d17e2393"
TEXT = (
    f"version https://git-lfs.github.com/spec/v1\noid sha256:{OID}\nsize 12345\n"
).encode()


def test_it_is_written_as_the_specification_of_git_lfs_shows_it() -> None:
    assert Pointer(Digest(OID), 12345).to_bytes() == TEXT


def test_it_is_read_back() -> None:
    assert Pointer.parse(TEXT) == Pointer(Digest(OID), 12345)


def test_an_empty_file_is_its_own_pointer() -> None:
    assert Pointer.parse(b"") == Pointer(EMPTY, 0)
    assert Pointer(EMPTY, 0).to_bytes() == b""


@pytest.mark.parametrize(
    "data",
    [
        TEXT[:-1],
        TEXT + b"\n",
        b"\n" + TEXT,
        TEXT.replace(b"\n", b"\r\n"),
        TEXT.replace(b"sha256", b"sha512"),
        TEXT.replace(b"4d7a", b"4D7A"),
        TEXT.replace(b"12345", b"012345"),
        TEXT.replace(b"12345", b"+12345"),
        TEXT.replace(b"12345", b"0"),
        TEXT.replace(b"12345", b"-1"),
        TEXT.replace(b"12345", str(2**63).encode()),
        TEXT.replace(b"12345", "\u0661".encode()),
        TEXT.replace(b"git-lfs.github.com", b"hawser.github.com"),
        TEXT.replace(OID.encode(), EMPTY.hex.encode()),
        TEXT.replace(b"oid", f"ext-0-a sha256:{OID}\noid".encode()),
        TEXT.replace(b"oid", b"x y\noid"),
        b" ".join(TEXT.splitlines()),
        b"hello\n",
    ],
)
def test_nothing_else_is_a_pointer(data: bytes) -> None:
    assert Pointer.parse(data) is None


def test_the_largest_size_is_that_of_git_lfs() -> None:
    largest = Pointer(Digest(OID), 2**63 - 1)
    assert Pointer.parse(largest.to_bytes()) == largest


def test_a_claim_that_nothing_has_some_digest_equals_no_blob() -> None:
    claim = Pointer(Digest(OID), 0).to_bytes()
    assert claim != b""
    assert Pointer.parse(claim) is None


def test_a_pointer_in_place_of_the_model_is_noticed() -> None:
    assert resembles_pointer(TEXT, len(TEXT))
    crlf = TEXT.replace(b"\n", b"\r\n")
    assert resembles_pointer(crlf, len(crlf))
    assert not resembles_pointer(TEXT, 5000)
    assert not resembles_pointer(b"", 0)
    assert not resembles_pointer(b"version: 1\n", 11)
