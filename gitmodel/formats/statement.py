"""in-toto Statement v1: what a signer says, and about which exact bytes.

- One subject, named by its repository path and pinned by its SHA-256.
- The predicate type says what kind of document the subject is; the predicate is
  an ``Endorsement``: in which registry and role someone stands behind it.

Commit and tree ids are no subjects: Sigstore refuses any digest but SHA-2 and
SHA-3. Whether the signer may speak so is for the policy to say, not this module.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Literal, get_args

from gitmodel.domain.digest import Digest
from gitmodel.errors import InputError, IntegrityError
from gitmodel.formats.canonical_json import dumps, loads, members

if TYPE_CHECKING:
    from collections.abc import Mapping

    from gitmodel.formats.bundle import Bundle

PAYLOAD_TYPE = "application/vnd.in-toto+json"
STATEMENT_TYPE = "https://in-toto.io/Statement/v1"

_CODE = "E_STATEMENT"
_HEX = re.compile(r"[0-9a-f]{64}")
_KIND = re.compile(r"[a-z][a-z0-9-]*")
_OURS = re.compile(r"https://gitmodel\.dev/attestation/([a-z][a-z0-9-]*)/v1")

Decision = Literal["approve", "reject"]


def predicate_type(kind: str) -> str:
    """Return the predicate type of documents of ``kind``, such as ``version``.

    Raises:
        InputError: ``kind`` is not lower-case letters, digits and hyphens.
    """
    if not _KIND.fullmatch(kind):
        raise InputError(f"{kind!r} is not a kind of attestation.")
    return f"https://gitmodel.dev/attestation/{kind}/v1"


def kind_of(predicate: str) -> str | None:
    """Return the kind that a predicate type names, None for foreign types.

    ``kind_of(predicate_type(kind)) == kind``.
    """
    match = _OURS.fullmatch(predicate)
    return match[1] if match else None


@dataclass(frozen=True, slots=True, kw_only=True)
class Statement:
    """A claim about one file; ``Statement.from_bytes(s.to_bytes()) == s``.

    Attributes:
        subject_name: Repository path of the file.
        subject_digest: Digest of its exact bytes.
        predicate_type: URI that says how to read the predicate.
        predicate: The claim itself, plain JSON.
    """

    subject_name: str
    subject_digest: Digest
    predicate_type: str
    predicate: Mapping[str, Any] = field(hash=False)

    @classmethod
    def from_bytes(cls, data: bytes) -> Statement:
        """Read a statement.

        Raises:
            IntegrityError: It is not such a statement (``E_STATEMENT``).
        """
        try:
            return _statement(loads(data))
        except InputError as error:
            raise IntegrityError(
                f"The signed statement is malformed: {error.message}", code=_CODE
            ) from error

    @classmethod
    def from_bundle(cls, bundle: Bundle) -> Statement:
        """Read the statement in a bundle, without verifying who signed it.

        Raises:
            IntegrityError: The payload is not an in-toto statement.
        """
        if bundle.payload_type != PAYLOAD_TYPE:
            raise IntegrityError(
                f"The signed payload is {bundle.payload_type!r:.80}, "
                f"not {PAYLOAD_TYPE}.",
                code=_CODE,
            )
        return cls.from_bytes(bundle.payload)

    def to_bytes(self) -> bytes:
        """Return the statement as canonical JSON.

        Raises:
            InputError: The predicate holds what JSON cannot say.
        """
        return dumps(
            {
                "_type": STATEMENT_TYPE,
                "subject": [
                    {
                        "name": self.subject_name,
                        "digest": {"sha256": self.subject_digest.hex},
                    }
                ],
                "predicateType": self.predicate_type,
                "predicate": self.predicate,
            }
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class Endorsement:
    """The predicate of gitmodel's own statements.

    Attributes:
        registry: Digest of policy 1, so that no signature moves between registries.
        policy: Digest of the policy by which the signer holds the role.
        role: Role in which the signer acts.
        decision: Whether the signer stands behind the document or refuses it.
        comment: What the signer says to people; may be "".
        document: The document as JSON, readable without parsing YAML.
    """

    registry: Digest
    policy: Digest
    role: str
    decision: Decision
    comment: str
    document: Mapping[str, Any] = field(hash=False)

    @classmethod
    def from_predicate(cls, predicate: Mapping[str, Any]) -> Endorsement:
        """Read a predicate.

        Raises:
            IntegrityError: It is not an endorsement (``E_STATEMENT``).
        """
        try:
            return _endorsement(predicate)
        except InputError as error:
            raise IntegrityError(
                f"The signed predicate is malformed: {error.message}", code=_CODE
            ) from error

    def to_predicate(self) -> dict[str, Any]:
        """Return the predicate; ``from_predicate(e.to_predicate()) == e``."""
        return {
            "registry": str(self.registry),
            "policy": str(self.policy),
            "role": self.role,
            "decision": self.decision,
            "comment": self.comment,
            "document": self.document,
        }


def _statement(value: object) -> Statement:
    top = members(
        value, "the statement", ("_type", "subject", "predicateType", "predicate")
    )
    if top["_type"] != STATEMENT_TYPE:
        raise InputError(f"its type is not {STATEMENT_TYPE}.")
    subjects = top["subject"]
    if not isinstance(subjects, list) or len(subjects) != 1:
        raise InputError("it does not have exactly one subject.")
    subject = members(subjects[0], "the subject", ("name", "digest"))
    digest = members(subject["digest"], "the subject's digest", ("sha256",))["sha256"]
    if not isinstance(digest, str) or not _HEX.fullmatch(digest):
        raise InputError("the subject's sha256 is not 64 lower-case hex digits.")
    if not isinstance(top["predicate"], dict):
        raise InputError("the predicate is not an object.")
    return Statement(
        subject_name=_text(subject["name"], "the subject's name"),
        subject_digest=Digest(digest),
        predicate_type=_text(top["predicateType"], "predicateType"),
        predicate=top["predicate"],
    )


def _endorsement(predicate: Mapping[str, Any]) -> Endorsement:
    found = members(
        predicate,
        "the predicate",
        ("registry", "policy", "role", "decision", "comment", "document"),
    )
    decision = found["decision"]
    if decision not in get_args(Decision):
        raise InputError("the decision is neither approve nor reject.")
    if not isinstance(found["comment"], str):
        raise InputError("the comment is not a string.")
    if not isinstance(found["document"], dict):
        raise InputError("the document is not an object.")
    return Endorsement(
        registry=_digest(found["registry"], "the registry"),
        policy=_digest(found["policy"], "the policy"),
        role=_text(found["role"], "the role"),
        decision=decision,
        comment=found["comment"],
        document=found["document"],
    )


def _digest(value: object, what: str) -> Digest:
    if not isinstance(value, str) or not value.startswith("sha256:"):
        raise InputError(f"{what} is not a sha256: digest.")
    return Digest.parse(value)


def _text(value: object, what: str) -> str:
    if not isinstance(value, str) or not value:
        raise InputError(f"{what} is not a string, or is empty.")
    return value
