"""Writes docs/reference/commands.md and schemas.md from what they describe.

``make docs`` runs this; a test fails when the pages are not what it would write.
"""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from gitmodel import resources
from gitmodel.cli.main import COMMANDS, cli
from gitmodel.formats import yaml_writer
from tests.support.contract import ANSWERS, ERROR, EXIT_CODES

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping, Sequence

    from tests.support.json_keys import Key

REFERENCE = Path(__file__).parents[2] / "docs" / "reference"
_NOTICE = "<!-- Written by `make docs`; change the source, not this page. -->"

_GLOBAL = """\
`gitmodel [OPTIONS] COMMAND [ARGS]`. Options of `gitmodel` itself come before the
command; `--json` works before and after it."""
_ANSWERS = """\
stdout is the answer, stderr the conversation. With `--json` the answer is one JSON
document with the keys that are listed below for each command; more may be added, none
is taken away. A `?` after a type means that it may be null, after a key that it may be
missing. When a command fails, the document is:"""
_DOCUMENTS = """\
Every document is YAML 1.2, in UTF-8. Reading is strict: no anchors, aliases, tags,
directives, merge keys or keys that occur twice; at most 1 MiB and 20 levels. A version
must be quoted: `1.10` without quotes is the number 1.1. The JSON Schemas are in
`schemas/`, for editors and for `check-jsonschema`. Documents that commands write are
signed where they carry authority: the signature of `D` is
`D.KEYID8.sigstore.json` beside it."""

_TYPES = {
    "object": "a mapping",
    "boolean": "true or false",
    "string": "text",
    "integer": "a whole number",
    "number": "a number",
    "null": "null",
}

#: In the order in which people meet them.
_SCHEMAS = (
    ("registry-v1", "gitmodel.yaml"),
    ("notifications-v1", ".git/gitmodel/notifications.yaml"),
    ("model-v1", "models/MODEL/model.yaml"),
    ("modelversion-v1", "models/MODEL/versions/VERSION/manifest.yaml"),
    ("attestation-v1", "models/MODEL/versions/VERSION/attestations/TYPE-N.yaml"),
    ("rollbacktrigger-v1", "triggers/MODEL.yaml"),
    ("modelpin-v1", "stages/STAGE/MODEL.yaml"),
    ("transition-v1", "log/STAGE/MODEL/SEQ.yaml"),
    ("forgeapproval-v1", "log/STAGE/MODEL/SEQ.forge-N.yaml"),
    ("policy-v1", ".gitmodel/policy/N.yaml"),
    ("quarantine-v1", "quarantine/N.yaml"),
    ("accessreview-v1", ".gitmodel/reviews/N.yaml"),
    ("incidententry-v1", "incidents/ID/N.yaml"),
    ("holdrelease-v1", "log/STAGE/MODEL/SEQ.release.yaml"),
    ("checkpoint-v1", "FILE"),
)


def pages() -> dict[Path, str]:
    """Return every generated page by its path."""
    return {
        REFERENCE / "commands.md": commands_page(),
        REFERENCE / "schemas.md": schemas_page(),
    }


def commands_page() -> str:
    """Return the reference of the command line."""
    root = click.Context(cli, info_name="gitmodel", **cli.context_settings)
    parts = [
        "# Commands",
        _NOTICE,
        _GLOBAL,
        _table(("option", "meaning"), _options(cli, root)),
        "## Selectors",
        *_paragraphs(cli)[-1:],
        "## Answers, errors and exit codes",
        _ANSWERS,
        _keys(ERROR),
        _table(
            ("exit code", "meaning"),
            [(str(code), meaning) for code, meaning in EXIT_CODES.items()],
        ),
    ]
    for section in dict.fromkeys(COMMANDS.values()):
        parts.append(f"## {section}")
        for name in (name for name, where in COMMANDS.items() if where == section):
            parts.extend(_command(name, root))
    return _page(parts)


def schemas_page() -> str:
    """Return the reference of the documents."""
    parts = [
        "# Documents",
        _NOTICE,
        _DOCUMENTS,
    ]
    for name, path in _SCHEMAS:
        parts.extend(_schema(resources.schema(name), f"schemas/{name}.json", path))
    return _page(parts)


def _command(name: str, parent: click.Context) -> Iterator[str]:
    command = parent.command
    assert isinstance(command, click.Group)
    found = command.get_command(parent, name)
    assert found is not None
    context = click.Context(found, parent, info_name=name)
    path = context.command_path
    yield f"### {path}"
    usage = " ".join([path, *found.collect_usage_pieces(context)])
    yield f"```\n{usage}\n```"
    yield from _paragraphs(found)
    yield _table(("option", "meaning"), _options(found, context))
    title = path.removeprefix("gitmodel ")
    for answer, keys in ANSWERS.items():
        if answer == title or answer.startswith((f"{title} -", f"{title} MODEL")):
            yield f"JSON of `gitmodel {answer}`:"
            yield _keys(keys)
    if isinstance(found, click.Group):
        for inner in found.list_commands(context):
            yield from _command(inner, context)


