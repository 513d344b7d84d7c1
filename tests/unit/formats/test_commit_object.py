from __future__ import annotations

import pytest

from gitmodel.errors import IntegrityError
from gitmodel.formats.commit_object import split_signature, with_signature

COMMIT = (
    b"tree " + b"ab" * 20 + b"\n"
    b"parent " + b"cd" * 20 + b"\n"
    b"author A <a@example.com> 1 +0000\n"
    b"committer A <a@example.com> 1 +0000\n"
    b"\n"
    b"Subject\n\nBody\ngpgsig in the message is text\n"
)
ARMOR = "-----BEGIN SSH SIGNATURE-----\nAAAA\n\nBB\n-----END SSH SIGNATURE-----\n"


def test_round_trip() -> None:
    assert split_signature(with_signature(COMMIT, ARMOR)) == (COMMIT, ARMOR)


def test_header_stands_last_and_is_indented() -> None:
    signed = with_signature(COMMIT, ARMOR)
    assert (
        b"committer A <a@example.com> 1 +0000\n"
        b"gpgsig -----BEGIN SSH SIGNATURE-----\n"
        b" AAAA\n"
        b" \n"
        b" BB\n"
        b" -----END SSH SIGNATURE-----\n"
        b"\n"
        b"Subject\n"
    ) in signed


def test_unsigned_commits_are_returned_as_they_are() -> None:
    assert split_signature(COMMIT) == (COMMIT, None)


def test_sha256_repositories_use_another_header() -> None:
    commit = COMMIT.replace(b"ab" * 20, b"ab" * 32).replace(b"cd" * 20, b"cd" * 32)
    signed = with_signature(commit, ARMOR)
    assert b"\ngpgsig-sha256 -----BEGIN" in signed
    assert split_signature(signed) == (commit, ARMOR)


def test_signature_in_the_middle_of_the_headers() -> None:
    signed = with_signature(COMMIT, ARMOR)
    encoded = signed.replace(b"\n\nSubject", b"\nencoding latin1\n\nSubject")
    assert split_signature(encoded) == (
        COMMIT.replace(b"\n\nSubject", b"\nencoding latin1\n\nSubject"),
        ARMOR,
    )


def test_signature_inside_a_merged_tag_is_not_the_commits() -> None:
    tagged = COMMIT.replace(
        b"\n\nSubject", b"\nmergetag object ab\n gpgsig nested\n \n text\n\nSubject"
    )
    assert split_signature(tagged) == (tagged, None)
    assert split_signature(with_signature(tagged, ARMOR)) == (tagged, ARMOR)


def test_foreign_signatures_are_carried_whatever_their_bytes() -> None:
    signed = with_signature(COMMIT, "PGP \udcff\n")
    assert b"gpgsig PGP \xff\n" in signed
    assert split_signature(signed) == (COMMIT, "PGP \udcff\n")


def _with_header(header: bytes) -> bytes:
    return with_signature(COMMIT, ARMOR).replace(
        b"\n\nSubject", b"\n" + header + b"\n\nSubject"
    )


@pytest.mark.parametrize(
    "raw",
    [
        _with_header(b"gpgsig second\n line"),
        _with_header(b"gpgsig-sha256 second\n line"),
        _with_header(b"gpgsigx second"),
        COMMIT.replace(b"\n\nSubject", b"\ngpgsig-sha256 wrong\n\nSubject"),
        COMMIT.replace(b"\n\nSubject", b"\ngpgsigx wrong\n\nSubject"),
        COMMIT.replace(b"\n\nSubject", b"\ngpgsig\n wrong\n\nSubject"),
        COMMIT.replace(b"author", b"gpgsig a\n b\ngpgsig c\nauthor"),
    ],
)
def test_any_further_signature_header_is_refused(raw: bytes) -> None:
    with pytest.raises(IntegrityError) as caught:
        split_signature(raw)
    assert caught.value.code == "E_COMMIT"


@pytest.mark.parametrize(
    "raw",
    [
        b"",
        b"tree " + b"ab" * 20 + b"\n",
        b"tree abcd\n\n",
        COMMIT.replace(b"tree ", b"blob "),
        COMMIT.replace(b"ab" * 20, b"AB" * 20),
        COMMIT.replace(b"author", b"au\0thor"),
        b"gpgsig x\n" + COMMIT,
    ],
)
def test_what_is_no_commit_is_refused(raw: bytes) -> None:
    with pytest.raises(IntegrityError):
        split_signature(raw)
    with pytest.raises(IntegrityError):
        with_signature(raw, ARMOR)


def test_a_signed_commit_is_not_signed_again() -> None:
    with pytest.raises(IntegrityError, match="already"):
        with_signature(with_signature(COMMIT, ARMOR), ARMOR)
