"""What a ref is to a server, and what may happen to it by its name alone.

=====================================  ==============================================
a protected branch                     grows; see ``branch``
``request/<stage>/<model>/<n>``,       made, extended, deleted; see ``request``
``request/policy/<n>``
any other branch                       free
a tag                                  made; never moved or deleted
``refs/notes/*``                       free: they carry no authority
``refs/gitmodel/checkpoints/*``        made; never moved or deleted
anything else, ``refs/replace`` first  refused
=====================================  ==============================================

A name that people, git or a file system could take for another one is refused.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal

from gitmodel.domain.names import model_name, stage_name
from gitmodel.domain.problem import Problem
from gitmodel.errors import InputError
from gitmodel.operations.hooks.receiving.rules import BRANCHES, REQUESTS
from gitmodel.operations.verification.scope import fold

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from gitmodel.adapters.git.repository import Repository
    from gitmodel.operations.hooks.receiving.rules import Rules

Kind = Literal[
    "protected", "request", "branch", "tag", "notes", "checkpoint", "foreign"
]

TAGS = "refs/tags/"
CHECKPOINTS = "refs/gitmodel/checkpoints/"
_LINE = re.compile(r"([0-9a-f]{40,64}) ([0-9a-f]{40,64}) (refs/.+)", re.DOTALL)
_NUMBER = re.compile(r"[1-9][0-9]{0,8}")
_OBJECT = re.compile(r"[0-9a-f]{40}|[0-9a-f]{64}")
_FORM = "a request's branch is request/STAGE/MODEL/NUMBER or request/policy/NUMBER."
#: What git itself puts before a short name to find a ref.
_PREFIXES = ("refs/", "heads/", "tags/", "remotes/")


@dataclass(frozen=True, slots=True)
class Update:
    """What a push does to one ref; None stands for no object."""

    ref: str
    old: str | None
    new: str | None

    @property
    def name(self) -> str:
        """The short name, as people write it."""
        return self.ref.removeprefix(BRANCHES).removeprefix(TAGS)


def read_updates(data: bytes) -> tuple[Update, ...]:
    """Read what git tells a hook on its standard input.

    Raises:
        InputError: It is something else.
    """
    found = []
    # Not splitlines: a ref may be called by what Python takes for the end of a line.
    for line in data.decode("utf-8", "surrogateescape").split("\n"):
        if not line:
            continue
        match = _LINE.fullmatch(line)
        if match is None:
            raise InputError(
                f"This is no update of a ref: {line[:80]!a}",
                "git writes OLD NEW REF, one line for each ref, to this hook.",
            )
        old, new, ref = match.groups()
        found.append(Update(ref, _object(old), _object(new)))
    return tuple(found)


def _object(oid: str) -> str | None:
    return oid if oid.strip("0") else None


def kind_of(ref: str, rules: Rules) -> Kind:
    """Say what a ref is."""
    if rules.protects(ref):
        return "protected"
    if ref.startswith(BRANCHES):
        name = ref.removeprefix(BRANCHES)
        return "request" if name.startswith(REQUESTS) else "branch"
    if ref.startswith(TAGS):
        return "tag"
    if ref.startswith("refs/notes/"):
        return "notes"
    return "checkpoint" if ref.startswith(CHECKPOINTS) else "foreign"


def judge_names(
    repository: Repository, rules: Rules, updates: Sequence[Update]
) -> Iterator[tuple[Update, Problem]]:
    """Yield what is wrong with the names of refs, and with what happens to them."""
    made = [update for update in updates if update.new and not update.old]
    taken = _taken(repository, made) | {update.ref for update in made}
    for update in updates:
        kind = kind_of(update.ref, rules)
        for code, message in _wrong(update, kind, rules, taken):
            yield update, Problem(code, message)


def _wrong(
    update: Update, kind: Kind, rules: Rules, taken: set[str]
) -> Iterator[tuple[str, str]]:
    what = {"protected": "a protected branch", "checkpoint": "a checkpoint"}
    fixed = kind in what or (kind == "tag" and not rules.free_tags)
    if fixed and update.new is None:
        yield "E_REF_DELETED", f"{what.get(kind, 'a tag')} cannot be deleted."
        return
    if update.new is None:
        return
    if fixed and kind != "protected" and update.old is not None:
        yield "E_TAG_MOVED", f"{what.get(kind, 'a tag')} cannot be moved."
    if kind == "foreign":
        yield "E_REF_NAME", "such a ref does not belong in a registry."
    elif update.old is None and (why := _shadows(update, kind, rules, taken)):
        yield "E_REF_NAME", why
    if kind == "request" and (why := _no_request(update.name)):
        yield "E_REF_NAME", why


def _shadows(update: Update, kind: Kind, rules: Rules, taken: set[str]) -> str:
    """Say for what a new name could be taken; "" for nothing."""
    name = update.name
    if not name.isprintable():
        return "its name has characters that nobody can see."
    if name.startswith("-"):
        return "commands take its name for an option."
    if kind not in {"branch", "tag", "protected"}:
        return ""
    folded = fold(name)
    if folded == "head" or folded.startswith(_PREFIXES) or _OBJECT.fullmatch(folded):
        return "git takes its short name for something else."
    other = TAGS if update.ref.startswith(BRANCHES) else BRANCHES
    if other + name in taken or (kind == "tag" and rules.protects(BRANCHES + name)):
        return f"a tag and a branch called {name} would be taken for each other."
    return _looks_like(folded, rules) if kind != "protected" else ""


def _looks_like(folded: str, rules: Rules) -> str:
    """Say for what a file system could take a free name; "" for nothing."""
    if f"{folded}/".startswith(REQUESTS):
        return "only the branch of a request has such a name."
    for protected in rules.protected:
        if folded == fold(protected):
            return f"some file systems take it for {protected}, which is protected."
    return ""


def _no_request(name: str) -> str:
    """Say why a name below ``request/`` is not one of a request; "" if it is."""
    parts = name.split("/")[1:]
    if not _NUMBER.fullmatch(parts[-1]) or len(parts) not in {2, 3}:
        return _FORM
    if len(parts) == 2:  # noqa: PLR2004
        return "" if parts[0] == "policy" else _FORM
    try:
        stage_name(parts[0])
        model_name(parts[1])
    except InputError as error:
        return error.message
    return ""


def _taken(repository: Repository, made: Sequence[Update]) -> set[str]:
    """Return the refs that exist and share their short name with a new one."""
    wanted = [
        prefix + update.name
        for update in made
        for prefix in (BRANCHES, TAGS)
        if prefix + update.name != update.ref and not set("*?[\\") & set(update.name)
    ]
    if not wanted:
        return set()
    listed = repository.git.run("for-each-ref", "--format=%(refname)", "--", *wanted)
    return set(listed.decode("utf-8", "surrogateescape").splitlines())
