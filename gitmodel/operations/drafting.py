"""The manifest of a version that is about to be registered, and what it may not be."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from gitmodel.domain.artifact import Artifact
from gitmodel.domain.digest import Digest
from gitmodel.domain.moment import to_text
from gitmodel.errors import InputError, NotFoundError
from gitmodel.formats import schema, yaml_reader, yaml_writer
from gitmodel.registry import layout
from gitmodel.registry.quarantines import require_clean
from gitmodel.registry.versions import manifest_digest

if TYPE_CHECKING:
    from collections.abc import Sequence

    from gitmodel.domain.ports import Clock
    from gitmodel.domain.semver import Change, Version
    from gitmodel.operations.facts import Facts
    from gitmodel.registry.view import View

_API = "gitmodel.dev/v1"
#: What an artifact takes in a manifest at least, besides its path.
_BYTES_PER_ARTIFACT = 120


@dataclass(frozen=True, slots=True)
class Author:
    """Who registers, and what tells the time."""

    principal: str
    clock: Clock


def draft(
    view: View,
    model: str,
    version: Version,
    author: Author,
    artifacts: tuple[Artifact, ...],
    facts: Facts,
) -> dict[str, Any]:
    """Return the manifest as far as it is known without its parents' digests."""
    known = view.versions(model) if view.entry(layout.model_dir(model)) else ()
    lower = [other for other in known if other < version]
    previous = lower[-1] if lower else None
    change: Change = facts.change or version.change_from(previous)
    document: dict[str, Any] = {
        "apiVersion": _API,
        "kind": "ModelVersion",
        "model": model,
        "version": str(version),
        "createdAt": to_text(author.clock.now()),
        "createdBy": author.principal,
        "previous": {
            "version": str(previous),
            "manifest": str(manifest_digest(view, model, previous)),
        }
        if previous is not None
        else None,
        "change": change,
        "artifacts": [artifact.to_dict() for artifact in artifacts],
    }
    document.update(facts.sections())
    return document


def require_valid(
    view: View, model: str, version: Version, author: Author, facts: Facts
) -> None:
    """Refuse facts that no manifest may state.

    Raises:
        InputError: They are not as the schema wants them; ``problems`` lists all.
        NotFoundError: A parent is not in this registry.
        RefusedError: It comes of what is in quarantine.
    """
    anything = Artifact(
        path="x", role="other", digest=Digest.of(b""), size=0, format="opaque"
    )
    document = draft(view, model, version, author, (anything,), facts)
    schema.require("ModelVersion", document, layout.manifest_path(model, str(version)))
    yaml_writer.dump(document)
    bind_parents(view, document)
    require_clean(view, document | {"artifacts": []})


def require_files(facts: Facts, names: Sequence[str]) -> None:
    """Insist that one manifest can name all files, and that the card is one of them.

    Raises:
        InputError: There are too many (``E_LIMIT``), or the card is missing.
    """
    least = sum(len(name.encode()) + _BYTES_PER_ARTIFACT for name in names)
    if least > yaml_reader.MAX_BYTES:
        raise InputError(
            f"{len(names):,} files are more than one manifest can name.",
            "Pack them into an archive, such as a tar file, and register that.",
            code="E_LIMIT",
        )
    card = facts.given.get("card")
    if isinstance(card, str) and card not in names:
        raise InputError(
            f"The card {card} is not among the files to register.",
            "--card FILE  registers the file along with the others.",
        )


def bind_parents(view: View, document: dict[str, Any]) -> None:
    """Give each parent in this registry its manifest digest (R031).

    Raises:
        NotFoundError: A parent is not in this registry.
        InputError: A parent has another digest than the one given.
    """
    for parent in document.get("lineage", {}).get("parents", []):
        if parent.get("external"):
            continue
        try:
            digest = manifest_digest(view, parent["model"], parent["version"])
        except NotFoundError as error:
            raise NotFoundError(
                f"The parent {parent['model']}@{parent['version']} is not in this "
                "registry.",
                "Register it first, or give it in --metadata with external: true.",
            ) from error
        if parent.setdefault("manifest", str(digest)) != str(digest):
            raise InputError(
                f"The parent {parent['model']}@{parent['version']} has the manifest "
                f"{digest}, and not the one given."
            )
