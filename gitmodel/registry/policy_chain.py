"""The chain of policies in a tree: each signed to the root threshold of two.

A policy entitles nobody before it is proved, whatever file it stands in: policy 1
by its own roots, policy n+1 by the roots of n and by its own (``design`` §4.5).
Principals count, not keys. That the chain only ever grew is for the history to prove.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from gitmodel.errors import GitmodelError, IntegrityError
from gitmodel.registry import layout
from gitmodel.registry.parsing import as_found
from gitmodel.registry.policies import Edition
from gitmodel.registry.seals import Seal, Signed, open_seal

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Sequence

_HINT = "gitmodel verify  shows everything that is wrong."


def prove(
    count: int,
    read: Callable[[int], tuple[bytes, Sequence[tuple[str, bytes]]]],
    find: Callable[[str], bytes | None],
) -> tuple[Edition, ...]:
    """Return policies 1 to ``count``, oldest first.

    Args:
        count: The number of the policy in force.
        read: Returns a policy's bytes, and its signatures by their paths.
        find: Returns the file at a path, such as a trusted root.

    Raises:
        IntegrityError: One is malformed, does not follow the one before
            (``E_POLICY_ROLLBACK``), too few roots signed it (``E_THRESHOLD``), or one
            of them said no (``E_REJECTED``).
    """
    proved: list[Edition] = []
    for number in range(1, count + 1):
        data, signatures = read(number)
        with as_found():
            new = Edition.read(data, number, find)
        path = layout.policy_path(number)
        old = proved[-1] if proved else None
        if not follows(new, old, number):
            raise IntegrityError(
                f"{path} does not follow the policy before it.",
                _HINT,
                code="E_POLICY_ROLLBACK",
            )
        editions = (old, new) if old else (new,)
        by_digest = {edition.digest: edition for edition in editions}
        root = proved[0].digest if proved else new.digest
        seals = []
        for place, bundle in signatures:
            signed = Signed(path, new.digest, "policy", place, bundle)
            try:
                seals.append(open_seal(signed, root, by_digest.get)[0])
            except GitmodelError:
                continue  # it adds nothing to the threshold; verify names it
        if any(seal.decision == "reject" and seal.role == "root" for seal in seals):
            raise IntegrityError(
                f"{path}: a root rejected it.", _HINT, code="E_REJECTED"
            )
        for edition in editions:
            if lacking := lacks(edition, seals):
                raise IntegrityError(f"{path}: {lacking}", _HINT, code="E_THRESHOLD")
        proved.append(new)
    return tuple(proved)


def follows(new: Edition, old: Edition | None, number: int) -> bool:
    """Say whether a policy is number ``number``, and names the one before."""
    return (new.policy.version, new.policy.prior) == (
        number,
        old.digest if old else None,
    ) and number == (old.policy.version + 1 if old else 1)


@dataclass(frozen=True, slots=True)
class Roots:
    """How far the roots of one policy have signed.

    Attributes:
        signed: Those who have.
        others: Those who have not.
        threshold: How many it takes.
    """

    policy: int
    signed: tuple[str, ...]
    others: tuple[str, ...]
    threshold: int

    @property
    def lacking(self) -> int:
        """How many more it takes."""
        return max(0, self.threshold - len(self.signed))

    def __str__(self) -> str:
        return (
            f"{self.lacking} more of the roots of policy {self.policy}: "
            f"{', '.join(self.others)}"
        )


def roots(edition: Edition, seals: Iterable[Seal]) -> Roots:
    """Count the roots of an edition who signed, by its own list of keys.

    A key may have changed hands between one policy and the next.
    """
    role = edition.policy.role("root")
    members = set(role.members) if role else set()
    owners = {
        edition.policy.owner_of(seal.keyid)
        for seal in seals
        if seal.role == "root" and seal.decision == "approve"
    }
    return Roots(
        edition.policy.version,
        tuple(sorted(members & owners)),
        tuple(sorted(members - owners)),
        role.threshold if role else 1,
    )


def lacks(edition: Edition, seals: Iterable[Seal]) -> str:
    """Say how many root signatures an edition's threshold lacks; "" for none."""
    found = roots(edition, seals)
    if not found.lacking:
        return ""
    return (
        f"policy {found.policy} asks for {found.threshold} root signatures; "
        f"{len(found.signed)} count."
    )
