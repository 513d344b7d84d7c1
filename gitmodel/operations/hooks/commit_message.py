"""``commit-msg``: what a message claims about the registry must be what is committed.

Trailers ``Gitmodel-…`` are for people and carry no authority (``design`` §3), so nobody
has to write any. But whoever reads a log believes them: one that the staged documents
do not bear out is refused. All of HEAD's together may stay, for ``git commit --amend``.
"""

from __future__ import annotations

import re
import shlex
from typing import TYPE_CHECKING

from gitmodel.adapters.git.history import CommitInfo
from gitmodel.domain.digest import Digest
from gitmodel.domain.problem import Problem
from gitmodel.errors import GitmodelError
from gitmodel.formats import yaml_quick, yaml_reader
from gitmodel.operations.hooks.aspects import Refusal
from gitmodel.operations.hooks.staged import Staged, is_of_registry
from gitmodel.registry import layout

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping
    from pathlib import Path
    from typing import Any

    from gitmodel.registry.handle import RegistryHandle

_TRAILER = re.compile(r"Gitmodel-([A-Za-z-]+):(.*)")
#: git shows what is below this line to the author, and leaves it out of the commit.
_SCISSORS = re.compile(r".*-{8} >8 -{8,}")
#: These name people: whoever the policy knows may have had a part in it.
_PEOPLE = frozenset({"Principal", "Approved-By"})
#: Documents that say themselves what the trailers say.
_TOLD = frozenset({"manifest", "attestation", "transition", "policy", "quarantine"})


def judge_message(
    handle: RegistryHandle, text: str, file: str, *, index: Path | None = None
) -> tuple[Refusal, ...]:
    """Return every trailer that says what is not so, or that is asked for and missing.

    Args:
        handle: The registry.
        text: The message as git hands it to its hook.
        file: Where it is, for people.
        index: As for ``Staged``.
    """
    lines = _lines(text)
    staged = Staged.read(handle, index)
    if not staged.is_registry:
        return ()
    return (*_untrue(staged, lines, file), *_missing(staged, lines, file))


def _untrue(staged: Staged, lines: list[str], file: str) -> Iterator[Refusal]:
    claims = _claims(lines)
    if not claims or [claim[1:] for claim in claims] == _standing(staged):
        return
    facts, people = set(_facts(staged)), _people(staged)
    command = f"git commit --edit --file={shlex.quote(file)}"
    for line, key, value in claims:
        known = key in _PEOPLE and value in people and facts
        if (key, value) not in facts and not known:
            yield Refusal(
                Problem("E_TRAILER", _message(key, value), file, line=line),
                "policy",
                (f"{command}  once you have taken the line out",),
            )


def _missing(staged: Staged, lines: list[str], file: str) -> Iterator[Refusal]:
    """Yield the trailers that the settings in HEAD ask for, and that are not there."""
    if not any(is_of_registry(change.path) for change in staged.changes):
        return
    try:
        wanted = staged.base.settings.trailers
    except GitmodelError:
        return  # the first commit, or settings that pre-commit complains of
    present = {line.partition(":")[0].lower() for line in _last_paragraph(lines)}
    for name in wanted:
        if name.lower() not in present:
            message = f"the registry asks for a line {name}: … at the end."
            yield Refusal(
                Problem("E_TRAILER", message, file),
                "policy",
                (f"git commit --file={shlex.quote(file)} --trailer '{name}: VALUE'",),
            )


def _last_paragraph(lines: list[str]) -> list[str]:
    """Return the lines in which git looks for trailers: never the subject's own."""
    paragraphs: list[list[str]] = [[]]
    for line in lines:
        if line.startswith("#"):
            continue
        if line.strip():
            paragraphs[-1].append(line)
        elif paragraphs[-1]:
            paragraphs.append([])
    filled = [paragraph for paragraph in paragraphs if paragraph]
    return filled[-1] if len(filled) > 1 else []


def _message(key: str, value: str) -> str:
    return f"Gitmodel-{key}: {value} is not what this commit does."


def _lines(text: str) -> list[str]:
    """Return the lines of a message, but for what git cuts off."""
    lines = text.splitlines()
    ends = (n for n, line in enumerate(lines) if _SCISSORS.fullmatch(line))
    return lines[: next(ends, len(lines))]


def _claims(lines: list[str]) -> list[tuple[int, str, str]]:
    """Return line, key and value of each trailer of gitmodel's."""
    matches = ((n, _TRAILER.fullmatch(line)) for n, line in enumerate(lines, 1))
    return [
        (number, match[1], match[2].strip(" \t")) for number, match in matches if match
    ]


def _standing(staged: Staged) -> list[tuple[str, str]]:
    """Return what HEAD's own message says."""
    head = staged.base.commit
    if head is None:
        return []
    raw = staged.handle.reader.read(head).data
    claims = _claims(_lines(CommitInfo.parse(head, raw).message))
    return [(key, value) for _, key, value in claims]


def _people(staged: Staged) -> frozenset[str]:
    try:
        return frozenset(principal.name for principal in staged.base.policy.principals)
    except GitmodelError:
        return frozenset()


def _facts(staged: Staged) -> Iterator[tuple[str, str]]:
    """Yield every trailer that the staged documents bear out."""
    for path, data in staged.step.blobs.items():
        place = layout.classify(path)
        if place.kind == "signature":
            document = staged.view.blob(place.document)
            if place.document not in staged.step.blobs and document is not None:
                yield from (("Action", "approve"), ("Action", "reject"))
                signed = layout.classify(place.document).kind
                word = "Quarantine" if signed == "quarantine" else "Transition"
                yield word, str(Digest.of(document))
            continue
        if place.kind not in _TOLD:
            if place.kind == "review":
                yield "Action", "review"
                yield "Policy", str(staged.base.policy_digest)
            elif place.kind == "incident":
                yield "Action", "incident"
                yield "Incident", place.name
                yield "Entry", str(Digest.of(data))
            continue
        try:
            value = yaml_quick.value_of(data) or yaml_reader.read(data, path).value
        except GitmodelError:
            continue  # pre-commit says so
        yield from _told_by(place, value, str(Digest.of(data)))


def _told_by(
    place: layout.Place, document: Mapping[str, Any], digest: str
) -> Iterator[tuple[str, str]]:
    yield "Model", place.model
    match place.kind:
        case "transition":
            yield "Action", str(document.get("action"))
            yield "Stage", place.stage
            yield "Transition", digest
            yield "Incident", str(document.get("incident"))
            for key, end in (("From", "from"), ("To", "to")):
                release = document.get(end)
                if isinstance(release, dict):
                    yield key, str(release.get("version"))
                    if key == "To":
                        yield "Manifest", str(release.get("manifest"))
        case "manifest":
            yield "Action", "register"
            yield "Version", place.version
            yield "Manifest", digest
        case "quarantine":
            yield "Action", str(document.get("action"))
            yield "Quarantine", digest
            yield "Incident", str(document.get("incident"))
        case "attestation":
            yield "Action", "attest"
            yield "Version", place.version
            yield "Attestation", digest
        case _:
            yield "Action", "init" if place.seq == 1 else "policy"
            yield "Root" if place.seq == 1 else "Policy", digest
