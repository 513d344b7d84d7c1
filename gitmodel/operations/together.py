"""Several moves in one commit, or none of them: one message, and every obstacle.

A step of the history may move as many pins as it likes, each by one transition that is
signed for itself; what is landed together is as provable as what is landed alone.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from gitmodel.formats.commit_message import CommitMessage
from gitmodel.registry.change import Change

if TYPE_CHECKING:
    from collections.abc import Sequence

    from gitmodel.errors import GitmodelError

_NAMED = 3
#: What moves of one commit say alike, said once, last: who had a part in it.
_PEOPLE = frozenset({"Gitmodel-Principal", "Gitmodel-Approved-By"})


def join(changes: Sequence[Change], *, where: str, reason: str) -> Change:
    """Return one change that makes all of ``changes``, which touch different pins.

    Its message names every move, and has the trailers of each, in order, each group
    beginning with its ``Gitmodel-Action``.

    Args:
        changes: At least one; they are made by one principal.
        where: What the subject ends with, such as the stage.
        reason: Why all of it is done.
    """
    if len(changes) == 1:
        return changes[0]
    files: dict[str, bytes | None] = {}
    trailers: list[tuple[str, str]] = []
    people: dict[tuple[str, str], None] = {}
    for change in changes:
        if files.keys() & change.files.keys():
            raise AssertionError("moves of different pins share no file")
        files.update(change.files)
        for trailer in change.message.trailers:
            if trailer[0] in _PEOPLE:
                people[trailer] = None
            else:
                trailers.append(trailer)
    told = "\n".join(change.message.subject for change in changes)
    subject = f"{_action(changes)}({_models(changes)}): {where}"
    reverts = [commit for change in changes for commit in change.message.reverts]
    return Change(
        message=CommitMessage(
            subject=subject,
            body="\n\n".join(filter(None, (reason, told))),
            reverts=tuple(dict.fromkeys(reverts)),
            trailers=(*trailers, *people),
        ),
        principal=changes[0].principal,
        files=files,
    )


def together(
    failures: Sequence[tuple[str, GitmodelError]], total: int, what: str
) -> GitmodelError:
    """Return one error for everything that stands in the way; the gravest kind wins.

    Args:
        failures: What was asked for, such as a selector, and why it cannot be.
        total: How many were asked for.
        what: What they are, in the plural, such as ``promotions to production``.
    """
    worst = max((error for _, error in failures), key=lambda error: error.exit_code)
    message = f"{len(failures)} of {total} {what} cannot be made, so none was"
    if len(failures) == 1:
        message += f": {failures[0][0]}: {worst.message}"
    return type(worst)(
        message if len(failures) == 1 else f"{message}.",
        *dict.fromkeys(hint for _, error in failures for hint in error.hints),
        code=worst.code,
        problems=[
            {**problem, "message": f"{name}: {problem['message']}", "selector": name}
            for name, error in failures
            for problem in error.problems
            or ({"code": error.code, "message": error.message},)
        ],
    )


def _action(changes: Sequence[Change]) -> str:
    actions = {change.message.subject.partition("(")[0] for change in changes}
    return actions.pop() if len(actions) == 1 else "move"


def _models(changes: Sequence[Change]) -> str:
    names = [
        value
        for change in changes
        for key, value in change.message.trailers
        if key == "Gitmodel-Model"
    ]
    named = list(dict.fromkeys(names))
    more = len(named) - _NAMED
    return ", ".join(named[:_NAMED]) + (f" and {more} more" if more > 0 else "")
