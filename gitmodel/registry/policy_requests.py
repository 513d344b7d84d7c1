"""Policies that wait for the signatures of roots, on ``request/policy/<n+1>``.

A root of the policy in force proposes the next one. Roots of either add their
signatures of the very same bytes, until the threshold of both is met (``design``
§4.5). Whoever can push can make such a branch: it entitles nobody to anything.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Literal

from gitmodel.errors import InputError, IntegrityError, NotFoundError
from gitmodel.formats import schema, yaml_reader
from gitmodel.registry import layout
from gitmodel.registry.parsing import as_found
from gitmodel.registry.policies import Edition
from gitmodel.registry.policy_chain import follows, roots
from gitmodel.registry.records import Record, read_proposal
from gitmodel.registry.request_branches import PREFIX, tips
from gitmodel.registry.view import View

if TYPE_CHECKING:
    from collections.abc import Mapping

    from gitmodel.registry.handle import RegistryHandle
    from gitmodel.registry.policy_chain import Roots

_BRANCH = re.compile(r"request/policy/([1-9][0-9]{0,8})")


@dataclass(frozen=True, slots=True, kw_only=True)
class PolicyRequest:
    """One proposed policy, judged against the main line.

    Attributes:
        branch: Short name of the branch, without a remote's name.
        tip: Its newest commit.
        view: The registry at that commit; its own policies are believed in nothing.
        record: The policy, with the signatures that count.
        document: Its content, in the order of its file.
        old: The policy that it follows.
        new: The policy itself.
        stale: Whether another one came in its place.
    """

    branch: str
    tip: str
    view: View
    record: Record
    document: Mapping[str, Any]
    old: Edition
    new: Edition
    stale: bool

    @property
    def number(self) -> int:
        """The number of the proposed policy."""
        return self.new.policy.version

    @property
    def editions(self) -> tuple[Edition, Edition]:
        """Both policies whose roots must sign."""
        return self.old, self.new

    @property
    def roots(self) -> tuple[Roots, ...]:
        """How far the roots of both have signed."""
        return tuple(roots(edition, self.record.seals) for edition in self.editions)

    @property
    def needed(self) -> tuple[str, ...]:
        """What is lacking still, in words."""
        return tuple(str(each) for each in self.roots if each.lacking)

    @property
    def signers(self) -> tuple[str, ...]:
        """The roots who have signed, of either policy."""
        return tuple(sorted({who for each in self.roots for who in each.signed}))

    @property
    def threshold(self) -> int:
        """How many roots it takes, by the stricter of both."""
        return max(each.threshold for each in self.roots)

    @property
    def rejections(self) -> tuple[str, ...]:
        """The roots who said no."""
        return self.record.rejected_by("root")

    @property
    def standing(self) -> Literal["open", "approved", "rejected", "stale"]:
        """Where it stands."""
        if self.stale:
            return "stale"
        if self.rejections:
            return "rejected"
        return "open" if self.needed else "approved"


def branch_of(number: int) -> str:
    """Return the branch on which policy ``number`` waits."""
    return f"{PREFIX}policy/{number}"


def is_policy(branch: str) -> bool:
    """Say whether a branch is named as a request to change the policy is."""
    return _BRANCH.fullmatch(branch.removeprefix("refs/heads/")) is not None


def path_of(branch: str) -> str:
    """Return the path of the policy that a branch named as such a request proposes."""
    return layout.policy_path(int(branch.rpartition("/")[2]))


def find(handle: RegistryHandle, main: View, name: str | None) -> PolicyRequest:
    """Find a proposed policy by its branch or number; None for the next one.

    Raises:
        NotFoundError: There is none.
        InputError: ``name`` is neither.
    """
    number = str(main.policy.version + 1) if name is None else name
    if match := _BRANCH.fullmatch(number.removeprefix("refs/heads/")):
        number = match[1]
    branch = f"{PREFIX}policy/{number}"
    if not is_policy(branch):
        raise InputError(
            f"{number[:80]!a} names no policy that waits.",
            "Write its number, or its branch, request/policy/N.",
        )
    tip = tips(handle).get(branch)
    if tip is None:
        raise NotFoundError(
            f"No policy {number} waits for signatures here.",
            "gitmodel requests  lists what waits;  git fetch  brings what others ask.",
            code="E_NO_REQUEST",
        )
    return read(handle, main, branch, tip)


def read(handle: RegistryHandle, main: View, branch: str, tip: str) -> PolicyRequest:
    """Read the policy that waits on a branch.

    Raises:
        IntegrityError: It holds no policy that can be read, or one that is another
            registry's, or not of that number.
    """
    number = int(branch.rpartition("/")[2])
    view = View(handle.reader, tip)
    path = layout.policy_path(number)
    data = view.blob(path)
    if data is None:
        raise IntegrityError(f"The branch {branch} holds no {path}")
    with as_found():
        document = yaml_reader.read(data, path)
        schema.require("Policy", document, path)
        new = Edition.read(data, number, view.blob)
    prior = new.policy.prior
    old = main.edition_of(prior) if prior is not None else None
    if old is None or not follows(new, old, number):
        raise IntegrityError(
            f"{path} on {branch} follows no policy of this registry.",
            code="E_POLICY_ROLLBACK",
        )
    record = read_proposal(
        view, path, main.registry_id, {old.digest: old, new.digest: new}
    )
    if record is None:
        raise AssertionError("the file was just read")
    return PolicyRequest(
        branch=branch,
        tip=tip,
        view=view,
        record=record,
        document=document.value,
        old=old,
        new=new,
        stale=old.digest != main.policy_digest,
    )
