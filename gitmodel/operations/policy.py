"""Change who may do what: policy n+1, signed by a root of n, in one commit.

The document is edited, not rebuilt, so that rules this version does not know stay.
Whatever would leave the registry in nobody's hands is refused before it is signed.
"""

from __future__ import annotations

import copy
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

from gitmodel.domain.digest import Digest
from gitmodel.domain.moment import to_text
from gitmodel.domain.names import principal_name
from gitmodel.domain.policy import ROLES, Policy
from gitmodel.errors import ConflictError, InputError, NotFoundError, RefusedError
from gitmodel.formats import schema, yaml_writer
from gitmodel.formats.commit_message import CommitMessage
from gitmodel.operations import identities as identities_in
from gitmodel.registry import layout
from gitmodel.registry.change import Authority, Change, Plan, sign_document
from gitmodel.registry.policies import Edition
from gitmodel.registry.records import read_record
from gitmodel.registry.signers_file import export_signers
from gitmodel.registry.transaction import Mode, transact

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    from gitmodel.adapters.signing.public_key import PublicKey
    from gitmodel.domain.policy import Identity
    from gitmodel.operations.demands import Demands
    from gitmodel.registry.handle import RegistryHandle
    from gitmodel.registry.view import View

    Document = dict[str, Any]
    Edit = Callable[[Document], bool]


@dataclass(frozen=True, slots=True, kw_only=True)
class PolicyResult:
    """The policy in force after a command.

    Attributes:
        version: Its number.
        signers: The principals who have signed it.
        commit: None if nothing changed, or for a dry run.
    """

    version: int
    digest: str
    policy: Policy
    signers: tuple[str, ...]
    commit: str | None = None
    dry_run: bool = False


def show_policy(view: View) -> PolicyResult:
    """Return the policy in force, and who signed it."""
    path = layout.policy_path(view.policy_number)
    record = read_record(view, path, "policy")
    return PolicyResult(
        version=view.policy.version,
        digest=str(view.policy_digest),
        policy=view.policy,
        signers=tuple(seal.principal for seal in record.seals) if record else (),
    )


def add_principal(
    handle: RegistryHandle,
    name: str,
    keys: Sequence[PublicKey],
    roles: Sequence[str],
    mode: Mode,
    *,
    identities: Sequence[Identity] = (),
) -> PolicyResult:
    """Add a principal, or further keys, identities and roles to one.

    Raises:
        ConflictError: A key or an identity belongs to somebody already.
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
        return any([changed, *(_join(document, name, role) for role in roles)])

    return _change(handle, edit, f"add {name}", mode)


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
    return _change(handle, edit, f"trust Sigstore {digest.hex[:8]}", mode, files)


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

    return _change(handle, edit, f"remove an identity of {name}", mode)


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
    return _change(handle, edit, what, mode)


def grant(handle: RegistryHandle, name: str, role: str, mode: Mode) -> PolicyResult:
    """Give a role to a principal.

    Raises:
        NotFoundError: There is no such principal.
        InputError: There is no such role.
    """
    _require_roles([role])

    def edit(document: Document) -> bool:
        _principal(document, name)
        return _join(document, name, role)

    return _change(handle, edit, f"grant {role} to {name}", mode)


def revoke(handle: RegistryHandle, name: str, role: str, mode: Mode) -> PolicyResult:
    """Take a role from a principal.

    Raises:
        NotFoundError: There is no such principal.
        RefusedError: Nobody would be left in the role.
    """

    def edit(document: Document) -> bool:
        _principal(document, name)
        return _leave(document, name, role)

    return _change(handle, edit, f"revoke {role} from {name}", mode)


def require(
    handle: RegistryHandle, stage: str, demands: Demands, mode: Mode
) -> PolicyResult:
    """Ask for approvals and gates before a promotion to ``stage``.

    Raises:
        NotFoundError: There is no such stage.
        RefusedError: What is asked for could never be met.
    """

    def edit(document: Document) -> bool:
        changed = demands.apply(document, stage)
        try:
            Policy.from_document(document)
        except InputError as error:
            raise RefusedError(error.message, *error.hints, code=error.code) from error
        return changed

    return _change(handle, edit, demands.describe(stage), mode)


def _change(
    handle: RegistryHandle,
    edit: Edit,
    what: str,
    mode: Mode,
    files: Mapping[str, bytes] | None = None,
) -> PolicyResult:
    more = files or {}

    def build(view: View) -> Plan[PolicyResult]:
        principal = handle.acting_as(view, "root")
        document = copy.deepcopy(_document(view))
        if not edit(document):
            return Plan(None, show_policy(view))
        number = view.policy.version + 1
        document |= {
            "version": number,
            "prior": str(view.policy_digest),
            "createdAt": to_text(handle.context.clock.now()),
        }
        path = layout.policy_path(number)
        schema.require("Policy", document, path)
        data = yaml_writer.dump(document)
        edition = Edition.read(
            data, number, lambda other: more.get(other) or view.blob(other)
        )
        _require_own_hands(handle, view, edition)
        signed = sign_document(
            handle.signer,
            path,
            document,
            kind="policy",
            role="root",
            authority=Authority(view.registry_id, view.policy_digest),
        )
        change = Change(
            message=CommitMessage(
                subject=f"policy: {what}",
                trailers=(
                    ("Gitmodel-Action", "policy"),
                    ("Gitmodel-Policy", str(signed.digest)),
                    ("Gitmodel-Principal", principal),
                ),
            ),
            principal=principal,
            files={**more, **signed.files},
        )
        result = PolicyResult(
            version=number,
            digest=str(Digest.of(data)),
            policy=edition.policy,
            signers=(principal,),
            dry_run=mode.dry_run,
        )
        return Plan(change, result)

    done = transact(handle, build, mode)
    if done.commit is not None:
        export_signers(handle.repository, done.result.policy)
    return replace(done.result, commit=done.commit)


def _require_own_hands(handle: RegistryHandle, view: View, new: Edition) -> None:
    """Refuse a policy that this signature alone would not put in force.

    Raises:
        RefusedError: It must be signed by others too, or the signer's own key is
            not in it any more.
    """
    for edition in (view.edition, new):
        role = edition.policy.role("root")
        owner = edition.policy.owner_of(handle.signer.keyid)
        if role is None or owner not in role.members:
            raise RefusedError(
                "The key that signs this would not be a root key afterwards.",
                "Sign it with the key, or as the principal, that stays:  --key FILE",
                code="E_THRESHOLD",
            )
        if role.threshold > 1:
            raise RefusedError(
                f"Policy {edition.policy.version} asks for {role.threshold} root "
                "signatures, and this command gives one.",
                code="E_THRESHOLD",
            )


def _document(view: View) -> Document:
    record = read_record(view, layout.policy_path(view.policy_number), "policy")
    if record is None:
        raise AssertionError("a view has the policy in force")
    record.require_seal("root")
    return dict(record.document)


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
