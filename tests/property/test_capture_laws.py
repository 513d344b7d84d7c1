"""Laws of what is captured: data digests, metrics, parameters, addresses."""

from __future__ import annotations

import hashlib
import json
import math
import os
import tempfile
from pathlib import Path
from typing import TYPE_CHECKING, Any

from hypothesis import assume, given, settings
from hypothesis import strategies as st

from gitmodel.adapters.capture.code import without_credentials
from gitmodel.adapters.capture.data import hash_path, parse_data
from gitmodel.adapters.capture.environment import normalise
from gitmodel.domain.metrics import compare, direction_of, parse_metric
from gitmodel.domain.parameters import parse_parameter
from gitmodel.errors import InputError

if TYPE_CHECKING:
    from collections.abc import Mapping

PRINTABLE = st.characters(exclude_categories=["C"], exclude_characters="/\\")
PARTS = st.text(
    PRINTABLE,
    min_size=1,
    max_size=8,
).filter(lambda part: part not in {".", ".."} and len(part.encode()) < 100)
PATHS = st.lists(PARTS, min_size=1, max_size=3).map("/".join)


def possible(files: Mapping[str, bytes]) -> bool:
    """Say whether no file would have to be a directory as well."""
    return not any(
        f"{one}/" == other[: len(one) + 1] for one in files for other in files
    )


TREES = st.dictionaries(PATHS, st.binary(max_size=64), min_size=1, max_size=8).filter(
    possible
)


def write(root: Path, files: Mapping[str, bytes], when: int) -> Path:
    for name, content in files.items():
        file = root / name
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_bytes(content)
        os.utime(file, (when, when))
    return root


@given(files=TREES, data=st.data())
@settings(deadline=None)
def test_a_tree_digest_is_a_function_of_paths_and_bytes(
    files: dict[str, bytes], data: st.DataObject
) -> None:
    order = data.draw(st.permutations(sorted(files)))
    with tempfile.TemporaryDirectory() as one, tempfile.TemporaryDirectory() as other:
        first = hash_path(write(Path(one), files, 1))
        second = hash_path(write(Path(other), {n: files[n] for n in order}, 10**9))
    lines = sorted(
        f"{hashlib.sha256(content).hexdigest()}  {name}\n".encode()
        for name, content in files.items()
    )
    assert first == second
    assert first.hex == hashlib.sha256(b"".join(lines)).hexdigest()


@given(files=TREES, others=TREES)
@settings(deadline=None)
def test_different_trees_have_different_digests(
    files: dict[str, bytes], others: dict[str, bytes]
) -> None:
    assume(files != others)
    with tempfile.TemporaryDirectory() as one, tempfile.TemporaryDirectory() as other:
        assert hash_path(write(Path(one), files, 1)) != hash_path(
            write(Path(other), others, 1)
        )


@given(
    st.from_regex(r"[a-z0-9][a-z0-9._/-]{0,20}", fullmatch=True),
    st.none() | st.from_regex(r"[0-9][a-z0-9._+-]{0,10}", fullmatch=True),
    st.from_regex(r"s3://[a-z0-9/@=._-]{1,30}", fullmatch=True),
    st.binary(min_size=32, max_size=32),
)
def test_an_address_comes_back_as_it_was(
    name: str, version: str | None, uri: str, digest: bytes
) -> None:
    key = f"{name}@{version}" if version else name
    found = parse_data(f"{key}={uri}@sha256:{digest.hex()}")
    assert (found.name, found.version, found.uri) == (name, version, uri)
    assert found.digest.hex == digest.hex()


@given(st.text(max_size=40))
def test_any_data_argument_is_read_or_refused(text: str) -> None:
    assume(not os.path.exists(text.partition("=")[2]))  # noqa: PTH110
    try:
        found = parse_data(text)
    except InputError:
        return
    assert text.startswith(found.name)


NUMBERS = st.floats(allow_nan=False, allow_infinity=False) | st.integers(
    -(10**15) + 1, 10**15 - 1
)
METRICS = st.dictionaries(
    st.sampled_from(["test", "validation"]),
    st.dictionaries(st.sampled_from(["accuracy", "loss", "f1"]), NUMBERS),
)
MIRRORED = {"better": "worse", "worse": "better", "same": "same", "unknown": "unknown"}


@given(NUMBERS)
def test_a_number_comes_back_as_it_was(number: float) -> None:
    found = parse_metric(f"test.x={number!r}")[2]
    assert found == number
    assert type(found) is type(number)


@given(st.text(max_size=20))
def test_any_metric_is_finite_or_refused(text: str) -> None:
    try:
        found = parse_metric(f"x={text}")[2]
    except InputError:
        return
    assert math.isfinite(found)


@given(METRICS)
def test_nothing_changes_between_a_version_and_itself(metrics: Any) -> None:
    deltas = compare(metrics, metrics)
    assert {delta.verdict for delta in deltas} <= {"same"}
    assert len(deltas) == sum(len(measured) for measured in metrics.values())


@given(METRICS, METRICS)
def test_comparing_backwards_mirrors_the_verdict(one: Any, other: Any) -> None:
    forwards, backwards = compare(one, other), compare(other, one)
    for there, back in zip(forwards, backwards, strict=True):
        assert (there.set, there.name) == (back.set, back.name)
        assert back.verdict == MIRRORED[there.verdict]
        assert (there.before, there.after) == (back.after, back.before)


@given(st.text(max_size=30))
def test_every_name_has_a_direction(name: str) -> None:
    assert direction_of(name) in {"higher", "lower"}


JSON = st.recursive(
    st.none()
    | st.booleans()
    | st.integers()
    | st.floats(allow_nan=False, allow_infinity=False)
    | st.text(PRINTABLE),
    lambda inner: st.lists(inner) | st.dictionaries(st.text("abc"), inner),
    max_leaves=8,
)


@given(JSON)
def test_json_parameters_come_back_as_they_were(value: object) -> None:
    try:
        found = parse_parameter(f"x={json.dumps(value)}")[1]
    except InputError as error:
        assert "levels" in error.message  # noqa: PT017
    else:
        assert found == value


@given(st.text(max_size=30))
def test_any_parameter_fits_a_manifest_or_is_refused(text: str) -> None:
    try:
        found = parse_parameter(f"x={text}")[1]
    except InputError:
        return
    json.dumps(found, allow_nan=False, ensure_ascii=False).encode()


@given(
    st.sampled_from(["https", "http", "ssh", "git+https", "x::https"]),
    st.text(st.characters(exclude_characters="/?#", codec="ascii"), min_size=1),
    st.from_regex(r"[a-z]{1,10}(/[a-z@:]{0,10})?", fullmatch=True),
)
def test_passwords_never_survive(scheme: str, password: str, place: str) -> None:
    cleaned = without_credentials(f"{scheme}://me:{password}@{place}")
    user = "me@" if scheme == "ssh" else ""
    assert cleaned == f"{scheme}://{user}{place}"
    assert without_credentials(cleaned) == cleaned


@given(st.text("aB-_.", min_size=1))
def test_normalising_twice_changes_nothing(name: str) -> None:
    assert normalise(normalise(name)) == normalise(name)
