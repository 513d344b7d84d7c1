"""Formats are told apart by content; nothing is believed and nothing is run."""

from __future__ import annotations

import bz2
import gzip
import io
import json
import lzma
import os
import pickle
import pickletools
import struct
import tarfile
import zlib
from io import BytesIO
from typing import Any

import pytest

from gitmodel.domain.architecture import Architecture, Tensor
from gitmodel.formats.probes import Probe, architecture, identify, probe
from tests.support.model_files import (
    a_gguf,
    a_safetensors,
    a_zip,
    an_onnx,
    gguf_string,
)


def _probe(data: bytes) -> Probe:
    return probe(BytesIO(data), len(data))


class _Command:
    """Runs a command when it is unpickled."""

    def __init__(self, marker: str) -> None:
        self._marker = marker

    def __reduce__(self) -> tuple[Any, ...]:
        return os.system, (f"touch {self._marker}",)


class _Model:
    """Something that is pickled by the name of its class."""


def _tar() -> bytes:
    out = io.BytesIO()
    with tarfile.open(fileobj=out, mode="w") as archive:
        archive.addfile(tarfile.TarInfo("a"))
    return out.getvalue()


# Written by joblib 1.6: dump([1]) has no mark of joblib; an array has.
_JOBLIB = (
    b"\x80\x04\x95\x6f\x00\x00\x00\x00\x00\x00\x00"
    b"\x8c\x13joblib.numpy_pickle\x94\x8c\x11NumpyArrayWrapper\x94\x93\x94)\x81\x94"
    b"}\x94\x8c\x05shape\x94K\x03\x85\x94sb\xff\xfe\xfd raw array bytes"
)
# torch.save(..., _use_new_zipfile_serialization=False) begins with this.
_OLD_TORCH = b"\x80\x02\x8a\nl\xfc\x9cF\xf9 j\xa8P\x19.\x80\x02M\xe9\x03."


@pytest.mark.parametrize(
    ("data", "kind"),
    [
        (a_safetensors(), "safetensors"),
        (a_safetensors({}), "safetensors"),
        (a_gguf(), "gguf"),
        (an_onnx(), "onnx"),
        (a_zip(["archive/data.pkl", "archive/version", "archive/data/0"]), "pytorch"),
        (a_zip(["data.pkl", "version"]), "pytorch"),
        (a_zip(["ts/data.pkl", "ts/constants.pkl", "ts/code/x.py"]), "torchscript"),
        (a_zip(["schema.json", "0.npy"]), "skops"),
        (a_zip(["config.json", "metadata.json", "model.weights.h5"]), "keras"),
        (a_zip(["a.npy", "b.npy"]), "npz"),
        (a_zip(["a.txt", "b.npy"]), "zip"),
        (a_zip([]), "zip"),
        (a_zip(["archive/data.pkl"], comment=b"PK\x05\x06" * 9), "pytorch"),
        (_OLD_TORCH, "pytorch"),
        (_JOBLIB, "joblib"),
        (gzip.compress(_JOBLIB, mtime=0), "joblib"),
        (zlib.compress(_JOBLIB), "joblib"),
        (bz2.compress(_JOBLIB), "joblib"),
        (lzma.compress(_JOBLIB), "joblib"),
        (lzma.compress(_JOBLIB, lzma.FORMAT_ALONE), "joblib"),
        (b"\x89HDF\r\n\x1a\n" + bytes(100), "hdf5"),
        (bytes(512) + b"\x89HDF\r\n\x1a\n" + bytes(100), "hdf5"),
        (b"\x93NUMPY\x01\x00v\x00{}", "npy"),
        (b"\x1c\x00\x00\x00TFL3" + bytes(20), "tflite"),
        (b"PAR1" + bytes(20), "parquet"),
        (_tar(), "tar"),
        (gzip.compress(b"a,b\n1,2\n", mtime=0), "gzip"),
        (b'{"a": 1}\n', "json"),
        (b"[1, 2]", "json"),
        (b"{not json", "text"),
        (b"# Read me\n", "text"),
        ("größe: 3\n".encode(), "text"),
        (b"config: 1\nname: 2\n", "text"),
        (b"", "opaque"),
        (b"\x00", "opaque"),
        (b"\x80", "opaque"),
        (b"\xff\xfe\xfd", "opaque"),
        (b"\x80\x04\xff\xff\xff", "opaque"),
        (b"x\x9cnot compressed", "opaque"),
        (b"\x1f\x8bnot compressed", "opaque"),
        (bytes(5000), "opaque"),
    ],
)
def test_content_tells_the_format(data: bytes, kind: str) -> None:
    assert _probe(data) == Probe(format=kind, tensors=_probe(data).tensors)


@pytest.mark.parametrize("protocol", range(6))
def test_a_pickle_that_imports_is_found_in_every_protocol(protocol: int) -> None:
    data = pickle.dumps({"model": _Model(), "n": 1}, protocol=protocol)
    assert identify(BytesIO(data), len(data)) == "pickle"
    assert identify(BytesIO(pickletools.optimize(data)), len(data)) == "pickle"
    assert _probe(zlib.compress(data)).format == "pickle"


