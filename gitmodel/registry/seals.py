"""Signatures: what one of them says, and whether it counts.

A signature counts only if its key or identity belongs to a principal of the policy
that it names, that principal has the role it claims, and the statement names this
registry, this path, these exact bytes and this kind of document. File names and hints
prove nothing: key ids are recomputed.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from gitmodel.errors import IntegrityError
from gitmodel.formats.bundle import Bundle
from gitmodel.formats.statement import Endorsement, Statement, predicate_type
from gitmodel.registry import layout
from gitmodel.registry.authorship import author_of

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from gitmodel.domain.digest import Digest
    from gitmodel.registry.policies import Edition


@dataclass(frozen=True, slots=True, kw_only=True)
class Seal:
    """One valid signature of a document: a principal in a role, by some policy.

    Attributes:
        keyid: Of the key that signed, or what stands for the identity that did.
    """

    principal: str
    keyid: str
    role: str
    decision: str
    comment: str
    policy: Digest


@dataclass(frozen=True, slots=True)
class Signed:
    """A document and one signature of it, as bytes with their paths."""

    path: str
    digest: Digest
    kind: str
    signature: str
    bundle: bytes


def open_seal(
    signed: Signed,
    registry_id: Digest,
    edition_of: Callable[[Digest], Edition | None],
) -> tuple[Seal, Mapping[str, Any]]:
    """Return a signature that counts, and the document as its signer states it.

    Args:
        signed: What to look at.
        registry_id: The registry that it must have been made for.
        edition_of: Returns the policy of that registry with a digest. Which policy
            entitles the signer is the signer's word; that it was the one in force
            when the document came is for the history to prove.

    Raises:
        IntegrityError: The signature does not count; the code says why.
    """
    seal, document = open_statement(signed, registry_id, edition_of)
    if layout.classify(signed.signature).keyid != seal.keyid[:8]:
        raise IntegrityError(
            "The signature does not count: it is by key "
            f"{seal.keyid[:8]}, not as named.",
            code="E_SIGNATURE_NAME",
        )
    return seal, document


def open_statement(
    signed: Signed,
    registry_id: Digest,
    edition_of: Callable[[Digest], Edition | None],
) -> tuple[Seal, Mapping[str, Any]]:
    """Do as :func:`open_seal`, but for the file's name: of what stands alone.

    Raises:
        IntegrityError: The signature does not count; the code says why.
    """
    bundle = Bundle.from_bytes(signed.bundle, signed.signature)
    statement = Statement.from_bundle(bundle)
    said = Endorsement.from_predicate(statement.predicate)
    edition = edition_of(said.policy)
    if edition is None:
        raise IntegrityError(
            f"The signature rests on policy {said.policy}, which is not of this "
            "registry, or not in force any more.",
            code="E_OTHER_POLICY",
        )
    author = author_of(bundle, edition)
    wrong = _mismatch(statement, signed)
    if wrong is None and said.registry != registry_id:
        wrong = ("E_OTHER_REGISTRY", "it was made for another registry.")
    if wrong is None and not edition.policy.has_role(author.principal, said.role):
        wrong = ("E_ROLE", f"{author.principal} is not a {said.role}.")
    if wrong is not None:
        code, message = wrong
        raise IntegrityError(f"The signature does not count: {message}", code=code)
    seal = Seal(
        principal=author.principal,
        keyid=author.keyid,
        role=said.role,
        decision=said.decision,
        comment=said.comment,
        policy=said.policy,
    )
    return seal, said.document


def _mismatch(statement: Statement, signed: Signed) -> tuple[str, str] | None:
    if statement.predicate_type != predicate_type(signed.kind):
        found = statement.predicate_type
        return "E_PREDICATE", f"it signs a {found}, not a {signed.kind}."
    if statement.subject_name != signed.path:
        return "E_OTHER_PATH", f"it signs {statement.subject_name}"
    if statement.subject_digest != signed.digest:
        return "E_DOCUMENT_DIGEST", "it signs other bytes than this document has."
    return None
