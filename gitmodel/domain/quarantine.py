"""A quarantine: what must not be used any more, who says so, and why (R177, R178).

Documents are numbered through the whole registry, and each names the one before it.
What is in quarantine is what they say, read in order; ``quarantine_state`` reads them.
"""

from __future__ import annotations

import re
import unicodedata
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Literal

from gitmodel.domain.digest import Digest
from gitmodel.domain.pin import API_VERSION

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

Action = Literal["quarantine", "lift"]

#: Who may put something into quarantine; the first role that a signer has is used.
ROLES = ("responder", "approver", "auditor")
#: Who may look at the files of what is in quarantine.
FORENSIC_ROLES = ("responder", "auditor")
#: Subjects that one document can name.
MOST_SUBJECTS = 1000
_HEX = re.compile(r"[0-9A-Fa-f]+(\.dir)?")


@dataclass(frozen=True, slots=True)
class VersionSubject:
    """One version, by its manifest; whatever has exactly its files is meant too."""

    model: str
    version: str
    manifest: Digest

    def __str__(self) -> str:
        return f"{self.model}@{self.version}"

    def to_dict(self) -> dict[str, Any]:
        """Return the form that it has in a document."""
        return {
            "model": self.model,
            "version": self.version,
            "manifest": str(self.manifest),
        }


@dataclass(frozen=True, slots=True)
class BytesSubject:
    """An artifact, a data set or a manifest by the digest of its bytes.

    Attributes:
        digest: With its algorithm, such as ``sha256:…``; data sets have others, too.
    """

    digest: str

    def __str__(self) -> str:
        return self.digest

    def to_dict(self) -> dict[str, Any]:
        """Return the form that it has in a document."""
        return {"digest": self.digest}


@dataclass(frozen=True, slots=True)
class DataSubject:
    """A data set by its name.

    Attributes:
        version: Only this version of it; None for all.
    """

    name: str
    version: str | None = None

    def __str__(self) -> str:
        return f"data {self.name}" + (f"@{self.version}" if self.version else "")

    def to_dict(self) -> dict[str, Any]:
        """Return the form that it has in a document."""
        named = {"name": self.name}
        if self.version is not None:
            named["version"] = self.version
        return {"data": named}


Subject = VersionSubject | BytesSubject | DataSubject


def subject_of(part: Mapping[str, Any]) -> Subject:
    """Read one subject of a validated document."""
    if "digest" in part:
        return BytesSubject(same_digest(part["digest"]))
    if "data" in part:
        name, version = part["data"]["name"], part["data"].get("version")
        return DataSubject(same_name(name), version and same_name(version))
    return VersionSubject(
        part["model"], part["version"], Digest.parse(part["manifest"])
    )


def same_digest(text: str) -> str:
    """Return a digest as it is compared: the case of hex digits says nothing."""
    hexadecimal = _HEX.fullmatch(text.partition(":")[2])
    return text.lower() if hexadecimal or text.lower().startswith("sha256:") else text


def same_name(text: str) -> str:
    """Return a data set's name as it is compared: an accent is written in two ways."""
    return text if text.isascii() else unicodedata.normalize("NFC", text)


def data_subject(text: str) -> DataSubject:
    """Read ``NAME`` or ``NAME@VERSION``, as people write it."""
    name, at_sign, version = same_name(text).partition("@")
    return DataSubject(name, version if at_sign else None)


def meant_by(name: str, version: str | None) -> Iterator[DataSubject]:
    """Yield the subjects that mean a data set, as manifests name it.

    Its name may have the '@' in it with which people name its version.
    """
    yield DataSubject(name)
    if version is not None:
        yield DataSubject(name, version)
    if "@" in name:
        yield data_subject(name)
        yield data_subject(f"{name}@{version}")


@dataclass(frozen=True, slots=True, kw_only=True)
class Quarantine:
    """One link of the chain.

    Attributes:
        number: 1, 2, 3 … through the whole registry.
        prior: Digest of the document before; None for the first.
        policy: Digest of the policy in force, which says how many must sign a lift.
        created_at: RFC 3339, as written.
    """

    number: int
    prior: Digest | None
    action: Action
    subjects: tuple[Subject, ...]
    policy: Digest
    incident: str | None
    reason: str
    created_at: str
    created_by: str

    @classmethod
    def from_document(cls, document: Mapping[str, Any]) -> Quarantine:
        """Read a validated ``Quarantine`` document."""
        prior = document["prior"]
        return cls(
            number=document["number"],
            prior=Digest.parse(prior) if prior is not None else None,
            action=document["action"],
            subjects=tuple(map(subject_of, document["subjects"])),
            policy=Digest.parse(document["policy"]),
            incident=document["incident"],
            reason=document["reason"],
            created_at=document["createdAt"],
            created_by=document["createdBy"],
        )

    def to_document(self) -> dict[str, Any]:
        """Return the document in its stable key order."""
        return {
            "apiVersion": API_VERSION,
            "kind": "Quarantine",
            "number": self.number,
            "prior": str(self.prior) if self.prior else None,
            "action": self.action,
            "subjects": [subject.to_dict() for subject in self.subjects],
            "policy": str(self.policy),
            "incident": self.incident,
            "reason": self.reason,
            "createdAt": self.created_at,
            "createdBy": self.created_by,
        }
