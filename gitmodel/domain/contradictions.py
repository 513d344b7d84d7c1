"""What a policy must not say: what contradicts itself, or what nobody could meet."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from gitmodel.domain.stage_rules import require_reachable
from gitmodel.errors import InputError

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping

    from gitmodel.domain.principals import Principal, Role
    from gitmodel.domain.quorum import Quorum
    from gitmodel.domain.stage_rules import StageRules


@dataclass(frozen=True, slots=True)
class Parts:
    """What a policy says.

    Attributes:
        variants: The rules by stage, once for each set that some model falls under.
        certified: Whether a Sigstore vouches for identities.
        lift: Who lifts a quarantine.
    """

    principals: tuple[Principal, ...]
    roles: tuple[Role, ...]
    stages: tuple[tuple[str, StageRules], ...]
    variants: tuple[Mapping[str, StageRules], ...]
    certified: bool
    lift: Quorum


def contradictions(parts: Parts) -> Iterator[InputError]:
    """Yield everything about a policy that could never be, or never be met."""
    yield from _shared_keys(parts)
    yield from _shared_accounts(parts)
    names = {principal.name for principal in parts.principals}
    for role in parts.roles:
        if strangers := set(role.members) - names:
            yield InputError(
                f"Role {role.name} names {', '.join(sorted(strangers))}, "
                "who is no principal.",
                code="E_POLICY",
            )
        if role.threshold > len(set(role.members)):
            yield InputError(
                f"Role {role.name} needs {role.threshold} members and has "
                f"{len(set(role.members))}: nobody could ever act in it.",
                code="E_POLICY",
            )
    yield from _roots(parts)
    stages = {name for name, _ in parts.stages}
    for name, rules in parts.stages:
        if rules.source is not None and rules.source not in stages - {name}:
            yield InputError(
                f"Stage {name} is reached from {rules.source!r}, "
                "which is no other stage of the policy.",
                code="E_POLICY",
            )
    members = {role.name: role.members for role in parts.roles}
    lifting = set(members.get(parts.lift.role, ()))
    if parts.lift.threshold > max(1, len(lifting)):
        yield InputError(
            f"Lifting a quarantine needs {parts.lift.threshold} of the role "
            f"{parts.lift.role}, which has {len(lifting)} members: nobody could.",
            code="E_POLICY",
        )
    for rules_by_stage in parts.variants:
        try:
            require_reachable(rules_by_stage, members)
        except InputError as error:
            yield error


def _roots(parts: Parts) -> Iterator[InputError]:
    root = next((role for role in parts.roles if role.name == "root"), None)
    if root is None:
        yield InputError("The policy has no root role.", code="E_POLICY")
        return
    for principal in parts.principals:
        if principal.name in root.members and not principal.keyids:
            yield InputError(
                f"{principal.name} is a root and has nothing to sign with.",
                code="E_POLICY",
            )


def _shared_accounts(parts: Parts) -> Iterator[InputError]:
    owners: dict[tuple[str, int], str] = {}
    for principal in parts.principals:
        for account in principal.accounts:
            if owners.setdefault(account, principal.name) != principal.name:
                yield InputError(
                    f"Account {account[1]} at {account[0]} belongs to "
                    f"{owners[account]} and to {principal.name}; an account has one "
                    "owner.",
                    code="E_ACCOUNT_SHARED_BY_PRINCIPALS",
                )
    hosts: dict[str, str] = {}
    for stage, rules in parts.stages:
        for source in rules.forges:
            if hosts.setdefault(source.forge, source.host) != source.host:
                yield InputError(
                    f"{stage} lets reviews at {source.host} count, and accounts at "
                    f"{source.forge} are those at {hosts[source.forge]}.",
                    code="E_POLICY",
                )


def _shared_keys(parts: Parts) -> Iterator[InputError]:
    owners: dict[str, str] = {}
    for principal in parts.principals:
        if principal.identities and not parts.certified:
            yield InputError(
                f"The identity {principal.identities[0]} could never sign: the "
                "policy pins no trusted root of Sigstore.",
                code="E_POLICY",
            )
        for key in principal.keys:
            if owners.setdefault(key.keyid, principal.name) != principal.name:
                yield InputError(
                    f"Key {key.keyid[:8]} belongs to {owners[key.keyid]} and to "
                    f"{principal.name}; a key has one owner.",
                    code="E_KEY_SHARED_BY_PRINCIPALS",
                )
        for identity in principal.identities:
            if owners.setdefault(identity.keyid, principal.name) != principal.name:
                yield InputError(
                    f"The identity {identity} belongs to {owners[identity.keyid]} "
                    f"and to {principal.name}; an identity has one owner.",
                    code="E_IDENTITY_SHARED_BY_PRINCIPALS",
                )


def require_none(wrong: Iterable[InputError]) -> None:
    """Refuse what is wrong with a policy, naming all of it.

    Raises:
        InputError: Anything is; ``problems`` lists everything.
    """
    found = {error.message: error for error in wrong}
    if not found:
        return
    first, *others = found.values()
    if not others:
        raise first
    raise InputError(
        "\n  ".join([f"The policy has {len(found)} problems:", *found]),
        code=first.code,
        problems=[{"code": e.code, "message": e.message} for e in found.values()],
    )
