"""Access review: who can do what with which keys, and that someone has looked."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from gitmodel.adapters.git.history import changes, first_parent_line
from gitmodel.domain.access_review import ROLES, AccessReview
from gitmodel.domain.moment import to_text
from gitmodel.errors import GitmodelError
from gitmodel.formats import schema
from gitmodel.formats.bundle import Bundle
from gitmodel.formats.commit_message import CommitMessage
from gitmodel.formats.statement import Endorsement, Statement
from gitmodel.registry import layout
from gitmodel.registry.authorship import author_of
from gitmodel.registry.change import Authority, Change, Plan, sign_document
from gitmodel.registry.reviews import KIND, last_digest, latest_review
from gitmodel.registry.transaction import Mode, transact

if TYPE_CHECKING:
    from collections.abc import Callable
    from datetime import datetime, timedelta

    from gitmodel.domain.forge import ForgeKind
    from gitmodel.domain.policy import Policy
    from gitmodel.registry.handle import RegistryHandle
    from gitmodel.registry.view import View

_CHUNK = 500


@dataclass(frozen=True, slots=True, kw_only=True)
class LastUse:
    """The newest document that a key, or an identity, signed."""

    path: str
    commit: str
    at: str | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Access:
    """One key, identity or account of one principal.

    Attributes:
        keyid: The key's id, or what stands for the identity; None for an account.
        identity: Issuer and name of an identity; None for a key.
        account: Forge and number of an account; None for what signs.
        since: The policy that brought it, and that kept it until now.
        roles: Role → the policy since which the principal has had it.
        last_use: None if it has never signed anything; an account signs nothing.
    """

    principal: str
    keyid: str | None
    identity: str | None
    since: int
    roles: tuple[tuple[str, int], ...]
    last_use: LastUse | None
    account: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class ReviewResult:
    """Who can do what now, and the newest review of it.

    Attributes:
        overdue: Why a review is needed now; "" if it is not.
        changed: Whether the policy changed since the newest review.
        commit: Of the review that was signed; None if none was.
    """

    policy: int
    access: tuple[Access, ...]
    review: AccessReview | None
    overdue: str
    changed: bool
    commit: str | None = None
    dry_run: bool = False


def review_access(handle: RegistryHandle) -> ReviewResult:
    """Return who can do what, since when, and when they last did anything.

    Raises:
        IntegrityError: The newest review is not signed as it must be.
    """
    view = handle.view()
    policies = [edition.policy for edition in view.editions.values()]
    used = _last_uses(handle, view)
    access = []
    for principal in view.policy.principals:
        roles = tuple(
            (role.name, _since(policies, _holds(principal.name, role.name)))
            for role in view.policy.roles
            if principal.name in role.members
        )
        identities = {
            identity.keyid: str(identity) for identity in principal.identities
        }
        access += [
            Access(
                principal=principal.name,
                keyid=keyid,
                identity=identities.get(keyid),
                since=_since(policies, _owns(principal.name, keyid)),
                roles=roles,
                last_use=used.get(keyid),
            )
            for keyid in principal.keyids
        ]
        access += [
            Access(
                principal=principal.name,
                keyid=None,
                identity=None,
                account=f"{kind}:{number}",
                since=_since(policies, _reviews_as(principal.name, kind, number)),
                roles=roles,
                last_use=None,
            )
            for kind, number in principal.accounts
        ]
    review = latest_review(view)
    return ReviewResult(
        policy=view.policy.version,
        access=tuple(access),
        review=review,
        overdue=overdue(view, handle.context.clock.now()),
        changed=review is not None and review.policy != view.policy_digest,
    )


def sign_off(
    handle: RegistryHandle, *, due: timedelta, comment: str, mode: Mode
) -> ReviewResult:
    """Sign that the policy in force was reviewed, and when to do it again.

    Raises:
        RefusedError: The signer is neither auditor nor root.
        InputError: The comment cannot be written.
    """

    def build(view: View) -> Plan[None]:
        principal = handle.principal(view)
        held = (role for role in ROLES if view.policy.has_role(principal, role))
        role = next(held, None) or handle.acting_as(view, ROLES[0])
        number, prior = last_digest(view)
        now = handle.context.clock.now()
        review = AccessReview(
            seq=number + 1,
            prior=prior,
            policy=view.policy_digest,
            reviewer=principal,
            comment=comment,
            created_at=to_text(now),
            due_at=to_text(now + due),
        )
        path = layout.review_path(review.seq)
        schema.require("AccessReview", review.to_document(), path)
        signed = sign_document(
            handle.signer,
            path,
            review.to_document(),
            kind=KIND,
            role=role,
            authority=Authority(view.registry_id, view.policy_digest),
        )
        message = CommitMessage(
            subject=f"policy: reviewed policy {view.policy.version}",
            body=comment,
            trailers=(
                ("Gitmodel-Action", "review"),
                ("Gitmodel-Policy", str(view.policy_digest)),
                ("Gitmodel-Principal", principal),
            ),
        )
        return Plan(
            Change(message=message, principal=principal, files=dict(signed.files)),
            None,
        )

    done = transact(handle, build, mode)
    found = review_access(handle)
    return ReviewResult(
        policy=found.policy,
        access=found.access,
        review=found.review,
        overdue=found.overdue,
        changed=found.changed,
        commit=done.commit,
        dry_run=mode.dry_run,
    )


def overdue(view: View, now: datetime) -> str:
    """Say why a review of who may do what is needed now; "" if it is not.

    One principal alone has nobody to review.
    """
    try:
        review = latest_review(view)
    except GitmodelError as error:
        return f"the newest access review does not count: {error.message}"
    if review is not None and review.overdue(now):
        return f"the access review was due at {review.due_at}"
    if review is None and len(view.policy.principals) > 1:
        return "nobody has reviewed yet who may do what"
    return ""


def _last_uses(handle: RegistryHandle, view: View) -> dict[str, LastUse]:
    """Return the newest signature by each key of the policy in force."""
    wanted = {
        keyid for principal in view.policy.principals for keyid in principal.keyids
    }
    found: dict[str, LastUse] = {}
    line = first_parent_line(handle.repository, str(view.commit))
    roots = tuple(root.rstrip("/") for root in layout.PROTECTED_ROOTS)
    for start in range(0, len(line), _CHUNK):
        for commit, paths in changes(
            handle.repository, line[start : start + _CHUNK], paths=roots
        ):
            for change in paths:
                place = layout.classify(change.path)
                if place.kind != "signature" or change.status != "A":
                    continue
                if any(keyid.startswith(place.keyid) for keyid in wanted):
                    data = handle.reader.read(change.new).data
                    _take(view, data, place.document, commit, wanted, found)
        if not wanted:
            break
    return found


def _take(
    view: View,
    data: bytes,
    document: str,
    commit: str,
    wanted: set[str],
    found: dict[str, LastUse],
) -> None:
    """Note a signature that was really made by a key whose use is still sought."""
    try:
        bundle = Bundle.from_bytes(data, document)
        said = Endorsement.from_predicate(Statement.from_bundle(bundle).predicate)
        edition = view.edition_of(said.policy) or view.editions[view.registry_id]
        keyid = author_of(bundle, edition).keyid
    except GitmodelError:
        return  # verify names it
    if keyid in wanted:
        wanted.discard(keyid)
        at = said.document.get("createdAt")
        found[keyid] = LastUse(
            path=document, commit=commit, at=at if isinstance(at, str) else None
        )


def _holds(name: str, role: str) -> Callable[[Policy], bool]:
    return lambda policy: policy.has_role(name, role)


def _owns(name: str, keyid: str) -> Callable[[Policy], bool]:
    return lambda policy: policy.owner_of(keyid) == name


def _reviews_as(name: str, kind: ForgeKind, number: int) -> Callable[[Policy], bool]:
    return lambda policy: policy.owner_of_account(kind, number) == name


def _since(policies: list[Policy], is_so: Callable[[Policy], bool]) -> int:
    """Return the number of the policy since which something is so without a break."""
    since = policies[-1].version
    for policy in reversed(policies):
        if not is_so(policy):
            break
        since = policy.version
    return since
