"""The chain of policies in a tree: each signed to the root threshold of two.

A policy entitles nobody before it is proved, whatever file it stands in: policy 1
by its own roots, policy n+1 by the roots of n and by its own (``design`` §4.5).
Principals count, not keys. That the chain only ever grew is for the history to prove.
"""

from __future__ import annotations

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
            (``E_POLICY_ROLLBACK``), or too few roots signed it (``E_THRESHOLD``).
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


def lacks(edition: Edition, seals: Iterable[Seal]) -> str:
    """Say how many root signatures an edition's threshold lacks; "" for none.

    By this edition's own list of keys: a key may have changed hands.
    """
    role = edition.policy.role("root")
    owners = {
        edition.policy.owner_of(seal.keyid)
        for seal in seals
        if seal.role == "root" and seal.decision == "approve"
    }
    signed = len(owners & set(role.members)) if role else 0
    needed = role.threshold if role else 1
    if signed >= needed:
        return ""
    return (
        f"policy {edition.policy.version} asks for {needed} root signatures; "
        f"{signed} count."
    )
