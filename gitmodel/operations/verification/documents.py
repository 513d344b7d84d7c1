"""Documents: strict YAML, schema, signatures by policy, and both forms agreeing."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from gitmodel.errors import GitmodelError
from gitmodel.formats import schema, yaml_quick
from gitmodel.registry.records import Record, read_record, unsigned

if TYPE_CHECKING:
    from collections.abc import Mapping

    from gitmodel.operations.verification.findings import Findings
    from gitmodel.registry.view import View


def read_blob(view: View, findings: Findings, path: str) -> bytes | None:
    """Return a file's bytes; None, and a problem, if git cannot give them."""
    try:
        return view.blob(path)
    except GitmodelError as error:
        findings.add_error(error, path)
        return None


def verify_plain(
    view: View, findings: Findings, path: str, kind: str
) -> Mapping[str, Any] | None:
    """Read an unsigned document by its schema; None if it is malformed."""
    try:
        data = view.blob(path)
    except GitmodelError as error:
        findings.add_error(error, path)
        return None
    if data is None:
        findings.add("E_MISSING", f"there is no {kind} document here.", path)
        return None
    try:
        return read_plain(data, path, kind)
    except GitmodelError as error:
        findings.add_error(error, path)
        return None


def read_plain(data: bytes, path: str, kind: str) -> Mapping[str, Any]:
    """Read a document by its schema, quickly if it is as gitmodel writes it.

    Raises:
        InputError: It is malformed; ``problems`` lists all that is wrong.
    """
    quick = yaml_quick.value_of(data)
    if quick is not None and not schema.problems(kind, quick, path):
        return quick
    document: Mapping[str, Any] = schema.read_document(data, path, kind).value
    return document


def verify_signed(
    view: View, findings: Findings, path: str, kind: str, statement: str
) -> Record | None:
    """Read a signed document: schema, signatures, and YAML equal to what was signed.

    Args:
        view: Where to read.
        findings: Told about every problem.
        path: Of the document.
        kind: Of the document, such as ``Transition``.
        statement: The kind of statement that signs it, such as ``transition``.
    """
    record = _if_valid(view, path, kind, statement)
    if record is None:
        record = _explained(view, findings, path, kind, statement)
    if record is None:
        return None
    findings.problems.extend(record.problems)
    findings.signatures += len(record.seals)
    return record


def _if_valid(view: View, path: str, kind: str, statement: str) -> Record | None:
    """Return a signed document; None if anything is wrong with it as a document."""
    try:
        record = read_record(view, path, statement)
    except GitmodelError:
        return None
    if record is None or schema.problems(kind, record.document):
        return None
    return record


def _explained(
    view: View, findings: Findings, path: str, kind: str, statement: str
) -> Record | None:
    """Report what is wrong with a document, line by line."""
    if verify_plain(view, findings, path, kind) is None:
        return None
    try:
        return read_record(view, path, statement)
    except GitmodelError as error:
        findings.add_error(error, path)
        return None


def require_role(record: Record, findings: Findings, role: str) -> None:
    """Report a document that nobody in ``role`` has approved."""
    if not record.sealed_by(role) and not record.problems:
        findings.problems.append(unsigned(record.path, role))
