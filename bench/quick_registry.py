"""Makes large registries quickly: the library writes and signs, nothing is synced.

Every document, signature and commit is what the commands would write; only the
checks before and the work tree after are left out. Artifacts are a few bytes each, and
none is in the store but those that ``keep_bytes`` puts there.
"""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any

import gitmodel
from gitmodel.adapters.clock import SystemClock
from gitmodel.adapters.git import commits
from gitmodel.adapters.git.pack import ObjectWriter
from gitmodel.adapters.git.trees import FILE, Entry, decode, rewrite
from gitmodel.adapters.signing import dsse
from gitmodel.adapters.signing.commit import sign_commit
from gitmodel.domain.digest import Digest
from gitmodel.domain.moment import to_text
from gitmodel.domain.pin import Pin, Release
from gitmodel.domain.transition import Transition
from gitmodel.formats import yaml_writer
from gitmodel.formats.commit_object import with_signature
from gitmodel.formats.lfs_pointer import Pointer
from gitmodel.registry import layout
from gitmodel.registry.change import Authority, sign_document
from gitmodel.registry.handle import Context, RegistryHandle
from gitmodel.registry.keys import KeyChoice

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

    from gitmodel.domain.ports import Signer

MODELS = 10
STAGE = "dev"
_FLUSH = 500  # commits
_BEGAN = datetime(2026, 1, 1, tzinfo=UTC)
ARTIFACTS = (("weights.safetensors", "weights"), ("config.json", "config"))


def make(place: Path) -> None:
    """Make an empty registry of principal ada, never synced to disk."""
    gitmodel.init_registry(place, name="history", principal="ada")


class Grower:
    """Adds versions and promotions to a registry, one signed commit each."""

    def __init__(self, place: Path) -> None:
        keys = KeyChoice(ask=lambda _: None)
        self._handle = RegistryHandle.open(
            place, Context(clock=SystemClock(), keys=keys)
        )
        view = self._handle.view()
        self._signer: Signer = self._handle.key
        self._authority = Authority(view.registry_id, view.policy_digest)
        self._sink = _Sink(self._handle)
        self._tree, self._tip = str(view.tree), str(view.commit)
        self._chains: dict[str, list[tuple[Digest, Release]]] = {}
        self._latest: dict[str, Release] = {}
        self._count = 0
        self.commits = 0

    def grow(self, versions: int, promote_each: int = 10) -> None:
        """Register so many versions, and promote every so manieth to a stage."""
        for _ in range(versions):
            index, self._count = self._count, self._count + 1
            self._register(f"model-{index % MODELS}", f"1.{index // MODELS}.0", index)
            if index // MODELS % promote_each == 0:
                self._promote(f"model-{index % MODELS}")
            if self.commits % _FLUSH == 0:
                self._sink.flush()
        self._sink.flush()
        self._handle.repository.git.run("update-ref", "HEAD", self._tip)

    def _register(self, model: str, version: str, index: int) -> None:
        found = [
            (name, role, Digest.of(_content(model, version, name)))
            for name, role in ARTIFACTS
        ]
        document = _manifest(model, version, index, self._latest.get(model), found)
        path = layout.manifest_path(model, version)
        signed = sign_document(
            self._signer, path, document,
            kind="version", role="publisher", authority=self._authority,
        )  # fmt: skip
        files = dict(signed.files)
        for name, _, digest in found:
            place = layout.artifact_path(model, version, name)
            size = len(_content(model, version, name))
            files[place] = Pointer(digest, size).to_bytes()
        files[layout.oms_path(model, version)] = dsse.oms_bundle(
            self._signer,
            f"{model}-{version}",
            [("manifest.yaml", signed.digest)]
            + [(f"artifacts/{name}", digest) for name, _, digest in found],
        ).to_bytes()
        if model not in self._latest:
            files[layout.model_path(model)] = yaml_writer.dump(
                {
                    "apiVersion": "gitmodel.dev/v1",
                    "kind": "Model",
                    "name": model,
                    "owners": ["ada"],
                }
            )
        self._latest[model] = Release(version, signed.digest)
        self._commit(files, f"register({model}): {version}")

    def _promote(self, model: str) -> None:
        chain = self._chains.setdefault(model, [])
        target = self._latest[model]
        pin = yaml_writer.dump(Pin(STAGE, model, target).to_document())
        transition = Transition(
            action="promote",
            model=model,
            stage=STAGE,
            seq=len(chain) + 1,
            prior=chain[-1][0] if chain else None,
            origin=chain[-1][1] if chain else None,
            target=target,
            pin=Digest.of(pin),
            policy=self._authority.policy,
            requester="ada",
            reason="",
            created_at=_moment(self._count),
        )
        path = layout.transition_path(STAGE, model, transition.seq)
        signed = sign_document(
            self._signer, path, transition.to_document(),
            kind="transition", role="promoter", authority=self._authority,
        )  # fmt: skip
        chain.append((signed.digest, target))
        files = {layout.pin_path(STAGE, model): pin, **signed.files}
        self._commit(files, f"promote({model}): {STAGE}")

    def _commit(self, files: Mapping[str, bytes], subject: str) -> None:
        entries: dict[str, Entry | None] = {
            path: Entry(FILE, self._sink.add("blob", data))
            for path, data in files.items()
        }
        self._tree = rewrite(self._sink, self._sink, self._tree, entries)
        unsigned = commits.commit_object(
            tree=self._tree,
            parents=(self._tip,),
            who="ada <ada@gitmodel.invalid>",
            when=_BEGAN + timedelta(minutes=self.commits),
            message=f"{subject}\n",
        )
        signature = sign_commit(self._signer, unsigned)
        self._tip = self._sink.add("commit", with_signature(unsigned, signature))
        self.commits += 1


