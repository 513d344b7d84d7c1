"""The built-in scanner: does a file carry code that runs when it is loaded?

- Nothing is ever unpickled, imported or executed; see ``pickle_walk``.
- What a file is, its content decides, never its name; but a name that promises a
  pickle is believed, so that what is no readable pickle then fails.
- Every file is also walked over as a pickle from its first byte, for some files are
  two things at once.
- Every member of every archive is looked at, archives in archives too.
- It fails closed: what cannot be read or is not known is a finding.

Formats without code pass. TorchScript is code by design, and is reported. It does not
look at what a network computes: a backdoor in the weights is not code.
"""

from __future__ import annotations

import bz2
import gzip
import lzma
import re
import tarfile
import zipfile
import zlib
from dataclasses import dataclass, field
from io import BytesIO
from tempfile import SpooledTemporaryFile
from typing import TYPE_CHECKING, cast

from gitmodel.formats.pickle_walk import walk
from gitmodel.formats.probes import pickles
from gitmodel.formats.probes.probe import identify

if TYPE_CHECKING:
    from typing import IO, BinaryIO

#: The most that is expanded, in all, out of the archives of one file.
MAX_EXPANDED_BYTES = 64 << 30
MAX_DEPTH = 5
MAX_MEMBERS = 100_000

_PROMISED = re.compile(r"\.(pkl|pickle|joblib|dill|pt|pth|ckpt)$", re.IGNORECASE)
# An import of protocol 0, amid bytes that pickletools refuses and unpicklers may not.
# It is looked for once in each word: else the time would grow by the square of that.
_TEXT_IMPORT = re.compile(
    rb"(?<![\w.])(?=[\w.]*[ci][\w.])([\w.]++)\n"
    rb"(?=([\w.]++)\n(?:[(.)]|p\d+\n|[\x80-\x9f]))"
)
_LAMBDA = re.compile(rb'"class_name"\s*:\s*"(Lambda|TFOpLambda|SlicingOpLambda)"')
_WITHOUT_CODE = frozenset({"safetensors", "gguf", "onnx", "tflite", "parquet", "arrow"})
_PICKLE_FORMATS = frozenset({"pickle", "pytorch", "joblib"})
# Magic number, protocol, system, the object, the keys of its storages.
_LEGACY_TORCH_PICKLES = 5
_MEMORY_BYTES = 32 << 20
_CHUNK = 1 << 20


@dataclass(frozen=True, slots=True)
class Suspicion:
    """One thing that is not allowed, or could not be looked at.

    Attributes:
        place: The file, and the members in it, joined by ``!``.
    """

    place: str
    message: str


@dataclass(slots=True)
class _Scan:
    found: list[Suspicion] = field(default_factory=list)
    expanded: int = 0
    members: int = 0

    def add(self, place: str, message: str) -> None:
        suspicion = Suspicion(place, message)
        if suspicion not in self.found:
            self.found.append(suspicion)

    def count(self, size: int) -> None:
        """Count what was expanded, and stop when it is too much."""
        self.expanded += size
        if self.expanded > MAX_EXPANDED_BYTES:
            raise _TooMuchError


class _TooMuchError(Exception):
    """An archive that unpacks to more than is looked at."""


def scan(file: BinaryIO, size: int, name: str) -> tuple[Suspicion, ...]:
    """Scan a file of ``size`` bytes, which can seek.

    Raises:
        OSError: It cannot be read. What it holds never raises.
    """
    state = _Scan()
    _scan(state, file, size, name, 0)
    return tuple(state.found)


def _scan(
    state: _Scan,
    file: BinaryIO,
    size: int,
    place: str,
    depth: int,
    *,
    raw: bool = False,
) -> None:
    """Scan one file or member; ``raw`` if its content is numbers by its place."""
    if size == 0:
        return
    if depth > MAX_DEPTH:
        state.add(place, "it is nested too deeply to be looked at")
        return
    file.seek(0)
    head = file.read(pickles.HEAD_BYTES)
    form = "compressed" if pickles.expand(head) else identify(file, size)
    promised = _PROMISED.search(place) is not None
    prose = form in {"text", "json"} and not promised
    whole = _walk_all(state, file, size, place, prose=prose)
    file.seek(0)
    if head.startswith(b"PK") or zipfile.is_zipfile(file):
        _scan_zip(state, file, place, depth)
        return
    file.seek(0)
    if form == "compressed":
        _scan_compressed(state, file, head, place, depth)
    elif form == "tar":
        _scan_tar(state, file, place, depth)
    elif form in _PICKLE_FORMATS:
        if whole < (_LEGACY_TORCH_PICKLES if form == "pytorch" else 1):
            state.add(place, "it is a pickle that cannot be read to its end")
    elif promised and not whole and not raw:
        state.add(place, "its name promises a pickle, and it is none")
    else:
        _scan_plain(state, file, head, place, form, raw=raw)


def _scan_plain(
    state: _Scan, file: BinaryIO, head: bytes, place: str, form: str, *, raw: bool
) -> None:
    """Scan what is neither an archive nor a pickle."""
    if form == "npy":
        _scan_array(state, head, place)
    elif form == "hdf5":
        _scan_keras(state, file, place)
    elif form in {"text", "json"}:
        _scan_keras(state, file, place)
        _scan_text(state, file, place)
    elif form not in _WITHOUT_CODE and not raw:
        state.add(place, f"its format, {form}, is not one that can be looked at")


