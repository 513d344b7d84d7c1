"""Checkpoints as files: one Sigstore bundle that carries the whole statement.

- The subject of the statement is the document: named ``checkpoint``, with the SHA-256
  of its canonical JSON, which is also how it stands inside of the payload.
- ``tree`` is the SHA-256 over one line for every protected file and ``gitmodel.yaml``,
  sorted by the bytes of the path: the mode in six octal digits, a space, the path, a
  NUL, the SHA-256 of the content in hex, a line feed. What is no file (a submodule)
  has its object id instead. So it does not rest on git's SHA-1.
- A clone remembers the checkpoints that it made or verified, below ``.git/gitmodel``.
"""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from typing import TYPE_CHECKING

from gitmodel.adapters.signing import dsse
from gitmodel.domain.checkpoint import Checkpoint, Tip
from gitmodel.domain.digest import Digest
from gitmodel.errors import GitmodelError, IntegrityError
from gitmodel.formats import canonical_json, schema
from gitmodel.formats.bundle import Bundle
from gitmodel.formats.statement import Endorsement, Statement, predicate_type
from gitmodel.registry import layout
from gitmodel.registry.seals import Seal, Signed, open_statement
from gitmodel.registry.stage_log import sequence_numbers

if TYPE_CHECKING:
    from pathlib import Path

    from gitmodel.adapters.git.repository import Repository
    from gitmodel.domain.ports import DocumentSigner
    from gitmodel.registry.view import View

KIND = "checkpoint"
#: Who may say what a registry was; the first that a signer has is used.
ROLES = ("auditor", "root")

_FILES = frozenset({0o100644, 0o100755, 0o100664, 0o120000})
_LIMIT = 1 << 20


@dataclass(frozen=True, slots=True)
class Kept:
    """A checkpoint and the file that holds it, read but not verified."""

    checkpoint: Checkpoint
    digest: Digest
    data: bytes


def tree_digest(view: View) -> Digest:
    """Return the digest of everything protected in a commit."""
    files = {
        path: entry
        for path, entry in view.files_below("").items()
        if path == layout.SETTINGS or path.startswith(layout.PROTECTED_ROOTS)
    }
    plain = [path for path, entry in files.items() if entry.mode in _FILES]
    blobs = view.reader.read_many(files[path].oid for path in plain)
    content = {
        path: hashlib.sha256(blob.data).hexdigest()
        for path, blob in zip(plain, blobs, strict=True)
    }
    lines = sorted(
        (
            path.encode("utf-8", "surrogateescape"),
            entry.mode,
            content.get(path, entry.oid),
        )
        for path, entry in files.items()
    )
    whole = hashlib.sha256()
    for name, mode, digest in lines:
        whole.update(b"%06o %b\0%b\n" % (mode, name, digest.encode()))
    return Digest(whole.hexdigest())


def tips(view: View) -> tuple[Tip, ...]:
    """Return the newest transition of every pin, by stage and model."""
    found = []
    for stage in sorted(view.names("log")):
        for model in sorted(view.names(f"log/{stage}")):
            numbers = sequence_numbers(view, stage, model)
            if not numbers:
                continue
            path = layout.transition_path(stage, model, numbers[-1])
            data = view.blob(path)
            if data is not None:
                found.append(Tip(stage, model, numbers[-1], Digest.of(data)))
    return tuple(found)


def sign(
    signer: DocumentSigner, checkpoint: Checkpoint, role: str, comment: str = ""
) -> Kept:
    """Sign a checkpoint, by the policy that it names."""
    document = checkpoint.to_document()
    schema.require("Checkpoint", document, "the checkpoint")
    statement = Statement(
        subject_name=KIND,
        subject_digest=_digest_of(checkpoint),
        predicate_type=predicate_type(KIND),
        predicate=Endorsement(
            registry=checkpoint.registry,
            policy=checkpoint.policy,
            role=role,
            decision="approve",
            comment=comment,
            document=document,
        ).to_predicate(),
    )
    data = dsse.sign_statement(signer, statement).to_bytes()
    return Kept(checkpoint, _digest_of(checkpoint), data)


def read(data: bytes, name: str) -> Kept:
    """Read a checkpoint without verifying who signed it.

    Raises:
        IntegrityError: It is none (``E_CHECKPOINT``).
    """
    try:
        bundle = Bundle.from_bytes(data, name, limit=_LIMIT)
        statement = Statement.from_bundle(bundle)
        said = Endorsement.from_predicate(statement.predicate)
        schema.require("Checkpoint", said.document, name)
    except GitmodelError as error:
        raise IntegrityError(
            f"{name} is no checkpoint: {error.message}", code="E_CHECKPOINT"
        ) from error
    checkpoint = Checkpoint.from_document(said.document)
    return Kept(checkpoint, _digest_of(checkpoint), data)


def open_checkpoint(view: View, kept: Kept, name: str) -> Seal:
    """Return the signature of a checkpoint, if it counts in the registry of ``view``.

    Raises:
        IntegrityError: It does not; the code says why.
    """
    signed = Signed(KIND, kept.digest, KIND, name, kept.data)
    seal, _ = open_statement(signed, view.registry_id, view.edition_of)
    if seal.role not in ROLES:
        raise IntegrityError(
            f"The signature does not count: a {seal.role} signs no checkpoints.",
            code="E_ROLE",
        )
    if seal.decision != "approve" or seal.policy != kept.checkpoint.policy:
        raise IntegrityError(
            "The checkpoint and its signature contradict each other.",
            code="E_CHECKPOINT",
        )
    return seal


def remember(repository: Repository, kept: Kept) -> Path | None:
    """Keep a checkpoint in this clone; None if the clone cannot be written."""
    path = _directory(repository) / f"{kept.checkpoint.seq}-{kept.digest.hex[:12]}.json"
    temporary = path.with_suffix(".tmp")
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        temporary.write_bytes(kept.data)
        temporary.replace(path)
    except OSError:
        return None
    return path


def remembered(repository: Repository) -> tuple[Kept, ...]:
    """Return the checkpoints of this clone, lowest number first, oldest first."""
    found = []
    for path in _directory(repository).glob("*.json"):
        try:
            found.append(read(path.read_bytes(), path.name))
        except (OSError, GitmodelError):
            continue
    found.sort(key=lambda kept: (kept.checkpoint.seq, kept.checkpoint.created_at))
    return tuple(found)


def _directory(repository: Repository) -> Path:
    return repository.state_dir / "checkpoints"


def _digest_of(checkpoint: Checkpoint) -> Digest:
    return Digest.of(canonical_json.dumps(checkpoint.to_document()))