class _Sink:
    """Keeps the trees that the next commit may need, and writes packs."""

    def __init__(self, handle: RegistryHandle) -> None:
        self._handle = handle
        self._writer = ObjectWriter(handle.repository)
        self._trees: dict[str, Mapping[str, Entry]] = {}

    def tree(self, oid: str) -> Mapping[str, Entry]:
        if oid not in self._trees:
            return self._handle.reader.tree(oid)
        return self._trees[oid]

    def add(self, kind: str, data: bytes) -> str:
        oid = self._writer.add(kind, data)
        if kind == "tree":
            self._trees[oid] = decode(data, len(oid) // 2)
        return oid

    def flush(self) -> None:
        self._writer.flush()
        self._trees.clear()


def keep_bytes(objects: Path, model: str, version: str) -> None:
    """Put the artifacts of a version into an LFS object store."""
    for name, _ in ARTIFACTS:
        data = _content(model, version, name)
        oid = Digest.of(data).hex
        place = objects / oid[:2] / oid[2:4] / oid
        place.parent.mkdir(parents=True, exist_ok=True)
        place.write_bytes(data)


def _content(model: str, version: str, name: str) -> bytes:
    return f"{model} {version} {name}".encode()


def _moment(index: int) -> str:
    return to_text(_BEGAN + timedelta(minutes=index))


def _manifest(
    model: str,
    version: str,
    index: int,
    previous: Release | None,
    artifacts: list[tuple[str, str, Digest]],
) -> dict[str, Any]:
    """Return a manifest with what capture finds on a usual training machine."""
    return {
        "apiVersion": "gitmodel.dev/v1",
        "kind": "ModelVersion",
        "model": model,
        "version": version,
        "createdAt": _moment(index),
        "createdBy": "ada",
        "previous": previous.to_dict() if previous else None,
        "change": "feature",
        "artifacts": [
            {
                "path": name,
                "role": role,
                "sha256": digest.hex,
                "size": len(_content(model, version, name)),
                "format": name.rpartition(".")[2],
            }
            for name, role, digest in sorted(artifacts)
        ],
        "training": {
            "data": [{"name": "claims", "digest": f"sha256:{'ab' * 32}"}],
            "code": {"commit": "c" * 40, "dirty": False},
            "hyperparameters": {"lr": 0.001, "epochs": 10, "batch": 64},
        },
        "environment": {
            "python": "3.11.2",
            "platform": "linux-x86_64",
            "frameworks": {"scikit-learn": "1.5.2"},
            "packages": f"sha256:{'cd' * 32}",
            "packageCount": 57,
        },
        "metrics": {"validation": {"accuracy": 0.9 + index / 1e6, "loss": 0.1}},
    }
