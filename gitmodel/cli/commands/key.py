"""``gitmodel key``: new, show, list."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import click

from gitmodel.cli.help import Group
from gitmodel.cli.options import json_option

if TYPE_CHECKING:
    from gitmodel.cli.session import Session
    from gitmodel.operations.keys import ChosenSigner

_NOBODY = "(none in this registry)"
_KINDS = {"file": "file", "agent": "ssh-agent", "kms": "key service"}


@click.group("key", cls=Group)
@json_option
def command() -> None:
    """Manage signing keys.

    One ECDSA P-256 key per principal signs documents and git commits. The key that
    signs is --key or GITMODEL_KEY, else git's user.signingkey, else your default key.

    A key is named by its file; by its public half, where ssh-agent holds the private
    one; or by the URI of a key service or PKCS#11 token, which takes the extra
    gitmodel[kms] or gitmodel[hsm]:
      --key FILE                  a private key
      --key FILE.pub              one that ssh-agent holds
      --key 'hsm:2?label=TOKEN'   or  awskms:  azurekms:  gcpkms:  hv:

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
    else:
        session.hint(
            "gitmodel init  makes a registry with it.  To join one, send the .pub file "
            "to a root of it:\n      "
            "gitmodel policy add-principal NAME --key FILE.pub --role ROLE"
        )


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
    """Show the key, or the identity, that would sign here.

    Examples:
      gitmodel key show
      gitmodel --key ~/.ssh/id_ecdsa.pub key show
      gitmodel key show --pem > alice.pem
    """
    from gitmodel.operations.keys import chosen_signer, signers

    if form == "signers":
        with session.open_closing() as handle:
            text = signers(handle)
        session.answer({"allowedSigners": text}, text.rstrip("\n"))
        return
    found = chosen_signer(session.directory, session.context())
    data = {
        "keyid": found.keyid,
        "kind": found.kind,
        "where": found.where or None,
        "public": found.public.ssh if found.public else None,
        "identity": str(found.identity) if found.identity else None,
        "principal": found.principal,
    }
    session.answer(data, _shown(found, form))


def _shown(found: ChosenSigner, form: str | None) -> str:
    public = found.public
    if form is not None and public is None:
        raise click.UsageError("An identity has no key to print.")
    if public is None:
        return (
            f"identity   {found.identity}\n"
            f"principal  {found.principal or _NOBODY}\n"
            f"keyid      {found.keyid}"
        )
    match form:
        case "pem":
            return public.pem.rstrip("\n")
        case "ssh":
            return public.ssh
        case _:
            return (
                f"key        {found.keyid}\n"
                f"in         {_KINDS[found.kind]} {found.where}\n"
                f"principal  {found.principal or _NOBODY}\n"
                f"public     {public.ssh}"
            )


@command.command("list")
@json_option
@click.pass_obj
def list_(session: Session) -> None:
    """List your keys, and the keys and identities of the registry's principals.

    Yours are those in files, and those that your ssh-agent holds. A star marks what
    would sign here.

    Examples:
      gitmodel key list
      gitmodel key list --json
    """
    from gitmodel.cli.output import table
    from gitmodel.operations.keys import known_signers

    rows = known_signers(session.directory, session.context())
    session.answer(
        {
            "keys": [
                {
                    "keyid": row.keyid,
                    "kind": row.kind,
                    "where": row.where,
                    "public": row.public,
                    "identity": str(row.identity) if row.identity else None,
                    "principal": row.principal,
                    "signs": row.signs,
                }
                for row in rows
            ]
        },
        table(
            ("", "key", "principal", "in"),
            [
                (
                    "*" if row.signs else "",
                    row.keyid[:8],
                    row.principal or "-",
                    str(row.identity)
                    if row.identity
                    else f"{_KINDS[row.kind]} {row.where}"
                    if row.kind
                    else "-",
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
