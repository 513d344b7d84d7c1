"""Put versions, bytes and data sets into quarantine: one signed document (R177).

From then on nothing promotes, registers, pulls or goes back to what they concern.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Literal

from gitmodel.domain.names import incident_id
from gitmodel.domain.quarantine import ROLES, VersionSubject
from gitmodel.errors import RefusedError
from gitmodel.operations.quarantine_drafting import draft, message_of, sign_draft
from gitmodel.operations.quarantine_scope import reach_of, subjects_of
from gitmodel.registry.change import Change, Plan
from gitmodel.registry.quarantine_chain import read_chain
from gitmodel.registry.quarantines import marks_of
from gitmodel.registry.transaction import Mode, transact

if TYPE_CHECKING:
    from collections.abc import Sequence

    from gitmodel.domain.quarantine import Subject
    from gitmodel.operations.quarantine_scope import Reached, Suspects
    from gitmodel.registry.change import SignedFiles
    from gitmodel.registry.handle import RegistryHandle
    from gitmodel.registry.view import View


@dataclass(frozen=True, slots=True, kw_only=True)
class QuarantineResult:
    """What was put into quarantine, or taken out.

    Attributes:
        number: Of the document; None if there was nothing to say.
        quarantined: Whether the subjects are in quarantine now.
        reached: Every version that the subjects concern.
        needed: What a pending lift still lacks.
        commit: None for a dry run, or if all was so already.
    """

    status: Literal["quarantined", "lifted", "pending", "unchanged"]
    number: int | None
    subjects: tuple[Subject, ...]
    quarantined: bool
    reached: tuple[Reached, ...]
    reason: str
    incident: str | None
    needed: tuple[str, ...] = ()
    commit: str | None = None
    dry_run: bool = False

    @property
    def version(self) -> VersionSubject | None:
        """The version that it is about, if it is about one and nothing else."""
        only = self.subjects[0] if len(self.subjects) == 1 else None
        return only if isinstance(only, VersionSubject) else None


def quarantine(
    handle: RegistryHandle,
    suspects: Suspects,
    *,
    reason: str,
    incident: str | None = None,
    mode: Mode | None = None,
) -> QuarantineResult:
    """Put what ``suspects`` means into quarantine.

    Args:
        handle: The registry.
        suspects: Versions, data sets and digests.
        reason: Why; people will read it wherever something is refused.
        incident: What it belongs to.
        mode: Dry run, push.

    Raises:
        NotFoundError: There is no such version.
        InputError: Nothing is named, or more than one document can name.
        RefusedError: The signer may not.
        IntegrityError: The chain of quarantines is broken.
    """
    mode = mode or Mode()
    incident = incident_id(incident) if incident is not None else None
    # Settled before others' news come in: what somebody has looked at is meant.
    subjects = subjects_of(handle.view(), suspects, handle.context.warn)

    def build(view: View) -> Plan[QuarantineResult]:
        principal = handle.principal(view)
        role = _role(view, principal)
        whole = draft(handle, view, "quarantine", subjects, reason, incident)
        result = QuarantineResult(
            status="unchanged",
            number=None,
            subjects=subjects,
            quarantined=True,
            reached=reach_of(view, subjects, whole),
            reason=reason,
            incident=incident,
            dry_run=mode.dry_run,
        )
        new = _not_there(view, subjects)
        if not new:
            return Plan(None, result)
        document = replace(whole, subjects=new)
        signed = sign_draft(handle, view, document, role)
        change = Change(
            message=message_of(document, signed.digest, principal),
            principal=principal,
            files=dict(signed.files),
        )
        return Plan(
            change, replace(result, status="quarantined", number=document.number)
        )

    done = transact(handle, build, mode)
    return replace(done.result, commit=done.commit)


def quarantine_files(
    handle: RegistryHandle,
    view: View,
    subjects: Sequence[Subject],
    reason: str,
    incident: str | None,
    principal: str,
) -> SignedFiles | None:
    """Return the signed document that puts subjects into quarantine.

    For a commit of its own, or for one that does more. What is there already, and is
    not about to be lifted, is left out; None if that is all of it.

    Raises:
        RefusedError: ``principal``, who signs, may not.
        InputError: These are more than one document can name (``E_LIMIT``).
        IntegrityError: The chain of quarantines is broken.
    """
    role = _role(view, principal)
    new = _not_there(view, subjects)
    if not new:
        return None
    document = draft(handle, view, "quarantine", new, reason, incident)
    return sign_draft(handle, view, document, role)


def _role(view: View, principal: str) -> str:
    """Return the role in which somebody may put something into quarantine."""
    for role in ROLES:
        if view.policy.has_role(principal, role):
            return role
    raise RefusedError(
        f"{principal} may not put anything into quarantine.",
        f"Roles that may: {', '.join(ROLES)};  gitmodel policy show  lists who has "
        "them.",
        code="E_ROLE",
    )


def _not_there(view: View, subjects: Sequence[Subject]) -> tuple[Subject, ...]:
    """Return what is not in quarantine, or may leave it by a lift that waits."""
    marks = marks_of(view).subjects
    leaving = {
        subject
        for entry, _ in read_chain(view)
        if entry.document.action == "lift"
        and not entry.effective
        and entry.document.policy == view.policy_digest
        for subject in entry.document.subjects
        if subject in marks and marks[subject].number < entry.document.number
    }
    return tuple(s for s in subjects if s not in marks or s in leaving)
