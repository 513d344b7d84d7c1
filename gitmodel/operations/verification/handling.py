"""What git is told to do with the files of a registry when it checks them out.

Artifacts must go through LFS. Documents must reach the work tree byte for byte: a
filter or an encoding would show tools that read it, such as Argo CD, something else
than what was signed.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from gitmodel.adapters.git.attributes import attribute_of
from gitmodel.adapters.git.trees import FILE
from gitmodel.errors import GitmodelError
from gitmodel.registry import layout

if TYPE_CHECKING:
    from collections.abc import Mapping

    from gitmodel.adapters.git.repository import Repository
    from gitmodel.adapters.git.trees import Entry
    from gitmodel.operations.verification.findings import Findings
    from gitmodel.registry.view import View

#: What changes bytes between the repository and the work tree, and what does not.
_HARMLESS = {
    "filter": {"unspecified", "unset"},
    "working-tree-encoding": {"unspecified", "unset"},
    "ident": {"unspecified", "unset"},
    "eol": {"unspecified", "unset", "lf"},
}


def verify_attributes(
    repository: Repository, view: View, findings: Findings, files: Mapping[str, Entry]
) -> None:
    """Look at what ``.gitattributes``, wherever it lies, says about the files."""
    if not files:
        return
    sources = {
        path: entry.oid
        for path, entry in files.items()
        if path.rpartition("/")[2] == layout.ATTRIBUTES and entry.mode == FILE
    }
    root = view.entry(layout.ATTRIBUTES)
    if root is not None and root.mode == FILE:
        sources[layout.ATTRIBUTES] = root.oid
    artifacts = {path for path in files if layout.classify(path).kind == "artifact"}
    try:
        texts = [view.reader.read(oid).data.lower() for oid in sources.values()]
        for name, harmless in _HARMLESS.items():
            if name != "filter" and not any(_says(text, name) for text in texts):
                continue
            values = attribute_of(repository, name, list(files), sources)
            for path, value in values.items():
                if name == "filter" and path in artifacts:
                    if value != "lfs":
                        message = "git does not hand it to LFS."
                        findings.add("E_ATTRIBUTES", message, path)
                elif value not in harmless:
                    message = f"git changes it on its way out: {name}={value}"
                    findings.add("E_ATTRIBUTES", message, path)
    except GitmodelError as error:
        message = f"git cannot read the attributes: {error.message}"
        findings.add("E_ATTRIBUTES", message, layout.ATTRIBUTES)


def _says(text: bytes, attribute: str) -> bool:
    """Say whether attributes set, or unset, one of that name; no path counts."""
    word = re.escape(attribute).encode()
    return re.search(rb"\s[-!]?" + word + rb"(?![^\s=])", text) is not None
