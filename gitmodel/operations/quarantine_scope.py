"""What a quarantine is about, and the versions and stages it reaches (R178)."""

from __future__ import annotations

import re
import shlex
from dataclasses import dataclass
from typing import TYPE_CHECKING

from gitmodel.domain.moment import from_text
from gitmodel.domain.quarantine import (
    BytesSubject,
    DataSubject,
    VersionSubject,
    data_subject,
    meant_by,
    same_digest,
)
from gitmodel.domain.quarantine_state import Marks
from gitmodel.errors import InputError, NotFoundError
from gitmodel.registry import catalog_quarantine, catalog_stages
from gitmodel.registry.versions import resolve

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence
    from datetime import datetime

    from gitmodel.domain.quarantine import Quarantine, Subject
    from gitmodel.domain.quarantine_state import Origins
    from gitmodel.domain.selector import Selector
    from gitmodel.registry.view import View

_SHA256 = re.compile(r"sha256:[0-9a-f]{64}")


@dataclass(frozen=True, slots=True, kw_only=True)
class Suspects:
    """What somebody suspects, in the words of a command.

    Attributes:
        data: Data sets, as ``NAME`` or ``NAME@VERSION``.
        digests: Of artifacts, data sets or manifests, with their algorithm.
        since: Also every data set that was first used at that time or later.
        until: And not later than that; None for now.
    """

    selectors: tuple[Selector, ...] = ()
    data: tuple[str, ...] = ()
    digests: tuple[str, ...] = ()
    since: datetime | None = None
    until: datetime | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Reached:
    """One version that a quarantine reaches, and the stages that hold it."""

    model: str
    version: str
    stages: tuple[str, ...]


def subjects_of(
    view: View, suspects: Suspects, warn: Callable[[str], None]
) -> tuple[Subject, ...]:
    """Return what is meant, each once, in the order in which it was said.

    Args:
        view: The registry.
        suspects: What somebody suspects.
        warn: Told about data sets that no version was trained on.

    Raises:
        NotFoundError: There is no such version, or no data set of that time.
        InputError: Something is not what its option takes.
    """
    found: list[Subject] = []
    for selector in suspects.selectors:
        version = resolve(view, selector).version
        found.append(
            VersionSubject(version.model, str(version.version), version.digest)
        )
    found += (_data_subject(text) for text in suspects.data)
    found += (_bytes_subject(text) for text in suspects.digests)
    if suspects.data or suspects.digests:
        for subject in _unused(view, found):
            warn(f"No version here comes of {subject}; a new one would be refused.")
    if suspects.since is not None:
        found += _first_used(view, suspects.since, suspects.until)
    if not found:
        raise InputError("There is nothing to put into quarantine.")
    return tuple(dict.fromkeys(found))


def reach_of(
    view: View, subjects: Sequence[Subject], by: Quarantine
) -> tuple[Reached, ...]:
    """Return every version that some subjects concern, and where it is live.

    Raises:
        IntegrityError: A manifest or a pin is malformed.
    """
    marks = Marks(dict.fromkeys(subjects, by), _origins(view))
    models = view.models()
    held = catalog_stages.pinned(view, models)
    return tuple(
        Reached(
            model=model,
            version=version,
            stages=tuple(s for s, pins in held.items() if pins.get(model) == version),
        )
        for model in models
        for version in catalog_quarantine.made_of(view, model)
        if marks.reason(model, version) is not None
    )


def as_arguments(subject: Subject) -> str:
    """Return how a command names a subject."""
    if isinstance(subject, VersionSubject):
        return str(subject)
    if isinstance(subject, BytesSubject):
        return f"--digest {shlex.quote(str(subject))}"
    return "--data " + shlex.quote(str(subject).removeprefix("data "))


def _origins(view: View) -> Callable[[str, str], Origins | None]:
    def find(model: str, version: str) -> Origins | None:
        made = catalog_quarantine.made_of(view, model).get(version)
        return made.origins if made is not None else None

    return find


def _data_subject(text: str) -> DataSubject:
    subject = data_subject(text)
    for part in (subject.name, subject.version or "x"):
        if not part.strip() or not part.isprintable() or len(part) > 1000:  # noqa: PLR2004
            raise InputError(
                f"{text[:100]!a} names no data set.",
                "Write NAME, or NAME@VERSION, as gitmodel show MODEL@VERSION has it.",
            )
    if subject.version == "":
        raise InputError(f"{text[:100]!a} lacks the version after '@'.")
    return subject


def _bytes_subject(text: str) -> BytesSubject:
    algorithm, colon, value = text.partition(":")
    digest = same_digest(text)
    # Cut short, it would stop nothing, and seem to.
    whole = not digest.startswith("sha256:") or _SHA256.fullmatch(digest)
    if not (algorithm and colon and value and whole) or not text.isascii():
        raise InputError(
            f"{text[:100]!a} is no digest.", "Write it as sha256:<64 hex digits>."
        )
    return BytesSubject(digest)


def _data_sets(view: View) -> Iterator[tuple[tuple[str, str | None, str | None], str]]:
    """Yield every data set that any version names, with the time of that version."""
    for model in view.models():
        for made in catalog_quarantine.made_of(view, model).values():
            for one in made.origins.data:
                yield one, made.created_at


def _unused(view: View, subjects: Sequence[Subject]) -> Iterator[Subject]:
    known: set[Subject] = set()
    for (name, version, digest), _ in _data_sets(view):
        known.update(meant_by(name, version))
        known |= {BytesSubject(digest)} if digest else set()
    for model in view.models():
        for made in catalog_quarantine.made_of(view, model).values():
            known.update(map(BytesSubject, made.origins.files))
            known.add(BytesSubject(str(made.origins.manifest)))
    for subject in subjects:
        if not isinstance(subject, VersionSubject) and subject not in known:
            yield subject


def _first_used(
    view: View, since: datetime, until: datetime | None
) -> tuple[Subject, ...]:
    """Return the data sets whose first use, by what manifests say, is in that time."""
    first: dict[tuple[str, str | None, str | None], datetime] = {}
    for one, created_at in _data_sets(view):
        moment = from_text(created_at)
        first[one] = min(moment, first.get(one, moment))
    found = tuple(
        _exactly(one)
        for one, moment in first.items()
        if since <= moment and (until is None or moment <= until)
    )
    if not found:
        raise NotFoundError(
            "No data set was first used in that time.",
            "gitmodel list MODEL  shows when versions were registered.",
        )
    return found


def _exactly(one: tuple[str, str | None, str | None]) -> Subject:
    """Return the subject that means one data set, and not older ones of its name."""
    name, version, digest = one
    return BytesSubject(digest) if digest is not None else DataSubject(name, version)
