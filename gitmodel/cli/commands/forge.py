"""``gitmodel forge``: owners, branch protection and comments at a forge."""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING

import click

from gitmodel.cli.forges import (
    TOKENS,
    find_forge,
    find_place,
    find_token,
    forge_options,
)
from gitmodel.cli.help import Group
from gitmodel.cli.options import REQUEST, json_option

if TYPE_CHECKING:
    from gitmodel.cli.forges import At
    from gitmodel.cli.session import Session
    from gitmodel.domain.forge import Forge, Place
    from gitmodel.domain.forge_settings import Call

REFUSED = 3
_COMMENT = 65_000  # bytes; GitHub takes 65,536 characters, with our mark
_pull_requests = click.option(
    "--pull-requests",
    is_flag=True,
    help="Everything has to come by pull request, with the reviews of its owners.",
)
_branch = click.option(
    "--branch", metavar="NAME", help="Of this branch.  [default: the one you are on]"
)


@click.group("forge", cls=Group)
@json_option
def command() -> None:
    """Set a forge up for what the policy asks.

    Examples:
      gitmodel forge codeowners --write
      gitmodel forge protect --print
      gitmodel forge check
    """


@command.command("codeowners")
@click.option("--write", is_flag=True, help="Write it into the work tree.")
@click.option(
    "--accounts",
    metavar="FILE",
    type=click.Path(),
    help="Names of accounts by principal, as YAML or JSON; the forge is not asked.",
)
@forge_options
@json_option
@click.pass_obj
def codeowners(
    session: Session,
    write: bool,
    accounts: str | None,
    at: At,
) -> None:
    """Show who must review what, as the forge's CODEOWNERS file has it.

    Each stage that asks for approvals belongs to those who may give them, and the
    policy to its roots. The policy knows accounts by number; their names are asked of
    the forge, or come from FILE. What else the file holds is kept.

    Examples:
      gitmodel forge codeowners
      gitmodel forge codeowners --write
      gitmodel forge codeowners --forge github --accounts names.yaml
    """
    from gitmodel.adapters.forge.places import connect
    from gitmodel.operations.forge_settings import account_names
    from gitmodel.operations.forge_settings import codeowners as operation

    named = _read_names(accounts) if accounts else {}
    with session.open_closing() as handle:
        if accounts and at.kind:
            forge, chosen = None, at.kind
        else:
            place = find_place(handle, at)
            forge = None if accounts else connect(place, find_token(place.kind))
            chosen = place.kind
        logins = account_names(handle.view().policy, chosen, forge, named)
        found = operation(handle, chosen, logins, write=write)
    data = {
        "path": found.path,
        "text": found.text,
        "missing": list(found.missing),
        "written": found.written,
    }
    text = found.text.rstrip("\n")
    if write:
        text = f"{'Wrote' if found.written else 'Nothing to change in'} {found.path}"
    session.answer(data, text)
    if found.missing:
        session.warn(f"These have no account there: {', '.join(found.missing)}")
    if found.written:
        session.hint(f"git add {found.path} && git commit")


@command.command("protect")
@click.option("--print", "show", is_flag=True, help="Show what to send; send nothing.")
@_pull_requests
@_branch
@forge_options
@json_option
@click.pass_obj
def protect(
    session: Session,
    show: bool,
    pull_requests: bool,
    branch: str | None,
    at: At,
) -> None:
    """Show how an administrator protects the main branch at the forge.

    gitmodel changes no settings of a forge itself: that takes a token that could undo
    them as well. Nothing of this proves anything; `gitmodel verify --history` does.

    Examples:
      gitmodel forge protect --print
      gitmodel forge protect --print --pull-requests --forge gitlab
    """
    from gitmodel.operations.forge_settings import protection_calls

    if not show:
        raise click.UsageError("--print shows what to send; gitmodel sends nothing.")
    with session.open_closing() as handle:
        place = find_place(handle, at)
        calls = protection_calls(handle, place, branch, pull_requests=pull_requests)
    data = {
        "forge": place.kind,
        "calls": [
            {
                "what": call.what,
                "method": call.method,
                "url": f"{place.api}{call.path}",
                "body": call.body,
            }
            for call in calls
        ],
    }
    session.answer(data, "\n\n".join(_command(place, call) for call in calls))
    session.hint("gitmodel forge check  compares afterwards.")


