"""``gitmodel promote``."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

import click

from gitmodel.cli.forges import (
    find_place,
    forge_options,
    open_pull_request,
    proposal_json,
    proposal_text,
)
from gitmodel.cli.help import Command
from gitmodel.cli.options import MOVE, REQUEST, STAGE, change_options, json_option

if TYPE_CHECKING:
    from collections.abc import Sequence

    from gitmodel.cli.forges import At
    from gitmodel.cli.session import Session
    from gitmodel.registry.transaction import Mode

#: A version that was typed beside its model instead of behind an @.
_NUMBER = re.compile(r"[0-9]+(\.[0-9]+){1,2}([-+].*)?")


@click.command("promote", cls=Command)
@click.argument("selectors", metavar="[SELECTOR]...", type=MOVE, nargs=-1)
@click.argument("stage", type=STAGE, required=False)
@click.option(
    "--from-file",
    metavar="FILE",
    type=click.Path(),
    help="Promote what FILE lists, together; - reads stdin.",
)
@click.option(
    "--finalize",
    metavar="REQUEST",
    type=REQUEST,
    help="Land a request, of a rollback too: MODEL#STAGE or its branch.",
)
@click.option(
    "-m",
    "--message",
    "reason",
    default="",
    metavar="REASON",
    help="Why, for the record.",
)
@click.option(
    "--pr",
    "by_request",
    is_flag=True,
    help="Ask by a pull request, even if nobody has to agree; implies --push.",
)
@forge_options
@change_options
@json_option
@click.pass_obj
def command(
    session: Session,
    selectors: tuple[str, ...],
    stage: str | None,
    from_file: str | None,
    finalize: str | None,
    reason: str,
    by_request: bool,
    at: At,
    push: bool,
    dry_run: bool,
) -> None:
    """Put a version into a stage, by one signed commit.

    SELECTOR names the version; the policy says what STAGE asks for. Exit code 3 means
    that the policy refused; every refusal is listed. A stage that holds the version
    already is left as it is. Where STAGE asks for approvals, the promotion waits on a
    branch of its own (status pending) until others have approved it.

    Several SELECTORs are promoted together: one commit has them all, or nothing is
    changed and all that is in the way is listed. FILE is a YAML list of selectors, or
    has one on each line. Several REQUESTs are landed together in the same way.

    With --pr it waits in any case, and the pull request is opened at the forge that the
    remote belongs to: by its API if GITHUB_TOKEN, GITLAB_TOKEN, GITEA_TOKEN or
    FORGEJO_TOKEN is set, by push options of GitLab, Gitea and Forgejo if not. Run
    again, it finds the one that is open.

    Examples:
      gitmodel promote fraud@1.2.0 staging
      gitmodel promote fraud#staging production -m "passed the canary"
      gitmodel promote fraud@latest staging --dry-run
      gitmodel promote fraud@1.2.0 churn@2.0.1 score@0.9.0 production
      gitmodel promote --from-file release.yaml production
      gitmodel promote fraud@1.2.0 production --pr
      gitmodel promote --finalize fraud#production
      gitmodel promote --finalize fraud#production churn#production
    """
    words = [*selectors, *([stage] if stage else [])]
    if finalize is not None:
        if from_file or reason or by_request:
            raise click.UsageError("--finalize takes requests and nothing else.")
        if words:
            land_together(session, [finalize, *words], push=push, dry_run=dry_run)
        else:
            land(session, finalize, push=push, dry_run=dry_run)
        return
    if stage is None or bool(selectors) == bool(from_file):
        missing = "STAGE" if from_file else "SELECTOR and STAGE"
        raise click.UsageError(
            f"Missing argument: {missing}."
            if not words or not from_file
            else "Name versions, or a file that does; not both."
        )
    if selectors[1:] and _NUMBER.fullmatch(selectors[1]):
        raise click.UsageError(f"Write {selectors[0]}@{selectors[1]} as one word.")
    from gitmodel.registry.transaction import Mode

    mode = Mode(dry_run=dry_run, push=push or by_request, by_request=by_request)
    if by_request and len(selectors) != 1:
        raise click.UsageError("--pr asks for one version at a time.")
    if from_file is not None:
        from gitmodel.cli.selector_file import read_selectors

        batch(session, read_selectors(from_file), stage, reason, mode)
    elif len(selectors) > 1:
        batch(session, selectors, stage, reason, mode)
    else:
        single(session, selectors[0], stage, reason, mode, at)


def single(
    session: Session, selector: str, stage: str, reason: str, mode: Mode, at: At
) -> None:
    """Promote one version, or ask for it; by a pull request if the mode says so."""
    from gitmodel.domain.selector import Selector
    from gitmodel.operations.promote import promote

    with session.open_closing() as handle:
        place = find_place(handle, at) if mode.by_request else None
        result = promote(
            handle, Selector.parse(selector), stage, reason=reason, mode=mode
        )
        pending = result.status == "pending" and not mode.dry_run
        asked = open_pull_request(handle, place, result.branch) if pending else None
    data = {
        "status": result.status,
        "model": result.model,
        "version": result.version,
        "stage": result.stage,
        "from": result.origin,
        "transition": result.transition,
        "seq": result.seq,
        "commit": result.commit,
        "branch": result.branch,
        "needed": list(result.needed),
        "refusals": [
            {"gate": refusal.gate, "message": refusal.message, "hint": refusal.hint}
            for refusal in result.refusals
        ],
        "pullRequest": proposal_json(asked),
        "dryRun": result.dry_run,
    }
    if result.status == "unchanged":
        session.answer(data, f"{stage} holds {result.model}@{result.version} already.")
        return
    if result.status == "pending":
        verb = "Would ask" if mode.dry_run else "Asked"
        text = (
            f"{verb} to promote {result.model} in {stage}: "
            f"{result.origin or '(empty)'} -> {result.version}\n"
            f"  waits for  {'; '.join(result.needed) or 'somebody to land it'}\n"
            f"  branch     {result.branch}"
        )
        if asked is not None:
            text += "\n" + proposal_text(asked)
        if result.commit:
            text += f"\n  commit     {result.commit[:12]}"
        session.answer(data, text)
        if not mode.dry_run:
            session.hint(f"gitmodel approve {result.model}#{stage}  by somebody else.")
        return
    verb = "Would promote" if mode.dry_run else "Promoted"
    move = f"{result.origin or '(empty)'} -> {result.version}"
    text = f"{verb} {result.model} in {stage}: {move}"
    if result.commit:
        text += f"\n  commit  {result.commit[:12]}"
    session.answer(data, text)
    if not mode.dry_run:
        session.hint(f"gitmodel show {result.model}#{stage}")


def batch(
    session: Session, named: Sequence[str], stage: str, reason: str, mode: Mode
) -> None:
    """Promote several versions in one commit, or none."""
    from gitmodel.domain.selector import Selector
    from gitmodel.operations.promote_batch import promote_batch

    selectors = [Selector.parse(each) for each in named]
    with session.open_closing() as handle:
        result = promote_batch(handle, selectors, stage, reason=reason, mode=mode)
    data = {
        "status": result.status,
        "stage": result.stage,
        "promotions": [
            {
                "status": each.status,
                "model": each.model,
                "version": each.version,
                "from": each.origin,
                "transition": each.transition,
                "seq": each.seq,
            }
            for each in result.members
        ],
        "commit": result.commit,
        "branch": result.branch,
        "needed": [],
        "refusals": [],
        "dryRun": result.dry_run,
    }
    count = sum(each.status == "promoted" for each in result.members)
    verb = "Would promote" if mode.dry_run else "Promoted"
    lines = [f"{verb} {count} model{'s' if count != 1 else ''} in {stage}:"]
    width = max(len(each.model) for each in result.members)
    for each in result.members:
        held = (
            f"holds {each.version} already"
            if each.status == "unchanged"
            else f"{each.origin or '(empty)'} -> {each.version}"
        )
        lines.append(f"  {each.model.ljust(width)}  {held}")
    if result.commit:
        lines.append(f"  commit  {result.commit[:12]}")
    if result.status == "unchanged":
        lines[0] = f"{stage} holds all of them already:"
    session.answer(data, "\n".join(lines))
    if result.commit:
        session.hint(f"gitmodel list --stage {stage}")


def land(session: Session, request: str, *, push: bool, dry_run: bool) -> None:
    """Land a request."""
    from gitmodel.cli.request_rendering import request_json
    from gitmodel.operations.finalize import finalize
    from gitmodel.registry.policy_requests import is_policy
    from gitmodel.registry.transaction import Mode

    if is_policy(request):
        raise click.UsageError(f"That is a policy: gitmodel policy sign {request}")
    with session.open_closing() as handle:
        row = finalize(handle, request, Mode(dry_run=dry_run, push=push))
    done, would = (
        ("Rolled back", "Would roll back")
        if row.kind == "rollback"
        else ("Promoted", "Would promote")
    )
    move = f"{row.origin or '(empty)'} -> {row.version}"
    text = f"{would if dry_run else done} {row.model} in {row.stage}: {move}"
    text += f"\n  approved by  {', '.join(row.approvals) or '(nobody had to)'}"
    if row.commit:
        text += f"\n  commit       {row.commit[:12]}"
    session.answer(request_json(row), text)
    if row.commit:
        session.hint(f"gitmodel show {row.model}#{row.stage}")


def land_together(
    session: Session, named: Sequence[str], *, push: bool, dry_run: bool
) -> None:
    """Land several requests in one commit, or none."""
    from gitmodel.cli.request_rendering import request_json
    from gitmodel.operations.finalize import finalize_batch
    from gitmodel.registry.policy_requests import is_policy
    from gitmodel.registry.transaction import Mode

    for name in named:
        if is_policy(name):
            raise click.UsageError(f"That is a policy: gitmodel policy sign {name}")
    with session.open_closing() as handle:
        rows = finalize_batch(handle, named, Mode(dry_run=dry_run, push=push))
    lines = [f"{'Would land' if dry_run else 'Landed'} {len(rows)} requests:"]
    lines += [
        f"  {row.model} in {row.stage}: {row.origin or '(empty)'} -> {row.version}, "
        f"approved by {', '.join(row.approvals) or '(nobody had to)'}"
        for row in rows
    ]
    if rows[0].commit:
        lines.append(f"  commit  {rows[0].commit[:12]}")
    data = {
        "requests": [request_json(row) for row in rows],
        "commit": rows[0].commit,
        "dryRun": dry_run,
    }
    session.answer(data, "\n".join(lines))
