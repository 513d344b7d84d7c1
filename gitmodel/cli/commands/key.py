"""``gitmodel key``: new, show, list."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import click

from gitmodel.cli.help import Group
from gitmodel.cli.options import json_option

if TYPE_CHECKING:
    from gitmodel.cli.session import Session


@click.group("key", cls=Group)
@json_option
def command() -> None:
    """Manage signing keys.

    One ECDSA P-256 key per principal signs documents and git commits. The key that
    signs is --key or GITMODEL_KEY, else git's user.signingkey, else your default key.

    Examples:
      gitmodel key new
      gitmodel key show --ssh
      GITMODEL_KEY=robot_key gitmodel promote fraud@1.2.0 staging
    """


@command.command("new")
@click.option("--out", metavar="FILE", help="Where to write it.  [default: your key]")
@click.option("--passphrase", is_flag=True, help="Protect it with a passphrase.")
@json_option
@click.pass_obj
def new(session: Session, out: str | None, passphrase: bool) -> None:
    """Make a key: ECDSA P-256, in OpenSSH format, mode 0600.

    The same key signs documents and git commits, works in ssh-agent, and never
    overwrites another. With --passphrase it is asked for, or taken from
    GITMODEL_KEY_PASSPHRASE.

    Examples:
      gitmodel key new
      gitmodel key new --out ~/.ssh/fraud_robot --passphrase
    """
    from gitmodel.adapters.signing import keys, locations
    from gitmodel.cli.session import new_passphrase

    path = Path(out).expanduser() if out else locations.default_key()
    secret = new_passphrase() if passphrase else None
    public = keys.write_new(path, keys.generate(secret), comment="gitmodel")
    session.answer(
        {"keyid": public.keyid, "path": str(path), "public": public.ssh},
        f"Made key {public.keyid[:8]}\n  private  {path}\n  public   {path}.pub",
    )
    if out:
        session.hint(f"GITMODEL_KEY={path} gitmodel …  signs with it")


@command.command("show")
@click.option("--pem", "form", flag_value="pem", help="Print the public key as PEM.")
@click.option("--ssh", "form", flag_value="ssh", help="Print it as an OpenSSH line.")
@click.option(
    "--allowed-signers", "form", flag_value="signers",
    help="Print the registry's keys for git's gpg.ssh.allowedSignersFile.",
)  # fmt: skip
@json_option
@click.pass_obj
def show(session: Session, form: str | None) -> None:
    """Show the key that would sign here.

    Examples:
      gitmodel key show
      gitmodel key show --pem > alice.pem
    """
    from gitmodel.errors import NotFoundError
    from gitmodel.operations.keys import chosen_key, signers

    if form == "signers":
        with session.open_closing() as handle:
            text = signers(handle)
        session.answer({"allowedSigners": text}, text.rstrip("\n"))
        return
    found = chosen_key(session.directory, session.context())
    if found is None:
        raise NotFoundError(
            "You have no key yet.", "gitmodel key new  makes one.", code="E_NO_KEY"
        )
    data = {
        "keyid": found.public.keyid,
        "path": str(found.path),
        "public": found.public.ssh,
        "principal": found.principal,
    }
    texts = {
        "pem": found.public.pem.rstrip("\n"),
        "ssh": found.public.ssh,
        None: f"key        {found.public.keyid}\n"
        f"path       {found.path}\n"
        f"principal  {found.principal or '(none in this registry)'}\n"
        f"public     {found.public.ssh}",
    }
    session.answer(data, texts[form])


@command.command("list")
@json_option
@click.pass_obj
def list_(session: Session) -> None:
    """List your keys, and those of the registry's principals.

    A star marks the key that would sign here.

    Examples:
      gitmodel key list
      gitmodel key list --json
    """
    from gitmodel.cli.output import table
    from gitmodel.operations.keys import known_keys

    rows = known_keys(session.directory, session.context())
    session.answer(
        {
            "keys": [
                {
                    "keyid": row.keyid,
                    "path": str(row.path) if row.path else None,
                    "public": row.public,
                    "principal": row.principal,
                    "signs": row.signs,
                }
                for row in rows
            ]
        },
        table(
            ("", "key", "principal", "path"),
            [
                (
                    "*" if row.signs else "",
                    row.keyid[:8],
                    row.principal or "-",
                    str(row.path or "-"),
                )
                for row in rows
            ],
        )
        if rows
        else "",
    )
    if not rows:
        session.note("You have no key yet.")
        session.hint("gitmodel key new")
