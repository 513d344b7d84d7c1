"""The verbs that change who may do what: each makes the next policy."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from gitmodel.domain.digest import Digest
from gitmodel.domain.names import principal_name
from gitmodel.domain.policy import LIFT, ROLES
from gitmodel.errors import ConflictError, InputError, NotFoundError, RefusedError
from gitmodel.operations import accounts as accounts_in
from gitmodel.operations import identities as identities_in
from gitmodel.operations.policy_change import PolicyResult, change_policy
from gitmodel.registry import layout

if TYPE_CHECKING:
    from collections.abc import Sequence

    from gitmodel.adapters.signing.public_key import PublicKey
    from gitmodel.domain.forge import ForgeKind
    from gitmodel.domain.policy import Identity
    from gitmodel.operations.demands import Demands
    from gitmodel.registry.handle import RegistryHandle
    from gitmodel.registry.transaction import Mode

    Document = dict[str, Any]


def add_principal(
    handle: RegistryHandle,
    name: str,
    keys: Sequence[PublicKey],
    roles: Sequence[str],
    mode: Mode,
    *,
    identities: Sequence[Identity] = (),
    accounts: Sequence[tuple[ForgeKind, int]] = (),
) -> PolicyResult:
    """Add a principal, or further keys, identities, accounts and roles to one.

    Raises:
        ConflictError: A key, an identity or an account belongs to somebody already.
        RefusedError: An identity could never sign, without a pinned trusted root.
        InputError: A role does not exist.
    """
    principal_name(name)
    _require_roles(roles)

    def edit(document: Document) -> bool:
        changed = name not in document["principals"]
        entry = document["principals"].setdefault(name, {"keys": []})
        for key in keys:
            owner = _owner(document, key.keyid)
            if owner is None:
                entry.setdefault("keys", []).append(
                    {"keyid": key.keyid, "public": key.ssh}
                )
                changed = True
            elif owner != name:
                raise ConflictError(
                    f"Key {key.keyid[:8]} belongs to {owner}; a key has one owner.",
                    code="E_KEY_SHARED_BY_PRINCIPALS",
                )
        for identity in identities:
            changed |= identities_in.add(document, name, identity)
        for kind, number in accounts:
            changed |= accounts_in.put(document, name, kind, number)
        return any([changed, *(_join(document, name, role) for role in roles)])

    return change_policy(handle, edit, f"add {name}", mode)


def trust_root(handle: RegistryHandle, data: bytes, mode: Mode) -> PolicyResult:
    """Pin the trusted root of the Sigstore that vouches for identities.

    What was signed under another one stays good: its policy goes on pinning that.

    Args:
        handle: The registry.
        data: A trusted root, or a client's trust configuration that has one.
        mode: Dry run, push.

    Raises:
        InputError: It is no trusted root that Sigstore can use.
    """
    from gitmodel.adapters.signing.keyless import read_trusted_root  # noqa: PLC0415

    root = read_trusted_root(data)
    digest = Digest.of(root)

    def edit(document: Document) -> bool:
        return identities_in.pin(document, digest)

    files = {layout.trusted_root_path(digest): root}
    what = f"trust Sigstore {digest.hex[:8]}"
    return change_policy(handle, edit, what, mode, files=files)


def remove_identity(
    handle: RegistryHandle, name: str, identity: Identity, mode: Mode
) -> PolicyResult:
    """Remove one identity of a principal.

    Raises:
        NotFoundError: There is no such principal or identity.
        RefusedError: It is all that the principal could sign with.
    """

    def edit(document: Document) -> bool:
        _principal(document, name)
        return identities_in.drop(document, name, identity)

    return change_policy(handle, edit, f"remove an identity of {name}", mode)


def remove_account(
    handle: RegistryHandle, name: str, forge: str, mode: Mode
) -> PolicyResult:
    """Remove the account of a principal at a kind of forge.

    Raises:
        NotFoundError: There is no such principal or account.
        RefusedError: It is all that the principal has.
    """

    def edit(document: Document) -> bool:
        _principal(document, name)
        return accounts_in.drop(document, name, forge)

    return change_policy(handle, edit, f"remove an account of {name}", mode)


def remove_principal(
    handle: RegistryHandle, name: str, keyid: str | None, mode: Mode
) -> PolicyResult:
    """Remove a principal from every role, or only one of its keys.

    Args:
        handle: The registry.
        name: The principal.
        keyid: The beginning of a key id; None removes the principal.
        mode: Dry run, push.

    Raises:
        NotFoundError: There is no such principal or key.
        RefusedError: Somebody must be left in every role that has members.
    """

    def edit(document: Document) -> bool:
        entry = _principal(document, name)
        if keyid is not None:
            if not keyid:
                raise InputError("A key id that is empty names no key.")
            kept = [
                key
                for key in entry["keys"]
                if not key["keyid"].startswith(keyid.lower())
            ]
            if len(kept) != len(entry["keys"]) - 1:
                raise NotFoundError(f"{name} has no one key that begins {keyid}")
            if not kept and not entry.get("identities"):
                raise RefusedError(
                    f"{keyid[:8]} is the only key of {name}.",
                    "Add the new key first, or remove the principal.",
                )
            entry["keys"] = kept
            return True
        for role in list(document["roles"]):
            _leave(document, name, role)
        del document["principals"][name]
        return True

    what = f"remove key {keyid[:8]} of {name}" if keyid else f"remove {name}"
    return change_policy(handle, edit, what, mode)


def grant(
    handle: RegistryHandle, name: str, roles: Sequence[str], mode: Mode
) -> PolicyResult:
    """Give roles to a principal.

    Raises:
        NotFoundError: There is no such principal.
        InputError: There is no such role.
    """
    _require_roles(roles)

    def edit(document: Document) -> bool:
        _principal(document, name)
        changed = [_join(document, name, role) for role in roles]
        return any(changed)

    return change_policy(handle, edit, f"grant {', '.join(roles)} to {name}", mode)


def revoke(
    handle: RegistryHandle, name: str, roles: Sequence[str], mode: Mode
) -> PolicyResult:
    """Take roles from a principal.

    Raises:
        NotFoundError: There is no such principal.
        RefusedError: Nobody would be left in one of the roles.
    """

    def edit(document: Document) -> bool:
        _principal(document, name)
        changed = [_leave(document, name, role) for role in roles]
        return any(changed)

    return change_policy(handle, edit, f"revoke {', '.join(roles)} from {name}", mode)


def require(
    handle: RegistryHandle, stage: str, demands: Demands, mode: Mode
) -> PolicyResult:
    """Ask for approvals and gates before a promotion to ``stage``.

    Raises:
        NotFoundError: There is no such stage.
        RefusedError: What is asked for could never be met, or would be weaker for
            some models than for all.
    """

    def edit(document: Document) -> bool:
        return demands.apply(document, stage)

    return change_policy(handle, edit, demands.describe(stage), mode, strict=True)


def set_threshold(
    handle: RegistryHandle, role: str, threshold: int, mode: Mode
) -> PolicyResult:
    """Say how many principals it takes to act in a role.

    Raises:
        RefusedError: Nobody could ever meet it, or nothing asks how many act.
    """
    _require_roles([role])

    def edit(document: Document) -> bool:
        entry = document["roles"].get(role)
        if entry is None:
            raise RefusedError(
                f"Nobody has the role {role}.",
                f"gitmodel policy grant NAME {role}  gives it to someone.",
                code="E_POLICY",
            )
        changed = bool(entry["threshold"] != threshold)
        document["roles"][role] = {**entry, "threshold": threshold}
        return changed

    what = f"{threshold} signatures of {role}"
    return change_policy(handle, edit, what, mode, strict=True)


def set_lift(
    handle: RegistryHandle, threshold: int, role: str, mode: Mode
) -> PolicyResult:
    """Say how many principals it takes to lift a quarantine, and in which role.

    Raises:
        RefusedError: Nobody could ever meet it.
    """
    _require_roles([role])

    def edit(document: Document) -> bool:
        usual = {"threshold": LIFT.threshold, "role": LIFT.role}
        before = document.get("quarantine", {}).get("lift", usual)
        document["quarantine"] = {"lift": {"threshold": threshold, "role": role}}
        return bool(before != document["quarantine"]["lift"])

    what = f"a quarantine is lifted by {threshold} of {role}"
    return change_policy(handle, edit, what, mode, strict=True)


def set_sensitivity(
    handle: RegistryHandle, model: str | None, level: str, mode: Mode
) -> PolicyResult:
    """Say how sensitive a model is; None for all models that are not named."""

    def edit(document: Document) -> bool:
        stated = document.get("sensitivity", {})
        if model is None:
            new = stated | {"default": level}
        else:
            others = {
                name: known
                for name, known in stated.get("models", {}).items()
                if name == model or name.casefold() != model.casefold()
            }
            new = stated | {"models": others | {model: level}}
        document["sensitivity"] = new
        return bool(new != stated)

    what = f"{model or 'other models'} {'is' if model else 'are'} {level}"
    return change_policy(handle, edit, what, mode)


def _require_roles(roles: Sequence[str]) -> None:
    for role in roles:
        if role not in ROLES:
            raise InputError(
                f"There is no role {role!r}.", f"Roles: {', '.join(ROLES)}"
            )


def _principal(document: Document, name: str) -> Document:
    if name not in document["principals"]:
        known = ", ".join(document["principals"])
        raise NotFoundError(f"There is no principal {name}", f"There are: {known}")
    entry: Document = document["principals"][name]
    return entry


def _owner(document: Document, keyid: str) -> str | None:
    for name, entry in document["principals"].items():
        if any(key["keyid"] == keyid for key in entry.get("keys", ())):
            return str(name)
    return None


def _join(document: Document, name: str, role: str) -> bool:
    entry = document["roles"].setdefault(role, {"members": [], "threshold": 1})
    if name in entry["members"]:
        return False
    entry["members"].append(name)
    return True


def _leave(document: Document, name: str, role: str) -> bool:
    entry = document["roles"].get(role, {"members": []})
    if name not in entry["members"]:
        return False
    if len(entry["members"]) - 1 < entry["threshold"]:
        raise RefusedError(
            f"{name} is needed as {role}: {entry['threshold']} of "
            f"{len(entry['members'])} must stay.",
            f"gitmodel policy grant NAME {role}  first gives the role to someone else.",
            code="E_POLICY",
        )
    entry["members"].remove(name)
    return True
