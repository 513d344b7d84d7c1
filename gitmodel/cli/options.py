"""Options and arguments that several commands share, with their completion."""

from __future__ import annotations

import re
from datetime import timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Any, ClassVar, TypeVar

import click
from click.shell_completion import CompletionItem

from gitmodel.errors import GitmodelError

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator

    from gitmodel.cli.session import Session
    from gitmodel.registry.view import View

F = TypeVar("F", bound="Callable[..., Any]")

#: As in ``domain.policy``, which help and completion do without.
ROLES = (
    "root",
    "publisher",
    "promoter",
    "approver",
    "responder",
    "auditor",
    "collector",
)


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
    """A word that completes from the registry, such as a model or a selector."""

    def __init__(self, name: str) -> None:
        self.name = name

    def shell_complete(
        self, ctx: click.Context, param: click.Parameter, incomplete: str
    ) -> list[CompletionItem]:
        """Return what fits; nothing when there is no registry here."""
        del param
        try:
            view = _view_for_completion(ctx)
            # An option that lacks its value ends click's parsing; the words are kept.
            model = ctx.params.get("model") or next(iter(ctx.args), None)
            words = self._words(view, incomplete, model)
        except GitmodelError:
            return []
        return [CompletionItem(word) for word in words if word.startswith(incomplete)]

    def _words(self, view: View, incomplete: str, model: str | None) -> Iterable[str]:
        match self.name:
            case "model":
                return view.models()
            case "stage":
                return view.settings.stages
            case "request":
                return [f"{m}#{s}" for s in view.settings.stages for m in view.models()]
            case "incident":
                return sorted(name for name in view.names("incidents"))
            case "release":
                every = view.models()
                return [
                    f"{each}@{v}" for each in every for v in _newest_first(view, each)
                ]
            case "version":
                return _newest_first(view, model) if model else ()
            case _:
                return _selectors(view, incomplete)


class MoveWord(RegistryWord):
    """A selector, or the stage that comes after the last one."""

    def shell_complete(
        self, ctx: click.Context, param: click.Parameter, incomplete: str
    ) -> list[CompletionItem]:
        """Return selectors; once there is one, stages first."""
        selectors = super().shell_complete(ctx, param, incomplete)
        if not (ctx.params.get("stage") or ctx.params.get("from_file")):
            return selectors
        stages = STAGE.shell_complete(ctx, param, incomplete)
        return [*stages, *(selectors if incomplete else ())]


def _newest_first(view: View, model: str) -> Iterator[str]:
    return map(str, reversed(view.versions(model)))


def _selectors(view: View, incomplete: str) -> Iterator[str]:
    """Yield selectors, or only their beginnings while the model is not clear."""
    named = re.split("[@#]", incomplete, maxsplit=1)[0]
    fitting = [
        model
        for model in view.models()
        if (model.startswith(named) if named == incomplete else model == named)
    ]
    for model in fitting:
        if len(fitting) > 1:
            yield from (f"{model}@", f"{model}#")
            continue
        yield from (f"{model}@{version}" for version in _newest_first(view, model))
        yield f"{model}@latest"
        yield from (f"{model}#{stage}" for stage in view.settings.stages)


def _view_for_completion(ctx: click.Context) -> View:
    from gitmodel.adapters.git.objects import ObjectReader
    from gitmodel.adapters.git.repository import Repository
    from gitmodel.registry.view import View

    # Looks, and does no more: a key press must not finish interrupted work.
    directory = ctx.find_root().params.get("directory")
    repository = Repository.discover(Path(directory or "."))
    return View(ObjectReader(repository), repository.resolve("HEAD"))


class Duration(click.ParamType[timedelta]):
    """A length of time such as ``12h``, ``7d`` or ``2w``, more than nothing."""

    name = "duration"
    _UNITS: ClassVar = {"h": "hours", "d": "days", "w": "weeks"}

    def convert(
        self, value: Any, param: click.Parameter | None, ctx: click.Context | None
    ) -> timedelta:
        """Read it."""
        if isinstance(value, timedelta):
            return value
        match = re.fullmatch(r"([1-9][0-9]{0,3})([hdw])", str(value))
        if match is None:
            self.fail(f"{value!r} is no duration; write 12h, 7d or 2w.", param, ctx)
        return timedelta(**{self._UNITS[match[2]]: int(match[1])})


DURATION = Duration()
INCIDENT = RegistryWord("incident")
MODEL = RegistryWord("model")
VERSION = RegistryWord("version")
RELEASE = RegistryWord("release")
REQUEST = RegistryWord("request")
STAGE = RegistryWord("stage")
SELECTOR = RegistryWord("selector")
MOVE = MoveWord("selector")
