from __future__ import annotations

import io
import tarfile
from typing import TYPE_CHECKING

import pytest

from gitmodel.adapters.archive import MAX_NAME, Archive, write_archive
from gitmodel.domain.digest import Digest
from gitmodel.errors import InputError, IntegrityError, NotFoundError, OutsideError

if TYPE_CHECKING:
    from pathlib import Path

MEMBERS = {
    "a.txt": b"one",
    "empty": b"",
    "deep/er/b.bin": bytes(range(256)) * 5,
    f"{'x' * 90}/{'y' * 150}/c": b"a long name",
}


def _written(tmp_path: Path) -> Path:
    file = tmp_path / "f.tar"
    write_archive(file, MEMBERS, moment=1_000)
    return file


def test_what_is_written_is_read(tmp_path: Path) -> None:
    with Archive(_written(tmp_path)) as archive:
        assert archive.sizes == {name: len(data) for name, data in MEMBERS.items()}
        for name, data in MEMBERS.items():
            assert archive.read(name, 10_000) == data
            assert archive.digest(name) == Digest.of(data)
        archive.copy("a.txt", tmp_path / "a")
        assert (tmp_path / "a").read_bytes() == b"one"
        with pytest.raises(OutsideError):
            archive.copy("a.txt", tmp_path / "a")


def test_the_same_content_gives_the_same_bytes_of_nobody(tmp_path: Path) -> None:
    first = _written(tmp_path).read_bytes()
    part = tmp_path / "part"
    part.write_bytes(MEMBERS["a.txt"])
    backwards = dict(reversed(MEMBERS.items())) | {"a.txt": part}
    write_archive(tmp_path / "g.tar", backwards, moment=1_000)
    assert (tmp_path / "g.tar").read_bytes() == first
    with tarfile.open(tmp_path / "g.tar") as archive:
        found = {(one.mtime, one.uid, one.gid, one.uname, one.mode) for one in archive}
    assert found == {(1_000, 0, 0, "", 0o644)}


def test_a_member_has_a_limit_and_must_be_there(tmp_path: Path) -> None:
    with Archive(_written(tmp_path)) as archive:
        for name, limit in (("a.txt", 2), ("nosuch", 10)):
            with pytest.raises(IntegrityError):
                archive.read(name, limit)


def test_a_file_that_cannot_be_written_leaves_nothing(tmp_path: Path) -> None:
    with pytest.raises(OutsideError):
        write_archive(tmp_path / "f.tar", {"a": tmp_path / "nosuch"}, moment=0)
    assert list(tmp_path.iterdir()) == []
    with pytest.raises(OutsideError):
        write_archive(tmp_path / "no/f.tar", {}, moment=0)


def _member(name: str, kind: bytes = tarfile.REGTYPE, data: bytes = b"x") -> bytes:
    info = tarfile.TarInfo(name)
    info.type, info.size = kind, len(data)
    info.linkname = "/etc/passwd" if kind != tarfile.REGTYPE else ""
    out = io.BytesIO()
    with tarfile.open(fileobj=out, mode="w", format=tarfile.GNU_FORMAT) as archive:
        archive.addfile(info, io.BytesIO(data))
    return out.getvalue()


@pytest.mark.parametrize(
    "name",
    ["/etc/passwd", "../x", "a/../b", "a//b", "a/", ".hidden", "a/.git/x", "a b", "é",
     "a\\b", "C:x", "-x", "a\nb", "x" * (MAX_NAME + 1)],
)  # fmt: skip
def test_names_that_lead_elsewhere_are_refused(tmp_path: Path, name: str) -> None:
    file = tmp_path / "f.tar"
    file.write_bytes(_member(name))
    with pytest.raises(IntegrityError):
        Archive(file)


@pytest.mark.parametrize(
    "kind",
    [tarfile.SYMTYPE, tarfile.LNKTYPE, tarfile.CHRTYPE, tarfile.BLKTYPE,
     tarfile.FIFOTYPE, tarfile.DIRTYPE, tarfile.CONTTYPE, tarfile.GNUTYPE_SPARSE,
     tarfile.XHDTYPE, tarfile.XGLTYPE, tarfile.GNUTYPE_LONGLINK],
)  # fmt: skip
def test_what_is_no_plain_file_is_refused(tmp_path: Path, kind: bytes) -> None:
    file = tmp_path / "f.tar"
    file.write_bytes(_member("x", kind, b""))
    with pytest.raises(IntegrityError):
        Archive(file)


def test_damage_is_refused(tmp_path: Path) -> None:
    whole = _written(tmp_path).read_bytes()
    file = tmp_path / "damaged.tar"
    twice = _member("x")[:1024] + _member("x")
    for data in (
        b"",
        b"x" * 10_240,
        whole[:1000],
        whole[:512],
        whole[:-10_240],
        whole + b"x",
        whole + bytes(20_000) + b"x",
        whole + whole,
        whole.replace(b"a.txt", b"b.txt"),
        twice,
    ):
        file.write_bytes(data)
        with pytest.raises(IntegrityError):
            Archive(file)


def test_what_is_no_file_is_said(tmp_path: Path) -> None:
    with pytest.raises(NotFoundError):
        Archive(tmp_path / "nosuch")
    with pytest.raises(InputError):
        Archive(tmp_path)
