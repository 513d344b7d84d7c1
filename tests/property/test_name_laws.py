"""Laws of names: versions, selectors, models and stages, and the paths made of them."""

from __future__ import annotations

from functools import cmp_to_key
from itertools import pairwise

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from gitmodel.domain.digest import Digest
from gitmodel.domain.names import (
    model_name,
    principal_name,
    principal_slug,
    refuse_case_collision,
    stage_name,
)
from gitmodel.domain.selector import Selector
from gitmodel.domain.semver import Bump, Version
from gitmodel.errors import ConflictError, InputError
from gitmodel.registry import layout

numbers = st.integers(0, 999_999_999)
identifiers = st.one_of(
    st.integers(0, 10**12).map(str),
    st.from_regex(r"[0-9]{0,3}[A-Za-z-][0-9A-Za-z-]{0,6}", fullmatch=True),
)
versions = st.builds(
    Version,
    numbers,
    numbers,
    numbers,
    st.lists(identifiers, max_size=3).map(tuple),
).filter(lambda version: len(str(version)) <= 64)
digests = st.binary(min_size=32, max_size=32).map(lambda data: Digest(data.hex()))


def _names(pattern: str, read: object) -> st.SearchStrategy[str]:
    assert callable(read)

    def is_one(text: str) -> bool:
        try:
            read(text)
        except InputError:
            return False
        return True

    return st.from_regex(pattern, fullmatch=True).filter(is_one)


models = _names(r"[A-Za-z0-9][A-Za-z0-9._-]{0,20}", model_name)
stages = _names(r"[a-z0-9][a-z0-9-]{0,12}", stage_name)
selectors = st.one_of(
    st.builds(Selector, model=models, kind=st.just("version"), version=versions),
    st.builds(Selector, model=models, kind=st.just("latest")),
    st.builds(Selector, model=models, kind=st.just("digest"), digest=digests),
    st.builds(
        Selector, model=models, kind=st.sampled_from(["stage", "lkg"]), stage=stages
    ),
    st.builds(
        Selector,
        model=models,
        kind=st.just("partial"),
        prefix=st.lists(numbers, min_size=1, max_size=2).map(tuple),
    ),
)  # fmt: skip


@given(versions)
def test_a_version_is_read_as_it_was_written(version: Version) -> None:
    assert Version.parse(str(version)) == version


@given(st.text(max_size=20) | st.from_regex(r"[0-9]+\.[0-9]+\.[0-9]+.{0,3}"))
def test_what_is_read_as_a_version_has_one_spelling(text: str) -> None:
    try:
        version = Version.parse(text)
    except InputError:
        return
    assert str(version) == text


# https://semver.org, item 11
PRECEDENCE = (
    "1.0.0-alpha", "1.0.0-alpha.1", "1.0.0-alpha.beta", "1.0.0-beta", "1.0.0-beta.2",
    "1.0.0-beta.11", "1.0.0-rc.1", "1.0.0", "2.0.0", "2.1.0", "2.1.1",
)  # fmt: skip


def test_precedence_is_that_of_semver_org() -> None:
    shuffled = sorted(map(Version.parse, reversed(PRECEDENCE)))
    assert tuple(map(str, shuffled)) == PRECEDENCE


def _compare(a: Version, b: Version) -> int:
    """Compare by the words of semver.org, item 11, one rule after the other."""
    for left, right in zip(
        (a.major, a.minor, a.patch), (b.major, b.minor, b.patch), strict=True
    ):
        if left != right:
            return -1 if left < right else 1
    if not a.prerelease or not b.prerelease:
        return bool(b.prerelease) - bool(a.prerelease)
    for one, other in zip(a.prerelease, b.prerelease, strict=False):
        if one == other:
            continue
        if one.isdigit() and other.isdigit():
            return -1 if int(one) < int(other) else 1
        if one.isdigit() != other.isdigit():
            return -1 if one.isdigit() else 1
        return -1 if one.encode() < other.encode() else 1
    return len(a.prerelease) - len(b.prerelease)


near = st.builds(
    Version,
    st.integers(0, 1),
    st.integers(0, 1),
    st.just(0),
    st.lists(st.sampled_from(["0", "2", "11", "a", "a-", "B", "-"]), max_size=3).map(
        tuple
    ),
)


@given(st.lists(near, min_size=2, max_size=8))
def test_order_is_total_and_as_semver_says(found: list[Version]) -> None:
    assert sorted(found) == sorted(found, key=cmp_to_key(_compare))
    for one, other in pairwise(found):
        assert (one < other) + (one == other) + (one > other) == 1


@given(versions, st.sampled_from(["major", "minor", "patch"]))
def test_a_bump_is_a_higher_release(version: Version, part: Bump) -> None:
    after = version.bump(part)
    assert after > version
    assert not after.prerelease


