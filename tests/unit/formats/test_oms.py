from __future__ import annotations

import hashlib
import json
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from gitmodel.domain.digest import Digest
from gitmodel.errors import InputError, IntegrityError
from gitmodel.formats import oms
from gitmodel.formats.bundle import Bundle

if TYPE_CHECKING:
    from collections.abc import Callable

FILES = [
    (name, Digest.of(name.encode()))
    for name in ("manifest.yaml", "artifacts/a/z", "artifacts/a-b", "artifacts/a.txt")
]
VECTOR = Path(__file__).parents[2] / "examples/oms/key.bundle.json"


def _document() -> dict[str, Any]:
    document: dict[str, Any] = json.loads(oms.statement("1.0.0", FILES))
    return document


def _read(document: object) -> dict[str, Digest]:
    return oms.resources_of(json.dumps(document).encode())


def test_statement_is_what_the_specification_says() -> None:
    document = _document()
    names = ["artifacts/a-b", "artifacts/a.txt", "artifacts/a/z", "manifest.yaml"]
    digests = [hashlib.sha256(name.encode()) for name in names]
    root = hashlib.sha256(b"".join(digest.digest() for digest in digests)).hexdigest()
    assert document == {
        "_type": "https://in-toto.io/Statement/v1",
        "subject": [{"name": "1.0.0", "digest": {"sha256": root}}],
        "predicateType": "https://model_signing/signature/v1.0",
        "predicate": {
            "serialization": {
                "method": "files",
                "hash_type": "sha256",
                "allow_symlinks": False,
                "ignore_paths": [],
            },
            "resources": [
                {"name": name, "algorithm": "sha256", "digest": digest.hexdigest()}
                for name, digest in zip(names, digests, strict=True)
            ],
        },
    }


def test_round_trip_whatever_the_order_given() -> None:
    payload = oms.statement("1.0.0", FILES)
    assert payload == oms.statement("1.0.0", reversed(FILES))
    assert oms.resources_of(payload) == dict(FILES)
    assert list(oms.resources_of(payload)) == sorted(name for name, _ in FILES)


def test_published_vector_is_read() -> None:
    bundle = Bundle.from_bytes(VECTOR.read_bytes(), VECTOR.name)
    assert list(oms.resources_of(bundle.payload)) == ["signme-1", "signme-2"]


ESCAPING = [
    "",
    ".",
    "..",
    "../k.pub",
    "a/../../b",
    "/etc/passwd",
    "a//b",
    "a/",
    "./a",
    "a/./b",
    "..\\k",
    "C:/x",
    "c:x",
    "a\x00b",
    "a\nb",
]


@pytest.mark.parametrize("name", ESCAPING)
def test_names_that_escape_are_not_signed(name: str) -> None:
    with pytest.raises(InputError):
        oms.statement("1.0.0", [(name, Digest.of(b""))])


@pytest.mark.parametrize("name", [*ESCAPING, 7, None])
def test_names_that_escape_are_not_read(name: object) -> None:
    document = _document()
    document["predicate"]["resources"][0]["name"] = name
    with pytest.raises(IntegrityError) as caught:
        _read(document)
    assert caught.value.code == "E_OMS"


def test_ordinary_odd_names_are_fine() -> None:
    names = ["...", "..a", "a..", ".git/x", "naïve 模型.bin", "ab:c", "a b"]
    files = [(name, Digest.of(name.encode())) for name in names]
    assert oms.resources_of(oms.statement("m", files)) == dict(files)


def test_duplicates_and_empty_models_are_refused() -> None:
    with pytest.raises(InputError, match="twice"):
        oms.statement("m", [FILES[0], FILES[0]])
    with pytest.raises(InputError, match="without files"):
        oms.statement("m", [])


def _first(document: Any) -> Any:
    return document["predicate"]["resources"][0]


HOSTILE: dict[str, Callable[[Any], object]] = {
    "other predicate type": lambda d: d.update(
        predicateType="https://model_signing/Digests/v0.1"
    ),
    "other statement type": lambda d: d.update(_type="x"),
    "shards": lambda d: d["predicate"]["serialization"].update(method="shards"),
    "blake3": lambda d: d["predicate"]["serialization"].update(hash_type="blake3"),
    "one blake3 file": lambda d: _first(d).update(algorithm="blake3"),
    "changed digest": lambda d: _first(d).update(digest="ab" * 32),
    "upper-case digest": lambda d: _first(d).update(digest=_first(d)["digest"].upper()),
    "digest is null": lambda d: _first(d).update(digest=None),
    "root digest": lambda d: d["subject"][0]["digest"].update(sha256="ab" * 32),
    "two subjects": lambda d: d.update(subject=d["subject"] * 2),
    "no subject": lambda d: d.update(subject=[]),
    "no resources": lambda d: d["predicate"].update(resources=[]),
    "resources is an object": lambda d: d["predicate"].update(resources={"a": 1}),
    "file dropped": lambda d: d["predicate"]["resources"].pop(),
    "file twice": lambda d: d["predicate"]["resources"].append(_first(d)),
    "order changed": lambda d: d["predicate"]["resources"].reverse(),
    "no predicate": lambda d: d.pop("predicate"),
    "predicate is a string": lambda d: d.update(predicate="x"),
    "resource is a string": lambda d: d["predicate"].update(resources=["x"]),
}


@pytest.mark.parametrize("change", HOSTILE.values(), ids=HOSTILE.keys())
def test_hostile_statements_are_refused(change: Callable[[Any], object]) -> None:
    document = _document()
    change(document)
    with pytest.raises(IntegrityError) as caught:
        _read(document)
    assert caught.value.code == "E_OMS"


@pytest.mark.parametrize("payload", [b"", b"[]", b"null", b'"x"', b"1", b"{}"])
def test_what_is_no_statement_is_refused(payload: bytes) -> None:
    with pytest.raises(IntegrityError):
        oms.resources_of(payload)


def test_members_that_the_specification_leaves_open_are_ignored() -> None:
    document = _document()
    document["predicate"]["note"] = "x"
    document["subject"][0]["annotations"] = {}
    document["predicate"]["serialization"]["ignore_paths"] = [".git"]
    _first(document)["uri"] = "x"
    assert _read(document) == dict(FILES)


def test_compare() -> None:
    signed = dict(FILES)
    assert oms.compare(signed, dict(FILES)) == []
    actual = dict(FILES) | {
        "artifacts/a-b": Digest.of(b"evil"),
        ".git/hooks/x": Digest.of(b"x"),
    }
    del actual["manifest.yaml"]
    assert [(found.code, found.path) for found in oms.compare(signed, actual)] == [
        ("E_ARTIFACT_MISSING", "manifest.yaml"),
        ("E_EXTRA_FILE", ".git/hooks/x"),
        ("E_ARTIFACT_DIGEST", "artifacts/a-b"),
    ]


def test_swapped_names_are_found_although_the_root_digest_is_the_same() -> None:
    (first, one), (second, two), *_ = FILES
    swapped = dict(FILES) | {first: two, second: one}
    assert {found.code for found in oms.compare(dict(FILES), swapped)} == {
        "E_ARTIFACT_DIGEST"
    }
