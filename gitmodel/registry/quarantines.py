"""What is in quarantine, as a commit has it: one chain of signed documents.

Where there is no quarantine, asking costs one look at a directory.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from gitmodel.domain.digest import Digest
from gitmodel.domain.quarantine import ROLES, Quarantine
from gitmodel.domain.quarantine_state import Entry, Marks, Origins, fold
from gitmodel.errors import IntegrityError, RefusedError
from gitmodel.formats import schema, yaml_quick, yaml_reader
from gitmodel.registry import layout
from gitmodel.registry.parsing import as_found
from gitmodel.registry.records import read_record

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from gitmodel.domain.policy import Policy
    from gitmodel.domain.quarantine_state import Reason
    from gitmodel.registry.policies import Edition
    from gitmodel.registry.records import Record
    from gitmodel.registry.seals import Seal
    from gitmodel.registry.view import View

KIND = "quarantine"


def quarantined(view: View, model: str, version: str) -> Reason | None:
    """Say why a version must not be used; None if nothing speaks against it.

    Raises:
        IntegrityError: What is in quarantine cannot be relied on.
    """
    return marks_of(view).reason(model, version)


def require_not_quarantined(view: View, model: str, version: str) -> None:
    """Insist that a version is not in quarantine.

    Raises:
        RefusedError: It is (``E_QUARANTINED``).
        IntegrityError: What is in quarantine cannot be relied on.
    """
    reason = quarantined(view, model, version)
    if reason is not None:
        raise refusal(f"{model}@{version}", reason)


def require_clean(view: View, document: Mapping[str, Any]) -> None:
    """Insist that a version that is about to be registered comes of nothing bad.

    Raises:
        RefusedError: A file, a data set or an ancestor of it is in quarantine.
        IntegrityError: What is in quarantine cannot be relied on.
    """
    # Its own manifest does not exist yet, and no digest of it is in quarantine.
    reason = marks_of(view).reason_for(Origins.of(document, Digest("")))
    if reason is not None:
        name = f"{document['model']}@{document['version']}"
        raise refusal(name, reason, "would be in quarantine at once")


def refusal(name: str, reason: Reason, is_so: str = "is in quarantine") -> RefusedError:
    """Return the error of something that is in quarantine."""
    return RefusedError(
        f"{name} {is_so}: {reason}",
        "gitmodel quarantine --list  shows what is, and what a lift still lacks.",
        code="E_QUARANTINED",
    )


def marks_of(view: View) -> Marks:
    """Return what is in quarantine, to ask about versions.

    Raises:
        IntegrityError: A document is malformed, unsigned or out of its place.
    """

    def work() -> Marks:
        subjects = fold(entry for entry, _ in read_chain(view))
        return Marks(subjects, lambda model, version: origins_of(view, model, version))

    return view.once("quarantine marks", work)


def origins_of(view: View, model: str, version: str) -> Origins | None:
    """Return what a version is made of, as its manifest says; None if there is none."""
    path = layout.manifest_path(model, version)
    data = view.blob(path)
    return read_origins(data, path) if data is not None else None


def read_origins(data: bytes, path: str) -> Origins:
    """Return what a version is made of.

    Raises:
        IntegrityError: The manifest is malformed.
    """
    with as_found():
        document: Any = yaml_quick.value_of(data) or yaml_reader.read(data, path).value
        schema.require("ModelVersion", document, path)
    return Origins.of(document, Digest.of(data))


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
        record = read_record(view, path, KIND)
        if record is None:
            raise _broken(path, "E_MISSING", "it is no plain file.")
        with as_found():
            schema.require("Quarantine", record.document, path)
            document = Quarantine.from_document(record.document)
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
        "gitmodel verify  shows everything that is wrong.",
        code=code,
    )
