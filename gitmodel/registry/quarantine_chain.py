"""The chain of quarantines and lifts: who has signed what, link by link."""

from __future__ import annotations

from typing import TYPE_CHECKING

from gitmodel.domain.digest import Digest
from gitmodel.domain.quarantine import ROLES, Quarantine
from gitmodel.domain.quarantine_state import Entry
from gitmodel.errors import GitmodelError, IntegrityError
from gitmodel.formats import schema
from gitmodel.registry import layout
from gitmodel.registry.parsing import as_found
from gitmodel.registry.records import read_record

if TYPE_CHECKING:
    from collections.abc import Iterable

    from gitmodel.domain.policy import Policy
    from gitmodel.registry.policies import Edition
    from gitmodel.registry.records import Record
    from gitmodel.registry.seals import Seal
    from gitmodel.registry.view import View

KIND = "quarantine"


def numbers(view: View) -> tuple[int, ...]:
    """Return the numbers of the documents, ascending."""
    return tuple(
        sorted(
            place.seq
            for name in view.names(layout.QUARANTINE)
            if (place := layout.classify(f"{layout.QUARANTINE}/{name}")).kind
            == "quarantine"
        )
    )


def last_digest(view: View) -> tuple[int, Digest | None]:
    """Return how many documents there are, and the digest of the newest."""
    found = numbers(view)
    data = view.blob(layout.quarantine_path(found[-1])) if found else None
    return (found[-1] if found else 0), Digest.of(data) if data else None


def read_chain(view: View) -> tuple[tuple[Entry, Record], ...]:
    """Return every document with its signatures, oldest first.

    Raises:
        IntegrityError: One is malformed, unsigned, or does not follow the one before.
    """
    return view.once("quarantine chain", lambda: _read_chain(view))


def _read_chain(view: View) -> tuple[tuple[Entry, Record], ...]:
    found: list[tuple[Entry, Record]] = []
    prior: Digest | None = None
    for expected, number in enumerate(numbers(view), start=1):
        path = layout.quarantine_path(number)
        try:
            record = read_record(view, path, KIND)
            if record is None:
                raise _broken(path, "E_MISSING", "it is no plain file.")
            with as_found():
                schema.require("Quarantine", record.document, path)
                document = Quarantine.from_document(record.document)
        except GitmodelError as error:
            if error.hints:
                raise
            raise _broken(path, error.code, error.message) from error
        edition = view.edition_of(document.policy)
        problems = link_problems(record, document, (expected, number, prior), edition)
        if record.problems:
            first = record.problems[0]
            problems.append((first.code, f"{first.path}: {first.message}"))
        if problems:
            raise _broken(path, *problems[0])
        entry = Entry(document=document, effective=counts(record, document, edition))
        found.append((entry, record))
        prior = record.digest
    return tuple(found)


def link_problems(
    record: Record,
    document: Quarantine,
    place: tuple[int, int, Digest | None],
    edition: Edition | None,
) -> list[tuple[str, str]]:
    """Say what is wrong with the next link of the chain, as codes and messages.

    Args:
        record: The document with its signatures.
        document: What it says.
        place: Which number comes next, which one its path has, and the digest of the
            document before.
        edition: The policy that it names; None if there is none such.
    """
    expected, number, prior = place
    found = []
    if (document.number, number, document.prior) != (expected, expected, prior):
        said = f"it does not follow document {expected - 1} of the quarantine."
        found.append(("E_QUARANTINE", said))
    if edition is None:
        said = f"it was made under policy {document.policy}, which is not here."
        found.append(("E_OTHER_POLICY", said))
    elif document.created_by not in signers(record.seals, document, edition.policy):
        roles = " or ".join(roles_for(document, edition.policy))
        said = f"{document.created_by} has not signed it as {roles}."
        found.append(("E_UNSIGNED", said))
    return found


def roles_for(document: Quarantine, policy: Policy) -> tuple[str, ...]:
    """Return the roles in which a document must be signed."""
    return ROLES if document.action == "quarantine" else (policy.lift.role,)


def signers(
    seals: Iterable[Seal], document: Quarantine, policy: Policy
) -> frozenset[str]:
    """Return who has signed a document in a role that counts for it.

    Only by the policy that it names: once that is replaced, a lift gets no more
    signatures, for it would get by with as few as the old policy asked for.
    """
    roles = roles_for(document, policy)
    return frozenset(
        seal.principal
        for seal in seals
        if seal.role in roles
        and seal.decision == "approve"
        and seal.policy == document.policy
    )


def counts(record: Record, document: Quarantine, edition: Edition | None) -> bool:
    """Say whether a document has the signatures that it takes."""
    if edition is None:
        return False
    who = signers(record.seals, document, edition.policy)
    return len(who) >= needed(document, edition.policy)


def needed(document: Quarantine, policy: Policy) -> int:
    """Return how many principals must sign a document."""
    return max(1, policy.lift.threshold) if document.action == "lift" else 1


def _broken(path: str, code: str, message: str) -> IntegrityError:
    return IntegrityError(
        f"The chain of quarantines is broken: {path}: {message}",
        "gitmodel verify  shows everything that is wrong;",
        f"git log --oneline -- {path}  who brought it: nothing is rolled back before "
        "git revert has taken that back.",
        code=code,
    )
