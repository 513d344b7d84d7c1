"""Signed documents: a YAML file and the bundles beside it, verified as one.

A signature counts only if its key or identity belongs to a principal of the policy,
that principal has the role it claims, and the statement names this registry, this
path, these exact bytes and this kind of document. File names and hints prove
nothing: key ids are recomputed. A document that nobody entitled has signed is
still read, so that people can see it, with its problems.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from gitmodel.domain.digest import Digest
from gitmodel.domain.problem import Problem
from gitmodel.errors import GitmodelError, IntegrityError
from gitmodel.formats import yaml_quick, yaml_reader
from gitmodel.formats.bundle import Bundle
from gitmodel.formats.statement import Endorsement, Statement, predicate_type
from gitmodel.registry import layout
from gitmodel.registry.authorship import author_of
from gitmodel.registry.parsing import as_found

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from gitmodel.registry.policies import Edition
    from gitmodel.registry.view import View


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


@dataclass(frozen=True, slots=True, kw_only=True)
class Record:
    """A signed document as it was found.

    Attributes:
        digest: Digest of the document's exact bytes.
        document: Its content as JSON.
        seals: The valid signatures.
        problems: What is wrong with its signatures; empty when all is well.
    """

    path: str
    digest: Digest
    document: Mapping[str, Any]
    seals: tuple[Seal, ...]
    problems: tuple[Problem, ...]

    def sealed_by(self, role: str) -> tuple[str, ...]:
        """Return the principals who approved it in ``role``."""
        return tuple(
            seal.principal
            for seal in self.seals
            if seal.role == role and seal.decision == "approve"
        )

    def require_seal(self, role: str) -> None:
        """Insist that someone in ``role`` has signed, and that nothing is wrong.

        Raises:
            IntegrityError: Nobody has, or a signature is bad.
        """
        problems = self.problems
        if not problems and not self.sealed_by(role):
            problems = (unsigned(self.path, role),)
        if problems:
            raise IntegrityError(
                str(problems[0]),
                "gitmodel verify  shows everything that is wrong.",
                code=problems[0].code,
                problems=[problem.to_dict() for problem in problems],
            )


def unsigned(path: str, role: str) -> Problem:
    """Return the problem of a document that nobody in ``role`` has signed."""
    return Problem("E_UNSIGNED", f"no {role} has signed this document.", path)


def read_record(view: View, path: str, kind: str) -> Record | None:
    """Read a signed document; None if there is no such file.

    Args:
        view: Where to read.
        path: Of the document.
        kind: ``version``, ``transition`` or ``policy``.

    Raises:
        IntegrityError: It has no valid signature and is no readable YAML either.
    """
    data = view.blob(path)
    if data is None:
        return None
    digest = Digest.of(data)
    seals: list[Seal] = []
    problems: list[Problem] = []
    document: Mapping[str, Any] | None = None
    for signature in _signatures_of(view, path):
        try:
            bundle = view.blob(signature) or b""
            seal, stated = open_seal(
                Signed(path, digest, kind, signature, bundle),
                view.registry_id,
                view.edition_of,
            )
            # The signature of policy n+1 rests on policy n, and comes with n+1.
            if kind != "policy":
                _require_in_time(view, signature, seal.policy)
        except GitmodelError as error:
            problems.append(Problem(error.code, error.message, signature))
            continue
        seals.append(seal)
        document = stated
    if document is None:
        with as_found():
            document = yaml_quick.value_of(data) or yaml_reader.read(data, path).value
    return Record(
        path=path,
        digest=digest,
        document=document,
        seals=tuple(seals),
        problems=tuple(problems),
    )


def _require_in_time(view: View, signature: str, policy: Digest) -> None:
    """Refuse a signature that rests on a policy which had been replaced by then.

    Whoever was removed could otherwise sign on by the policy that still had them,
    with whatever date they like: position in history decides (``design`` §4.5).
    """
    if policy != view.policy_digest and not view.stood_under(signature, policy):
        raise IntegrityError(
            "The signature rests on a policy that had been replaced when it came.",
            "gitmodel verify --history  shows in which commit it came.",
            code="E_OTHER_POLICY",
        )


def _signatures_of(view: View, path: str) -> list[str]:
    return sorted(view.signatures_in(path.rpartition("/")[0]).get(path, ()))


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
            f"The signature rests on policy {said.policy}, which this registry "
            "does not have.",
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
