"""The triggers of a registry at one commit: what it wishes to be watched (R163)."""

from __future__ import annotations

from contextlib import suppress
from dataclasses import dataclass
from typing import TYPE_CHECKING

from gitmodel.domain.problem import Problem
from gitmodel.domain.trigger_reading import read_trigger
from gitmodel.errors import GitmodelError, InputError, NotFoundError
from gitmodel.formats import schema, yaml_quick
from gitmodel.registry import layout

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from gitmodel.domain.trigger import RollbackTrigger
    from gitmodel.registry.view import View

_MOST = 128 << 10  # bytes of a file
_MOST_OF_ALL = 4 << 20  # bytes
_TOO_MANY = f"All triggers together have more than {_MOST_OF_ALL:,} bytes."


@dataclass(frozen=True, slots=True)
class Triggers:
    """All triggers that can be used, and why the others cannot.

    Attributes:
        found: By model.
        problems: What is wrong with the other files; it keeps none of these from use.
    """

    found: Mapping[str, RollbackTrigger]
    problems: tuple[Problem, ...]


def read_triggers(view: View) -> Triggers:
    """Read every trigger; a bad one never stands in the way of another (R164).

    Reading takes a time that grows with the bytes, and whoever can push chooses those:
    so small files are read before large ones, up to a limit for all of them.
    """
    found, problems = {}, list[Problem]()
    sizes = {model: len(_bytes(view, model)) for model in triggered_models(view)}
    room = _MOST_OF_ALL
    for model in sorted(sizes, key=lambda model: (sizes[model], model)):
        try:
            room -= sizes[model]
            if room < 0:
                raise InputError(_TOO_MANY, code="E_LIMIT")
            found[model] = load_trigger(view, model)
        except GitmodelError as error:
            path = layout.trigger_path(model)
            problems += _problems(error, path)
    return Triggers({model: found[model] for model in sorted(found)}, tuple(problems))


def _bytes(view: View, model: str) -> bytes:
    with suppress(GitmodelError):  # who reads it will say what is wrong
        return view.blob(layout.trigger_path(model)) or b""
    return b""


def triggered_models(view: View) -> Iterator[str]:
    """Yield the models that have a file of triggers, sorted."""
    for name in sorted(view.names(layout.TRIGGERS)):
        place = layout.classify(f"{layout.TRIGGERS}/{name}")
        if place.kind == "trigger":
            yield place.model


def load_trigger(view: View, model: str) -> RollbackTrigger:
    """Read the triggers of one model.

    Raises:
        NotFoundError: There is no such file.
        InputError: The file is malformed, contradicts itself, or names what the
            registry does not have; ``problems`` lists all that is wrong.
    """
    path = layout.trigger_path(model)
    data = view.blob(path)
    if data is None:
        raise NotFoundError(f"{model} has no triggers.", f"Write {path} and commit it.")
    return parse_trigger(view, model, data)


def parse_trigger(view: View, model: str, data: bytes) -> RollbackTrigger:
    """Read the triggers of a model from the bytes of a file.

    Raises:
        InputError: As for :func:`load_trigger`.
    """
    path = layout.trigger_path(model)
    if model not in view.models():
        raise InputError(f"There is no model {model} to watch.", code="E_TRIGGER")
    if len(data) > _MOST:
        raise InputError(
            f"{path} has {len(data):,} bytes, and {_MOST:,} are read at most.",
            code="E_LIMIT",
        )
    document = yaml_quick.value_of(data)
    if document is None or schema.problems("RollbackTrigger", document, path):
        document = schema.read_document(data, path, "RollbackTrigger").value
    trigger = read_trigger(document)
    if trigger.model != model:
        raise InputError(
            f"It names the model {trigger.model}, and its file is named for {model}.",
            code="E_TRIGGER",
        )
    for stage in trigger.stages:
        if stage not in view.settings.stages:
            raise InputError(
                f"There is no stage {stage} to watch.",
                f"The stages are: {', '.join(view.settings.stages)}",
                code="E_TRIGGER",
            )
    return trigger


def _problems(error: GitmodelError, path: str) -> Iterator[Problem]:
    if not error.problems:
        yield Problem(error.code, error.message, path)
    for problem in error.problems:
        yield Problem(
            str(problem.get("code", error.code)),
            str(problem.get("message", error.message)),
            path,
            line=problem.get("line"),
        )
