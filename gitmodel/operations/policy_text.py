"""A policy as the text that people read and change."""

from __future__ import annotations

import difflib
from typing import TYPE_CHECKING, Any

from gitmodel.formats import yaml_reader, yaml_writer
from gitmodel.registry import layout
from gitmodel.registry.records import read_record

if TYPE_CHECKING:
    from collections.abc import Mapping

    from gitmodel.registry.view import View

    Document = dict[str, Any]

#: What people decide; the rest of a policy says which link of the chain it is.
EDITABLE = ("principals", "roles", "stages", "sensitivity", "sigstore", "limits")


def document_in_force(view: View) -> Document:
    """Return the document of the policy in force, in the order of its file.

    Raises:
        IntegrityError: Its signatures are not right.
    """
    path = layout.policy_path(view.policy_number)
    record, data = read_record(view, path, "policy"), view.blob(path)
    if record is None or data is None:
        raise AssertionError("a view has the policy in force")
    record.require_seal("root")
    return dict(yaml_reader.read(data, path).value)


def differences(old: Mapping[str, Any], new: Mapping[str, Any]) -> str:
    """Return what changes from one policy's document to another's, as a diff."""
    before, after = (
        yaml_writer.dump(
            {name: document[name] for name in EDITABLE if document.get(name)}
        )
        .decode()
        .splitlines()
        for document in (old, new)
    )
    lines = difflib.unified_diff(
        before,
        after,
        f"policy {old['version']}",
        f"policy {new['version']}",
        lineterm="",
    )
    return "\n".join(lines)