def _walk_all(
    state: _Scan, file: BinaryIO, size: int, place: str, *, prose: bool
) -> int:
    """Walk over a file as pickles, one after the other; return how many are whole.

    Words look like imports: in ``prose`` they count only where something is called.
    """
    file.seek(0)
    whole = 0
    while file.tell() < size:
        found = walk(file)
        for problem in found.problems if found.calls or not prose else ():
            state.add(place, problem)
        if not found.whole:
            break
        whole += 1
    return whole


def _scan_zip(state: _Scan, file: BinaryIO, place: str, depth: int) -> None:
    try:
        with zipfile.ZipFile(file) as archive:
            members = archive.infolist()
            names = {member.filename for member in members}
            torch = any(name.rpartition("/")[2] == "data.pkl" for name in names)
            if torch and any("/code/" in f"/{name}" for name in names):
                state.add(place, "it is TorchScript, which is code")
            for member in members:
                if member.is_dir():
                    continue
                within = f"{place}!{member.filename}"
                with archive.open(member) as stream:
                    data = _expand(state, stream)
                with data:
                    numbers = torch and _is_storage(member.filename)
                    length = data.seek(0, 2)
                    _scan(state, data, length, within, depth + 1, raw=numbers)
    except _TooMuchError:
        state.add(place, "it unpacks to more than can be looked at")
    except (
        zipfile.BadZipFile, zlib.error, lzma.LZMAError, EOFError, ValueError,
        NotImplementedError, RuntimeError, OSError,
    ):  # fmt: skip
        state.add(place, "it is an archive that cannot be read")


def _is_storage(name: str) -> bool:
    """Say whether PyTorch keeps raw numbers, or its own notes, in this member."""
    inner = name.partition("/")[2]
    return inner.startswith(("data/", "constants/", ".data/", ".format_version")) or (
        inner in {"version", "byteorder", ".storage_alignment"}
    )


def _scan_compressed(
    state: _Scan, file: BinaryIO, head: bytes, place: str, depth: int
) -> None:
    try:
        with _decompressed(head, file) as stream, _expand(state, stream) as data:
            length = data.seek(0, 2)
            _scan(state, data, length, f"{place}!", depth + 1)
    except _TooMuchError:
        state.add(place, "it unpacks to more than can be looked at")
    except (zlib.error, lzma.LZMAError, EOFError, ValueError, OSError):
        state.add(place, "it is compressed and cannot be read")


def _decompressed(head: bytes, file: BinaryIO) -> IO[bytes]:
    if head.startswith(b"\x1f\x8b"):
        return cast("IO[bytes]", gzip.GzipFile(fileobj=file))
    if head.startswith(b"BZh"):
        return bz2.BZ2File(file)
    if head.startswith((b"\xfd7zXZ", b"\x5d\x00\x00")):
        return lzma.LZMAFile(file)
    decompressor = zlib.decompressobj()
    data = decompressor.decompress(file.read(), _MEMORY_BYTES)
    if decompressor.unconsumed_tail or not decompressor.eof:
        raise ValueError("too long, or cut off")
    return BytesIO(data)


def _scan_tar(state: _Scan, file: BinaryIO, place: str, depth: int) -> None:
    try:
        with tarfile.open(fileobj=file, mode="r:") as archive:
            for member in archive:
                stream = archive.extractfile(member) if member.isreg() else None
                if stream is None:
                    if not member.isdir():
                        state.add(f"{place}!{member.name}", "it is no plain file")
                    continue
                with _expand(state, stream) as data:
                    length = data.seek(0, 2)
                    _scan(state, data, length, f"{place}!{member.name}", depth + 1)
    except _TooMuchError:
        state.add(place, "it unpacks to more than can be looked at")
    except (tarfile.TarError, EOFError, ValueError, OSError):
        state.add(place, "it is an archive that cannot be read")


def _scan_array(state: _Scan, head: bytes, place: str) -> None:
    """Look whether the elements of a numpy array are objects, that is a pickle."""
    description = head.partition(b"\n")[0]
    if not head.startswith((b"\x93NUMPY\x01", b"\x93NUMPY\x02", b"\x93NUMPY\x03")):
        state.add(place, "it is an array of a kind that is not known")
    elif len(description) == len(head) or b"descr" not in description:
        state.add(place, "it is an array that does not say what it holds")
    elif re.search(rb"['\"][|<>=]?O", description) is not None:
        state.add(place, "it is an array of objects, which is a pickle")


def _scan_text(state: _Scan, file: BinaryIO, place: str) -> None:
    """Look for imports in text, which may be a pickle of protocol 0."""
    file.seek(0)
    rest = b""
    while data := file.read(_CHUNK):
        if found := _TEXT_IMPORT.search(rest + data):
            word, name = found.groups()
            module = re.split(rb"[ci]", word, maxsplit=1)[1]
            what = (module + b" " + name).decode("ascii", "replace")[:200]
            state.add(place, f"it may be a pickle that imports {what!a}")
            return
        rest = data[-300:]


def _scan_keras(state: _Scan, file: BinaryIO, place: str) -> None:
    """Look for layers that carry Python code, wherever a Keras config may be."""
    rest = b""
    while data := file.read(_CHUNK):
        if _LAMBDA.search(rest + data):
            state.add(place, "it has a Keras layer that is code")
            return
        rest = data[-100:]


def _expand(state: _Scan, stream: IO[bytes]) -> BinaryIO:
    """Return what a member holds, on disk where it is large."""
    state.members += 1
    if state.members > MAX_MEMBERS:
        raise _TooMuchError
    data = cast("BinaryIO", SpooledTemporaryFile(_MEMORY_BYTES))  # noqa: SIM115
    try:
        while chunk := stream.read(_CHUNK):
            state.count(len(chunk))
            data.write(chunk)
    except BaseException:
        data.close()
        raise
    return data
