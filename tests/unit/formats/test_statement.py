from __future__ import annotations

import dataclasses
import json
from typing import TYPE_CHECKING, Any

import pytest

from gitmodel.domain.digest import Digest
from gitmodel.errors import InputError, IntegrityError
from gitmodel.formats.bundle import Bundle
from gitmodel.formats.statement import (
    PAYLOAD_TYPE,
    Endorsement,
    Statement,
    kind_of,
    predicate_type,
)

if TYPE_CHECKING:
    from collections.abc import Callable

AN_ENDORSEMENT = Endorsement(
    registry=Digest.of(b"policy 1"),
    policy=Digest.of(b"policy 3"),
    role="publisher",
    decision="approve",
    comment="",
    document={"kind": "ModelVersion", "model": "fraud"},
)
A_STATEMENT = Statement(
    subject_name="models/fraud/versions/1.0.0/manifest.yaml",
    subject_digest=Digest.of(b"manifest"),
    predicate_type=predicate_type("version"),
    predicate=AN_ENDORSEMENT.to_predicate(),
)


def _document() -> dict[str, Any]:
    document: dict[str, Any] = json.loads(A_STATEMENT.to_bytes())
    return document


def test_round_trip() -> None:
    read = Statement.from_bytes(A_STATEMENT.to_bytes())
    assert read == A_STATEMENT
    assert Endorsement.from_predicate(read.predicate) == AN_ENDORSEMENT


def test_bytes_are_canonical_in_toto() -> None:
    small = dataclasses.replace(A_STATEMENT, predicate={})
    assert small.to_bytes() == (
        b'{"_type":"https://in-toto.io/Statement/v1","predicate":{},'
        b'"predicateType":"https://gitmodel.dev/attestation/version/v1",'
        b'"subject":[{"digest":{"sha256":"%b"},'
        b'"name":"models/fraud/versions/1.0.0/manifest.yaml"}]}'
        % Digest.of(b"manifest").hex.encode()
    )


def test_kinds() -> None:
    assert kind_of(predicate_type("model-card")) == "model-card"
    assert kind_of("https://slsa.dev/provenance/v1") is None
    assert kind_of(predicate_type("version") + "\n") is None


@pytest.mark.parametrize("kind", ["", "Version", "a/b", "a b", "version\n", "-x"])
def test_odd_kinds_are_refused(kind: str) -> None:
    with pytest.raises(InputError):
        predicate_type(kind)


def _subject(document: Any) -> Any:
    return document["subject"][0]


HEX = "ab" * 32
HOSTILE: dict[str, Callable[[Any], object]] = {
    "other type": lambda d: d.update(_type="https://in-toto.io/Statement/v0.1"),
    "no type": lambda d: d.pop("_type"),
    "no subject": lambda d: d.update(subject=[]),
    "two subjects": lambda d: d.update(subject=d["subject"] * 2),
    "subject is an object": lambda d: d.update(subject=d["subject"][0]),
    "subject without name": lambda d: _subject(d).pop("name"),
    "empty name": lambda d: _subject(d).update(name=""),
    "other digest": lambda d: _subject(d).update(digest={"sha512": HEX}),
    "two digests": lambda d: _subject(d)["digest"].update(sha512=HEX),
    "upper-case digest": lambda d: _subject(d)["digest"].update(sha256=HEX.upper()),
    "short digest": lambda d: _subject(d)["digest"].update(sha256=HEX[:-1]),
    "long digest": lambda d: _subject(d)["digest"].update(sha256=HEX + "a"),
    "prefixed digest": lambda d: _subject(d)["digest"].update(sha256=f"sha256:{HEX}"),
    "digest is a number": lambda d: _subject(d)["digest"].update(sha256=1),
    "annotated subject": lambda d: _subject(d).update(uri="x"),
    "predicate is a list": lambda d: d.update(predicate=[]),
    "no predicate type": lambda d: d.update(predicateType=""),
    "unknown member": lambda d: d.update(predicates={}),
}


@pytest.mark.parametrize("change", HOSTILE.values(), ids=HOSTILE.keys())
def test_hostile_statements_are_refused(change: Callable[[Any], object]) -> None:
    document = _document()
    change(document)
    with pytest.raises(IntegrityError) as caught:
        Statement.from_bytes(json.dumps(document).encode())
    assert caught.value.code == "E_STATEMENT"


def test_duplicate_keys_are_refused() -> None:
    data = A_STATEMENT.to_bytes().replace(
        b'"decision":"approve"', b'"decision":"reject","decision":"approve"'
    )
    with pytest.raises(IntegrityError, match="twice"):
        Statement.from_bytes(data)


def test_payload_type_is_checked() -> None:
    bundle = Bundle(
        payload_type=PAYLOAD_TYPE,
        payload=A_STATEMENT.to_bytes(),
        signature=b"x",
        hint="",
    )
    assert Statement.from_bundle(bundle) == A_STATEMENT
    with pytest.raises(IntegrityError, match="not application/vnd") as caught:
        Statement.from_bundle(
            dataclasses.replace(bundle, payload_type="application/json")
        )
    assert caught.value.code == "E_STATEMENT"


@pytest.mark.parametrize(
    ("member", "value"),
    [
        ("registry", HEX),
        ("registry", "sha256:xyz"),
        ("registry", None),
        ("policy", HEX),
        ("policy", None),
        ("role", ""),
        ("role", 1),
        ("decision", "maybe"),
        ("decision", ["approve"]),
        ("comment", None),
        ("document", []),
        ("document", "text"),
        ("extra", 1),
    ],
)
def test_hostile_predicates_are_refused(member: str, value: object) -> None:
    predicate = AN_ENDORSEMENT.to_predicate() | {member: value}
    with pytest.raises(IntegrityError) as caught:
        Endorsement.from_predicate(predicate)
    assert caught.value.code == "E_STATEMENT"


@pytest.mark.parametrize("member", list(AN_ENDORSEMENT.to_predicate()))
def test_every_member_of_a_predicate_is_needed(member: str) -> None:
    predicate = AN_ENDORSEMENT.to_predicate()
    del predicate[member]
    with pytest.raises(IntegrityError, match=member):
        Endorsement.from_predicate(predicate)