def test_a_pickle_of_plain_data_is_found_where_it_has_a_mark() -> None:
    assert _probe(pickle.dumps({"a": 1}, protocol=2)).format == "pickle"
    assert _probe(pickle.dumps({"a": 1}, protocol=0)).format == "text"


@pytest.mark.parametrize("protocol", [0, 2, 5])
def test_a_pickle_longer_than_the_head_is_found(protocol: int) -> None:
    data = pickle.dumps([_Model(), "x" * 300_000, [1] * 100_000], protocol=protocol)
    assert _probe(data).format == "pickle"


@pytest.mark.parametrize("protocol", range(6))
def test_a_malicious_pickle_is_named_and_not_run(protocol: int, tmp_path: Any) -> None:
    marker = tmp_path / "run"
    data = pickle.dumps(_Command(str(marker)), protocol=protocol)
    for variant in (data, data + b"trailing", gzip.compress(data, mtime=0)):
        assert _probe(variant).format == "pickle"
    assert not marker.exists()


def test_long_text_is_text_even_if_cut_inside_a_character() -> None:
    for padding in range(4):
        data = b"x" * padding + "\u20ac".encode() * 50_000
        assert _probe(data).format == "text"


def test_a_broken_header_is_opaque_with_the_reason() -> None:
    found = _probe(a_safetensors()[:-1])
    assert found.format == "opaque"
    assert found.tensors is None
    assert "begins like safetensors" in found.note
    assert "do not cover the file" in found.note
    assert _probe(a_gguf()[:60]).note.startswith("It begins like gguf, but")
    assert _probe(a_zip(["a"])[:-5]).note.startswith("It begins like zip, but")


def test_the_tables_of_tensors_are_read() -> None:
    assert _probe(a_safetensors()).tensors == (
        Tensor("w", "F32", (3, 4)),
        Tensor("b", "F16", (4,)),
    )
    assert _probe(a_gguf()).tensors == (
        Tensor("token_embd.weight", "F32", (4, 3)),
        Tensor("output.weight", "Q4_0", (32, 2)),
    )


def test_the_architecture_is_that_of_the_tensors() -> None:
    data = a_safetensors()
    tensors = _probe(data).tensors
    assert tensors is not None
    found = architecture(BytesIO(data), "safetensors", len(data))
    assert found == Architecture.of(tensors)
    assert found.parameters == 16
    assert architecture(BytesIO(b"x"), "safetensors", 1) is None
    assert architecture(BytesIO(an_onnx()), "onnx", len(an_onnx())) is None


def test_it_does_not_matter_where_the_file_stands() -> None:
    file = BytesIO(a_safetensors())
    file.seek(7)
    assert identify(file, len(file.getvalue())) == "safetensors"


@pytest.mark.parametrize(
    "data",
    [
        an_onnx()[:-1],
        an_onnx() + b"\x00",
        an_onnx()[2:],  # no IR version
        b"\x08\x08\x42\x04\x0a\x00\x10\x11",  # no graph
        b"\x08\x08\x3a\x03\x12\x01g",  # no operator set
        an_onnx().replace(b"\x08\x08", b"\x0a\x08"),  # IR version of another type
        an_onnx() + b"\x3a" + b"\xff" * 11,
        an_onnx() + b"\x3a\xff\xff\xff\xff\xff\xff\xff\xff\x7f",
    ],
)
def test_what_only_resembles_onnx_is_opaque(data: bytes) -> None:
    assert _probe(data).format != "onnx"


def test_a_zip_that_lies_about_its_directory_is_opaque() -> None:
    data = bytearray(a_zip(["a", "b"]))
    end = data.rindex(b"PK\x05\x06")
    struct.pack_into("<I", data, end + 12, 1 << 31)
    assert _probe(bytes(data)).format == "opaque"
    data = bytearray(a_zip(["a", "b"]))
    place = data.index(b"PK\x01\x02")
    data[place] = 0
    assert _probe(bytes(data)).format == "opaque"


def test_a_zip64_archive_is_read() -> None:
    # What zipfile writes for more than 65,535 members.
    data = a_zip(f"archive/data/{index}" for index in range(66_000))
    assert b"PK\x06\x06" in data
    assert _probe(data).format == "zip"
    assert _probe(a_zip(["a/data.pkl"]) + b"").format == "pytorch"


def test_a_claim_of_endless_content_is_refused_quickly() -> None:
    claims = [
        a_gguf(counts=(2**63, 0)),
        a_gguf(counts=(0, 2**63)),
        b"GGUF"
        + struct.pack("<IQQ", 3, 0, 1)
        + gguf_string("k")
        + struct.pack("<IIQ", 9, 8, 2**60),
        struct.pack("<Q", 2**63) + b"{}",
        struct.pack("<Q", 99_999_999) + b"{}",
        b"\x80\x04\x8e" + struct.pack("<Q", 2**62),
        b"\x80\x04\x8b" + struct.pack("<i", 2**30),
    ]
    for claim in claims:
        assert _probe(claim).format in {"opaque", "pickle"}


def test_json_too_deep_for_the_parser_is_text() -> None:
    assert _probe(b"[" * 60_000).format == "text"
    nested = json.dumps({"a": 1}).encode() + b" " * 10
    assert _probe(nested).format == "json"
