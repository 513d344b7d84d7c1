"""Change a policy as a text: what people decide, without the links of the chain."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any

from gitmodel.adapters.signing.public_key import public_key
from gitmodel.errors import ConflictError, InputError
from gitmodel.formats import schema, yaml_reader, yaml_writer
from gitmodel.formats.document import refusal
from gitmodel.operations.policy_change import PolicyResult, change_policy
from gitmodel.operations.policy_text import EDITABLE, document_in_force

if TYPE_CHECKING:
    from collections.abc import Mapping

    from gitmodel.formats.document import Document
    from gitmodel.registry.handle import RegistryHandle
    from gitmodel.registry.transaction import Mode
    from gitmodel.registry.view import View

_HEADER = ("apiVersion", "kind", "version", "prior", "uid", "createdAt")
_ABOUT = """\
# Policy {number}, without the fields that gitmodel fills in. Save and close to make
# policy {next}; leave it as it is to change nothing. A new key needs its `public` line
# only; gitmodel computes the keyid. Leave the version: by it gitmodel sees whether
# somebody else has changed the policy meanwhile.
"""


def editable_text(view: View) -> bytes:
    """Return what people decide of the policy in force, as YAML to be edited."""
    document = document_in_force(view)
    number = view.policy.version
    parts = {"version": number} | {
        name: document[name] for name in EDITABLE if name in document
    }
    about = _ABOUT.format(number=number, next=number + 1)
    return about.encode() + yaml_writer.dump(parts)


def edit_policy(
    handle: RegistryHandle, data: bytes, name: str, mode: Mode
) -> PolicyResult:
    """Make the next policy from a text.

    Args:
        handle: The registry.
        data: As :func:`editable_text` returns it, edited; or a whole policy.
        name: What messages call it.
        mode: Dry run, push.

    Raises:
        InputError: It is malformed; ``problems`` lists all that is wrong.
        ConflictError: It is an edited copy of a policy that is not in force.
        RefusedError: The signer is no root, or the policy would be dangerous.
    """
    read, problems = yaml_reader.parse(data, name)
    if read is None:
        raise refusal(name, problems)

    def edit(document: dict[str, Any]) -> bool:
        new = _completed(document, read, name)
        if new == document:
            return False
        document.clear()
        document.update(new)
        return True

    return change_policy(handle, edit, "edited", mode, strict=True)


def _completed(base: Mapping[str, Any], read: Document, name: str) -> dict[str, Any]:
    """Return the whole document, checked, that a text makes of the one in force."""
    value = read.value
    if not isinstance(value, dict):
        raise InputError(
            f"{name} must be a mapping with principals, roles and stages.",
            code="E_SCHEMA",
        )
    for key in ("uid", "version"):
        if key in value and value[key] != base[key]:
            raise ConflictError(
                f"{name} is a copy of policy {value.get('version')}, and policy "
                f"{base['version']} of this registry is in force.",
                "gitmodel policy edit  opens the one in force.",
                code="E_POLICY_ROLLBACK",
            )
    parts = {key: part for key, part in value.items() if key not in _HEADER}
    known = {key: parts.pop(key) for key in EDITABLE if key in parts}
    whole = {key: base[key] for key in _HEADER} | known | parts
    _name_keys(whole)
    if problems := schema.problems("Policy", replace(read, value=whole), name):
        raise refusal(name, problems)
    return whole


def _name_keys(document: Mapping[str, Any]) -> None:
    """Fill in the ids of keys that people listed without one."""
    principals = document.get("principals")
    for entry in principals.values() if isinstance(principals, dict) else ():
        for key in entry.get("keys") or () if isinstance(entry, dict) else ():
            if not isinstance(key, dict) or not isinstance(key.get("public"), str):
                continue
            try:
                known = public_key(key["public"])
            except InputError:
                continue  # the schema says so, with its line
            rest = {**key}
            key.clear()
            key.update({"keyid": known.keyid, **rest, "public": known.ssh})
