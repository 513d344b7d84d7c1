"""``gitmodel policy``: who may do what, and what each stage asks for."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from gitmodel.cli.help import Group
from gitmodel.cli.keyless import read_identity
from gitmodel.cli.options import DURATION, STAGE, change_options, json_option

if TYPE_CHECKING:
    from datetime import timedelta

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
    from gitmodel.cli.policy_rendering import policy_json, policy_text
    from gitmodel.operations.policy import show_policy

    with session.open_closing() as handle:
        result = show_policy(handle.view())
    session.answer(policy_json(result), policy_text(result))


@command.command("review")
@click.option("--sign-off", is_flag=True, help="Sign that you have looked at it.")
@click.option("-m", "--message", default="", metavar="COMMENT", help="What you found.")
@click.option(
    "--due", type=DURATION, default="90d", show_default=True, help="When to look again."
)
@change_options
@json_option
@click.pass_obj
def review(
    session: Session,
    sign_off: bool,
    message: str,
    due: timedelta,
    push: bool,
    dry_run: bool,
) -> None:
    """Show who can do what, with which keys, since when, and when they last did.

    With --sign-off an auditor or a root signs that this was looked at. When the next
    review is overdue, `gitmodel doctor` and `gitmodel check` say so.

    Examples:
      gitmodel policy review
      gitmodel policy review --sign-off -m "bob left the team" --due 90d
    """
    from gitmodel.cli.review_rendering import review_to_json, review_to_text
    from gitmodel.operations import access_review
    from gitmodel.registry.transaction import Mode

    mode = Mode(dry_run=dry_run, push=push)
    with session.open_closing() as handle:
        if sign_off:
            result = access_review.sign_off(handle, due=due, comment=message, mode=mode)
        else:
            result = access_review.review_access(handle)
    session.answer(review_to_json(result), review_to_text(result))


@command.command("add-principal")
@click.argument("name")
@click.option(
    "--key",
    "keys",
    multiple=True,
    metavar="PUB",
    help="A public key, .pub or PEM; repeat it.",
)
@click.option(
    "--identity",
    "identities",
    multiple=True,
    metavar="ISSUER=SAN",
    help="An identity that Sigstore certifies; repeat it.",
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
    identities: tuple[str, ...],
    roles: tuple[str, ...],
    push: bool,
    dry_run: bool,
) -> None:
    """Add a principal, or further keys, identities and roles to one.

    The SAN is what a certificate names: a person's address, or a workflow with its
    branch. Both it and the ISSUER must match exactly.

    Examples:
      gitmodel policy add-principal bob --key bob.pub --role promoter
      gitmodel policy add-principal alice --key alice-new.pub
      gitmodel policy add-principal carol \
        --identity https://accounts.google.com=carol@example.com
    """
    from gitmodel.adapters.signing.keys import read_public
    from gitmodel.operations.policy import add_principal as change
    from gitmodel.registry.transaction import Mode

    if not keys and not identities:
        raise click.UsageError("Give --key or --identity.")
    read = [read_public(Path(key).expanduser()) for key in keys]
    mode, named = Mode(dry_run=dry_run, push=push), [*map(read_identity, identities)]
    with session.open_closing() as handle:
        result = change(handle, name, read, roles, mode, identities=named)
    _answer(session, result)


@command.command("remove-principal")
@click.argument("name")
@click.option("--key", "keyid", metavar="KEYID", help="Remove only this key of theirs.")
@click.option("--identity", metavar="ISSUER=SAN", help="Remove only this identity.")
@change_options
@json_option
@click.pass_obj
def remove_principal(
    session: Session,
    name: str,
    keyid: str | None,
    identity: str | None,
    push: bool,
    dry_run: bool,
) -> None:
    """Remove a principal from every role, or only one of its keys or identities.

    What they have signed so far stays good; from now on they can sign nothing more.

    Examples:
      gitmodel policy remove-principal bob
      gitmodel policy remove-principal alice --key 5f0c1d2e
    """
    from gitmodel.operations.policy import remove_identity, remove_principal
    from gitmodel.registry.transaction import Mode

    if keyid and identity:
        raise click.UsageError("--key and --identity exclude each other.")
    mode = Mode(dry_run=dry_run, push=push)
    with session.open_closing() as handle:
        result = (
            remove_identity(handle, name, read_identity(identity), mode)
            if identity
            else remove_principal(handle, name, keyid, mode)
        )
    _answer(session, result)


@command.command("trust-root")
@click.argument("file", type=click.Path())
@change_options
@json_option
@click.pass_obj
def trust_root(session: Session, file: str, push: bool, dry_run: bool) -> None:
    """Pin the trusted root of the Sigstore that certifies identities.

    FILE is a trusted_root.json, or a client's trust configuration that contains one.
    It becomes part of the registry, so that signatures are verified offline.

    Examples:
      gitmodel policy trust-root trusted_root.json
    """
    from gitmodel.errors import InputError
    from gitmodel.operations.policy import trust_root as change
    from gitmodel.registry.transaction import Mode

    try:
        data = Path(file).expanduser().read_bytes()
    except OSError as error:
        raise InputError(f"Cannot read {file}: {error.strerror}.") from error
    with session.open_closing() as handle:
        result = change(handle, data, Mode(dry_run=dry_run, push=push))
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
@click.argument("stage", type=STAGE)
@click.option(
    "--approvals",
    type=click.IntRange(min=0),
    metavar="N",
    help="How many, the requester aside.",
)
@click.option(
    "--attestation",
    "attestations",
    multiple=True,
    metavar="TYPE[:ROLE]",
    help="The newest attestation of TYPE must have passed.",
)
@click.option(
    "--metric",
    "metrics",
    multiple=True,
    metavar="BOUND",
    help="Such as 'validation.accuracy>=0.9' or 'test.p99_ms<=50'.",
)
@click.option(
    "--no-regression",
    "regressions",
    multiple=True,
    metavar="METRIC[:TOLERANCE]",
    help="Not worse than what the stage holds.",
)
@click.option(
    "--complete",
    "sections",
    multiple=True,
    type=click.Choice(("lineage", "card", "environment", "code", "data")),
    help="The manifest must have this section.",
)
@click.option(
    "--soak",
    "soaks",
    multiple=True,
    metavar="STAGE:TIME",
    help="It must have been in STAGE so long, such as staging:24h.",
)
@click.option("--label", "labels", multiple=True, metavar="K=V", help="It must have.")
@click.option(
    "--forbid-label",
    "forbidden",
    multiple=True,
    metavar="K=V",
    help="It must not have.",
)
@click.option(
    "--clear-gates",
    "clear",
    is_flag=True,
    help="Drop the gates, soak times and freezes that were there.",
)
@change_options
@json_option
@click.pass_obj
def require(
    session: Session, /, stage: str, push: bool, dry_run: bool, **options: Any
) -> None:
    """Ask for approvals and gates before a promotion to STAGE.

    Every option but --approvals can be repeated, and adds to what is asked for
    already. What nobody could ever meet is refused.

    Examples:
      gitmodel policy require production --approvals 2
      gitmodel policy require production --attestation scan --attestation review:auditor
      gitmodel policy require production --metric 'validation.accuracy>=0.9'
      gitmodel policy require production --no-regression test.recall:0.01
      gitmodel policy require production --soak staging:24h --complete card
      gitmodel policy require production --clear-gates
    """
    from gitmodel.operations.demands import demands_from_options
    from gitmodel.operations.policy import require as change
    from gitmodel.registry.transaction import Mode

    demands = demands_from_options(**options)
    with session.open_closing() as handle:
        result = change(handle, stage, demands, Mode(dry_run=dry_run, push=push))
    _answer(session, result)


def _answer(session: Session, result: PolicyResult) -> None:
    from gitmodel.cli.policy_rendering import policy_json

    if result.commit is None and not result.dry_run:
        session.answer(policy_json(result), "The policy says so already.")
        return
    verb = "Would make" if result.dry_run else "Made"
    text = f"{verb} policy {result.version}, signed by {', '.join(result.signers)}"
    if result.commit:
        text += f"\n  commit  {result.commit[:12]}"
    session.answer(policy_json(result), text)
    if result.commit:
        session.hint("gitmodel policy show")
