"""Stock ``model_signing`` accepts what ``gitmodel pull`` writes, and only that."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from collections.abc import Callable

    from tests.support.workbench import Workbench

TOOL = Path(sys.executable).with_name("model_signing")

#: What directories of models hold, and what tools stumble over.
FILES = {
    "model.safetensors.bin": bytes(range(256)) * 40,
    "config.json": b"{}\n",
    "empty.bin": b"",
    "tokenizer/vocab/words.txt": b"one\r\ntwo\n",
    "tokenizer/vocab-extra.txt": b"x",
    "tokenizer.json": b"{}",
    "modèle/重み (final).bin": b"weights",
    "modèle/leer zeichen.txt": b" ",
    ".cache/index.json": b"[]\n",
    "code/model.py": b"pass\n",
}


@pytest.fixture
def pulled(bench: Workbench, tmp_path: Path) -> Path:
    for name, data in FILES.items():
        bench.file(f"model/{name}", data)
    bench.do("register", "fraud", bench.outside / "model", "--no-capture")
    bench.do("pull", "fraud@1.0.0", "-o", tmp_path / "out")
    return tmp_path / "out"


@pytest.fixture
def pem(bench: Workbench, tmp_path: Path) -> Path:
    path = tmp_path / "ada.pem"
    path.write_text(bench.run("key", "show", "--pem").out)
    return path


def accepts(directory: Path, key: Path) -> bool:
    options = ("--signature", directory / "model.sig", "--public_key", key)
    done = subprocess.run(
        [TOOL, "verify", "key", directory, *options],
        capture_output=True,
        text=True,
        check=False,
    )
    said = done.stdout + done.stderr
    verdict = "succeeded" if done.returncode == 0 else "failed"
    assert f"Verification {verdict}" in said, said
    return done.returncode == 0


def test_every_file_that_was_registered_is_there_and_signed(
    pulled: Path, pem: Path
) -> None:
    found = {
        str(path.relative_to(pulled / "artifacts")): path.read_bytes()
        for path in (pulled / "artifacts").rglob("*")
        if path.is_file()
    }
    assert found == FILES
    assert accepts(pulled, pem)


def _flip(path: Path) -> None:
    path.chmod(0o644)
    data = path.read_bytes()
    path.write_bytes(data[:-1] + bytes([data[-1] ^ 1]))


CHANGES: dict[str, Callable[[Path], object]] = {
    "a bit of a weight": lambda out: _flip(out / "artifacts/model.safetensors.bin"),
    "a bit of the manifest": lambda out: _flip(out / "manifest.yaml"),
    "a byte in an empty file": lambda out: (out / "artifacts/empty.bin").write_bytes(
        b"x"
    ),
    "a file more": lambda out: (out / "artifacts/more.bin").write_bytes(b"x"),
    "a file less": lambda out: (out / "artifacts/code/model.py").unlink(),
    "another name": lambda out: (out / "artifacts/config.json").rename(
        out / "artifacts/config.yaml"
    ),
}


@pytest.mark.parametrize("change", CHANGES)
def test_what_is_not_the_version_is_rejected(
    change: str, pulled: Path, pem: Path
) -> None:
    CHANGES[change](pulled)
    assert not accepts(pulled, pem)


def test_another_key_is_rejected(
    bench: Workbench, pulled: Path, tmp_path: Path
) -> None:
    bench.do("key", "new", "--out", tmp_path / "other")
    key = tmp_path / "other.pem"
    key.write_text(bench.run("--key", tmp_path / "other", "key", "show", "--pem").out)
    assert not accepts(pulled, key)


def test_a_signature_of_another_version_is_rejected(
    bench: Workbench, pulled: Path, pem: Path, tmp_path: Path
) -> None:
    bench.register(version="2.0.0")
    bench.do("pull", "fraud@2.0.0", "-o", tmp_path / "two")
    assert accepts(tmp_path / "two", pem)
    (pulled / "model.sig").write_bytes((tmp_path / "two/model.sig").read_bytes())
    assert not accepts(pulled, pem)
