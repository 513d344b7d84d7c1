"""Tells formats apart by content, and reads the shape of a model where it is cheap."""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import TYPE_CHECKING

from gitmodel.domain.architecture import Architecture, Tensor
from gitmodel.errors import InputError
from gitmodel.formats.probes import archives, gguf, onnx, pickles, safetensors

if TYPE_CHECKING:
    from typing import BinaryIO

OPAQUE = "opaque"

_HDF5 = b"\x89HDF\r\n\x1a\n"
_HDF5_PLACES = (0, 512, 1024, 2048, 4096)
_MAGICS = (
    (0, b"\x93NUMPY", "npy"),
    (4, b"TFL3", "tflite"),
    (0, b"PAR1", "parquet"),
    (0, b"ARROW1", "arrow"),
    (257, b"ustar", "tar"),
    *((place, _HDF5, "hdf5") for place in _HDF5_PLACES),
)
_CONTROL = frozenset(range(32)) - frozenset(b"\t\n\f\r")
_UTF8_BYTES = 4


@dataclass(frozen=True, slots=True, kw_only=True)
class Probe:
    """What the content of a file says.

    Attributes:
        format: Such as ``safetensors``; ``opaque`` if it is not known.
        tensors: Its table of tensors; None unless it is safetensors or GGUF. The
            architecture of a model in several files is ``Architecture.of`` all.
        note: Why a file that begins like a known format is not taken for one, as a
            sentence; "" if there is nothing to say.
    """

    format: str
    tensors: tuple[Tensor, ...] | None = None
    note: str = ""


def probe(file: BinaryIO, size: int) -> Probe:
    """Look at a file of ``size`` bytes, which can seek and is read from its start.

    Raises:
        OSError: It cannot be read. What it holds never raises.
    """
    file.seek(0)
    head = file.read(pickles.HEAD_BYTES)
    name = OPAQUE
    try:
        if head.startswith(gguf.MAGIC):
            name = "gguf"
            return Probe(format=name, tensors=gguf.read_tensors(file, size))
        if safetensors.resembles(head, size):
            name = "safetensors"
            return Probe(format=name, tensors=safetensors.read_tensors(file, size))
        if head.startswith(archives.MAGICS):
            name = "zip"
            return Probe(format=archives.format_of(file, size))
    except InputError as error:
        return Probe(format=OPAQUE, note=f"It begins like {name}, but {error}.")
    return Probe(format=_by_head(head) or _by_fields(file, size) or _by_text(head))


def identify(file: BinaryIO, size: int) -> str:
    """Return the format of a file of ``size`` bytes; see ``probe``."""
    return probe(file, size).format


def architecture(file: BinaryIO, kind: str, size: int) -> Architecture | None:
    """Return the shape of the model in a file whose format is ``kind``.

    None where the format has no table of tensors that can be read without a
    framework, or where the file is not what it was said to be.
    """
    if kind not in {"safetensors", "gguf"}:
        return None
    tensors = probe(file, size).tensors
    return None if tensors is None else Architecture.of(tensors)


def _by_head(head: bytes) -> str | None:
    for place, magic, name in _MAGICS:
        if head.startswith(magic, place):
            return name
    found = pickles.format_of(head)
    if found is None and (expanded := pickles.expand(head)) is not None:
        outside, inside = expanded
        return pickles.format_of(inside) or outside
    return found


def _by_fields(file: BinaryIO, size: int) -> str | None:
    return "onnx" if onnx.is_onnx(file, size) else None


def _by_text(head: bytes) -> str:
    """Return ``json`` or ``text`` for what people can read, else ``opaque``."""
    if not head or not _CONTROL.isdisjoint(head):
        return OPAQUE
    try:
        text = head.decode()
    except UnicodeDecodeError as error:
        if len(head) < pickles.HEAD_BYTES or error.start < len(head) - _UTF8_BYTES:
            return OPAQUE
        text = head[: error.start].decode()
    if text.lstrip()[:1] not in {"{", "["}:
        return "text"
    if len(head) < pickles.HEAD_BYTES:
        try:
            json.loads(text)
        except (ValueError, RecursionError):
            return "text"
    return "json"
