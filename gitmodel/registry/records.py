"""Signed documents: a YAML file and the bundles beside it, verified as one.

A signature counts only if its key or identity belongs to a principal of the policy,
that principal has the role it claims, and the statement names this registry, this
path, these exact bytes and this kind of document. File names and hints prove
nothing: key ids are recomputed. A document that nobody entitled has signed is
still read, so that people can see it, with its problems.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from functools import cached_property
from typing import TYPE_CHECKING, Any

from gitmodel.domain.digest import Digest
from gitmodel.domain.problem import Problem
from gitmodel.domain.quorum import Voice
from gitmodel.errors import GitmodelError, IntegrityError
from gitmodel.formats import canonical_json, yaml_quick, yaml_reader
from gitmodel.registry.parsing import as_found
from gitmodel.registry.seals import Seal, Signed, open_seal

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from gitmodel.registry.policies import Edition
    from gitmodel.registry.view import View


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

    def under(self, policy: Digest) -> Record:
        """Return it with those signatures alone that rest on ``policy``.

        A document is judged by the policy that it names. Whoever signed by another one
        has not said that this one lets them: it may have asked for less.
        """
        seals = tuple(seal for seal in self.seals if seal.policy == policy)
        return replace(self, seals=seals)

    def sealed_by(self, role: str) -> tuple[str, ...]:
        """Return the principals who approved it in ``role``."""
        return tuple(
            seal.principal
            for seal in self.seals
            if seal.role == role and seal.decision == "approve"
        )

    def voices(self) -> tuple[Voice, ...]:
        """Return who said yes, and in which role."""
        return tuple(
            Voice(seal.principal, seal.role)
            for seal in self.seals
            if seal.decision == "approve"
        )

    def rejected_by(self, *roles: str) -> tuple[str, ...]:
        """Return who said no in one of ``roles``; others have no say in it."""
        said = {
            seal.principal
            for seal in self.seals
            if seal.decision == "reject" and seal.role in roles
        }
        return tuple(sorted(said))

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


def read_record(
    view: View, path: str, kind: str, *, trusted: View | None = None
) -> Record | None:
    """Read a signed document; None if there is no such file.

    Args:
        view: Where to read.
        path: Of the document.
        kind: ``version``, ``transition`` or ``policy``.
        trusted: Whose policies say what counts, where that is not ``view`` itself:
            what somebody proposes does not bring its own judges.

    Raises:
        IntegrityError: It is no readable YAML.
    """
    by = trusted or view

    def look(signed: Signed) -> tuple[Seal, Mapping[str, Any]]:
        seal, stated = open_seal(signed, by.registry_id, by.edition_of)
        # The signature of policy n+1 rests on policy n, and comes with n+1.
        if kind != "policy":
            _require_in_time(by, signed.signature, seal.policy)
        return seal, stated

    return _read(view, path, kind, look)


def read_proposal(
    view: View, path: str, registry_id: Digest, editions: Mapping[Digest, Edition]
) -> Record | None:
    """Read a policy that is not in force yet; None if there is no such file.

    Args:
        view: Where to read.
        path: Of the policy.
        registry_id: The registry that it is for.
        editions: The policy in force, and this one: by which of them a root signs.

    Raises:
        IntegrityError: It is no readable YAML.
    """
    return _read(
        view,
        path,
        "policy",
        lambda signed: open_seal(signed, registry_id, editions.get),
    )


def _read(
    view: View,
    path: str,
    kind: str,
    look: Callable[[Signed], tuple[Seal, Mapping[str, Any]]],
) -> Record | None:
    data = view.blob(path)
    if data is None:
        return None
    digest = Digest.of(data)
    seals: list[Seal] = []
    problems: list[Problem] = []
    content = _Content(data, path)
    for signature in _signatures_of(view, path):
        try:
            bundle = view.blob(signature) or b""
            seal, stated = look(Signed(path, digest, kind, signature, bundle))
        except GitmodelError as error:
            problems.append(Problem(error.code, error.message, signature))
            continue
        if not content.is_said_by(stated):
            said = "its statement does not say what the YAML says."
            problems.append(Problem("E_DOCUMENT_MISMATCH", said, signature))
            continue
        seals.append(seal)
    return Record(
        path=path,
        digest=digest,
        document=content.document,
        seals=tuple(seals),
        problems=tuple(problems),
    )


class _Content:
    """What a document says: mostly what its signer says, so it need not be read."""

    def __init__(self, data: bytes, path: str) -> None:
        self._data = data
        self._path = path
        self._stated: Mapping[str, Any] | None = None

    def is_said_by(self, stated: Mapping[str, Any]) -> bool:
        """Say whether a statement says exactly what the document says."""
        if yaml_quick.says(self._data, stated):
            self._stated = stated
            return True
        return canonical_json.dumps(stated) == self._meaning

    @property
    def document(self) -> Mapping[str, Any]:
        """Its content as JSON."""
        return self._stated if self._stated is not None else self._read[0]

    @property
    def _meaning(self) -> bytes:
        return self._read[1]

    @cached_property
    def _read(self) -> tuple[Mapping[str, Any], bytes]:
        with as_found():
            found = yaml_quick.value_of(self._data)
            value = found or yaml_reader.read(self._data, self._path).value
            return value, canonical_json.dumps(value)


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
