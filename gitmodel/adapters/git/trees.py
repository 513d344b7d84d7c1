"""Tree objects: their bytes, and new trees made from old ones by changed paths.

Reading is strict. git itself puts up with a tree that names a file twice, out of
order or with a slash in its name, and different commands then see different files.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Protocol

from gitmodel.errors import IntegrityError

if TYPE_CHECKING:
    from collections.abc import Mapping

FILE = 0o100644
TREE = 0o40000
_EXECUTABLE = 0o100755
#: Every mode that a git has ever written.
_MODES = {
    b"100644": FILE,
    b"100664": 0o100664,
    b"100755": _EXECUTABLE,
    b"120000": 0o120000,
    b"160000": 0o160000,
    b"40000": TREE,
    b"040000": TREE,
}
_RESERVED = frozenset({b".", b"..", b".git"})


@dataclass(frozen=True, slots=True)
class Entry:
    """What a name in a tree stands for: a mode and an object id in hex."""

    mode: int
    oid: str

    @property
    def is_tree(self) -> bool:
        """Whether it is a directory."""
        return self.mode == TREE

    @property
    def is_file(self) -> bool:
        """Whether it is a plain file, executable or not."""
        return self.mode in (FILE, _EXECUTABLE)


class TreeReader(Protocol):
    """Reads trees by object id."""

    def tree(self, oid: str) -> Mapping[str, Entry]:
        """Return the entries of a tree."""


class ObjectSink(Protocol):
    """Takes new objects."""

    def add(self, kind: str, data: bytes) -> str:
        """Keep an object for writing; return its id."""


def decode(data: bytes, hash_size: int) -> dict[str, Entry]:
    """Read the bytes of a tree object; ``hash_size`` is 20 or 32.

    Names that are not UTF-8 keep their bytes as surrogates.

    Raises:
        IntegrityError: git would not have written it (``E_TREE``).
    """
    entries: dict[str, Entry] = {}
    start = 0
    last = b""
    while start < len(data):
        space = data.find(b" ", start)
        end = data.find(b"\0", space)
        mode = _MODES.get(data[start:space])
        name = data[space + 1 : end]
        start = end + 1 + hash_size
        if space < 0 or end < 0 or start > len(data) or mode is None:
            raise _malformed("an entry of it cannot be read")
        order = name + b"/" if mode == TREE else name
        if not name or b"/" in name or name.lower() in _RESERVED:
            raise _malformed(f"no file can be called {name[:80]!r}")
        key = name.decode("utf-8", "surrogateescape")
        if order <= last or key in entries:
            raise _malformed(f"{name[:80]!r} is there twice, or out of order")
        last = order
        entries[key] = Entry(mode, data[end + 1 : start].hex())
    return entries


def _malformed(why: str) -> IntegrityError:
    return IntegrityError(
        f"A tree of this repository is malformed: {why}.",
        "git fsck  names it.",
        code="E_TREE",
    )


def encode(entries: Mapping[str, Entry]) -> bytes:
    """Return the bytes of a tree object; ``decode(encode(e), n) == e``."""

    def order(item: tuple[str, Entry]) -> bytes:
        # git sorts a directory as if its name ended in a slash.
        name, entry = item
        return name.encode("utf-8", "surrogateescape") + b"/" * entry.is_tree

    return b"".join(
        b"%o %s\0%s"
        % (
            entry.mode,
            name.encode("utf-8", "surrogateescape"),
            bytes.fromhex(entry.oid),
        )
        for name, entry in sorted(entries.items(), key=order)
    )


def rewrite(
    reader: TreeReader,
    sink: ObjectSink,
    root: str | None,
    changes: Mapping[str, Entry | None],
) -> str:
    """Return the id of ``root`` with ``changes`` applied; None removes a path.

    Only the trees along changed paths are read and written, so the cost does not
    grow with the registry. Directories that become empty vanish, as in git.

    Raises:
        ValueError: A change goes through a path that is not a directory.
    """
    return _rewrite(reader, sink, root, changes) or sink.add("tree", b"")


def _rewrite(
    reader: TreeReader,
    sink: ObjectSink,
    root: str | None,
    changes: Mapping[str, Entry | None],
) -> str | None:
    entries = dict(reader.tree(root)) if root is not None else {}
    below: dict[str, dict[str, Entry | None]] = {}
    for path, entry in changes.items():
        name, slash, rest = path.partition("/")
        if slash:
            below.setdefault(name, {})[rest] = entry
        elif entry is None:
            entries.pop(name, None)
        else:
            entries[name] = entry
    for name, deeper in below.items():
        old = entries.get(name)
        if old is not None and not old.is_tree:
            raise ValueError(name)
        new = _rewrite(reader, sink, old.oid if old else None, deeper)
        if new is None:
            entries.pop(name, None)
        else:
            entries[name] = Entry(TREE, new)
    return sink.add("tree", encode(entries)) if entries else None
