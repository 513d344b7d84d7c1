"""What one command wants to write: files for one commit, and its message."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Generic, TypeVar

from gitmodel.adapters.signing import dsse
from gitmodel.domain.digest import Digest
from gitmodel.errors import InputError
from gitmodel.formats import yaml_reader, yaml_writer
from gitmodel.formats.statement import Endorsement, Statement, predicate_type
from gitmodel.registry import layout

if TYPE_CHECKING:
    from collections.abc import Mapping

    from gitmodel.domain.ports import DocumentSigner
    from gitmodel.formats.commit_message import CommitMessage
    from gitmodel.formats.statement import Decision
    from gitmodel.registry.records import Record


T = TypeVar("T")


@dataclass(slots=True, kw_only=True)
class Change:
    """The content of one commit.

    Attributes:
        message: What the log will say.
        principal: Who makes it; names the commit where git knows no identity.
        files: New bytes by path; None removes the path.
    """

    message: CommitMessage
    principal: str
    files: dict[str, bytes | None] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Plan(Generic[T]):
    """What a command would do: a change, or None if all is so already, and a result."""

    change: Change | None
    result: T


@dataclass(frozen=True, slots=True)
class Authority:
    """What entitles a signer: a registry, by its id, and its policy in force."""

    registry: Digest
    policy: Digest


@dataclass(frozen=True, slots=True, kw_only=True)
class SignedFiles:
    """A document and its signature, ready to be written."""

    path: str
    digest: Digest
    files: Mapping[str, bytes]


def sign_document(
    signer: DocumentSigner,
    path: str,
    document: Mapping[str, Any],
    *,
    kind: str,
    role: str,
    authority: Authority | None,
) -> SignedFiles:
    """Write a document as YAML and sign those bytes.

    Args:
        signer: Whose signature goes beside it.
        path: Where in the registry it will stand.
        document: Its content, in the order to write it.
        kind: ``version``, ``transition`` or ``policy``.
        role: The role in which the signer acts.
        authority: Where that role is given; None for policy 1, which gives it itself.

    Raises:
        InputError: It is too large to be read again (``E_LIMIT``).
    """
    data = yaml_writer.dump(document)
    if len(data) > yaml_reader.MAX_BYTES:
        raise InputError(
            f"{path} would have {len(data):,} bytes, and {yaml_reader.MAX_BYTES:,} are "
            "allowed.",
            code="E_LIMIT",
        )
    digest = Digest.of(data)
    said = Endorsement(
        registry=authority.registry if authority else digest,
        policy=authority.policy if authority else digest,
        role=role,
        decision="approve",
        comment="",
        document=document,
    )
    statement = Statement(
        subject_name=path,
        subject_digest=digest,
        predicate_type=predicate_type(kind),
        predicate=said.to_predicate(),
    )
    bundle = dsse.sign_statement(signer, statement)
    files = {
        path: data,
        layout.signature_path(path, signer.keyid): bundle.to_bytes(),
    }
    return SignedFiles(path=path, digest=digest, files=files)


def countersign(
    signer: DocumentSigner,
    record: Record,
    *,
    kind: str,
    role: str,
    authority: Authority,
    decision: Decision,
    comment: str,
) -> tuple[str, bytes]:
    """Sign a document that others have signed: the same bytes, another signature.

    Returns:
        The path of the signature, and its content.
    """
    said = Endorsement(
        registry=authority.registry,
        policy=authority.policy,
        role=role,
        decision=decision,
        comment=comment,
        document=record.document,
    )
    statement = Statement(
        subject_name=record.path,
        subject_digest=record.digest,
        predicate_type=predicate_type(kind),
        predicate=said.to_predicate(),
    )
    bundle = dsse.sign_statement(signer, statement)
    return layout.signature_path(record.path, signer.keyid), bundle.to_bytes()
