"""``gitmodel policy edit`` and ``sign``: a policy as a text, and one that waits."""

from __future__ import annotations

import os
import sys
import tempfile
from pathlib import Path
from typing import TYPE_CHECKING

import click

from gitmodel.cli.help import Command
from gitmodel.cli.options import change_options, json_option
from gitmodel.cli.policy_rendering import answer_policy

if TYPE_CHECKING:
    from gitmodel.cli.session import Session
    from gitmodel.operations.policy_change import PolicyResult
    from gitmodel.registry.handle import RegistryHandle
    from gitmodel.registry.transaction import Mode


@click.command("edit", cls=Command)
@click.argument("file", required=False, type=click.Path())
@change_options
@json_option
@click.pass_obj
def edit(session: Session, file: str | None, push: bool, dry_run: bool) -> None:
    """Edit the policy as a text, in $EDITOR or from FILE.

    FILE is such a text, or an edited copy of the policy's own file; - reads it from the
    standard input. All problems are named at once, and what changes is shown. A text
    that cannot be used is kept, and named, so that no work is lost.

    Examples:
      gitmodel policy edit
      gitmodel policy edit new-policy.yaml --dry-run
      gitmodel policy edit - < new-policy.yaml
    """
    from gitmodel.operations.policy_change import show_policy
    from gitmodel.operations.policy_edit import edit_policy
    from gitmodel.registry.transaction import Mode

    mode = Mode(dry_run=dry_run, push=push)
    with session.open_closing() as handle:
        if file is not None:
            name = "standard input" if file == "-" else file
            result = edit_policy(handle, _read(file), name, mode)
        else:
            edited = _edit_by_hand(handle, mode)
            result = edited or show_policy(handle.view())
    _show_changes(session, result)
    answer_policy(session, result)


@click.command("sign", cls=Command)
@click.argument("request", required=False, metavar="[REQUEST]")
@click.option("--no-land", is_flag=True, help="Sign, and leave it where it waits.")
@change_options
@json_option
@click.pass_obj
def sign(
    session: Session, request: str | None, no_land: bool, push: bool, dry_run: bool
) -> None:
    """Sign a policy that waits for more roots, and put it in force.

    REQUEST is its number or branch; the next policy if it is left out. A root of the
    policy in force, or of the new one, can sign. What changes is shown; look at it
    with --dry-run first. The last signature puts the policy in force, unless --no-land
    is given; a plain `git merge` of the branch does the same.

    Examples:
      gitmodel policy sign --dry-run
      gitmodel policy sign --push
      gitmodel policy sign request/policy/3 --no-land
    """
    from gitmodel.operations.policy_signing import sign_policy
    from gitmodel.registry.transaction import Mode

    mode = Mode(dry_run=dry_run, push=push)
    with session.open_closing() as handle:
        result = sign_policy(handle, request, mode, land=not no_land)
    _show_changes(session, result)
    answer_policy(session, result)


def _read(file: str) -> bytes:
    from gitmodel.errors import InputError

    try:
        with click.open_file(file, "rb") as stream:
            return bytes(stream.read())
    except OSError as error:
        raise InputError(f"Cannot read {file}: {error.strerror}.") from error


def _edit_by_hand(handle: RegistryHandle, mode: Mode) -> PolicyResult | None:
    """Return the policy that the user wrote; None if the text was left alone."""
    from gitmodel.errors import GitmodelError
    from gitmodel.operations.policy_edit import edit_policy, editable_text

    if not (sys.stdin.isatty() or os.environ.get("VISUAL") or os.environ.get("EDITOR")):
        raise click.UsageError("There is no terminal for an editor: give FILE, or -.")
    text = editable_text(handle.view())
    edited = _in_editor(text)
    if edited == text:
        return None
    try:
        return edit_policy(handle, edited, "the policy", mode)
    except GitmodelError as error:
        kept = handle.repository.state_dir / "policy.edited.yaml"
        kept.parent.mkdir(parents=True, exist_ok=True)
        kept.write_bytes(edited)
        error.hints = (
            *error.hints,
            f"Your text is kept; correct it, then:  gitmodel policy edit {kept}",
        )
        raise


def _in_editor(text: bytes) -> bytes:
    """Return a text as the user saved it, in whatever encoding.

    Raises:
        InputError: There is no editor as it is named, or it left no file.
    """
    from gitmodel.errors import InputError

    with tempfile.TemporaryDirectory(prefix="gitmodel-") as directory:
        path = Path(directory) / "policy.yaml"
        path.write_bytes(text)
        try:
            click.edit(filename=str(path))
            return path.read_bytes()
        except (OSError, ValueError) as error:  # ValueError: quotes without an end
            raise InputError(
                f"The editor left no text: {error}",
                "EDITOR names the editor; nothing was changed.",
            ) from error


def _show_changes(session: Session, result: PolicyResult) -> None:
    if result.changes:
        session.note(result.changes + "\n")
