"""Requests: promotions that wait for approvals, each on a branch of its own.

A request is a commit that moves the pin and adds the transition, signed by its
requester, on the branch ``request/<stage>/<model>/<seq>``. Approvers add their
signatures of the very same transition bytes. Landing it, by ``promote --finalize``
or a plain merge, brings all of that to the main line in one step.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal

from gitmodel.adapters.git.history import is_ancestor
from gitmodel.domain.names import model_name, stage_name
from gitmodel.errors import InputError, IntegrityError, NotFoundError
from gitmodel.registry import layout
from gitmodel.registry.records import Record, read_record
from gitmodel.registry.stage_log import sequence_numbers, transition_of
from gitmodel.registry.view import View

if TYPE_CHECKING:
    from collections.abc import Mapping

    from gitmodel.domain.transition import Transition
    from gitmodel.registry.handle import RegistryHandle

PREFIX = "request/"
_BRANCH = re.compile(r"request/([^/]+)/([^/]+)/([1-9][0-9]{0,8})")

Standing = Literal["open", "approved", "rejected", "stale"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Request:
    """One request as its branch has it, judged against the main line.

    Attributes:
        branch: Short name of the branch, without a remote's name.
        tip: Its newest commit.
        view: The registry at that commit.
        record: The transition, with the signatures that count.
        approvals: Principals other than the requester who approved it.
        rejections: Principals who rejected it.
        threshold: How many approvals it takes.
    """

    branch: str
    tip: str
    view: View
    record: Record
    transition: Transition
    approvals: tuple[str, ...]
    rejections: tuple[str, ...]
    threshold: int
    stale: bool

    @property
    def standing(self) -> Standing:
        """Where it stands."""
        if self.stale:
            return "stale"
        if self.rejections:
            return "rejected"
        return "approved" if len(self.approvals) >= self.threshold else "open"

    @property
    def path(self) -> str:
        """The path of the transition."""
        return self.record.path


def branch_of(stage: str, model: str, seq: int) -> str:
    """Return the branch of a request."""
    return f"{PREFIX}{stage}/{model}/{seq}"


def find(handle: RegistryHandle, main: View, name: str) -> Request:
    """Find a request by ``MODEL#STAGE`` or by its branch.

    Raises:
        NotFoundError: There is none.
        InputError: ``name`` is neither.
    """
    match = _BRANCH.fullmatch(name.removeprefix("refs/heads/"))
    if match is not None:
        stage, model, seq = match[1], match[2], int(match[3])
    else:
        model, sign, stage = name.partition("#")
        if not sign:
            raise InputError(
                f"{name[:80]!a} names no request.",
                "Write MODEL#STAGE, or the request's branch.",
            )
        stage = main.settings.require_stage(stage_name(stage))
        model_name(model)
        seq = max(sequence_numbers(main, stage, model), default=0) + 1
    branch = branch_of(stage, model, seq)
    tip = _tips(handle).get(branch)
    if tip is None:
        raise NotFoundError(
            f"There is no request to move {model} in {stage}",
            "gitmodel requests  lists the open ones;  git fetch  brings others.",
            code="E_NO_REQUEST",
        )
    return _read(handle, main, branch, tip)


def find_all(handle: RegistryHandle, main: View) -> tuple[Request, ...]:
    """Return every request that this clone knows, here or from a remote."""
    return tuple(
        _read(handle, main, branch, tip)
        for branch, tip in sorted(_tips(handle).items())
        if _BRANCH.fullmatch(branch)
    )


def _tips(handle: RegistryHandle) -> dict[str, str]:
    """Return the tip of each request: of this clone's and the remotes', the furthest.

    Where they have parted, the remote's counts: others have seen that one.
    """
    git = handle.repository.git
    listed = git.run(
        "for-each-ref",
        "--format=%(objectname) %(refname)",
        "refs/heads",
        "refs/remotes",
    )
    tips: dict[str, str] = {}
    for line in listed.decode().splitlines():
        oid, _, ref = line.partition(" ")
        _, _, name = ref.partition(f"/{PREFIX}")
        branch = f"{PREFIX}{name}"
        known = tips.get(branch)
        if name and (known is None or not is_ancestor(handle.repository, oid, known)):
            tips[branch] = oid
    return tips


def _read(handle: RegistryHandle, main: View, branch: str, tip: str) -> Request:
    match = _BRANCH.fullmatch(branch)
    if match is None:
        raise InputError(f"{branch} is not the branch of a request.")
    stage, model, seq = match[1], match[2], int(match[3])
    view = View(handle.reader, tip)
    path = layout.transition_path(stage, model, seq)
    record = read_record(view, path, "transition")
    if record is None:
        raise IntegrityError(f"The branch {branch} holds no {path}")
    transition = transition_of(record)
    rules = main.policy.rules_for(stage)
    role = rules.approver_role if rules else "approver"
    voices = {
        seal.principal: seal.decision
        for seal in record.seals
        if seal.role == role and seal.principal != transition.requester
    }
    return Request(
        branch=branch,
        tip=tip,
        view=view,
        record=record,
        transition=transition,
        approvals=_who(voices, "approve"),
        rejections=_who(voices, "reject"),
        threshold=rules.approvals if rules else 0,
        stale=_is_stale(main, transition),
    )


def _who(voices: Mapping[str, str], decision: str) -> tuple[str, ...]:
    return tuple(sorted(who for who, said in voices.items() if said == decision))


def _is_stale(main: View, transition: Transition) -> bool:
    """Say whether the pin moved, or the policy changed, since it was asked for."""
    stage, model = transition.stage, transition.model
    numbers = sequence_numbers(main, stage, model)
    if transition.seq != max(numbers, default=0) + 1:
        return True
    if transition.policy != main.policy_digest:
        return True
    if not numbers:
        return transition.prior is not None
    path = layout.transition_path(stage, model, numbers[-1])
    newest = read_record(main, path, "transition")
    return newest is None or newest.digest != transition.prior
