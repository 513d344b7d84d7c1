"""Owners and branch protection: what the policy asks of a forge, and what is there."""

from __future__ import annotations

import os
from dataclasses import dataclass
from typing import TYPE_CHECKING

from gitmodel.domain.forge_settings import (
    CODEOWNERS,
    Call,
    Difference,
    block_in,
    calls,
    differences,
    merged,
    owners,
    wanted,
)
from gitmodel.errors import ConflictError, InputError

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping
    from pathlib import Path

    from gitmodel.domain.forge import Forge, ForgeKind, Place
    from gitmodel.domain.policy import Policy
    from gitmodel.registry.handle import RegistryHandle
    from gitmodel.registry.view import View

_LARGEST = 3 * 2**20  # bytes; GitHub reads no more


@dataclass(frozen=True, slots=True, kw_only=True)
class Owners:
    """The lines of CODEOWNERS.

    Attributes:
        path: Where they belong, below the top of the registry.
        text: Our lines of it.
        missing: Principals who ought to be in it and have no account there.
        written: Whether the file was changed.
    """

    path: str
    text: str
    missing: tuple[str, ...]
    written: bool


def account_names(
    policy: Policy, kind: ForgeKind, forge: Forge | None, named: Mapping[str, str]
) -> dict[str, str]:
    """Return the name of each principal's account at a forge.

    Args:
        policy: In force; it has the numbers.
        kind: Of the forge.
        forge: Asked for the names that ``named`` does not have; None asks nobody.
        named: Names that are known, by principal.

    Raises:
        InputError: ``named`` names somebody who is no principal.
        OutsideError: The forge failed.
    """
    known = {principal.name for principal in policy.principals}
    if strangers := sorted(named.keys() - known):
        raise InputError(f"{', '.join(strangers)} is no principal of this registry.")
    found = dict(named)
    for principal in policy.principals:
        number = principal.account(kind)
        if number is None or principal.name in found or forge is None:
            continue
        login = forge.login(number)
        if login is not None:
            found[principal.name] = login
    return found


def codeowners(
    handle: RegistryHandle, kind: ForgeKind, logins: Mapping[str, str], *, write: bool
) -> Owners:
    """Return the owners that the policy asks for; write them into the work tree.

    Raises:
        ConflictError: The file is no plain file.
        OutsideError: It cannot be written.
    """
    view = handle.view()
    text, missing = owners(kind, view.policy, logins)
    path = _present(view, kind) or CODEOWNERS[kind][0]
    written = False
    if write:
        handle.writable_branch()
        if handle.repository.work_tree is not None:
            written = _write(handle.repository.work_tree / path, text)
    return Owners(path=path, text=text, missing=missing, written=written)


def protection_calls(
    handle: RegistryHandle, place: Place, branch: str | None, *, pull_requests: bool
) -> tuple[Call, ...]:
    """Return what an administrator sends to a forge to protect a branch.

    Without a name it is the one that is checked out.
    """
    branch = branch or handle.writable_branch().removeprefix("refs/heads/")
    wish = wanted(handle.view().policy, pull_requests=pull_requests)
    return calls(place, branch, wish)


def check_forge(
    handle: RegistryHandle, forge: Forge, branch: str | None, *, pull_requests: bool
) -> tuple[Difference, ...]:
    """Compare a forge with what the policy asks for.

    Without a name it is about the branch that is checked out.

    Raises:
        OutsideError: The forge failed, or does not let the token look.
    """
    view = handle.view()
    branch = branch or handle.writable_branch().removeprefix("refs/heads/")
    kind = forge.place.kind
    wish = wanted(view.policy, pull_requests=pull_requests)
    return (
        *differences(kind, wish, forge.protection(branch)),
        *_sources(view.policy, forge),
        *_owners(view, forge),
    )


def _sources(policy: Policy, forge: Forge) -> Iterator[Difference]:
    """Say which stages wait for reviews of another repository than this one."""
    number = forge.repository_id()
    here = (forge.place.kind, forge.place.host)
    for stage, rules in policy.stages:
        named = [
            source.repository
            for source in rules.forges
            if (source.forge, source.host) == here
        ]
        if named and number not in named:
            yield Difference(
                setting=f"repository of {stage}",
                wanted=", ".join(map(str, named)),
                found=str(number),
                weaker=True,
            )


def _owners(view: View, forge: Forge) -> Iterator[Difference]:
    """Say whether CODEOWNERS names others than the policy does."""
    kind = forge.place.kind
    logins = account_names(view.policy, kind, forge, {})
    for principal in view.policy.principals:
        number = principal.account(kind)
        if number is not None and principal.name not in logins:
            yield Difference(
                setting=f"account of {principal.name}",
                wanted=str(number),
                found="nobody",
                weaker=True,
            )
    path = _present(view, kind)
    if path is None:
        return
    text = (view.blob(path) or b"").decode("utf-8", "replace")
    if block_in(text) != owners(kind, view.policy, logins)[0]:
        yield Difference(
            setting=path,
            wanted="what gitmodel forge codeowners writes",
            found="something else",
            weaker=True,
        )


def _present(view: View, kind: ForgeKind) -> str | None:
    return next((path for path in CODEOWNERS[kind] if view.entry(path)), None)


def _write(path: Path, block: str) -> bool:
    """Put our lines into a file; say whether that changed it."""
    before = ""
    if path.is_symlink() or (path.exists() and not path.is_file()):
        raise ConflictError(f"{path} is no plain file.")
    if path.exists():
        if path.stat().st_size > _LARGEST:
            raise ConflictError(f"{path} is larger than any forge reads.")
        before = path.read_text(encoding="utf-8")
    after = merged(before, block)
    if after == before:
        return False
    path.parent.mkdir(exist_ok=True)
    temporary = path.with_name(f"{path.name}.{os.getpid()}.tmp")
    temporary.write_text(after, encoding="utf-8")
    temporary.replace(path)
    return True
