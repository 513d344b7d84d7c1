"""The index of an evidence bundle: what is in it, and who says so.

``index.json`` lists every other member with its SHA-256 and size; the DSSE signature
beside it is by a principal of the registry, by the policy in force at the bundled
commit. ``digests.txt`` says the same to people who have only ``sha256sum``.
"""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from gitmodel.adapters.signing import dsse
from gitmodel.domain.digest import Digest
from gitmodel.domain.incident import AUTHORS
from gitmodel.domain.names import incident_id
from gitmodel.domain.pin import API_VERSION
from gitmodel.errors import InputError, IntegrityError
from gitmodel.formats import canonical_json
from gitmodel.formats.statement import Endorsement, Statement, predicate_type
from gitmodel.registry.seals import Seal, Signed, open_statement

if TYPE_CHECKING:
    from gitmodel.domain.ports import DocumentSigner
    from gitmodel.registry.view import View

KIND = "incident-bundle"
INDEX = "index.json"
SIGNATURE = "index.json.sigstore.json"
DIGESTS = "digests.txt"
#: Bytes of an index, of which each member takes some 150.
MOST = 32 << 20
_HEAD = (
    *("apiVersion", "kind", "incident", "registry", "policy", "commit"),
    *("withArtifacts", "gitmodel", "createdAt", "createdBy"),
)
_CODE = "E_INCIDENT_BUNDLE"


@dataclass(frozen=True, slots=True)
class Listed:
    """One member: the digest and the number of its bytes."""

    digest: Digest
    size: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Index:
    """What an evidence bundle holds.

    Attributes:
        registry: Digest of policy 1.
        policy: Digest of the policy in force at the bundled commit.
        commit: The last one of the bundled history.
        with_artifacts: Whether the bytes of the versions are there.
        made_with: The version of gitmodel that made it.
        created_at: RFC 3339, as written.
        members: Every member but the index and its signature, by name.
    """

    incident: str
    registry: Digest
    policy: Digest
    commit: str
    with_artifacts: bool
    made_with: str
    created_at: str
    created_by: str
    members: dict[str, Listed]

    @classmethod
    def from_bytes(cls, data: bytes) -> Index:
        """Read an index, whoever has signed it.

        Raises:
            IntegrityError: It is none.
        """
        try:
            return _read(canonical_json.loads(data))
        except (InputError, ValueError, TypeError) as error:
            raise IntegrityError(
                f"{INDEX} is malformed: {error}", code=_CODE
            ) from error

    @property
    def head(self) -> dict[str, Any]:
        """Everything but the members: what is signed in words, beside the digest."""
        return {
            "apiVersion": API_VERSION,
            "kind": "IncidentBundle",
            "incident": self.incident,
            "registry": str(self.registry),
            "policy": str(self.policy),
            "commit": self.commit,
            "withArtifacts": self.with_artifacts,
            "gitmodel": self.made_with,
            "createdAt": self.created_at,
            "createdBy": self.created_by,
        }

    def to_bytes(self) -> bytes:
        """Return the index as JSON for people to read."""
        members = [
            {"path": name, "sha256": listed.digest.hex, "size": listed.size}
            for name, listed in sorted(self.members.items())
        ]
        document = self.head | {"members": members}
        return (json.dumps(document, indent=2, ensure_ascii=False) + "\n").encode()


def digest_lines(members: dict[str, Listed]) -> bytes:
    """Return ``digests.txt``: what ``sha256sum --check`` reads, of all members."""
    return "".join(
        f"{listed.digest.hex}  {name}\n"
        for name, listed in sorted(members.items())
        if name != DIGESTS
    ).encode()


def sign_index(signer: DocumentSigner, data: bytes, index: Index, role: str) -> bytes:
    """Return the signature of an index, by the policy that it names."""
    statement = Statement(
        subject_name=INDEX,
        subject_digest=Digest.of(data),
        predicate_type=predicate_type(KIND),
        predicate=Endorsement(
            registry=index.registry,
            policy=index.policy,
            role=role,
            decision="approve",
            comment="",
            document=index.head,
        ).to_predicate(),
    )
    return dsse.sign_statement(signer, statement).to_bytes()


def open_index(view: View, data: bytes, signature: bytes, index: Index) -> Seal:
    """Return who signed an index, if that counts at the bundled commit.

    Raises:
        IntegrityError: It does not; the code says why.
    """
    signed = Signed(INDEX, Digest.of(data), KIND, SIGNATURE, signature)
    seal, said = open_statement(signed, view.registry_id, view.edition_of)
    if seal.role not in AUTHORS["note"]:
        raise IntegrityError(
            f"The signature does not count: a {seal.role} makes no evidence.",
            code="E_ROLE",
        )
    if seal.policy != view.policy_digest:
        raise IntegrityError(
            "The signature rests on a policy that was not in force.",
            code="E_OTHER_POLICY",
        )
    if said != index.head or (seal.principal, seal.decision) != (
        index.created_by,
        "approve",
    ):
        raise IntegrityError(
            "The index and its signature contradict each other.", code=_CODE
        )
    return seal


def _read(value: Any) -> Index:
    document = canonical_json.members(value, INDEX, (*_HEAD, "members"))
    if (document["apiVersion"], document["kind"]) != (API_VERSION, "IncidentBundle"):
        raise InputError("it is no index of evidence that this gitmodel knows.")
    if not isinstance(document["members"], list):
        raise InputError("members is no list.")
    members: dict[str, Listed] = {}
    for item in document["members"]:
        one = canonical_json.members(item, "a member", ("path", "sha256", "size"))
        if one["path"] in members or type(one["size"]) is not int:
            raise InputError(f"{one['path']!a:.100} is in it twice, or has no size.")
        members[_text(one["path"])] = Listed(
            Digest.parse(_text(one["sha256"])), one["size"]
        )
    if type(document["withArtifacts"]) is not bool:
        raise InputError("withArtifacts is not true or false.")
    return Index(
        incident=incident_id(_text(document["incident"])),
        registry=Digest.parse(_text(document["registry"])),
        policy=Digest.parse(_text(document["policy"])),
        commit=_text(document["commit"]),
        with_artifacts=document["withArtifacts"],
        made_with=_text(document["gitmodel"]),
        created_at=_text(document["createdAt"]),
        created_by=_text(document["createdBy"]),
        members=members,
    )


def _text(value: object) -> str:
    if not isinstance(value, str):
        raise InputError(f"{value!a:.100} is no text.")
    return value
