"""Walks over the opcodes of pickles and names what they import; loads nothing.

``pickletools.genops`` reads opcodes with their arguments and executes none. What an
import names must stand there in plain text: for ``STACK_GLOBAL`` the two strings must
be the last two things pushed, themselves or from the memo. Anything else, which no
honest pickler writes, is reported as computed.
"""

from __future__ import annotations

import pickletools
import re
import warnings
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from gitmodel.formats.pickle_allowed import ALLOWED

if TYPE_CHECKING:
    from typing import BinaryIO

_TEXT = frozenset(
    {"SHORT_BINUNICODE", "BINUNICODE", "BINUNICODE8", "UNICODE"},
)
_GET = frozenset({"GET", "BINGET", "LONG_BINGET"})
_PUT = frozenset({"PUT", "BINPUT", "LONG_BINPUT"})
_SILENT = frozenset({"FRAME", "PROTO"})
_NAMED = frozenset({"GLOBAL", "INST"})
_CALLS = frozenset({"REDUCE", "NEWOBJ", "NEWOBJ_EX", "BUILD", "OBJ", "INST"})
_NEED_MARK = frozenset({"OBJ", "INST"})
_EXTENSION = frozenset({"EXT1", "EXT2", "EXT4"})
_IMPORT = re.compile(r"([^\s]+) ([^\s]+)")


@dataclass(slots=True)
class Walk:
    """What one pickle says, as far as it could be read.

    Attributes:
        problems: Imports that are not allowed, in words, each once.
        imports: How many imports there are, allowed or not.
        calls: Whether anything is called.
        whole: Whether it was read up to its end.
    """

    problems: dict[str, None] = field(default_factory=dict)
    imports: int = 0
    calls: bool = False
    whole: bool = False
    _marked: bool = False
    _began: bool = False
    _memo: dict[int, str | None] = field(default_factory=dict)
    _pushed: list[str | None] = field(default_factory=list)

    def take(self, name: str, argument: Any) -> None:
        """Take in one opcode.

        Raises:
            ValueError: No unpickler would come past this one.
        """
        if name in _NEED_MARK and not self._marked:
            raise ValueError("there is no mark")
        if name == "STACK_GLOBAL" and not self._began:
            raise ValueError("the stack is empty")
        self._marked = self._marked or name == "MARK"
        self._began = self._began or name not in _SILENT
        self.calls = self.calls or name in _CALLS
        if name in _NAMED:
            self._import(_IMPORT.fullmatch(str(argument)))
        elif name == "STACK_GLOBAL":
            self._import_pushed()
        elif name in _EXTENSION:
            self.imports += 1
            self.problems["it imports by a number of the copyreg registry"] = None
        self._remember(name, argument)

    def _import_pushed(self) -> None:
        names = self._pushed[-2:]
        if len(names) == 2 and None not in names:  # noqa: PLR2004
            self._import(_IMPORT.fullmatch(f"{names[0]} {names[1]}"))
        else:
            self._import(None)

    def _import(self, found: re.Match[str] | None) -> None:
        self.imports += 1
        if found is None:
            self.problems["it imports a name that it computes"] = None
        elif (found[1], found[2]) not in ALLOWED:
            what = f"{found[1]} {found[2]}"[:200]
            self.problems[f"it imports {what!a}"] = None

    def _remember(self, name: str, argument: Any) -> None:
        if name in _TEXT:
            self._pushed.append(argument)
        elif name in _GET:
            self._pushed.append(self._memo.get(int(argument)))
        elif name in _PUT:
            self._memo[int(argument)] = self._pushed[-1] if self._pushed else None
        elif name == "MEMOIZE":
            self._memo[len(self._memo)] = self._pushed[-1] if self._pushed else None
        elif name not in _SILENT:
            self._pushed.clear()


def walk(stream: BinaryIO) -> Walk:
    """Walk over the pickle at the stream's position, to its end or as far as it goes.

    Raises:
        OSError: The stream cannot be read. What it holds never raises.
    """
    found = Walk()
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # odd escapes in strings
            for opcode, argument, _ in pickletools.genops(stream):
                found.take(opcode.name, argument)
    except OSError:
        raise
    except Exception:  # noqa: BLE001 hostile bytes make pickletools raise what it likes
        return found
    found.whole = True
    return found