@given(selectors)
def test_a_selector_is_read_as_it_was_written(selector: Selector) -> None:
    assert Selector.parse(str(selector)) == selector


@given(
    st.text(max_size=30)
    | st.text(alphabet="ab1.0@#-:lkgstes", max_size=20)
    | selectors.map(str).flatmap(
        lambda text: st.sampled_from([text, text * 2, text[1:]])
    )
)
@example("m@lkg")
@example("m@")
@example("m#")
@example("@1.0.0")
@example("m@1.0.0#dev")
@example("m@sha256:" + "A" * 64)
def test_any_text_is_a_selector_or_refused(text: str) -> None:
    try:
        selector = Selector.parse(text)
    except InputError:
        return
    assert Selector.parse(str(selector)) == selector


HOSTILE = st.sampled_from(
    ["..", ".git", "a/b", "a\\b", "-x", "x.", "x.lock", "con", "NUL.txt", "a\0", "a\n",
     "\uff41", "\u0430", "fi\u200bx", "é", "a b", "", ".", "COM1", "lpt9.yaml", "a@1",
     "a#b"]
)  # fmt: skip


@given(HOSTILE)
def test_what_no_file_system_takes_names_nothing(text: str) -> None:
    for read in (model_name, stage_name):
        with pytest.raises(InputError) as refusal:
            read(text)
        assert refusal.value.code == "E_NAME"


@given(st.text(max_size=120))
@example("İ" * 50)
@example("---")
@example("x" + "-" * 90)
def test_every_person_has_a_principal_name(text: str) -> None:
    assert principal_name(principal_slug(text))


@given(models, st.data())
def test_names_that_differ_by_case_alone_collide(
    name: str, data: st.DataObject
) -> None:
    other = "".join(
        letter.swapcase() if data.draw(st.booleans()) else letter for letter in name
    )
    if other == name:
        refuse_case_collision(other, [name])
        return
    with pytest.raises(ConflictError):
        refuse_case_collision(other, [name])


keyids = st.from_regex(r"[0-9a-f]{64}", fullmatch=True)
seqs = st.integers(1, 999_999_999)
files = st.from_regex(r"[a-z][a-z0-9./ -]{0,10}[a-z]", fullmatch=True)


@given(models, stages, versions.map(str), seqs, files, keyids)
def test_every_path_is_known_for_what_it_is(
    model: str, stage: str, version: str, seq: int, name: str, keyid: str
) -> None:
    place_of = layout.Place
    places = {
        layout.model_path(model): place_of(kind="model", model=model),
        layout.manifest_path(model, version): place_of(
            kind="manifest", model=model, version=version
        ),
        layout.oms_path(model, version): place_of(
            kind="oms", model=model, version=version
        ),
        layout.artifact_path(model, version, name): place_of(
            kind="artifact", model=model, version=version, name=name
        ),
        layout.pin_path(stage, model): place_of(kind="pin", stage=stage, model=model),
        layout.transition_path(stage, model, seq): place_of(
            kind="transition", stage=stage, model=model, seq=seq
        ),
        layout.policy_path(seq): place_of(kind="policy", seq=seq),
    }
    for path, place in places.items():
        assert layout.classify(path) == place
        signature = layout.classify(layout.signature_path(path, keyid))
        if place.kind in {"manifest", "transition", "policy"}:
            assert (signature.kind, signature.document) == ("signature", path)
            assert signature.keyid == keyid[:8]
        elif place.kind == "artifact":
            assert signature.kind == "artifact"
        else:
            assert signature.kind == "other"


parts = st.sampled_from(
    ["models", "versions", "artifacts", "log", "stages", ".gitmodel", "policy", "dev",
     "m", "1.0.0", "1.yaml", "01.yaml", "0.yaml", "manifest.yaml", "model.yaml",
     "m.yaml",
     "model.sig", "", "..", "1.yaml.0a1b2c3d.sigstore.json", "\n", "attestations"]
)  # fmt: skip


@given(st.lists(parts, max_size=7).map("/".join) | st.text(max_size=30))
def test_what_a_path_is_said_to_be_leads_back_to_it(path: str) -> None:
    place = layout.classify(path)
    back = {
        "model": lambda: layout.model_path(place.model),
        "manifest": lambda: layout.manifest_path(place.model, place.version),
        "oms": lambda: layout.oms_path(place.model, place.version),
        "artifact": lambda: layout.artifact_path(
            place.model, place.version, place.name
        ),
        "pin": lambda: layout.pin_path(place.stage, place.model),
        "transition": lambda: layout.transition_path(
            place.stage, place.model, place.seq
        ),
        "policy": lambda: layout.policy_path(place.seq),
        "signature": lambda: layout.signature_path(place.document, place.keyid),
    }
    if place.kind in back:
        assert back[place.kind]() == path
