"""Names of artifacts, their roles, and the entry of a manifest."""

from __future__ import annotations

from typing import Any

import pytest

from gitmodel.domain.artifact import (
    ROLES,
    Artifact,
    artifact_name_problem,
    collisions,
    role_of,
)
from gitmodel.domain.digest import Digest
from gitmodel.errors import InputError


@pytest.mark.parametrize(
    "name",
    [
        "model.safetensors",
        "a/b/c.json",
        "onnx/model with space.onnx",
        "größe.bin",
        "模型.gguf",
        ".hidden",
        "..a",
        "a..b",
        "x" * 255,
        "/".join(["x" * 99] * 10),
        "git.txt",
    ],
)
def test_it_may_be_called(name: str) -> None:
    assert artifact_name_problem(name) is None


@pytest.mark.parametrize(
    ("name", "why"),
    [
        ("", "empty"),
        ("/etc/passwd", "absolute"),
        ("a//b", "empty component"),
        ("a/", "empty component"),
        (".", "'.'"),
        ("..", "'..'"),
        ("a/../b", "'..'"),
        ("a/./b", "'.'"),
        ("a\\b", "backslash"),
        ("C:model.bin", "drive letter"),
        ("c:/model.bin", "drive letter"),
        ("a\nb", "U+000A"),
        ("a\x00b", "U+0000"),
        ("a\x7fb", "U+007F"),
        ("a\x1b[31mb", "U+001B"),
        (".g\u200cit", "U+200C"),
        ("evil\u202egnp.exe", "U+202E"),
        ("a\u2028b", "U+2028"),
        ("\udcff.bin", "not UTF-8"),
        ("\ud800.bin", "U+D800"),
        (".git", "git keeps"),
        (".GIT/config", "git keeps"),
        ("a/.gitattributes", "git keeps"),
        (".Gitignore", "git keeps"),
        (".github/x.yml", "git keeps"),
        ("GIT~1/config", "git keeps"),
        ("x" * 256, "255 bytes"),
        ("ö" * 128, "255 bytes"),
        ("/".join(["x" * 99] * 11), "1024 bytes"),
    ],
)
def test_it_may_not_be_called(name: str, why: str) -> None:
    assert why in (artifact_name_problem(name) or "")


@pytest.mark.parametrize(
    ("names", "pairs"),
    [
        (["a", "b", "ab", "b.c"], ()),
        (["a", "a"], (("a", "a"),)),
        (["Model.bin", "model.BIN"], (("Model.bin", "model.BIN"),)),
        (["straße", "STRASSE"], (("straße", "STRASSE"),)),
        (["\u00e9.bin", "e\u0301.bin"], (("\u00e9.bin", "e\u0301.bin"),)),
        (["a", "a/b"], (("a", "a/b"),)),
        (["x/a/b", "x/A"], (("x/a/b", "x/A"),)),
        (["a/x", "A/y"], ()),
        (["a", "A", "b", "a"], (("a", "A"), ("a", "a"))),
    ],
)
def test_names_that_collide(
    names: list[str], pairs: tuple[tuple[str, str], ...]
) -> None:
    assert collisions(names) == pairs


@pytest.mark.parametrize(
    ("name", "role"),
    [
        ("model.safetensors", "weights"),
        ("model-00001-of-00002.safetensors", "weights"),
        ("model.safetensors.index.json", "weights"),
        ("PYTORCH_MODEL.BIN", "weights"),
        ("sub/model.onnx", "weights"),
        ("q4.gguf", "weights"),
        ("clf.joblib", "weights"),
        ("clf.pkl", "weights"),
        ("model.json", "weights"),
        ("tokenizer.json", "tokenizer"),
        ("tokenizer_config.json", "tokenizer"),
        ("tokenizer.model", "tokenizer"),
        ("vocab.txt", "tokenizer"),
        ("merges.txt", "tokenizer"),
        ("sentencepiece.bpe.model", "tokenizer"),
        ("spiece.model", "tokenizer"),
        ("config.json", "config"),
        ("params.yaml", "config"),
        ("train.toml", "config"),
        ("preprocessor_config.json", "preprocessor"),
        ("scaler.pkl", "preprocessor"),
        ("modeling.py", "code"),
        ("input_schema.json", "schema"),
        ("train.csv", "data"),
        ("README.md", "card"),
        ("model_card.md", "card"),
        ("LICENSE", "license"),
        ("LICENSE.txt", "license"),
        ("notes.txt", "other"),
        ("blob", "other"),
    ],
)
def test_the_name_suggests_a_role(name: str, role: str) -> None:
    assert role_of(name) == role
    assert role in ROLES


ENTRY = {
    "path": "model.safetensors",
    "role": "weights",
    "sha256": "ab" * 32,
    "size": 12,
    "format": "safetensors",
}


def test_an_entry_is_read_and_written() -> None:
    artifact = Artifact.from_dict(ENTRY)
    assert artifact.digest == Digest("ab" * 32)
    assert artifact.to_dict() == ENTRY
    assert list(artifact.to_dict()) == list(ENTRY)


@pytest.mark.parametrize(
    ("key", "value"),
    [
        ("path", "../x"),
        ("path", None),
        ("path", 3),
        ("role", "brain"),
        ("role", ["weights"]),
        ("sha256", "AB" * 32),
        ("sha256", "sha256:" + "ab" * 32),
        ("sha256", None),
        ("size", -1),
        ("size", 1.5),
        ("size", True),
        ("size", "12"),
        ("format", None),
    ],
)
def test_an_entry_that_cannot_be_is_refused(key: str, value: Any) -> None:
    with pytest.raises(InputError):
        Artifact.from_dict(ENTRY | {key: value})


def test_a_missing_key_is_refused() -> None:
    with pytest.raises(InputError):
        Artifact.from_dict({})
