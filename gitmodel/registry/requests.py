"""Requests: moves of a pin that wait for approvals, each on a branch of its own.

A request is a commit that moves the pin and adds the transition, signed by its
requester, on the branch ``request/<stage>/<model>/<seq>``. Approvers add their
signatures of the very same transition bytes. Landing it, by ``promote --finalize``
or a plain merge, brings all of that to the main line in one step.

Whoever can push can make such a branch: nothing on it counts but by the policies of
the main line.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Literal

from gitmodel.domain.names import model_name, stage_name
from gitmodel.domain.quorum import count
from gitmodel.errors import InputError, IntegrityError, NotFoundError
from gitmodel.registry import layout
from gitmodel.registry.forge_approvals import hear
from gitmodel.registry.records import Record, read_record
from gitmodel.registry.request_branches import PREFIX, tips
from gitmodel.registry.stage_log import sequence_numbers, transition_of
from gitmodel.registry.view import View

if TYPE_CHECKING:
    from gitmodel.domain.problem import Problem
    from gitmodel.domain.quorum import Count
    from gitmodel.domain.transition import Transition
    from gitmodel.registry.forge_approvals import Heard
    from gitmodel.registry.handle import RegistryHandle

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
        counts: How far each quorum is met that its stage asks for.
        approvals: Principals other than the requester who approved it.
        rejections: Principals who rejected it.
        problems: What is wrong with the forges' statements, which then do not count.
    """

    branch: str
    tip: str
    view: View
    record: Record
    transition: Transition
    counts: tuple[Count, ...]
    approvals: tuple[str, ...]
    rejections: tuple[str, ...]
    problems: tuple[Problem, ...]
    stale: bool

    @property
    def standing(self) -> Standing:
        """Where it stands."""
        if self.stale:
            return "stale"
        if self.rejections:
            return "rejected"
        return "open" if self.lacking else "approved"

    @property
    def lacking(self) -> int:
        """How many more approvals it takes."""
        return sum(each.lacking for each in self.counts)

    @property
    def threshold(self) -> int:
        """How many approvals it takes in all."""
        return sum(each.quorum.threshold for each in self.counts)

    @property
    def path(self) -> str:
        """The path of the transition."""
        return self.record.path


def branch_of(stage: str, model: str, seq: int) -> str:
    """Return the branch of a request."""
    return f"{PREFIX}{stage}/{model}/{seq}"


def is_move(branch: str) -> bool:
    """Say whether a branch is named as a request to move a pin is."""
    return _BRANCH.fullmatch(branch) is not None


def path_of(branch: str) -> str:
    """Return the path of the transition that a branch named as a request proposes."""
    _, stage, model, seq = branch.split("/")
    return layout.transition_path(stage, model, int(seq))


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
    tip = tips(handle).get(branch)
    if tip is None:
        raise NotFoundError(
            f"There is no request to move {model} in {stage}",
            "gitmodel requests  lists the open ones;  git fetch  brings others.",
            code="E_NO_REQUEST",
        )
    return read(handle, main, branch, tip)


def read(handle: RegistryHandle, main: View, branch: str, tip: str) -> Request:
    """Read the request on a branch.

    Raises:
        InputError: The branch is not named as one.
        IntegrityError: It holds no transition that can be read.
    """
    match = _BRANCH.fullmatch(branch)
    if match is None:
        raise InputError(f"{branch} is not the branch of a request.")
    stage, model, seq = match[1], match[2], int(match[3])
    view = View(handle.reader, tip)
    path = layout.transition_path(stage, model, seq)
    landed = (known := main.blob(path)) is not None and known == view.blob(path)
    if landed:
        record = read_record(main, path, "transition")
    else:
        record = read_record(view, path, "transition", trusted=main)
    if record is None:
        raise IntegrityError(f"The branch {branch} holds no {path}")
    transition = transition_of(record)
    if (transition.stage, transition.model, transition.seq) != (stage, model, seq):
        raise IntegrityError(
            f"{branch} holds a transition of {transition.model} in {transition.stage}.",
            code="E_TRANSITION_PATH",
        )
    heard = hear(
        main if landed else view, transition, record, main.policy, trusted=main
    )
    request = Request(
        branch=branch,
        tip=tip,
        view=view,
        record=record,
        transition=transition,
        counts=(),
        approvals=(),
        rejections=(),
        problems=heard.problems,
        stale=_is_stale(main, transition),
    )
    return with_reviews(main, request, heard)


def with_reviews(main: View, request: Request, heard: Heard) -> Request:
    """Return a request as it stands with what a forge adds to its signatures.

    Who has signed is not heard again through a forge: the signature is what counts.
    """
    transition, record = request.transition, request.record
    rules = main.policy.rules_for(transition.stage, transition.model)
    judges = rules.judging_roles(transition.move) if rules else ()
    counts = count(
        rules.quorums(transition.move) if rules else (),
        (*record.voices(), *heard.voices),
        requester=transition.requester,
    )
    return replace(
        request,
        counts=counts,
        approvals=tuple(sorted({who for each in counts for who in each.who})),
        rejections=tuple(
            sorted({*record.rejected_by(*judges), *heard.refused(record)})
        ),
    )


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
