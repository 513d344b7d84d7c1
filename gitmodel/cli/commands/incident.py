"""``gitmodel incident``: what went wrong, what was done about it, and the evidence."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Literal

import click

from gitmodel.cli.help import Group
from gitmodel.cli.options import (
    INCIDENT,
    MODEL,
    RELEASE,
    STAGE,
    change_options,
    json_option,
)

if TYPE_CHECKING:
    from gitmodel.cli.session import Session
    from gitmodel.domain.attestation import Evidence
    from gitmodel.operations.incident import IncidentResult
    from gitmodel.registry.handle import RegistryHandle

BROKEN = 4
_SEVERITIES = ("low", "medium", "high", "critical")

_evidence = click.option(
    "--evidence",
    metavar="FILE|URI",
    multiple=True,
    help="Something to look at; of a file, name and digest are recorded. Repeat it.",
)


@click.group("incident", cls=Group)
@json_option
def command() -> None:
    """Keep the record of an incident, and hand out its evidence.

    An incident is a chain of signed entries. What belongs to it names it by its ID:
    rollbacks, quarantines, validations. `show` reads that off the log.

    Examples:
      gitmodel incident open -m "recall fell to 0.61" --model fraud
      gitmodel incident show INC-42
      gitmodel incident bundle INC-42 -o evidence.tar
    """


@command.command("open")
@click.argument("incident", metavar="[ID]", required=False)
@click.option(
    "-m", "--message", "title", metavar="TITLE", required=True, help="What it is about."
)
@click.option(
    "--severity",
    type=click.Choice(_SEVERITIES),
    default="high",
    show_default=True,
    help="How bad it is.",
)
@click.option(
    "--model", "models", type=MODEL, multiple=True, help="A model concerned; repeat it."
)
@click.option(
    "--stage", "stages", type=STAGE, multiple=True, help="A stage concerned; repeat it."
)
@click.option("--text", metavar="TEXT", default="", help="What is known so far.")
@_evidence
@change_options
@json_option
@click.pass_obj
def open_(
    session: Session,
    incident: str | None,
    title: str,
    severity: Literal["low", "medium", "high", "critical"],
    models: tuple[str, ...],
    stages: tuple[str, ...],
    text: str,
    evidence: tuple[str, ...],
    push: bool,
    dry_run: bool,
) -> None:
    """Open an incident; without ID it gets the next one of today.

    Examples:
      gitmodel incident open -m "recall fell to 0.61" --model fraud --stage production
      gitmodel incident open INC-42 -m "poisoned labels" --severity critical
    """
    from gitmodel.operations.incident import Words, open_incident
    from gitmodel.registry.transaction import Mode

    if not title.strip():
        raise click.UsageError("Say what it is about: -m TITLE.")
    if len(title.splitlines()) > 1:
        raise click.UsageError("A title is one line; --text takes the rest.")
    words = Words(
        text=text,
        evidence=_read(evidence),
        severity=severity,
        title=title,
        models=tuple(dict.fromkeys(models)),
        stages=tuple(dict.fromkeys(stages)),
    )
    with session.open_closing() as handle:
        done = open_incident(
            handle, words, incident=incident, mode=Mode(dry_run=dry_run, push=push)
        )
        _answer(session, handle, done, f"gitmodel incident show {done.incident}")


@command.command("note")
@click.argument("incident", metavar="ID", type=INCIDENT)
@click.option(
    "-m", "--message", "text", metavar="TEXT", required=True, help="What to know."
)
@_evidence
@change_options
@json_option
@click.pass_obj
def note(
    session: Session,
    incident: str,
    text: str,
    evidence: tuple[str, ...],
    push: bool,
    dry_run: bool,
) -> None:
    """Add a note to an incident.

    Examples:
      gitmodel incident note INC-42 -m "the labels of March are shifted by a day"
      gitmodel incident note INC-42 -m "the log of the trainer" --evidence train.log
    """
    from gitmodel.operations.incident import Words, note_incident
    from gitmodel.registry.transaction import Mode

    words = Words(text=text, evidence=_read(evidence))
    with session.open_closing() as handle:
        done = note_incident(
            handle, incident, words, mode=Mode(dry_run=dry_run, push=push)
        )
        _answer(session, handle, done, f"gitmodel incident show {incident}")


@command.command("close")
@click.argument("incident", metavar="ID", type=INCIDENT)
@click.option(
    "--root-cause", metavar="TEXT", required=True, help="What caused the incident."
)
@click.option(
    "--fixed-in",
    metavar="FIX",
    type=RELEASE,
    required=True,
    help="What mends it: MODEL@VERSION, or a commit or URI of a fix elsewhere.",
)
@click.option("-m", "--message", "text", metavar="TEXT", default="", help="And else.")
@_evidence
@change_options
@json_option
@click.pass_obj
def close(
    session: Session,
    incident: str,
    root_cause: str,
    fixed_in: str,
    text: str,
    evidence: tuple[str, ...],
    push: bool,
    dry_run: bool,
) -> None:
    """Close an incident, as responder or auditor.

    A rollback recovers and mends nothing. So an incident ends with what caused it, and
    with what mends that; and not before all that it took out is live nowhere (exit 3).

    Examples:
      gitmodel incident close INC-42 --root-cause "a wrong join" --fixed-in fraud@1.3.0
      gitmodel incident close INC-42 --root-cause "a broken sensor" --fixed-in 4f0c2b9
    """
    from gitmodel.operations.incident import Words, close_incident
    from gitmodel.registry.transaction import Mode

    words = Words(
        text=text, evidence=_read(evidence), root_cause=root_cause, fixed_in=fixed_in
    )
    with session.open_closing() as handle:
        done = close_incident(
            handle, incident, words, mode=Mode(dry_run=dry_run, push=push)
        )
        _answer(session, handle, done, f"gitmodel incident bundle {incident}")


@command.command("reopen")
@click.argument("incident", metavar="ID", type=INCIDENT)
@click.option("-m", "--message", "text", metavar="WHY", required=True, help="Why.")
@_evidence
@change_options
@json_option
@click.pass_obj
def reopen(
    session: Session,
    incident: str,
    text: str,
    evidence: tuple[str, ...],
    push: bool,
    dry_run: bool,
) -> None:
    """Open a closed incident again, as responder or auditor.

    Examples:
      gitmodel incident reopen INC-42 -m "1.3.0 shows the same drift"
    """
    from gitmodel.operations.incident import Words, reopen_incident
    from gitmodel.registry.transaction import Mode

    words = Words(text=text, evidence=_read(evidence))
    with session.open_closing() as handle:
        done = reopen_incident(
            handle, incident, words, mode=Mode(dry_run=dry_run, push=push)
        )
        _answer(session, handle, done, f"gitmodel incident show {incident}")


@command.command("list")
@click.option("--open", "only_open", is_flag=True, help="Only those that are open.")
@json_option
@click.pass_obj
def list_(session: Session, only_open: bool) -> None:
    """List the incidents that were opened, the newest last.

    Examples:
      gitmodel incident list --open
    """
    from gitmodel.cli.incident_rendering import row_to_json, rows_to_text
    from gitmodel.operations.incident_report import list_incidents

    with session.open_closing() as handle:
        rows = list_incidents(handle.view(), only_open=only_open)
    session.answer(
        {"incidents": [row_to_json(row) for row in rows]}, rows_to_text(session, rows)
    )
    if not rows:
        session.note("There is no incident." if not only_open else "None is open.")


@command.command("show")
@click.argument("incident", metavar="ID", type=INCIDENT)
@json_option
@click.pass_obj
def show(session: Session, incident: str) -> None:
    """Show what happened in an incident, and what is still to do.

    The timeline comes from the log, with who did it and in which commit. An incident
    that nobody opened has one, too, if a rollback or a quarantine names it.

    Examples:
      gitmodel incident show INC-42
      gitmodel incident show INC-42 --json
    """
    from gitmodel.cli.incident_rendering import report_to_json, report_to_text
    from gitmodel.operations.incident_report import show_incident

    with session.open_closing() as handle:
        report = show_incident(handle, incident)
    session.answer(report_to_json(report), report_to_text(session, report))
    todo = [task for task in report.tasks if not task.done and task.command]
    for task in todo[:1]:
        session.hint(task.command)


@command.command("bundle")
@click.argument("incident", metavar="[ID]", required=False, type=INCIDENT)
@click.option(
    "-o", "--output", metavar="FILE", help="Where to write it.  [default: ID.tar]"
)
@click.option(
    "--with-artifacts",
    is_flag=True,
    help="Also pack the bytes of the versions; as responder or auditor.",
)
@click.option(
    "--verify", "file", metavar="FILE", help="Verify a bundle instead; needs no ID."
)
@click.option(
    "--root", metavar="DIGEST", help="The root that you know, for --verify: sha256:…"
)
@json_option
@click.pass_obj
def bundle(
    session: Session,
    incident: str | None,
    output: str | None,
    with_artifacts: bool,
    file: str | None,
    root: str | None,
) -> int:
    """Pack the evidence of an incident into one signed file, or verify such a file.

    The file holds the whole history, the documents of the versions concerned, the
    timeline, the pins before and after, and how to verify it all by hand. Verifying
    needs no registry and no network. Exit code 4: the file is not what was made.

    Examples:
      gitmodel incident bundle INC-42 -o evidence.tar
      gitmodel incident bundle --verify evidence.tar --root sha256:9f86…
    """
    if (incident is None) == (file is None):
        raise click.UsageError("Give the ID of an incident, or --verify FILE.")
    if file is not None:
        if output is not None or with_artifacts:
            raise click.UsageError("--verify goes with no option but --root.")
        return _verify(session, Path(file).expanduser(), root)
    if root is not None:
        raise click.UsageError("--root goes with --verify.")
    from gitmodel.cli.incident_rendering import bundle_to_json, bundle_to_text
    from gitmodel.operations.incident_bundle import make_bundle

    name = str(incident)
    where = Path(output).expanduser() if output else Path(f"{name}.tar")
    with session.open_closing() as handle:
        done = make_bundle(handle, name, where, with_artifacts=with_artifacts)
    session.answer(bundle_to_json(done), bundle_to_text(done))
    session.hint(
        f"gitmodel incident bundle --verify {where} --root {done.index.registry}"
    )
    return 0


def _verify(session: Session, file: Path, root: str | None) -> int:
    from gitmodel.cli.incident_rendering import check_to_json, check_to_text
    from gitmodel.domain.digest import Digest
    from gitmodel.operations.incident_bundle_check import verify_bundle

    known = Digest.parse(root) if root else None
    check = verify_bundle(file, session.context(), root=known)
    session.answer(check_to_json(check), check_to_text(session, check))
    if check.ok and known is None:
        session.note(
            "The root was taken on trust; --root sha256:… names the one you know."
        )
    return 0 if check.ok else BROKEN


def _read(texts: tuple[str, ...]) -> tuple[Evidence, ...]:
    if not texts:
        return ()
    from gitmodel.operations.evidence import evidence_of

    return tuple(map(evidence_of, texts))


def _answer(
    session: Session, handle: RegistryHandle, done: IncidentResult, following: str
) -> None:
    from gitmodel.cli.incident_rendering import result_to_json, result_to_text
    from gitmodel.operations.incident_news import report

    told = report(handle, done)
    session.answer(result_to_json(done, told), result_to_text(done))
    if done.commit:
        session.hint(following)
