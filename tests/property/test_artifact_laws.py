"""Laws of artifacts: pointers, digests, names, and headers made of anything."""

from __future__ import annotations

import hashlib
import tempfile
from contextlib import suppress
from io import BytesIO
from pathlib import Path
from typing import TYPE_CHECKING

from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st

from gitmodel.adapters.lfs.checkout import copy_out_all
from gitmodel.adapters.lfs.ingest import hash_files, ingest
from gitmodel.adapters.lfs.store import Store
from gitmodel.domain.architecture import Architecture, Tensor
from gitmodel.domain.artifact import (
    ROLES,
    Artifact,
    artifact_name_problem,
    collisions,
    role_of,
)
from gitmodel.domain.digest import Digest
from gitmodel.errors import InputError
from gitmodel.formats.lfs_pointer import EMPTY, Pointer, resembles_pointer
from gitmodel.formats.probes import gguf, probe, safetensors
from tests.support.model_files import a_gguf, a_safetensors, a_zip, an_onnx

if TYPE_CHECKING:
    from random import Random

digests = st.binary(min_size=32, max_size=32).map(lambda data: Digest(data.hex()))
pointers = st.builds(Pointer, digests, st.integers(1, 2**63 - 1)) | st.just(
    Pointer(EMPTY, 0)
)
tensors = st.builds(
    Tensor,
    st.text(max_size=20),
    st.sampled_from(["F32", "BF16", "Q4_0"]),
    st.lists(st.integers(0, 10_000), max_size=4).map(tuple),
)


@given(pointers)
def test_a_pointer_is_read_as_it_was_written(pointer: Pointer) -> None:
    data = pointer.to_bytes()
    assert Pointer.parse(data) == pointer
    assert resembles_pointer(data, len(data)) == (pointer.size > 0)


@given(pointers, st.data())
def test_a_pointer_has_one_spelling(pointer: Pointer, data: st.DataObject) -> None:
    text = bytearray(pointer.to_bytes() or b"\n")
    place = data.draw(st.integers(0, len(text) - 1))
    text[place] = data.draw(st.integers(0, 255))
    other = Pointer.parse(bytes(text))
    assert other is None or other.to_bytes() == bytes(text)


@settings(max_examples=25, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(
    st.lists(
        st.one_of(
            st.binary(max_size=3000),
            st.tuples(st.binary(max_size=50), st.integers(0, 300_000)).map(
                lambda parts: parts[0] * 1000 + bytes(parts[1])
            ),
        ),
        max_size=8,
    )
)
def test_what_is_stored_is_what_was_given(contents: list[bytes]) -> None:
    with tempfile.TemporaryDirectory() as name:
        root = Path(name)
        sources = [root / str(index) for index in range(len(contents))]
        for source, content in zip(sources, contents, strict=True):
            source.write_bytes(content)
        store = Store(root / "lfs")
        stored = ingest(sources, store)
        expected = [hashlib.sha256(content).hexdigest() for content in contents]
        assert [item.digest.hex for item in stored] == expected
        assert hash_files(sources) == [item.pointer for item in stored]
        assert store.verify_all([item.pointer for item in stored]) == [None] * len(
            contents
        )
        outs = [root / "out" / str(index) for index in range(len(contents))]
        copy_out_all(
            store,
            [(item.pointer, out) for item, out in zip(stored, outs, strict=True)],
        )
        assert [out.read_bytes() for out in outs] == contents


@given(st.text(max_size=40) | st.from_regex(r"[a-z./ \\:~A-Z]{0,12}", fullmatch=True))
@example("a/.GIT/b")
@example("\ud800")
def test_a_name_is_safe_or_refused(name: str) -> None:
    if artifact_name_problem(name) is None:
        path = Path("/root") / name
        assert str(path) == f"/root/{name}"
        assert ".." not in path.parts
        assert not any(character < " " for character in name)
        assert not any(part.lower().startswith(".git") for part in path.parts)
        assert name.encode().decode() == name
    assert role_of(name) in ROLES


@given(st.lists(st.from_regex(r"[aAbB](/[aAbB]){0,2}", fullmatch=True), max_size=6))
def test_without_collisions_every_name_can_exist(names: list[str]) -> None:
    if not collisions(names):
        folded = [name.lower() for name in names]
        assert len(set(folded)) == len(folded)
        for name in folded:
            assert not any(other.startswith(f"{name}/") for other in folded)


@given(digests, st.integers(0, 2**63), st.sampled_from(ROLES), st.text(max_size=9))
def test_an_artifact_is_read_as_it_was_written(
    digest: Digest, size: int, role: str, kind: str
) -> None:
    artifact = Artifact(path="a/b", role=role, digest=digest, size=size, format=kind)
    assert Artifact.from_dict(artifact.to_dict()) == artifact


@given(st.lists(tensors, max_size=6), st.randoms())
def test_a_signature_depends_on_the_set_alone(
    rows: list[Tensor], random: Random
) -> None:
    shuffled = list(rows)
    random.shuffle(shuffled)
    found = Architecture.of(rows)
    assert found == Architecture.of(shuffled)
    assert Architecture.from_dict(found.to_dict()) == found


# Hostile bytes: a header parser answers or raises InputError, and probe only answers.

SEEDS = (
    a_safetensors(),
    a_gguf(),
    an_onnx(),
    a_zip(["a/data.pkl", "b"]),
    b"\x80\x04\x8c\x02os\x8c\x06system\x93.",
    b"cos\nsystem\n(S'id'\ntR.",
    b"\x1f\x8b\x08\x00",
    b"\x5d\x00\x00\x80\x00",
)


@st.composite
def damaged(draw: st.DrawFn) -> bytes:
    data = bytearray(draw(st.sampled_from(SEEDS)))
    for _ in range(draw(st.integers(1, 6))):
        place = draw(st.integers(0, len(data)))
        match draw(st.sampled_from(["set", "cut", "insert", "grow"])):
            case "set" if place < len(data):
                data[place] = draw(st.integers(0, 255))
            case "cut":
                del data[place : place + draw(st.integers(1, 20))]
            case "insert":
                data[place:place] = draw(st.binary(max_size=20))
            case _:
                data[place : place + 8] = draw(
                    st.sampled_from([2**64 - 1, 2**63, 2**32, 10**8, 0])
                ).to_bytes(8, "little")
    return bytes(data)


@settings(max_examples=400, deadline=2000)
@given(st.binary(max_size=200) | damaged())
def test_nothing_that_a_file_holds_makes_a_probe_fail(data: bytes) -> None:
    found = probe(BytesIO(data), len(data))
    assert found.format
    assert (found.tensors is not None) == (found.format in {"safetensors", "gguf"})
    assert not found.note or found.format == "opaque"


@settings(max_examples=300, deadline=2000)
@given(
    st.binary(max_size=100).map(lambda data: b"GGUF\x03\x00\x00\x00" + data) | damaged()
)
def test_a_gguf_header_is_read_or_refused(data: bytes) -> None:
    with suppress(InputError):
        gguf.read_tensors(BytesIO(data), len(data))


@settings(max_examples=300, deadline=2000)
@given(
    st.binary(max_size=100).map(lambda data: len(data).to_bytes(8, "little") + data)
    | st.text(alphabet='{}[]",:0129ab\\u', max_size=60).map(
        lambda text: len(text).to_bytes(8, "little") + text.encode()
    )
    | damaged()
)
def test_a_safetensors_header_is_read_or_refused(data: bytes) -> None:
    with suppress(InputError):
        safetensors.read_tensors(BytesIO(data), len(data))
