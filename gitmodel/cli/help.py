"""Help pages, written as plain docstrings.

Click fills every paragraph anew, unless a backspace marks it. Here a paragraph with
an indented line, such as the examples of a command, is marked without being told.
"""

from __future__ import annotations

import inspect
from typing import Any

import click

_AS_WRITTEN = "\b\n"
_WHOLE = 200  # longer than any first sentence


def marked(text: str) -> str:
    """Return a docstring in which click leaves indented paragraphs as they are."""
    paragraphs = inspect.cleandoc(text).split("\n\n")
    return "\n\n".join(
        _AS_WRITTEN + paragraph if "\n " in paragraph else paragraph
        for paragraph in paragraphs
    )


class Command(click.Command):
    """A command whose help is its docstring."""

    def __init__(self, *args: Any, **attributes: Any) -> None:
        super().__init__(*args, **attributes)
        self.help = marked(self.help or "")


class Group(click.Group):
    """A group of such commands."""

    command_class = Command

    def __init__(self, *args: Any, **attributes: Any) -> None:
        super().__init__(*args, **attributes)
        self.help = marked(self.help or "")

    def format_commands(
        self, ctx: click.Context, formatter: click.HelpFormatter
    ) -> None:
        """Write what each command does, wrapped; click would cut it at one line."""
        rows = [
            (name, command.get_short_help_str(_WHOLE))
            for name in self.list_commands(ctx)
            if (command := self.get_command(ctx, name)) is not None
        ]
        with formatter.section("Commands"):
            formatter.write_dl(rows)