@command.command("check")
@_pull_requests
@_branch
@forge_options
@json_option
@click.pass_obj
def check(
    session: Session,
    pull_requests: bool,
    branch: str | None,
    at: At,
) -> int:
    """Compare branch protection, owners and accounts with what the policy asks.

    Exit code 3 means that the forge asks for less somewhere.

    Examples:
      gitmodel forge check
      gitmodel forge check --pull-requests --json
    """
    from gitmodel.operations.forge_settings import check_forge

    with session.open_closing() as handle:
        forge = find_forge(handle, at)
        found = check_forge(handle, forge, branch, pull_requests=pull_requests)
    ok = not any(each.weaker for each in found)
    data = {
        "ok": ok,
        "forge": forge.place.kind,
        "repository": forge.place.path,
        "differences": [
            {
                "setting": each.setting,
                "wanted": each.wanted,
                "found": each.found,
                "weaker": each.weaker,
            }
            for each in found
        ],
    }
    lines = [
        f"{'weaker  ' if each.weaker else 'stricter'}  {each.setting}: {each.found}, "
        f"and the policy wants {each.wanted}"
        for each in found
    ]
    host = f"{forge.place.host}/{forge.place.path}"
    session.answer(data, "\n".join(lines) or f"{host} is set up as the policy asks.")
    if not ok:
        session.hint("gitmodel forge protect --print;  gitmodel forge codeowners")
    return 0 if ok else REFUSED


@command.command("comment")
@click.argument("request", type=REQUEST, required=False)
@click.option(
    "--pr",
    "number",
    type=click.IntRange(min=1),
    required=True,
    metavar="N",
    help="The pull request, or merge request.",
)
@click.option(
    "--from",
    "file",
    metavar="FILE",
    type=click.Path(),
    help="Post this instead, such as what gitmodel report change wrote.",
)
@forge_options
@json_option
@click.pass_obj
def comment(
    session: Session,
    request: str | None,
    number: int,
    file: str | None,
    at: At,
) -> None:
    """Post what a request is about to its pull request, and keep that up to date.

    What moves where, the comparison with what the stage holds, the gates, and the
    approvals that are needed. The next time, the same comment is replaced. With --from
    no clone is needed, if the options say where the pull request is.

    Examples:
      gitmodel forge comment fraud#production --pr 42
      gitmodel forge comment --pr 42 --from report.md
    """
    from gitmodel.operations.pull_request import keep_comment, keep_text

    if (request is None) == (file is None):
        raise click.UsageError("Name a REQUEST, or a file with --from.")
    if request is not None:
        with session.open_closing() as handle:
            forge = find_forge(handle, at)
            url = keep_comment(handle, request, forge, number)
    else:
        text = _read_comment(str(file))
        url = keep_text(_forge_for_text(session, at), number, text)
    session.answer({"pullRequest": number, "url": url}, f"Commented: {url}")


def _forge_for_text(session: Session, at: At) -> Forge:
    """Return a forge by the options alone where they suffice, else by the clone."""
    if at.repository and (at.api or at.kind):
        from gitmodel.adapters.forge.places import connect, locate

        place = locate(None, kind=at.kind, api=at.api, path=at.repository)
        return connect(place, find_token(place.kind))
    with session.open_closing() as handle:
        return find_forge(handle, at)


def _read_comment(file: str) -> str:
    """Read a text that a forge takes as a comment.

    Raises:
        NotFoundError: There is no such file.
        InputError: It is empty, no text, or longer than a comment may be.
    """
    from gitmodel.errors import InputError, NotFoundError

    try:
        with Path(file).expanduser().open("rb") as stream:
            data = stream.read(_COMMENT + 1)
        text = data.decode()
    except OSError as error:
        raise NotFoundError(f"{file} cannot be read: {error.strerror}") from error
    except UnicodeDecodeError as error:
        raise InputError(f"{file} is no text in UTF-8.") from error
    if not text.strip() or len(data) > _COMMENT:
        raise InputError(f"{file} is empty, or longer than {_COMMENT:,} bytes.")
    return text


def _read_names(file: str) -> dict[str, str]:
    from gitmodel.cli.mapping_file import read_mapping
    from gitmodel.errors import InputError

    _, named = read_mapping(str(Path(file).expanduser()), "names of accounts")
    for principal, login in named.items():
        if not isinstance(login, str) or not login.isprintable() or " " in login:
            raise InputError(f"{file}: the account of {principal} is no name.")
    return {principal: login.removeprefix("@") for principal, login in named.items()}


def _command(place: Place, call: Call) -> str:
    """Return a call as a command that people can run."""
    body = json.dumps(call.body, indent=2)
    path = call.path.removeprefix("/")
    match place.kind:
        case "github":
            run = f"gh api --method {call.method} {path} --input -"
        case "gitlab":
            run = f"glab api --method {call.method} {path} --input -"
        case _:
            token = TOKENS[place.kind][0]
            run = (
                f'curl --fail -X {call.method} -H "Authorization: token ${token}" '
                f"-H 'Content-Type: application/json' --data @- {place.api}{call.path}"
            )
    return f"# {call.what}\n{run} <<'END'\n{body}\nEND"
