"""Which versions are in quarantine, as a commit has it.

Where nothing is, asking costs one look at a directory.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from gitmodel.domain.digest import Digest
from gitmodel.domain.quarantine_state import Marks, Origins, fold
from gitmodel.errors import RefusedError
from gitmodel.formats import schema, yaml_quick, yaml_reader
from gitmodel.registry import layout
from gitmodel.registry.parsing import as_found
from gitmodel.registry.quarantine_chain import read_chain

if TYPE_CHECKING:
    from collections.abc import Mapping

    from gitmodel.domain.quarantine_state import Reason
    from gitmodel.registry.view import View


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
