from __future__ import annotations

import collections
import datetime as dt
import io
import json
import pickle
import struct
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from gitmodel.formats import pickle_scan
from gitmodel.formats.pickle_scan import Suspicion, scan
from gitmodel.formats.pickle_walk import walk
from tests.support.malware import samples, zipped

MALICIOUS = sorted(samples(Path("marker")))


def look(name: str, data: bytes) -> tuple[Suspicion, ...]:
    return scan(io.BytesIO(data), len(data), name)


def safetensors() -> bytes:
    header = json.dumps(
        {"w": {"dtype": "F32", "shape": [2], "data_offsets": [0, 8]}}
    ).encode()
    return struct.pack("<Q", len(header)) + header + bytes(8)


def npy(array: Any) -> bytes:
    data = io.BytesIO()
    np.save(data, array, allow_pickle=False)
    return data.getvalue()


@pytest.mark.parametrize("name", MALICIOUS)
def test_what_would_run_code_is_found_and_never_runs(name: str, tmp_path: Path) -> None:
    marker = tmp_path / "marker"
    assert look(name, samples(marker)[name])
    assert not marker.exists()


def test_the_samples_are_dangerous(tmp_path: Path) -> None:
    """Load one of them, to know that the marker would tell."""
    marker = tmp_path / "marker"
    data = samples(marker)
    for name in ("reduce.pkl", "memo.pkl", "hex-integer.bin", "inst.pkl"):
        pickle.loads(data[name])  # noqa: S301 that is the point
        assert marker.exists(), name
        marker.unlink()


TORCH = {
    "m/data.pkl": b"\x80\x02ccollections\nOrderedDict\nq\x00)Rq\x01X\x01\x00\x00\x00wq"
    b"\x02ctorch._utils\n_rebuild_tensor_v2\nq\x03((X\x07\x00\x00\x00storageq\x04ctorch"
    b"\nFloatStorage\nq\x05X\x01\x00\x00\x000q\x06X\x03\x00\x00\x00cpuq\x07K\x02tq\x08Q"
    b"K\x00K\x02\x85q\x09K\x01\x85q\x0a\x89h\x00)Rq\x0btq\x0cRq\x0ds.",
    "m/byteorder": b"little",
    "m/data/0": struct.pack("<2f", 0.25, -7.5),
    "m/version": b"3\n",
    "m/.data/serialization_id": b"1234567890",
}
BENIGN = {
    "empty": b"",
    "dict.pkl": pickle.dumps({"a": [1, 2.5, None, "x", b"y"], "b": {1, 2}}),
    "protocol0.pkl": pickle.dumps({"a": (1, "x")}, protocol=0),
    "ordered.pkl": pickle.dumps(collections.OrderedDict(a=1)),
    "date.pkl": pickle.dumps(dt.date(2026, 2, 14)),
    "array.pkl": pickle.dumps(np.arange(4.0)),
    "array2.pkl": pickle.dumps(np.arange(4), protocol=2),
    "scalar.pkl": pickle.dumps(np.float32(2.0)),
    "weights.npy": npy(np.arange(4.0)),
    "weights.npz": zipped({"a.npy": npy(np.arange(4.0))}),
    "model.safetensors": safetensors(),
    "model.pt": zipped(TORCH),
    "config.json": b'{"hidden": 3}',
    "vocab.txt": b"cat\ndog\nos\nsystem\nimport os\n(paren)\n",
}


@pytest.mark.parametrize("name", BENIGN)
def test_what_runs_nothing_passes(name: str) -> None:
    assert look(name, BENIGN[name]) == ()


def test_estimators_of_scikit_learn_pass() -> None:
    ensemble = pytest.importorskip("sklearn.ensemble")
    linear = pytest.importorskip("sklearn.linear_model")
    pipeline = pytest.importorskip("sklearn.pipeline")
    scaling = pytest.importorskip("sklearn.preprocessing")
    x, y = np.arange(20.0).reshape(10, 2), np.arange(10) % 2
    steps = [("a", scaling.StandardScaler()), ("b", linear.LogisticRegression())]
    for model in (
        pipeline.Pipeline(steps).fit(x, y),
        ensemble.RandomForestClassifier(n_estimators=2).fit(x, y),
    ):
        assert look("model.pkl", pickle.dumps(model)) == ()


def test_a_finding_says_where_it_is() -> None:
    found = look("m.pt", samples(Path("marker"))["hidden-member.pt"])
    assert found == (
        Suspicion("m.pt!archive/extra/readme", "it imports 'posix system'"),
    )


def test_an_archive_that_unpacks_to_too_much_fails(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(pickle_scan, "MAX_EXPANDED_BYTES", 1000)
    data = zipped({"zeros.txt": b"0" * 2000})
    assert [one.message for one in look("b.zip", data)] == [
        "it unpacks to more than can be looked at"
    ]


def test_archives_nested_without_end_fail() -> None:
    data = b"hello"
    for _ in range(pickle_scan.MAX_DEPTH + 1):
        data = zipped({"a.zip": data})
    assert [one.message for one in look("a.zip", data)] == [
        "it is nested too deeply to be looked at"
    ]


def test_every_prefix_of_a_malicious_pickle_is_survived() -> None:
    for data in samples(Path("marker")).values():
        for length in range(0, min(len(data), 200), 7):
            walk(io.BytesIO(data[:length]))
            look("x", data[:length])
