"""The whole round over each storage and each way to the commits."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from typing import TYPE_CHECKING

import pytest

from tests.support import http_git
from tests.support.lfs_server import LfsServer, serving, serving_s3
from tests.support.refusals import refusal
from tests.support.remotes import clone, digests, make_hub, stored
from tests.support.workbench import Workbench, git

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from tests.support.s3_server import Bucket

FILES = {"model.bin": bytes(range(256)) * 4000, "tokenizer.json": b"{}"}


@dataclass(frozen=True)
class Storage:
    """An LFS server and where it keeps objects."""

    server: LfsServer
    bucket: Bucket | None = None

    def objects(self, name: str) -> set[str]:
        if self.bucket is None:
            return self.server.objects(name)
        return self.bucket.keys(f"tests/{name}")

    def lose(self, name: str, oid: str) -> None:
        if self.bucket is None:
            self.server.object_path(name, oid).unlink()
        else:
            self.bucket.ask("DELETE", f"tests/{name}/{oid}")

    def put(self, name: str, oid: str, data: bytes) -> None:
        if self.bucket is None:
            self.server.object_path(name, oid).write_bytes(data)
        else:
            self.bucket.ask("PUT", f"tests/{name}/{oid}", data)


@pytest.fixture(scope="session", params=["local", "s3"])
def storage(
    request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Storage]:
    root = tmp_path_factory.mktemp(request.param)
    if request.param == "s3":
        with serving_s3(root / "server.log") as (server, bucket):
            yield Storage(server, bucket)
    else:
        (root / "storage").mkdir()
        with serving(root / "storage") as server:
            yield Storage(server)


@pytest.fixture(params=["path", "file", "http"])
def hub_url(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[str]:
    """Give the address of an empty repository on this machine, in three ways."""
    (tmp_path / "hubs").mkdir()
    hub = make_hub(tmp_path / "hubs/hub.git")
    git(hub, "config", "http.receivepack", "true")
    if request.param == "http":
        with http_git.serving(hub.parent) as url:
            yield f"{url}/hub.git"
    else:
        yield str(hub) if request.param == "path" else hub.as_uri()


def publish(bench: Workbench, url: str, lfs: str) -> None:
    bench.git("remote", "add", "origin", url)
    bench.git("config", "lfs.url", lfs)
    for name, data in FILES.items():
        bench.file(f"v/{name}", data)
    register = ("register", "fraud", bench.outside / "v", "--version", "1.0.0")
    bench.do(*register, "--no-capture")
    bench.do("promote", "fraud@1.0.0", "dev", "--push")


def test_what_one_registers_another_pulls(
    storage: Storage,
    hub_url: str,
    bench: Workbench,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    name = tmp_path.name
    publish(bench, hub_url, storage.server.url(name))
    assert storage.objects(name) == digests(bench, "fraud@1.0.0") == stored(bench)
    monkeypatch.setenv("GIT_LFS_SKIP_SMUDGE", "1")
    anyone = clone(hub_url, tmp_path / "anyone", bench.outside, smudge=True)
    anyone.git("config", "lfs.url", storage.server.url(name))
    assert stored(anyone) == set()
    pulled = anyone.do("pull", "fraud#dev", "-o", tmp_path / "out")
    assert pulled["verified"]
    artifacts = (tmp_path / "out/artifacts").iterdir()
    assert {path.name: path.read_bytes() for path in artifacts} == FILES
    assert anyone.verify() == (0, [])
    # The other way round, from the clone to the first one.
    file = anyone.file("w/model.bin", b"1.1.0")
    anyone.do("register", "fraud", file, "--no-capture", "--push")
    bench.git("pull", "-q", "--ff-only", "origin", "main")
    bench.do("pull", "fraud@1.0.1", "-o", tmp_path / "new")
    assert (tmp_path / "new/artifacts/model.bin").read_bytes() == b"1.1.0"


def test_what_the_storage_loses_or_alters_is_found(
    storage: Storage, bench: Workbench, tmp_path: Path
) -> None:
    name, hub = tmp_path.name, make_hub(tmp_path / "hub.git")
    url = storage.server.url(name)
    publish(bench, str(hub), url)
    bench.git("config", "--global", "lfs.transfer.maxRetries", "1")
    anyone = clone(hub, tmp_path / "anyone", bench.outside, "-c", f"lfs.url={url}")
    oid = hashlib.sha256(FILES["model.bin"]).hexdigest()
    pull = ("pull", "fraud@1.0.0", "-o", tmp_path / "out")
    storage.put(name, oid, b"\0" * len(FILES["model.bin"]))
    refusal(anyone.run("--json", *pull), 4, "E_ARTIFACT_DIGEST")
    storage.lose(name, oid)
    refusal(anyone.run("--json", *pull), 1, "E_ARTIFACT_MISSING")
    assert not (tmp_path / "out").exists()
    storage.put(name, oid, FILES["model.bin"])
    assert anyone.do(*pull)["verified"]
