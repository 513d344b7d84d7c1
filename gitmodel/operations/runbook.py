"""One model's runbook: what to paste at night, written from the registry (R160).

A page says what HEAD says and nothing of this machine or this hour, so that everybody
writes the same one, and CI can tell when it is out of date. What people have written
into documents is shown as text: it never becomes a command, or Markdown.
"""

from __future__ import annotations

import re
import urllib.parse
from dataclasses import dataclass
from string import Template
from typing import TYPE_CHECKING, Any

from gitmodel import resources
from gitmodel.domain.moment import to_text
from gitmodel.domain.notification import Alertmanager, File, Mail, Program, Webhook
from gitmodel.domain.rollback_rules import RESPONDER
from gitmodel.errors import GitmodelError, NotFoundError
from gitmodel.formats import schema
from gitmodel.operations.soundness import require_signed_version
from gitmodel.registry import layout, notifications
from gitmodel.registry.late_reviews import all_reviews
from gitmodel.registry.quarantines import quarantined
from gitmodel.registry.stage_log import require_sound_history
from gitmodel.registry.versions import load

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from gitmodel.domain.notification import Receiver
    from gitmodel.domain.pin import Release
    from gitmodel.registry.view import View

#: Stands in every page that gitmodel wrote: no other file is ever replaced.
NOTICE = "<!-- Written by `gitmodel runbook`, which replaces what you change here. -->"
_TEMPLATE = "runbook.md"
_LONGEST = 200
_STRANGE = frozenset("`|<>\\")
_PLAIN_DATA = re.compile(r"[A-Za-z0-9][A-Za-z0-9._/-]*(@[A-Za-z0-9][A-Za-z0-9._/-]*)?")


@dataclass(frozen=True, slots=True)
class _Stage:
    """One stage, as far as the model is concerned.

    Attributes:
        live: What it holds; None for nothing.
        since: When that came in.
        target: What it would go back to, whose signatures verify; None for nothing.
    """

    name: str
    live: Release | None = None
    since: str = ""
    target: Release | None = None


def runbook(view: View, model: str) -> str:
    """Return the runbook of a model, as Markdown.

    Raises:
        NotFoundError: There is no such model.
        IntegrityError: A log is not sound, or a document is malformed.
    """
    view.versions(model)
    stages = tuple(_stage(view, model, name) for name in view.settings.stages)
    held = [stage.name for stage in stages if stage.live is not None]
    document = _document(view, model)
    values = {
        "model": model,
        "stage": held[-1] if held else view.settings.stages[-1],
        "notice": NOTICE,
        "registry": _text(view.settings.name),
        "root": str(view.registry_id),
        "about": _text(document.get("description", "")) or "nothing is said",
        "owners": ", ".join(map(_text, document.get("owners", ())))
        or f"nobody is named: add `owners` to `{layout.model_path(model)}`",
        "live": _live(stages),
        "people": _people(view, model, held),
        "told": _told(view),
        "reviews": _reviews(view, model),
        "emergency": _emergency(model, held),
        "after": "\n".join(_after(model, held)),
        "roots": _members(view, "root"),
        "data": _data(view, model, stages),
    }
    return Template(resources.template(_TEMPLATE)).substitute(values)


def _stage(view: View, model: str, name: str) -> _Stage:
    history, _ = require_sound_history(view, name, model)
    if history.current is None:
        return _Stage(name)
    for release in history.last_known_good():
        if quarantined(view, model, release.version) is not None:
            continue
        try:
            require_signed_version(view, model, release)
        except GitmodelError:
            continue
        break
    else:
        release = None
    since = history.transitions[-1].created_at
    return _Stage(name, history.current, since, release)


def _document(view: View, model: str) -> Mapping[str, Any]:
    path = layout.model_path(model)
    data = view.blob(path)
    if data is None:
        return {}
    found: Mapping[str, Any] = schema.read_document(data, path, "Model").value
    return found


def _live(stages: tuple[_Stage, ...]) -> str:
    rows = ["| stage | live | since | goes back to |", "| --- | --- | --- | --- |"]
    for stage in stages:
        if stage.live is None:
            rows.append(f"| {stage.name} | nothing | | |")
            continue
        back = _release(stage.target) if stage.target else "**nothing**: see below"
        rows.append(
            f"| {stage.name} | {_release(stage.live)} | {stage.since} | {back} |"
        )
    return "\n".join(rows)


