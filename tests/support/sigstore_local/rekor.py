"""The transparency log, in both of its versions: a real Merkle tree (RFC 6962)."""

from __future__ import annotations

import base64
import hashlib
import json
import threading
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import rfc8785

from tests.support.sigstore_local.material import Key, b64

if TYPE_CHECKING:
    from collections.abc import Callable
    from datetime import datetime


@dataclass(frozen=True)
class Inclusion:
    """Where an entry is in the tree, and the proof of it."""

    index: int
    size: int
    root: bytes
    path: list[bytes]
    checkpoint: str


@dataclass
class Log:
    """A Merkle tree that signs its head."""

    origin: str
    key: Key = field(default_factory=Key.new)
    leaves: list[bytes] = field(default_factory=list)
    lock: threading.Lock = field(default_factory=threading.Lock)

    def append(self, body: bytes) -> Inclusion:
        with self.lock:
            self.leaves.append(hashlib.sha256(b"\0" + body).digest())
            leaves = list(self.leaves)
        root = _root(leaves)
        note = f"{self.origin}\n{len(leaves)}\n{b64(root)}\n"
        signature = b64(self.key.id[:4] + self.key.sign(note.encode()))
        index = len(leaves) - 1
        return Inclusion(
            index,
            len(leaves),
            root,
            _path(index, leaves),
            f"{note}\n\u2014 {self.origin.split()[0]} {signature}\n",
        )


class RekorV1:
    """Log entries with a promise of inclusion and a time."""

    def __init__(self, now: Callable[[], datetime]) -> None:
        self.log = Log("rekor.local - 1")
        self._now = now

    def add(self, request: dict[str, Any]) -> dict[str, Any]:
        assert request["kind"] == "dsse"
        proposed = request["spec"]["proposedContent"]
        envelope = json.loads(proposed["envelope"])
        body = rfc8785.dumps(
            {
                "apiVersion": "0.0.1",
                "kind": "dsse",
                "spec": {
                    "envelopeHash": _hash(proposed["envelope"].encode()),
                    "payloadHash": _hash(base64.b64decode(envelope["payload"])),
                    "signatures": [
                        {
                            "signature": signature["sig"],
                            "verifier": proposed["verifiers"][0],
                        }
                        for signature in envelope["signatures"]
                    ],
                },
            }
        )
        found = self.log.append(body)
        when = int(self._now().timestamp())
        entry = {
            "body": b64(body),
            "integratedTime": when,
            "logID": self.log.key.id.hex(),
            "logIndex": found.index,
        }
        verification = {
            "signedEntryTimestamp": b64(self.promise(body, when, found.index)),
            "inclusionProof": {
                "checkpoint": found.checkpoint,
                "hashes": [each.hex() for each in found.path],
                "logIndex": found.index,
                "rootHash": found.root.hex(),
                "treeSize": found.size,
            },
        }
        uuid = hashlib.sha256(body).hexdigest()
        return {uuid: {**entry, "verification": verification}}

    def promise(self, body: bytes, when: int, index: int) -> bytes:
        """Sign that an entry came in at a time: what a test may lie about."""
        entry: dict[str, Any] = {
            "body": b64(body),
            "integratedTime": when,
            "logID": self.log.key.id.hex(),
            "logIndex": index,
        }
        return self.log.key.sign(rfc8785.dumps(entry))


class RekorV2:
    """Log entries without a time, which timestamps give."""

    def __init__(self) -> None:
        self.log = Log("rekor.local - 2")

    def add(self, request: dict[str, Any]) -> dict[str, Any]:
        wanted = request["hashedRekordRequestV002"]
        body = rfc8785.dumps(
            {
                "apiVersion": "0.0.2",
                "kind": "hashedrekord",
                "spec": {
                    "hashedRekordV002": {
                        "data": {"algorithm": "SHA2_256", "digest": wanted["digest"]},
                        "signature": wanted["signature"],
                    }
                },
            }
        )
        found = self.log.append(body)
        return {
            "logIndex": str(found.index),
            "logId": {"keyId": b64(self.log.key.id)},
            "kindVersion": {"kind": "hashedrekord", "version": "0.0.2"},
            "inclusionProof": {
                "logIndex": str(found.index),
                "rootHash": b64(found.root),
                "treeSize": str(found.size),
                "hashes": [b64(each) for each in found.path],
                "checkpoint": {"envelope": found.checkpoint},
            },
            "canonicalizedBody": b64(body),
        }


def _hash(data: bytes) -> dict[str, str]:
    return {"algorithm": "sha256", "value": hashlib.sha256(data).hexdigest()}


def _split(leaves: list[bytes]) -> int:
    return 1 << (len(leaves) - 1).bit_length() - 1


def _root(leaves: list[bytes]) -> bytes:
    if len(leaves) == 1:
        return leaves[0]
    half = _split(leaves)
    pair = _root(leaves[:half]) + _root(leaves[half:])
    return hashlib.sha256(b"\x01" + pair).digest()


def _path(index: int, leaves: list[bytes]) -> list[bytes]:
    if len(leaves) == 1:
        return []
    half = _split(leaves)
    if index < half:
        return [*_path(index, leaves[:half]), _root(leaves[half:])]
    return [*_path(index - half, leaves[half:]), _root(leaves[:half])]
