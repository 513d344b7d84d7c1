"""Signed documents: a YAML file and the bundles beside it, verified as one.

A signature counts only if the key belongs to a principal of the policy, that
principal has the role it claims, and the statement names this registry, this
path, these exact bytes and this kind of document. File names and hints prove
nothing: key ids are recomputed. A document that nobody entitled has signed is
still read, so that people can see it, with its problems.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from gitmodel.adapters.signing import dsse
from gitmodel.adapters.signing.public_key import PublicKey, declared_key
from gitmodel.domain.digest import Digest
from gitmodel.domain.problem import Problem
from gitmodel.errors import GitmodelError, IntegrityError
from gitmodel.formats import yaml_quick, yaml_reader
from gitmodel.formats.bundle import Bundle
from gitmodel.formats.statement import Endorsement, Statement, predicate_type
from gitmodel.registry import layout

if TYPE_CHECKING:
    from collections.abc import Mapping

    from gitmodel.domain.policy import Policy
    from gitmodel.registry.view import View


@dataclass(frozen=True, slots=True, kw_only=True)
class Seal:
    """One valid signature of a document, by one principal, in one role."""

    principal: str
    keyid: str
    role: str
    decision: str
    comment: str


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
        InputError: It has no valid signature and is no readable YAML either.
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
            seal, stated = _open(view, signature, path, digest, kind)
        except GitmodelError as error:
            problems.append(Problem(error.code, error.message, signature))
            continue
        seals.append(seal)
        document = stated
    if document is None:
        document = yaml_quick.value_of(data) or yaml_reader.read(data, path).value
    return Record(
        path=path,
        digest=digest,
        document=document,
        seals=tuple(seals),
        problems=tuple(problems),
    )


def _signatures_of(view: View, path: str) -> list[str]:
    directory, _, name = path.rpartition("/")
    start = f"{name}."
    return sorted(
        f"{directory}/{other}"
        for other in view.names(directory)
        if other.startswith(start)
        and layout.classify(f"{directory}/{other}").document == path
    )


def _open(
    view: View, signature: str, path: str, digest: Digest, kind: str
) -> tuple[Seal, Mapping[str, Any]]:
    bundle = Bundle.from_bytes(view.blob(signature) or b"", signature)
    statement = Statement.from_bundle(bundle)
    said = Endorsement.from_predicate(statement.predicate)
    # Which policy entitles the signer is the signer's word. That it was the one in
    # force when the document came is for the history to prove.
    policy = view.policy_of(said.policy)
    if policy is None:
        raise IntegrityError(
            f"The signature rests on policy {said.policy}, which this registry never "
            "had.",
            code="E_OTHER_POLICY",
        )
    key = dsse.verify_bundle(bundle, policy_keys(policy))
    owner = policy.owner_of(key.keyid)
    wrong = _mismatch(statement, path, digest, kind)
    if wrong is None and said.registry != view.registry_id:
        wrong = ("E_OTHER_REGISTRY", "it was made for another registry.")
    if wrong is None and layout.classify(signature).keyid != key.keyid[:8]:
        wrong = ("E_SIGNATURE_NAME", f"it is by key {key.keyid[:8]}, not as named.")
    if wrong is None and (owner is None or not policy.has_role(owner, said.role)):
        wrong = ("E_ROLE", f"{owner} is not a {said.role}.")
    if wrong is not None or owner is None:
        code, message = wrong or ("E_UNTRUSTED_KEY", "its key has no owner.")
        raise IntegrityError(f"The signature does not count: {message}", code=code)
    seal = Seal(
        principal=owner,
        keyid=key.keyid,
        role=said.role,
        decision=said.decision,
        comment=said.comment,
    )
    return seal, said.document


def _mismatch(
    statement: Statement, path: str, digest: Digest, kind: str
) -> tuple[str, str] | None:
    if statement.predicate_type != predicate_type(kind):
        return "E_PREDICATE", f"it signs a {statement.predicate_type}, not a {kind}."
    if statement.subject_name != path:
        return "E_OTHER_PATH", f"it signs {statement.subject_name}"
    if statement.subject_digest != digest:
        return "E_DOCUMENT_DIGEST", "it signs other bytes than this document has."
    return None


def policy_keys(policy: Policy) -> tuple[PublicKey, ...]:
    """Return every key of the policy.

    Raises:
        InputError: A key is malformed, or is not the one its key id names.
    """
    return tuple(
        declared_key(key.keyid, key.public)
        for principal in policy.principals
        for key in principal.keys
    )
