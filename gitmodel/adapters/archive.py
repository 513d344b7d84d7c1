"""Tar files that are the same bytes every time, and a strict reader of them.

What is written has sorted members that are plain files, of one time and of nobody. The
reader takes nothing else: no links, devices, sparse files, extensions, nor names that
lead elsewhere. It extracts nothing by itself; callers read members by name.
"""

from __future__ import annotations

import hashlib
import io
import re
import tarfile
import tempfile
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import IO, TYPE_CHECKING, Self

from gitmodel.domain.digest import Digest
from gitmodel.errors import InputError, IntegrityError, NotFoundError, OutsideError

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping
    from types import TracebackType

MAX_MEMBERS = 100_000
MAX_NAME = 1024
_BLOCK = 512
_CHUNK = 1 << 20
_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9._+-]*(/[A-Za-z0-9][A-Za-z0-9._+-]*)*")
_CODE = "E_INCIDENT_BUNDLE"


def write_archive(
    path: Path, members: Mapping[str, bytes | Path], *, moment: int
) -> None:
    """Write a tar file, whole or not at all.

    Args:
        path: The file; replaced if it is there.
        members: Content by name: bytes, or the file that has them.
        moment: The time of every member, in seconds since 1970.

    Raises:
        OutsideError: It cannot be written, or a member cannot be read.
    """
    temporary = None
    try:
        with tempfile.NamedTemporaryFile(
            dir=path.parent, prefix=f".{path.name}.", delete=False
        ) as file:
            temporary = Path(file.name)
            with tarfile.open(
                fileobj=file, mode="w", format=tarfile.GNU_FORMAT
            ) as archive:
                for name in sorted(members):
                    _add(archive, name, members[name], moment)
        temporary.replace(path)
    except OSError as error:
        raise OutsideError(
            f"Cannot write {path}: {error.strerror or error}.",
            "Choose another file with -o.",
        ) from error
    finally:
        if temporary is not None:
            with suppress(OSError):
                temporary.unlink()


def _add(
    archive: tarfile.TarFile, name: str, content: bytes | Path, moment: int
) -> None:
    info = tarfile.TarInfo(name)
    info.mtime, info.mode = moment, 0o644
    if isinstance(content, bytes):
        info.size = len(content)
        archive.addfile(info, io.BytesIO(content))
        return
    with content.open("rb") as file:
        info.size = content.stat().st_size
        archive.addfile(info, file)


@dataclass(frozen=True, slots=True)
class _Span:
    offset: int
    size: int


class Archive:
    """A tar file that is being read; use it as a context."""

    def __init__(self, path: Path) -> None:
        """Open a file and look at every header.

        Raises:
            NotFoundError: There is no such file.
            InputError: It is no plain file.
            IntegrityError: It is no tar file of the kind that is written here.
        """
        self.name = path.name
        try:
            if not path.is_file():
                kind = InputError if path.exists() else NotFoundError
                raise kind(f"{path} is no file.")
            self._file: IO[bytes] = path.open("rb")
        except OSError as error:
            raise NotFoundError(f"Cannot read {path}: {error.strerror}.") from error
        try:
            self._members = self._scan(path.stat().st_size)
        except BaseException:
            self._file.close()
            raise

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._file.close()

    @property
    def sizes(self) -> Mapping[str, int]:
        """The size of every member, by its name."""
        return {name: span.size for name, span in self._members.items()}

    def read(self, name: str, limit: int) -> bytes:
        """Return a member.

        Raises:
            IntegrityError: There is no such member, or it has more than ``limit``
                bytes.
        """
        span = self._members.get(name)
        if span is None:
            raise self._broken(f"{name} is missing")
        if span.size > limit:
            raise self._broken(f"{name} has more than {limit:,} bytes")
        self._file.seek(span.offset)
        return self._file.read(span.size)

    def digest(self, name: str) -> Digest:
        """Return the digest of a member that is there."""
        hasher = hashlib.sha256()
        self._pour(name, hasher.update)
        return Digest(hasher.hexdigest())

    def copy(self, name: str, to: Path) -> None:
        """Write a member that is there to a new file.

        Raises:
            OutsideError: It cannot be written.
        """
        try:
            with to.open("xb") as file:
                self._pour(name, file.write)
        except OSError as error:
            raise OutsideError(f"Cannot write {to}: {error.strerror}.") from error

    def _pour(self, name: str, into: Callable[[bytes], object]) -> None:
        span = self._members[name]
        self._file.seek(span.offset)
        left = span.size
        while left:
            piece = self._file.read(min(left, _CHUNK))
            if not piece:
                raise self._broken("it became shorter while it was read")
            into(piece)
            left -= len(piece)

    def _scan(self, end: int) -> dict[str, _Span]:
        found: dict[str, _Span] = {}
        long_name = ""
        position = 0
        while header := self._block(position, end):
            info = self._header(header)
            start = position + _BLOCK
            position = start + -(-info.size // _BLOCK) * _BLOCK
            if info.size < 0 or position > end:
                raise self._broken("it is cut off")
            if info.type == tarfile.GNUTYPE_LONGNAME and not long_name:
                if info.size > MAX_NAME:
                    raise self._broken("a name in it is too long")
                self._file.seek(start)
                data = self._file.read(info.size)
                long_name = data.rstrip(b"\0").decode("ascii", "replace")
                continue
            name, long_name = long_name or info.name, ""
            if info.type != tarfile.REGTYPE:
                raise self._broken(f"{name!a:.100} is no plain file")
            if _NAME.fullmatch(name) is None:
                raise self._broken(f"{name!a:.100} is no name of a member")
            if name in found:
                raise self._broken(f"{name} is in it twice")
            if len(found) >= MAX_MEMBERS:
                raise self._broken(f"it has more than {MAX_MEMBERS:,} members")
            found[name] = _Span(start, info.size)
        return found

    def _block(self, position: int, end: int) -> bytes:
        """Return the next header; b"" at the end, behind which there is nothing."""
        self._file.seek(position)
        block = self._file.read(_BLOCK)
        if len(block) < _BLOCK:
            raise self._broken("it is cut off")
        if block.strip(b"\0"):
            return block
        rest = self._file.read(tarfile.RECORDSIZE + 1)
        if rest.strip(b"\0") or self._file.tell() < end:
            raise self._broken("there is something behind its end")
        return b""

    def _header(self, block: bytes) -> tarfile.TarInfo:
        try:
            return tarfile.TarInfo.frombuf(block, "ascii", "strict")
        except (tarfile.HeaderError, ValueError, IndexError) as error:
            raise self._broken("it is no tar file, or was changed") from error

    def _broken(self, why: str) -> IntegrityError:
        return IntegrityError(f"{self.name} is no evidence: {why}.", code=_CODE)
