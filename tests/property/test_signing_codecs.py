"""Laws of the signing formats: they round-trip, and nothing else gets in."""

from __future__ import annotations

import dataclasses
import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gitmodel.adapters.signing.commit import sign_commit, verify_commit
from gitmodel.adapters.signing.dsse import sign_bundle, verify_bundle
from gitmodel.domain.digest import Digest
from gitmodel.errors import InputError, IntegrityError
from gitmodel.formats import oms
from gitmodel.formats.bundle import Bundle, pae
from gitmodel.formats.canonical_json import dumps, loads
from gitmodel.formats.commit_object import split_signature, with_signature
from gitmodel.formats.sshsig import Reader, SshSignature, mpint
from gitmodel.formats.statement import Endorsement, Statement
from tests.support.signing import a_signer

SIGNER = a_signer()
KEYS = [SIGNER.public_key]

text = st.text(st.characters(codec="utf-8"))
names = st.text(st.characters(codec="utf-8"), min_size=1)
json_values = st.recursive(
    st.none()
    | st.booleans()
    | st.integers()
    | text
    | st.floats(allow_nan=False, allow_infinity=False),
    lambda inner: (
        st.lists(inner, max_size=4) | st.dictionaries(text, inner, max_size=4)
    ),
    max_leaves=20,
)
objects = st.dictionaries(text, json_values, max_size=4)
digests = st.binary(max_size=8).map(Digest.of)
bundles = st.builds(
    Bundle,
    payload_type=names,
    payload=st.binary(min_size=1),
    signature=st.binary(min_size=1),
    hint=text,
)


@given(json_values)
def test_canonical_json_round_trips(value: Any) -> None:
    data = dumps(value)
    assert loads(data) == value
    assert dumps(loads(data)) == data


@given(objects)
def test_canonical_json_does_not_depend_on_order(value: dict[str, Any]) -> None:
    assert dumps(dict(reversed(value.items()))) == dumps(value)


@given(st.binary(max_size=60))
def test_strict_json_is_never_looser_than_json(data: bytes) -> None:
    try:
        value = loads(data)
    except InputError:
        return
    assert json.loads(data) == value


@given(bundles)
def test_bundles_round_trip(bundle: Bundle) -> None:
    assert Bundle.from_bytes(bundle.to_bytes(), "x") == bundle


@given(text, st.binary(), text, st.binary())
def test_pae_is_injective(a: str, b: bytes, c: str, d: bytes) -> None:
    assert (pae(a, b) == pae(c, d)) == ((a, b) == (c, d))


@given(names, digests, names, objects)
def test_statements_round_trip(
    name: str, digest: Digest, kind: str, predicate: dict[str, Any]
) -> None:
    statement = Statement(
        subject_name=name,
        subject_digest=digest,
        predicate_type=kind,
        predicate=predicate,
    )
    assert Statement.from_bytes(statement.to_bytes()) == statement


@given(digests, digests, names, st.sampled_from(["approve", "reject"]), text, objects)
def test_endorsements_round_trip(
    registry: Digest,
    policy: Digest,
    role: str,
    decision: Any,
    comment: str,
    document: dict[str, Any],
) -> None:
    endorsement = Endorsement(
        registry=registry,
        policy=policy,
        role=role,
        decision=decision,
        comment=comment,
        document=document,
    )
    predicate = loads(dumps(endorsement.to_predicate()))
    assert Endorsement.from_predicate(predicate) == endorsement


@given(st.binary(max_size=200), st.sampled_from([Statement, oms]))
def test_readers_fail_in_one_way_only(data: bytes, reader: Any) -> None:
    read = reader.from_bytes if reader is Statement else reader.resources_of
    with pytest.raises(IntegrityError):
        read(data)


part = st.from_regex(r"[a-z.][a-z.-]{0,3}", fullmatch=True).filter(
    lambda name: name not in {".", ".."}
)
paths = st.lists(part, min_size=1, max_size=3).map("/".join)


@given(st.dictionaries(paths, digests, min_size=1))
def test_oms_round_trips(files: dict[str, Digest]) -> None:
    payload = oms.statement("m", files.items())
    assert oms.resources_of(payload) == files
    assert oms.compare(oms.resources_of(payload), files) == []


@given(st.dictionaries(paths, digests), st.dictionaries(paths, digests))
def test_oms_compare_is_silent_only_about_equal_files(
    signed: dict[str, Digest], actual: dict[str, Digest]
) -> None:
    assert (oms.compare(signed, actual) == []) == (signed == actual)


@given(st.integers(min_value=0))
def test_mpints_round_trip(number: int) -> None:
    reader = Reader(mpint(number))
    assert reader.mpint() == number
    reader.finish()


signatures = st.builds(
    SshSignature,
    public_key=st.binary(),
    namespace=st.text(st.characters(codec="ascii")),
    hash_algorithm=st.text(st.characters(codec="ascii")),
    algorithm=st.text(st.characters(codec="ascii")),
    signature=st.binary(),
)


@given(signatures)
def test_ssh_signatures_round_trip(signature: SshSignature) -> None:
    assert SshSignature.from_armor(signature.to_armor()) == signature


lines = st.binary(max_size=20).map(
    lambda data: data.replace(b"\n", b"").replace(b"\0", b"")
)
headers = st.lists(lines, max_size=3).map(
    lambda found: b"".join(b"x %b\n" % line for line in found)
)


@given(headers, st.binary(), text.filter(lambda found: "\0" not in found))
def test_commit_signatures_round_trip(
    header: bytes, message: bytes, signature: str
) -> None:
    raw = b"tree " + b"a" * 40 + b"\n" + header + b"\n" + message
    armored = signature + "\n"
    assert split_signature(with_signature(raw, armored)) == (raw, armored)
    assert split_signature(raw) == (raw, None)


BUNDLE = sign_bundle(SIGNER, "text/plain", b"what was signed")
COMMIT = b"tree, author, committer, message"
ARMOR = sign_commit(SIGNER, COMMIT)


def _flip(data: bytes, bit: int) -> bytes:
    changed = bytearray(data)
    changed[bit // 8 % len(data)] ^= 1 << bit % 8
    return bytes(changed)


@given(bit=st.integers(0, 8 * 200), payload=st.booleans())
def test_no_bit_of_a_signed_bundle_can_be_flipped(bit: int, *, payload: bool) -> None:
    assert verify_bundle(BUNDLE, KEYS) == SIGNER.public_key
    if payload:
        changed = dataclasses.replace(BUNDLE, payload=_flip(BUNDLE.payload, bit))
    else:
        changed = dataclasses.replace(BUNDLE, signature=_flip(BUNDLE.signature, bit))
    with pytest.raises(IntegrityError):
        verify_bundle(changed, KEYS)


@given(st.integers(0, 600), st.integers(1, 127))
def test_no_character_of_a_commit_signature_can_be_changed(at: int, by: int) -> None:
    assert verify_commit(ARMOR, COMMIT, KEYS) == SIGNER.public_key
    at %= len(ARMOR) - 1  # the last newline is optional
    other = chr((ord(ARMOR[at]) + by) % 128)
    with pytest.raises(IntegrityError):
        verify_commit(ARMOR[:at] + other + ARMOR[at + 1 :], COMMIT, KEYS)
