"""The bytes of one file: open it, clone or copy it, hash it.

- Files are read with plain reads into a buffer that stays in the processor's cache.
  A memory map was measured to be 10 to 20 % slower (page faults), counts as resident
  memory, and kills the process (SIGBUS) when somebody truncates the file.
- Copies keep holes, and use the kernel where it can: a clone of the extents
  (``FICLONE``), else ``copy_file_range``, else reads and writes.
- Only regular files; symbolic links are not followed.
"""

from __future__ import annotations

import errno
import fcntl
import hashlib
import os
import stat
from contextlib import suppress
from typing import TYPE_CHECKING

from gitmodel.domain.digest import Digest
from gitmodel.errors import InputError

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from io import FileIO
    from pathlib import Path

#: Copied between two looks around, in bytes.
STEP = 8 << 20

_BUFFER = 1 << 20
_FICLONE = 0x40049409
_BLOCK = 512  # the unit of st_blocks, whatever the file system's blocks are
_UNSUPPORTED = frozenset(
    {
        errno.EXDEV,
        errno.ENOSYS,
        errno.EINVAL,
        errno.EOPNOTSUPP,
        errno.ENOTSUP,
        errno.EPERM,  # what some sandboxes answer to system calls they do not know
        errno.EBADF,
        errno.ETXTBSY,
    }
)


def open_regular(path: Path) -> FileIO:
    """Open a regular file for reading.

    Raises:
        InputError: It is a directory, a device, a socket or a pipe.
        OSError: It cannot be opened; ELOOP if it is a symbolic link.
    """
    # O_NONBLOCK: a pipe that nobody writes to must not hang us.
    flags = os.O_RDONLY | os.O_CLOEXEC | os.O_NOFOLLOW | os.O_NONBLOCK
    descriptor = os.open(path, flags)
    if not stat.S_ISREG(os.fstat(descriptor).st_mode):
        os.close(descriptor)
        raise InputError(f"{path} is not a regular file.")
    return open(descriptor, "rb", buffering=0)  # noqa: PTH123 (a descriptor)


def create(path: Path) -> FileIO:
    """Create a file, as git-lfs does: readable as the umask says.

    Raises:
        OSError: It exists, or cannot be created.
    """
    flags = os.O_RDWR | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC | os.O_NOFOLLOW
    return open(os.open(path, flags, 0o666), "r+b", buffering=0)  # noqa: PTH123


def hash_file(
    file: FileIO,
    size: int,
    advance: Callable[[int], None],
    ready: Callable[[int], int] | None = None,
) -> Digest:
    """Hash the next ``size`` bytes of ``file``.

    Args:
        file: Open for reading, at its start.
        size: How many bytes to read.
        advance: Is told the count of bytes after each piece.
        ready: Waits until there are bytes beyond an offset and returns the offset
            up to which there are; None if all are there.

    Raises:
        EOFError: There are fewer bytes.
        OSError: They cannot be read.
    """
    hasher = hashlib.sha256()
    buffer = memoryview(bytearray(min(size, _BUFFER)))
    offset = 0
    while offset < size:
        end = ready(offset) if ready else size
        while offset < end:
            count = file.readinto(buffer[: end - offset])
            if not count:
                raise EOFError
            hasher.update(buffer[:count])
            offset += count
            advance(count)
    return Digest(hasher.hexdigest())


def clone(source: FileIO, target: FileIO) -> bool:
    """Make ``target`` share the bytes of ``source`` until one of them is written.

    Returns False, having done nothing, where the file system cannot do that.
    """
    try:
        fcntl.ioctl(target.fileno(), _FICLONE, source.fileno())
    except OSError:
        return False
    return True


def copy(
    source: FileIO, target: FileIO, size: int, copied: Callable[[int], None]
) -> None:
    """Copy ``size`` bytes into the empty ``target``, leaving holes where there are.

    Args:
        source: Open for reading; its position is not used.
        target: Open for writing; its position does not move.
        size: How many bytes.
        copied: Is told the offset up to which ``target`` is complete.

    Raises:
        EOFError: ``source`` has fewer bytes.
        OSError: Reading or writing failed.
    """
    inside, outside = source.fileno(), target.fileno()
    native = hasattr(os, "copy_file_range")
    found = os.fstat(inside)
    if found.st_size < size:
        raise EOFError
    sparse = found.st_blocks * _BLOCK < size
    if sparse:
        # Some file systems take bytes that they have not written yet for a hole.
        with suppress(OSError):
            os.fsync(inside)
        os.ftruncate(outside, size)
    for start, end in _extents(inside, size) if sparse else ((0, size),):
        offset = start
        while offset < end:
            wanted = min(STEP, end - offset)
            count = 0
            if native:
                count = _copy_in_kernel(inside, outside, offset, wanted)
                native = count > 0
            if not native:
                count = _copy_by_hand(inside, outside, offset, wanted)
            offset += count
            copied(offset)


def require_size(file: FileIO, size: int) -> None:
    """Insist on a length, which a clone takes from its source.

    Raises:
        EOFError: It is another.
    """
    if os.fstat(file.fileno()).st_size != size:
        raise EOFError


def _copy_in_kernel(source: int, target: int, offset: int, count: int) -> int:
    """Copy a range; return how many bytes, 0 if it has to be done otherwise."""
    try:
        return os.copy_file_range(source, target, count, offset, offset)
    except OSError as error:
        if error.errno in _UNSUPPORTED:
            return 0
        raise


def _copy_by_hand(source: int, target: int, offset: int, count: int) -> int:
    data = os.pread(source, min(count, _BUFFER), offset)
    if not data:
        raise EOFError
    view, done = memoryview(data), 0
    while done < len(data):
        done += os.pwrite(target, view[done:], offset + done)
    return done


def _extents(descriptor: int, size: int) -> Iterator[tuple[int, int]]:
    """Yield the parts of a file that are not holes, as offsets, in order."""
    offset = 0
    while offset < size:
        try:
            start = os.lseek(descriptor, offset, os.SEEK_DATA)
            end = os.lseek(descriptor, start, os.SEEK_HOLE)
        except OSError as error:
            if error.errno == errno.ENXIO:  # nothing but a hole from here on
                return
            yield offset, size
            return
        yield start, min(end, size)
        offset = end
