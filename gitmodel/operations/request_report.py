"""A request for people who review it on a forge: what moves where, and what it takes.

The text of a pull request and the comment that CI keeps up to date are the same. Names,
reasons and numbers come from whoever made the request: all of it is shown as code.
"""

from __future__ import annotations

from string import Template
from typing import TYPE_CHECKING

from gitmodel import resources
from gitmodel.domain.selector import Selector
from gitmodel.formats import fences
from gitmodel.formats.fences import code
from gitmodel.operations.diff import diff
from gitmodel.operations.gates import decide_promotion
from gitmodel.registry.versions import load

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence
    from datetime import datetime

    from gitmodel.operations.diff import DiffResult
    from gitmodel.registry.requests import Request
    from gitmodel.registry.view import View

#: What the comment that is kept up to date begins with.
MARKER = "gitmodel request"
_SHOWN = 20  # lines of each table; the whole is in the registry


def title(request: Request) -> str:
    """Return the title of the pull request of a request."""
    transition = request.transition
    version = transition.target.version if transition.target else "nothing"
    if transition.action == "rollback":
        return f"Roll {transition.model} in {transition.stage} back to {version}"
    return f"Promote {transition.model} {version} to {transition.stage}"


def report(main: View, request: Request, *, now: datetime) -> str:
    """Return what reviewers want to know about a request, in Markdown.

    Args:
        main: The registry as it is.
        request: What is asked for.
        now: The time by which gates are judged.

    Raises:
        IntegrityError: A log that the gates rest on is broken.
    """
    transition = request.transition
    template = Template(resources.template("forge/pull-request.md"))
    before = code(transition.origin.version) if transition.origin else "nothing"
    after = code(transition.target.version) if transition.target else "nothing"
    text = template.substitute(
        move=fences.table(
            ("model", "stage", "now", "then"),
            [(code(transition.model), code(transition.stage), before, after)],
        ),
        reason=f"Asked for by {code(transition.requester)}"
        + (f":\n\n{fences.block(transition.reason)}" if transition.reason else "."),
        stage=code(transition.stage),
        comparison="\n\n".join(_comparison(main, request)),
        gates=_gates(main, request, now),
        approvals="\n".join(_approvals(request)),
        how=_how(main, request),
        digest=code(request.record.digest),
        policy=code(transition.policy),
    )
    return text.strip() + "\n"


def _comparison(main: View, request: Request) -> Iterator[str]:
    transition = request.transition
    if transition.origin is None or transition.target is None:
        yield "It holds nothing yet."
        return
    found = diff(
        main,
        Selector.parse(f"{transition.model}@{transition.origin.version}"),
        Selector.parse(f"{transition.model}@{transition.target.version}"),
    )
    yield _metrics(found) if found.metrics else "Neither version has metrics."
    if found.artifacts:
        rows = [
            (code(each.path), each.change, _size(each.size_before, each.size_after))
            for each in found.artifacts
        ]
        yield _table(("artifact", "change", "bytes"), rows)


def _metrics(found: DiffResult) -> str:
    rows = [
        (
            code(f"{each.set}.{each.name}"),
            code(each.before if each.before is not None else "-"),
            code(each.after if each.after is not None else "-"),
            each.verdict,
        )
        for each in found.metrics
    ]
    return _table(("metric", "now", "then", ""), rows)


def _table(head: tuple[str, ...], rows: Sequence[tuple[str, ...]]) -> str:
    text = fences.table(head, rows[:_SHOWN])
    more = len(rows) - _SHOWN
    return text if more <= 0 else f"{text}\n\n… and {more} more: `gitmodel diff`"


def _size(before: int | None, after: int | None) -> str:
    one, other = (f"{n:,}" if n is not None else "-" for n in (before, after))
    return f"{one} → {other}"


def _gates(main: View, request: Request, now: datetime) -> str:
    transition = request.transition
    if transition.action == "rollback" or transition.target is None:
        return "A rollback goes to what was live before; gates are not asked again."
    found = load(main, transition.model, transition.target.version)
    decision = decide_promotion(main, found, transition.stage, now=now)
    if decision:
        return "All are met."
    return "\n".join(
        f"- ❌ **{each.gate}**: {code(each.message)}" for each in decision.refusals
    )


def _approvals(request: Request) -> Iterator[str]:
    if request.stale:
        yield "⚠️ This request is stale: the stage moved, or the policy changed."
    for who in request.rejections:
        yield f"- ❌ {code(who)} rejected it"
    if not request.counts:
        yield "None are needed."
    for each in request.counts:
        mark = "⏳" if each.lacking else "✅"
        people = ", ".join(map(code, each.who)) or "nobody yet"
        yield f"- {mark} {code(each.quorum)}: {people}"


def _how(main: View, request: Request) -> str:
    transition = request.transition
    rules = main.policy.rules_for(transition.stage, transition.model)
    command = code(f"gitmodel approve {request.branch} --push")
    if rules is not None and rules.forges:
        return (
            "Reviews here count for those whose accounts the policy names, except for "
            f"the author's. {command} counts as a direct approval."
        )
    return f"Reviews here are not counted: approve with {command}"
