"""``gitmodel policy``: who may do what, and what each stage asks for."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import click

from gitmodel.cli.forges import read_account
from gitmodel.cli.help import Group
from gitmodel.cli.keyless import read_identity
from gitmodel.cli.options import DURATION, ROLES, change_options, json_option
from gitmodel.cli.policy_proposals import edit, sign
from gitmodel.cli.policy_rendering import answer_policy
from gitmodel.cli.policy_rules import lift, require, sensitivity, threshold

if TYPE_CHECKING:
    from datetime import timedelta

    from gitmodel.cli.session import Session


@click.group("policy", cls=Group)
@json_option
def command() -> None:
    """Manage who may do what.

    Each change is a new policy, signed by a root of the one before, in one commit.
    Where more roots must sign, it waits on a branch for `policy sign`.

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
    from gitmodel.operations.policy_change import show_policy

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
    "--account",
    "accounts",
    multiple=True,
    metavar="FORGE:ID",
    help="An account, by number, whose reviews are theirs; repeat it.",
)
@click.option(
    "--role",
    "roles",
    multiple=True,
    type=click.Choice(ROLES),
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
    accounts: tuple[str, ...],
    roles: tuple[str, ...],
    push: bool,
    dry_run: bool,
) -> None:
    """Add a principal, or further keys, identities, accounts and roles to one.

    The SAN is what a certificate names: a person's address, or a workflow with its
    branch. Both it and the ISSUER must match exactly. An account is FORGE:ID with FORGE
    github, gitlab, gitea or forgejo and the number that its API gives, as names can be
    changed; it replaces the one that was there. Who has no more than an account can
    review, and sign nothing.

    Examples:
      gitmodel policy add-principal bob --key bob.pub --role promoter
      gitmodel policy add-principal bob --account github:583231
      gitmodel policy add-principal alice --key alice-new.pub
      gitmodel policy add-principal carol --identity https://accounts.google.com=c@d.org
    """
    from gitmodel.adapters.signing.keys import read_public
    from gitmodel.operations.policy import add_principal as change
    from gitmodel.registry.transaction import Mode

    if not keys and not identities and not accounts:
        raise click.UsageError("Give --key, --identity or --account.")
    read = [read_public(Path(key).expanduser()) for key in keys]
    mode, named = Mode(dry_run=dry_run, push=push), [*map(read_identity, identities)]
    with session.open_closing() as handle:
        result = change(
            handle, name, read, roles, mode,
            identities=named, accounts=[*map(read_account, accounts)],
        )  # fmt: skip
    answer_policy(session, result)


@command.command("remove-principal")
@click.argument("name")
@click.option("--key", "keyid", metavar="KEYID", help="Remove only this key of theirs.")
@click.option("--identity", metavar="ISSUER=SAN", help="Remove only this identity.")
@click.option("--account", metavar="FORGE", help="Remove only the account there.")
@change_options
@json_option
@click.pass_obj
def remove_principal(
    session: Session,
    name: str,
    keyid: str | None,
    identity: str | None,
    account: str | None,
    push: bool,
    dry_run: bool,
) -> None:
    """Remove a principal from every role, or only a key, identity or account of it.

    What they have signed so far stays good; from now on they can sign nothing more.

    Examples:
      gitmodel policy remove-principal bob
      gitmodel policy remove-principal alice --key 5f0c1d2e
    """
    from gitmodel.operations.policy import (
        remove_account,
        remove_identity,
        remove_principal,
    )
    from gitmodel.registry.transaction import Mode

    if sum(map(bool, (keyid, identity, account))) > 1:
        raise click.UsageError("--key, --identity and --account exclude each other.")
    mode = Mode(dry_run=dry_run, push=push)
    with session.open_closing() as handle:
        result = (
            remove_identity(handle, name, read_identity(identity), mode)
            if identity
            else remove_account(handle, name, account, mode)
            if account
            else remove_principal(handle, name, keyid, mode)
        )
    answer_policy(session, result)


@command.command("trust-root")
@click.argument("file", required=False, metavar="[FILE]", type=click.Path())
@change_options
@json_option
@click.pass_context
def trust_root(ctx: click.Context, file: str | None, push: bool, dry_run: bool) -> None:
    """Pin the trusted root of the Sigstore that certifies identities.

    FILE is a trusted_root.json, or a client's trust configuration that contains one.
    Without it, --trust-config is that, or else the public Sigstore is asked. The root
    becomes part of the registry, so that signatures are verified offline.

    Examples:
      gitmodel policy trust-root
      gitmodel policy trust-root trusted_root.json
    """
    from gitmodel.adapters.signing.trust_config import (
        public_trusted_root,
        read_config_file,
    )
    from gitmodel.operations.policy import trust_root as change
    from gitmodel.registry.transaction import Mode

    session: Session = ctx.obj
    named = file or ctx.find_root().params["trust_config"]
    data = read_config_file(Path(named) if named else None)
    if data is None:
        data = public_trusted_root()
    with session.open_closing() as handle:
        result = change(handle, data, Mode(dry_run=dry_run, push=push))
    answer_policy(session, result)


@command.command("grant")
@click.argument("name")
@click.argument(
    "roles", metavar="ROLE...", nargs=-1, required=True, type=click.Choice(ROLES)
)
@change_options
@json_option
@click.pass_obj
def grant(
    session: Session, name: str, roles: tuple[str, ...], push: bool, dry_run: bool
) -> None:
    """Give a principal one ROLE or several.

    Examples:
      gitmodel policy grant bob responder
      gitmodel policy grant carol approver auditor --push
    """
    from gitmodel.operations.policy import grant as change
    from gitmodel.registry.transaction import Mode

    with session.open_closing() as handle:
        result = change(handle, name, roles, Mode(dry_run=dry_run, push=push))
    answer_policy(session, result)


@command.command("revoke")
@click.argument("name")
@click.argument(
    "roles", metavar="ROLE...", nargs=-1, required=True, type=click.Choice(ROLES)
)
@change_options
@json_option
@click.pass_obj
def revoke(
    session: Session, name: str, roles: tuple[str, ...], push: bool, dry_run: bool
) -> None:
    """Take one ROLE or several from a principal.

    Examples:
      gitmodel policy revoke bob publisher
      gitmodel policy revoke ada approver responder auditor --push
    """
    from gitmodel.operations.policy import revoke as change
    from gitmodel.registry.transaction import Mode

    with session.open_closing() as handle:
        result = change(handle, name, roles, Mode(dry_run=dry_run, push=push))
    answer_policy(session, result)


for rule in (edit, lift, require, sensitivity, sign, threshold):
    command.add_command(rule)
