"""``gitmodel attest``."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Literal

import click

from gitmodel.cli.help import Command
from gitmodel.cli.options import SELECTOR, change_options, json_option

if TYPE_CHECKING:
    from gitmodel.cli.session import Session
    from gitmodel.operations.attest import AttestResult
    from gitmodel.operations.claims import Claim

_TYPES = ("validation", "test", "scan", "bias", "risk", "review")
_ROLES = ("approver", "auditor", "publisher")


@click.command("attest", cls=Command)
@click.argument("selector", type=SELECTOR)
@click.argument("kind", metavar="TYPE", type=click.Choice(_TYPES))
@click.argument("facts", metavar="[FILE|NAME=NUMBER]...", nargs=-1)
@click.option(
    "--result",
    type=click.Choice(("passed", "failed")),
    help="What came of it.  [default: failed if there are findings]",
)
@click.option(
    "--from-json",
    "report",
    metavar="FILE",
    help="Record this report of another scanner, such as modelscan.",
)
@click.option(
    "-m",
    "--message",
    "summary",
    default="",
    metavar="SUMMARY",
    help="What to know about it.",
)
@click.option(
    "--role",
    type=click.Choice(_ROLES),
    help="In which role you speak.  [default: the first that you have]",
)
@change_options
@json_option
@click.pass_obj
def command(
    session: Session,
    selector: str,
    kind: Literal["validation", "test", "scan", "bias", "risk", "review"],
    facts: tuple[str, ...],
    result: Literal["passed", "failed"] | None,
    report: str | None,
    summary: str,
    role: str | None,
    push: bool,
    dry_run: bool,
) -> None:
    """Attest a fact about a version: a test, a scan, a review.

    TYPE is validation, test, scan, bias, risk or review. FILE is YAML or JSON with
    result, metrics, findings, tool, evidence or summary. A scan without FILE looks
    into the stored bytes itself: pickles may import what is on a short list and nothing
    else; nothing is ever loaded. The newest attestation of a TYPE is the one that
    gates ask for.

    Examples:
      gitmodel attest fraud@1.2.0 test accuracy=0.97 recall=0.91
      gitmodel attest fraud@1.2.0 scan
      gitmodel attest fraud@1.2.0 scan --from-json modelscan.json
      gitmodel attest fraud@1.2.0 bias report.yaml --result failed
      gitmodel attest fraud@1.2.0 review -m "card read, limits are stated"
    """
    from gitmodel.domain.selector import Selector
    from gitmodel.operations.attest import attest
    from gitmodel.registry.transaction import Mode

    claim = _claim(kind, facts, result, report, summary)
    with session.open_closing() as handle:
        done = attest(
            handle,
            Selector.parse(selector),
            kind,
            claim,
            role=role,
            mode=Mode(dry_run=dry_run, push=push),
        )
    session.answer(_to_json(done), _to_text(done))
    if done.commit:
        session.hint(f"gitmodel show {done.model}@{done.version}")


def _claim(
    kind: str,
    facts: tuple[str, ...],
    result: Literal["passed", "failed"] | None,
    report: str | None,
    summary: str,
) -> Claim:
    from dataclasses import replace

    from gitmodel.cli.reports import read_report
    from gitmodel.operations.claims import Claim

    files = [fact for fact in facts if "=" not in fact or _is_file(fact)]
    numbers = [fact for fact in facts if fact not in files]
    if report is not None:
        files.append(report)
    if len(files) > 1:
        raise click.UsageError("One FILE at most.")
    claim = read_report(files[0], kind) if files else Claim()
    claim = claim.measuring(kind, numbers)
    return replace(
        claim, result=result or claim.result, summary=summary or claim.summary
    )


def _is_file(fact: str) -> bool:
    try:
        return Path(fact).is_file()
    except OSError:  # too long for the name of any file
        return False


def _to_json(done: AttestResult) -> dict[str, object]:
    return {
        "attestation": done.attestation,
        "kind": done.type,
        "result": done.result,
        "model": done.model,
        "version": done.version,
        "by": done.by,
        "role": done.role,
        "path": done.path,
        "findings": [finding.to_dict() for finding in done.findings],
        "commit": done.commit,
        "dryRun": done.dry_run,
    }


def _to_text(done: AttestResult) -> str:
    verb = "Would attest" if done.dry_run else "Attested"
    what = f"{done.model}@{done.version}: {done.type} {done.result}"
    lines = [f"{verb} {what}, by {done.by} as {done.role}"]
    lines += [
        f"  found   {finding.path + ': ' if finding.path else ''}{finding.message}"
        for finding in done.findings
    ]
    if done.commit:
        lines.append(f"  commit  {done.commit[:12]}")
    return "\n".join(lines)
