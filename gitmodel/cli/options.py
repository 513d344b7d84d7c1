"""Options and arguments that several commands share, with their completion."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, TypeVar

import click
from click.shell_completion import CompletionItem

from gitmodel.errors import GitmodelError

if TYPE_CHECKING:
    from collections.abc import Callable

    from gitmodel.cli.session import Session
    from gitmodel.registry.view import View

F = TypeVar("F", bound="Callable[..., Any]")


def _set_json(ctx: click.Context, _: click.Parameter, value: bool) -> bool:
    if value:
        session: Session = ctx.obj
        session.as_json = True
    return value


#: ``--json`` after the command works as well as before it.
json_option = click.option(
    "--json",
    is_flag=True,
    expose_value=False,
    callback=_set_json,
    help="Answer in JSON.",
)


def change_options(function: F) -> F:
    """Add what every command that changes the registry takes."""
    for option in (
        click.option("--push", is_flag=True, help="Also push, retrying lost races."),
        click.option(
            "--dry-run", is_flag=True, help="Say what would happen; change nothing."
        ),
    ):
        function = option(function)
    return function


class RegistryWord(click.ParamType[str]):
    """A word that completes from the registry: a model, a stage or a selector."""

    def __init__(self, name: str) -> None:
        self.name = name

    def shell_complete(
        self, ctx: click.Context, param: click.Parameter, incomplete: str
    ) -> list[CompletionItem]:
        """Return what fits; nothing when there is no registry here."""
        del param
        try:
            words = self._words(_view_for_completion(ctx), incomplete)
        except GitmodelError:
            return []
        return [CompletionItem(word) for word in words if word.startswith(incomplete)]

    def _words(self, view: View, incomplete: str) -> list[str]:
        if self.name == "stage":
            return list(view.settings.stages)
        models = list(view.models())
        if self.name == "model":
            return models
        for separator in "@#":
            model, found, _ = incomplete.partition(separator)
            if found and model in models:
                rest = (
                    map(str, reversed(view.versions(model)))
                    if separator == "@"
                    else view.settings.stages
                )
                return [f"{model}{separator}{word}" for word in rest]
        if len(models) == 1 or incomplete in models:
            name = incomplete if incomplete in models else models[0]
            return [
                *(f"{name}@{version}" for version in reversed(view.versions(name))),
                *(f"{name}#{stage}" for stage in view.settings.stages),
            ]
        return [f"{model}@" for model in models]


def _view_for_completion(ctx: click.Context) -> View:
    from gitmodel.cli.session import Session

    root = ctx.find_root()
    session = Session.from_environment(
        directory=root.params.get("directory"),
        as_json=False,
        quiet=True,
        verbose=False,
        no_color=True,
        key=None,
    )
    return session.open().view()


MODEL = RegistryWord("model")
STAGE = RegistryWord("stage")
SELECTOR = RegistryWord("selector")