def _release(release: Release) -> str:
    return f"{release.version}, `{release.manifest}`"


def _people(view: View, model: str, held: list[str]) -> str:
    rows = ["| what | who |", "| --- | --- |"]
    rows.append(f"| acts in an emergency | {_members(view, RESPONDER)} |")
    for stage in held:
        rules = view.policy.rules_for(stage, model)
        if rules is None:
            continue
        hours = rules.rollback.within.total_seconds() / 3600
        for quorum in rules.reviews("emergency"):
            others = f"{_members(view, quorum.role)}, but for who acted"
            what = f"approves {stage} afterwards, within {hours:g} hours"
            rows += [f"| {what} | {quorum}: {others} |"]
    lift = view.policy.lift
    rows.append(f"| lifts a quarantine | {lift}: {_members(view, lift.role)} |")
    return "\n".join(rows)


def _members(view: View, role: str) -> str:
    found = view.policy.role(role)
    return ", ".join(found.members) if found is not None and found.members else "nobody"


def _told(view: View) -> str:
    rows = [
        f"- {listener.notification.name}: {_text(_way(listener.notification.receiver))}"
        for listener in notifications.of_registry(view)
    ]
    return "\n".join(rows) or (
        "- nobody, as far as the registry says: call the owners. `gitmodel notify "
        "test` tries whoever your clone adds."
    )


def _way(receiver: Receiver) -> str:
    match receiver:
        case Webhook(url, variable):
            return f"webhook {_host(url) if url else variable}"
        case Alertmanager(url):
            return f"Alertmanager {_host(url)}"
        case Mail():
            return f"mail to {', '.join(receiver.to)}"
        case Program(argv):
            return f"program {argv[0]}"
        case File(path):
            return f"file {path}"


def _host(url: str) -> str:
    """Return an address without what may be a secret in it."""
    return urllib.parse.urlsplit(url).netloc.rpartition("@")[2]


def _reviews(view: View, model: str) -> str:
    """Say what waits for approval after the fact, whenever that is due."""
    lines = []
    for _, review in all_reviews(view, (model,)):
        # At the beginning of its time: whether it is late by now is for `requests`.
        if review.is_open(review.due_at):
            move = review.transition
            target = move.target.version if move.target else "nothing"
            word = "was rejected" if review.rejections else "waits for approval"
            lines.append(
                f"- rollback {move.seq} of {move.stage} to {target} {word}, due "
                f"{to_text(review.due_at)}"
            )
    if not lines:
        return "No rollback waits for approval after the fact."
    return "\n".join(["Rollbacks that others must see to:", "", *lines])


def _emergency(model: str, held: list[str]) -> str:
    if not held:
        return "No stage holds a version, so there is nothing to take back."
    blocks = [
        f"{stage}:\n\n```sh\ngitmodel rollback {model} {stage} --emergency --yes "
        f'--push \\\n  --incident INC-ID -m "WHAT YOU SEE"\n```'
        for stage in reversed(held)
    ]
    return "\n\n".join(blocks)


def _after(model: str, held: list[str]) -> Iterator[str]:
    for stage in reversed(held):
        yield f"gitmodel validate {model} {stage}"
        yield f"gitmodel verify {model}#{stage}"
        yield f"gitmodel pull {model}#{stage} -o DIR --replace"
    if not held:
        yield f"gitmodel list {model}"


def _data(view: View, model: str, stages: tuple[_Stage, ...]) -> str:
    """Return a command for each data set of what is live."""
    names: dict[str, None] = {}
    for stage in stages:
        if stage.live is None:
            continue
        try:
            version = load(view, model, stage.live.version).version
        except NotFoundError:
            continue
        for data in version.training.get("data", ()):
            number = f"@{data['version']}" if data.get("version") else ""
            names.setdefault(f"{data['name']}{number}")
    plain = [name for name in names if _PLAIN_DATA.fullmatch(name)] or ["NAME@VERSION"]
    end = '--incident INC-ID -m "WHAT IS WRONG" --push --dry-run'
    return "\n".join(f"gitmodel quarantine --data {name} {end}" for name in plain)


def _text(words: object) -> str:
    """Return what somebody wrote as one line that is nothing but text."""
    kept = (c if c.isprintable() and c not in _STRANGE else " " for c in str(words))
    line = " ".join("".join(kept).split())[:_LONGEST].strip()
    return f"`{line}`" if line else ""
