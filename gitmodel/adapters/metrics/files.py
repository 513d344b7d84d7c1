"""Opens files that other programs write, wherever links lead."""

from __future__ import annotations

import os
import stat
from typing import TYPE_CHECKING, BinaryIO

if TYPE_CHECKING:
    from pathlib import Path


def open_regular(path: Path) -> tuple[BinaryIO, os.stat_result] | None:
    """Open a regular file for reading; None for directories, pipes and devices.

    Links are followed: tools change what they publish by turning a link.

    Raises:
        OSError: It cannot be opened.
        ValueError: The path cannot be one.
    """
    # O_NONBLOCK: a pipe that nobody writes to must not hang us.
    descriptor = os.open(path, os.O_RDONLY | os.O_CLOEXEC | os.O_NONBLOCK)
    status = os.fstat(descriptor)
    if not stat.S_ISREG(status.st_mode):
        os.close(descriptor)
        return None
    return open(descriptor, "rb"), status  # noqa: PTH123 (a descriptor)
