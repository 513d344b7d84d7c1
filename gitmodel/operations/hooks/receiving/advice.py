"""What a person with plain git can run about a refusal."""

from __future__ import annotations

from typing import TYPE_CHECKING

from gitmodel.registry import layout

if TYPE_CHECKING:
    from gitmodel.domain.problem import Problem
    from gitmodel.operations.hooks.receiving.refs import Kind, Update

_MOVES = frozenset(
    {
        "E_TRANSITION_UNRECORDED",
        "E_PIN_MISMATCH",
        "E_PIN_MISSING",
        "E_PIN_DANGLING",
        "E_THRESHOLD",
        "E_GATE",
        "E_REJECTED",
    }
)
#: Nothing that the pusher could run makes these go away.
_UNHELPED = frozenset({"E_REF_DELETED", "E_LIMIT", "E_ROOT_ANCHOR", "E_SHALLOW"})


def advice(problem: Problem, update: Update, kind: Kind) -> str:
    """Return a command that helps; "" where only the message does."""
    if problem.code in _UNHELPED:
        return ""
    return _of_refs(problem.code, update, kind) or _of_documents(problem, update, kind)


def _of_refs(code: str, update: Update, kind: Kind) -> str:
    name = update.name
    match code:
        case "E_FORCE_PUSH" if kind == "request":
            return f"git push origin :{name}  then push it again"
        case "E_FORCE_PUSH" | "E_FIRST_PARENT":
            return (
                f"git fetch origin && git checkout --detach origin/{name} && "
                f"git merge --no-ff {name} && git push origin HEAD:{name}"
            )
        case "E_TAG_MOVED":
            return f"git fetch origin +refs/tags/{name}:refs/tags/{name}"
        case "E_REF_NAME":
            return "git push origin HEAD:refs/heads/NAME"
        case "E_ARTIFACT_MISSING":
            return f"git lfs push origin {name}"
        case "E_NO_REGISTRY" if kind == "branch":
            return f"git symbolic-ref HEAD refs/heads/{name}  on the server"
        case _:
            return ""


def _of_documents(problem: Problem, update: Update, kind: Kind) -> str:
    back = ""
    if update.old is not None and kind == "protected":
        back = f"git reset --keep {update.old[:12]}"
    place = layout.classify(problem.path)
    if problem.code in _MOVES and place.stage and place.model:
        move = f"gitmodel promote {place.model}@VERSION {place.stage}"
        return f"{back} && {move}" if back else move
    return f"{back}  then make the change with gitmodel" if back else ""
