"""``gitmodel policy``: who may do what, and what each stage asks for."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import click

from gitmodel.cli.help import Group
from gitmodel.cli.options import change_options, json_option

if TYPE_CHECKING:
    from gitmodel.cli.session import Session
    from gitmodel.operations.policy import PolicyResult

_ROLES = (
    "root",
    "publisher",
    "promoter",
    "approver",
    "responder",
    "auditor",
    "collector",
)


@click.group("policy", cls=Group)
@json_option
def command() -> None:
    """Manage who may do what.

    Each change is a new policy, signed by a root of the one before, in one commit.

    Examples:
      gitmodel policy show
      gitmodel policy add-principal bob --key bob.pub --role promoter
      gitmodel policy revoke bob promoter
    """


@command.command("show")
@json_option
@click.pass_obj
def show(session: Session) -> None:
    """Show the policy in force: principals, roles, stages.

    Examples:
      gitmodel policy show --json
    """
    from gitmodel.operations.policy import show_policy

    with session.open_closing() as handle:
        result = show_policy(handle.view())
    session.answer(_to_json(result), _to_text(result))


@command.command("add-principal")
@click.argument("name")
@click.option(
    "--key",
    "keys",
    multiple=True,
    required=True,
    metavar="PUB",
    help="A public key, .pub or PEM; repeat it.",
)
@click.option(
    "--role",
    "roles",
    multiple=True,
    type=click.Choice(_ROLES),
    help="A role; repeat it.",
)
@change_options
@json_option
@click.pass_obj
def add_principal(
    session: Session,
    name: str,
    keys: tuple[str, ...],
    roles: tuple[str, ...],
    push: bool,
    dry_run: bool,
) -> None:
    """Add a principal, or further keys and roles to one.

    Examples:
      gitmodel policy add-principal bob --key bob.pub --role promoter
      gitmodel policy add-principal alice --key alice-new.pub
    """
    from gitmodel.adapters.signing.keys import read_public
    from gitmodel.operations.policy import add_principal as change
    from gitmodel.registry.transaction import Mode

    read = [read_public(Path(key).expanduser()) for key in keys]
    with session.open_closing() as handle:
        result = change(handle, name, read, roles, Mode(dry_run=dry_run, push=push))
    _answer(session, result)


@command.command("remove-principal")
@click.argument("name")
@click.option("--key", "keyid", metavar="KEYID", help="Remove only this key of theirs.")
@change_options
@json_option
@click.pass_obj
def remove_principal(
    session: Session, name: str, keyid: str | None, push: bool, dry_run: bool
) -> None:
    """Remove a principal from every role, or only one of its keys.

    What they have signed so far stays good; from now on they can sign nothing more.

    Examples:
      gitmodel policy remove-principal bob
      gitmodel policy remove-principal alice --key 5f0c1d2e
    """
    from gitmodel.operations.policy import remove_principal as change
    from gitmodel.registry.transaction import Mode

    with session.open_closing() as handle:
        result = change(handle, name, keyid, Mode(dry_run=dry_run, push=push))
    _answer(session, result)


@command.command("grant")
@click.argument("name")
@click.argument("role", type=click.Choice(_ROLES))
@change_options
@json_option
@click.pass_obj
def grant(session: Session, name: str, role: str, push: bool, dry_run: bool) -> None:
    """Give ROLE to a principal.

    Examples:
      gitmodel policy grant bob responder
    """
    from gitmodel.operations.policy import grant as change
    from gitmodel.registry.transaction import Mode

    with session.open_closing() as handle:
        result = change(handle, name, role, Mode(dry_run=dry_run, push=push))
    _answer(session, result)


@command.command("revoke")
@click.argument("name")
@click.argument("role", type=click.Choice(_ROLES))
@change_options
@json_option
@click.pass_obj
def revoke(session: Session, name: str, role: str, push: bool, dry_run: bool) -> None:
    """Take ROLE from a principal.

    Examples:
      gitmodel policy revoke bob publisher
    """
    from gitmodel.operations.policy import revoke as change
    from gitmodel.registry.transaction import Mode

    with session.open_closing() as handle:
        result = change(handle, name, role, Mode(dry_run=dry_run, push=push))
    _answer(session, result)


@command.command("require")
@click.argument("stage")
@click.option(
    "--approvals",
    type=click.IntRange(min=0),
    required=True,
    metavar="N",
    help="How many, the requester aside.",
)
@change_options
@json_option
@click.pass_obj
def require(
    session: Session, stage: str, approvals: int, push: bool, dry_run: bool
) -> None:
    """Ask for approvals before a promotion to STAGE.

    Examples:
      gitmodel policy require production --approvals 2
    """
    from gitmodel.operations.policy import require as change
    from gitmodel.registry.transaction import Mode

    with session.open_closing() as handle:
        result = change(handle, stage, approvals, Mode(dry_run=dry_run, push=push))
    _answer(session, result)


def _answer(session: Session, result: PolicyResult) -> None:
    if result.commit is None and not result.dry_run:
        session.answer(_to_json(result), "The policy says so already.")
        return
    verb = "Would make" if result.dry_run else "Made"
    text = f"{verb} policy {result.version}, signed by {', '.join(result.signers)}"
    if result.commit:
        text += f"\n  commit  {result.commit[:12]}"
    session.answer(_to_json(result), text)
    if result.commit:
        session.hint("gitmodel policy show")


def _to_json(result: PolicyResult) -> dict[str, object]:
    return {
        "version": result.version,
        "digest": result.digest,
        "signers": list(result.signers),
        "commit": result.commit,
        "dryRun": result.dry_run,
        "policy": result.policy.to_document(),
    }


def _to_text(result: PolicyResult) -> str:
    from gitmodel.cli.output import table

    policy = result.policy
    people = [
        (
            principal.name,
            " ".join(key.keyid[:8] for key in principal.keys),
            " ".join(
                role.name for role in policy.roles if principal.name in role.members
            ),
        )
        for principal in policy.principals
    ]
    stages = [
        (
            name,
            rules.source or "-",
            f"{rules.approvals} by {rules.approver_role}",
            f"{rules.rollback_role}, {rules.rollback_approvals} approvals",
        )
        for name, rules in policy.stages
    ]
    head = f"Policy {result.version}, signed by {', '.join(result.signers)}"
    return "\n\n".join(
        (
            f"{head}\n  digest  {result.digest}",
            table(("principal", "keys", "roles"), people),
            table(("stage", "reached from", "approvals", "rolled back by"), stages),
        )
    )