def _paragraphs(command: click.Command) -> list[str]:
    """Return a command's help as Markdown, its examples as code."""
    found = []
    for paragraph in (command.help or "").split("\n\n"):
        if paragraph.startswith("\b\n"):
            title, *lines = paragraph.removeprefix("\b\n").splitlines()
            code = "\n".join(line.removeprefix("  ") for line in lines)
            language = "console" if title == "Examples:" else ""
            found.append(f"{title}\n\n```{language}\n{_prompted(code, language)}\n```")
        else:
            found.append(" ".join(paragraph.split()))
    return found


def _prompted(code: str, language: str) -> str:
    if not language:
        return code
    return "\n".join(f"$ {line}" for line in code.splitlines())


def _options(command: click.Command, context: click.Context) -> list[tuple[str, str]]:
    records = (
        option.get_help_record(context)
        for option in command.get_params(context)
        if isinstance(option, click.Option)
    )
    return [(f"`{name}`", text) for name, text in filter(None, records)]


def _keys(keys: Iterable[Key]) -> str:
    rows = [(f"`{key.path}`", key.type, key.meaning) for key in keys]
    return _table(("key", "type", "meaning"), rows)


def _schema(schema: Mapping[str, Any], file: str, path: str) -> Iterator[str]:
    yield f"## {schema['title']}"
    yield f"`{path}`, schema [`{file}`](../../{file})"
    description = schema["description"].partition(": ")[2]
    yield description[:1].upper() + description[1:]
    yield _table(("field", "needed", "what it is", "meaning"), list(_fields(schema)))
    example = yaml_writer.dump(schema["examples"][0]).decode().rstrip()
    yield f"```yaml\n{example}\n```"


def _fields(schema: Mapping[str, Any]) -> Iterator[tuple[str, str, str, str]]:
    def walk(
        node: Mapping[str, Any], prefix: str
    ) -> Iterator[tuple[str, str, str, str]]:
        required = node.get("required", ())
        for name, inner in node.get("properties", {}).items():
            yield from describe(
                inner, f"{prefix}{name}", "yes" if name in required else ""
            )
        other = node.get("additionalProperties")
        if isinstance(other, dict):
            yield from describe(other, f"{prefix}*", "")

    def describe(
        node: Mapping[str, Any], path: str, needed: str
    ) -> Iterator[tuple[str, str, str, str]]:
        whole = _resolved(schema, node)
        yield (
            f"`{path}`",
            needed,
            " or ".join(_kinds(schema, whole)),
            whole.get("description", ""),
        )
        for form in (whole, *whole.get("anyOf", ())):
            inner = _resolved(schema, form)
            items = _resolved(schema, inner.get("items", {}))
            yield from walk(inner, f"{path}.")
            yield from walk(items, f"{path}[].")

    return walk(schema, "")


def _resolved(schema: Mapping[str, Any], node: Mapping[str, Any]) -> dict[str, Any]:
    """Return a node with what it refers to; its own words win."""
    found = dict(node)
    while reference := found.pop("$ref", None):
        target = schema["$defs"][reference.rpartition("/")[2]]
        found = {**target, **found}
    return found


def _kinds(schema: Mapping[str, Any], node: Mapping[str, Any]) -> list[str]:
    if "const" in node:
        return [f"`{node['const']}`"]
    if "enum" in node:
        return [", ".join(f"`{value}`" for value in node["enum"])]
    if "anyOf" in node:
        return [
            kind
            for form in node["anyOf"]
            for kind in _kinds(schema, _resolved(schema, form))
        ]
    if "title" in node:
        return [node["title"]]
    if node.get("type") == "array":
        items = _resolved(schema, node.get("items", {"title": "anything"}))
        return [f"a list; each is {' or '.join(_kinds(schema, items))}"]
    return [_TYPES.get(node.get("type", ""), "anything")]


def _table(header: Sequence[str], rows: Sequence[Sequence[str]]) -> str:
    lines = [header, ["---"] * len(header), *rows]
    return "\n".join(
        "| " + " | ".join(cell.replace("|", "\\|") for cell in line) + " |"
        for line in lines
    )


def _page(parts: Iterable[str]) -> str:
    return "\n\n".join(part for part in parts if part) + "\n"


def main() -> None:
    """Write the pages."""
    for path, text in pages().items():
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text, encoding="utf-8")
        click.echo(f"Wrote {path}")


if __name__ == "__main__":
    main()
