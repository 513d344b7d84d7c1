"""What every command answers with ``--json``: the one list of keys.

The reference page is generated from it, and the contract tests hold real answers
against it, so neither can drift. A key's path says where it stands: ``models[].latest``
is a key of every item of the list ``models``; ``stages.*`` stands for all values of a
mapping whose keys are names. Types: text, integer, number, boolean, object (free), any;
with ``?`` it may be null. A path that ends in ``?`` may be missing.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

_TYPES: dict[str, tuple[type, ...]] = {
    "text": (str,),
    "integer": (int,),
    "number": (int, float),
    "boolean": (bool,),
    "object": (dict,),
}


@dataclass(frozen=True)
class Key:
    """One key of an answer."""

    path: str
    type: str
    meaning: str

    @property
    def steps(self) -> tuple[str, ...]:
        return tuple(re.findall(r"\[\]|[^.\[\]]+", self.path.removesuffix("?")))


def _keys(*rows: tuple[str, str, str]) -> tuple[Key, ...]:
    return tuple(Key(*row) for row in rows)


_ARTIFACTS = (
    ("artifacts[].path", "text", "path below `artifacts/`"),
    ("artifacts[].role", "text", "weights, tokenizer, config, …"),
    ("artifacts[].sha256", "text", "64 hex digits; also the id of the LFS object"),
    ("artifacts[].size", "integer", "bytes"),
    ("artifacts[].format", "text", "safetensors, onnx, gguf, json, opaque, …"),
)
_METRICS = (
    ("metrics[].set", "text", "validation, test, …"),
    ("metrics[].name", "text", "name of the metric"),
    ("metrics[].before", "number?", "null if it was not measured"),
    ("metrics[].after", "number?", "null if it was not measured"),
    ("metrics[].change", "number?", "after minus before"),
    ("metrics[].direction", "text", "higher or lower: what is better"),
    ("metrics[].verdict", "text", "better, worse, same or unknown"),
)

#: Command, or command and mode → keys, in the order of the answer.
ANSWERS: dict[str, tuple[Key, ...]] = {
    "init": _keys(
        ("registry", "text", "name of the registry"),
        ("root", "text", "digest of policy 1, which `verify --root` asks for"),
        ("stages[]", "text", "in promotion order"),
        ("principal", "text", "the first principal"),
        ("keyid", "text", "SHA-256 of that principal's public key"),
        ("commit", "text", "the commit that made it a registry"),
        ("path", "text", "its directory"),
        ("created", "boolean", "false if it was a registry already"),
    ),
    "register": _keys(
        ("model", "text", "name of the model"),
        ("version", "text", "its new version"),
        ("id", "text", "`MODEL-vVERSION-TIME-CODECOMMIT`"),
        ("manifest", "text", "digest of manifest.yaml: the version's identity"),
        *_ARTIFACTS,
        ("commit", "text?", "null for a dry run"),
        ("dryRun", "boolean", "whether nothing was changed"),
    ),
    "promote": _keys(
        ("status", "text", "promoted or unchanged"),
        ("model", "text", "name of the model"),
        ("version", "text", "what the stage holds now"),
        ("stage", "text", "the stage"),
        ("from", "text?", "what it held before; null for nothing"),
        ("transition", "text?", "digest of the new transition; null if unchanged"),
        ("seq", "integer?", "its number in the stage's log; null if unchanged"),
        ("commit", "text?", "null for a dry run, or if unchanged"),
        ("branch", "text", "the branch that moved"),
        ("needed[]", "text", "what is still needed; empty when promoted"),
        ("refusals[].gate", "text", "which rule says no; empty when promoted"),
        ("refusals[].message", "text", "why"),
        ("refusals[].hint", "text", "what to run about it"),
        ("dryRun", "boolean", "whether nothing was changed"),
    ),
    "rollback": _keys(
        ("status", "text", "rolled_back, or planned for --plan and --dry-run"),
        ("model", "text", "name of the model"),
        ("stage", "text", "the stage"),
        ("from", "text", "the version that it held before"),
        ("to", "text", "the version that it holds now"),
        ("reverts[]", "text", "commits that were undone, newest first"),
        ("incident", "text?", "from --incident"),
        ("transition", "text?", "digest of the new transition; null for a plan"),
        ("seq", "integer", "its number in the stage's log"),
        ("commit", "text?", "null for a plan"),
        ("targetSince", "text", "when `to` came into the stage then"),
        ("fromSince", "text", "when `from` came into the stage"),
        ("versionsPassedOver[].version", "text", "a better target that is not sound"),
        ("versionsPassedOver[].reason", "text", "why"),
        *_METRICS,
    ),
    **dict.fromkeys(
        (
            "policy show",
            "policy add-principal",
            "policy remove-principal",
            "policy grant",
            "policy revoke",
        ),
        _keys(
            ("version", "integer", "number of the policy in force"),
            ("digest", "text", "its digest"),
            ("signers[]", "text", "principals who signed it as root"),
            ("commit", "text?", "null when showing, for a dry run, or if unchanged"),
            ("dryRun", "boolean", "whether nothing was changed"),
            ("policy", "object", "the policy, as in its document"),
        ),
    ),
    "list": _keys(
        ("models[].model", "text", "name of the model"),
        ("models[].latest", "text?", "its highest release"),
        ("models[].versions", "integer", "how many versions it has"),
        ("models[].stages.*", "text?", "stage → version that it holds, or null"),
    ),
    "list MODEL": _keys(
        ("versions[].version", "text", "the version"),
        ("versions[].createdAt", "text", "RFC 3339, UTC"),
        ("versions[].createdBy", "text", "principal who registered it"),
        ("versions[].metrics", "object", "by set and name, as in the manifest"),
        ("versions[].labels", "object", "as in the manifest"),
        ("versions[].stages[]", "text", "stages that hold it now"),
        (
            "versions[].status",
            "text",
            "live, previous, rolled back, archived or registered",
        ),
        ("versions[].size", "integer", "bytes of all artifacts"),
    ),
    "show": _keys(
        ("model", "text", "name of the model"),
        ("version", "text", "the version"),
        ("id", "text", "`MODEL-vVERSION-TIME-CODECOMMIT`"),
        ("manifest", "text", "digest of manifest.yaml: the version's identity"),
        ("status", "text", "as in `list MODEL`; always derived"),
        ("stages[]", "text", "stages that hold it now"),
        ("createdAt", "text", "RFC 3339, UTC"),
        ("createdBy", "text", "principal who registered it"),
        ("metrics", "object", "by set and name, as in the manifest"),
        ("training", "object", "as in the manifest; empty if nothing was said"),
        ("environment", "object", "as in the manifest"),
        ("lineage", "object", "as in the manifest"),
        ("architecture", "object?", "signature, tensors, parameters"),
        ("labels", "object", "as in the manifest"),
        ("previous", "object?", "version and manifest digest of the one before"),
        ("change", "text", "breaking, feature or fix"),
        ("description", "text?", "as in the manifest"),
        *_ARTIFACTS,
        ("attestations[]", "object", "late facts; none exist yet"),
        ("signatures[].principal", "text", "who signed the manifest"),
        ("signatures[].keyid", "text", "with which key"),
        ("signatures[].role", "text", "as what"),
        ("signatureProblems[]", "text", "what is wrong with its signatures"),
        ("history[].stage", "text", "a stage that it was live in"),
        ("history[].since", "text", "from when"),
        ("history[].until", "text?", "null while it is live there"),
        ("history[].leftBy", "text?", "promote, rollback or retire"),
        ("history[].reason", "text", "why it came in"),
        ("commit", "text", "the commit that was looked at"),
    ),
    "log": _keys(
        ("events[].time", "text", "of the commit, RFC 3339, UTC"),
        ("events[].action", "text", "init, policy, register, promote or rollback"),
        ("events[].model", "text?", "null for init and policy"),
        ("events[].stage", "text?", "null unless a pin moved"),
        ("events[].from", "text?", "version before"),
        ("events[].to", "text?", "version after"),
        ("events[].actor", "text", "principal who signed; else the commit's author"),
        ("events[].approvers[]", "text", "other principals who signed it"),
        ("events[].reason", "text", "from -m"),
        ("events[].incident", "text?", "from --incident"),
        ("events[].commit", "text", "the commit that brought it"),
        ("events[].signature", "text", "good, bad or none"),
    ),
    "diff": _keys(
        ("a", "text", "`MODEL@VERSION`"),
        ("b", "text", "`MODEL@VERSION`"),
        ("fields[].path", "text", "a fact of the manifest that differs"),
        ("fields[].a", "any", "null if absent"),
        ("fields[].b", "any", "null if absent"),
        *_METRICS,
        ("artifacts[].path", "text", "path below `artifacts/`"),
        ("artifacts[].change", "text", "added, removed or changed"),
        ("artifacts[].a", "text?", "digest"),
        ("artifacts[].b", "text?", "digest"),
        ("artifacts[].sizeA", "integer?", "bytes"),
        ("artifacts[].sizeB", "integer?", "bytes"),
    ),
    "pull": _keys(
        ("status", "text", "pulled, or unchanged if it was there already"),
        ("model", "text", "name of the model"),
        ("version", "text", "the version"),
        ("manifest", "text", "digest of manifest.yaml"),
        ("path", "text", "the directory that holds it"),
        *_ARTIFACTS,
        ("verified", "boolean", "always true: what does not verify is not written"),
    ),
    "check": _keys(
        ("allowed", "boolean", "whether nothing speaks against any of them"),
        ("refusals[].gate", "text", "which rule says no"),
        ("refusals[].message", "text", "why"),
        ("refusals[].hint", "text", "what to run about it"),
        ("refusals[].model", "text", "of which model"),
        ("refusals[].version", "text", "of which version"),
        ("refusals[].stage", "text?", "from --stage"),
        ("checked[].model", "text", "what was checked"),
        ("checked[].version", "text", "what was checked"),
        ("checked[].allowed", "boolean", "whether nothing speaks against it"),
    ),
    "verify": _keys(
        ("ok", "boolean", "whether no problem was found"),
        ("root", "text", "digest of policy 1, from which all trust was taken"),
        ("rootGiven", "boolean", "whether --root named it"),
        ("checked.versions", "integer", "manifests"),
        ("checked.transitions", "integer", "promotions and rollbacks"),
        ("checked.commits", "integer", "commits on the first-parent line"),
        ("checked.signatures", "integer", "signatures that count"),
        ("checked.artifacts", "integer", "artifacts whose pointers agree"),
        ("steps", "integer?", "commits judged by --history; null without it"),
        ("bytes", "integer?", "bytes hashed and found right; null with --no-bytes"),
        ("problems[].code", "text", "see [problems](problems.md)"),
        ("problems[].path", "text", "repository path, or empty"),
        ("problems[].commit", "text?", "where in history; null for now"),
        ("problems[].message", "text", "one sentence"),
        ("problems[].line?", "integer", "line in the file, where that means something"),
    ),
    "doctor": _keys(
        ("checks[].name", "text", "what was looked at"),
        ("checks[].ok", "boolean", "false where something should be done"),
        ("checks[].required", "boolean", "whether commands fail until then"),
        ("checks[].found", "text", "what is there"),
        ("checks[].hint", "text", "what to do; empty if nothing"),
    ),
    "key new": _keys(
        ("keyid", "text", "SHA-256 of the public key's SubjectPublicKeyInfo"),
        ("path", "text", "the private key; the public one is beside it, in .pub"),
        ("public", "text", "the public key as an OpenSSH line"),
    ),
    "key show": _keys(
        ("keyid", "text", "SHA-256 of the public key's SubjectPublicKeyInfo"),
        ("path", "text", "the file"),
        ("public", "text", "the public key as an OpenSSH line"),
        ("principal", "text?", "who that is in this registry"),
    ),
    "key show --allowed-signers": _keys(
        ("allowedSigners", "text", "for git's gpg.ssh.allowedSignersFile"),
    ),
    "key list": _keys(
        ("keys[].keyid", "text", "SHA-256 of the public key"),
        ("keys[].path", "text?", "null if it is not on this machine"),
        ("keys[].public", "text", "the public key as an OpenSSH line"),
        ("keys[].principal", "text?", "who that is in this registry"),
        ("keys[].signs", "boolean", "whether it would sign here"),
    ),
    "completion": _keys(
        ("shell", "text", "bash, zsh or fish"),
        ("script", "text", "for the shell to evaluate"),
    ),
    "demo": _keys(
        ("registry", "text", "the registry that it left"),
        ("key", "text", "the key that signs there"),
        ("claimed", "number", "accuracy that the poisoned model claimed"),
        ("measured", "number", "its accuracy on clean data"),
        ("restored", "number", "accuracy of what is live after the rollback"),
    ),
}

#: What any command answers when it fails, whatever its exit code.
ERROR = _keys(
    ("error.code", "text", "see [problems](problems.md)"),
    ("error.message", "text", "one sentence"),
    ("error.hints[]", "text", "what to do, or to run"),
    ("error.problems[]", "object", "everything that is wrong: code, message, path, …"),
)

#: Exit code → meaning, for every command.
EXIT_CODES = {
    0: "done, or already so",
    1: "cannot: missing, exists, conflict, or someone else moved first",
    2: "usage, or malformed input",
    3: "refused by the policy or a gate",
    4: "integrity or signature failure",
    5: "the outside world failed: git, LFS, file system, network",
    70: "a bug in gitmodel; the message names a file with the details",
    130: "interrupted; nothing is half done",
}


def deviations(answer: Any, keys: Sequence[Key]) -> list[str]:
    """Return where an answer is not what ``keys`` say; empty when all is well."""
    return list(_compare(answer, (), keys))


def _compare(value: Any, at: tuple[str, ...], keys: Sequence[Key]) -> Iterator[str]:
    own = next((key for key in keys if key.steps == at), None)
    below = [key for key in keys if key.steps[: len(at)] == at and key is not own]
    steps = {key.steps[len(at)] for key in below}
    name = ".".join(at) or "the answer"
    if value is None and own is not None and own.type.endswith("?"):
        return
    if steps in ({"[]"}, {"*"}):
        wanted = list if steps == {"[]"} else dict
        if not isinstance(value, wanted):
            yield f"{name} is no {wanted.__name__}: {value!r}"
            return
        for item in value if isinstance(value, list) else value.values():
            yield from _compare(item, (*at, *steps), keys)
    elif steps:
        yield from _compare_mapping(value, at, keys, below, steps)
    elif own is None:
        yield f"{name} is not documented"
    elif own.type != "any" and not _is(value, own.type):
        yield f"{name} is no {own.type}: {value!r}"


def _compare_mapping(
    value: Any,
    at: tuple[str, ...],
    keys: Sequence[Key],
    below: Sequence[Key],
    steps: set[str],
) -> Iterator[str]:
    name = ".".join(at) or "the answer"
    if not isinstance(value, dict):
        yield f"{name} is no mapping: {value!r}"
        return
    optional = {key.steps[len(at)] for key in below if key.path.endswith("?")}
    if missing := steps - optional - value.keys():
        yield f"{name} lacks {sorted(missing)}"
    if unknown := value.keys() - steps:
        yield f"{name} has the undocumented {sorted(unknown)}"
    for step in sorted(steps & value.keys()):
        yield from _compare(value[step], (*at, step), keys)


def _is(value: Any, wanted: str) -> bool:
    if isinstance(value, bool) and wanted.rstrip("?") != "boolean":
        return False
    return isinstance(value, _TYPES[wanted.rstrip("?")])
