"""OpenSSF Model Signing v1.0: the statement about every file of a model.

- Written as the specification says: method ``files``, SHA-256, no symbolic links,
  resources in code point order of their names, and nothing else, so that the
  stock ``model_signing verify`` accepts it.
- The root digest does not bind names. It is checked, never used as an identity.
- Names that could leave the model directory are refused; the stock tool accepts
  them when it is told to ignore unsigned files.
- Members that the specification does not define are ignored, as it demands.

Shards and BLAKE digests are refused: the artifacts here are known by SHA-256.
"""

from __future__ import annotations

import hashlib
import re
from typing import TYPE_CHECKING, Any

from gitmodel.domain.digest import Digest
from gitmodel.domain.problem import Problem
from gitmodel.errors import InputError, IntegrityError
from gitmodel.formats.canonical_json import loads
from gitmodel.formats.statement import STATEMENT_TYPE, Statement

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

PREDICATE_TYPE = "https://model_signing/signature/v1.0"

_HEX = re.compile(r"[0-9a-f]{64}")
_DRIVE = re.compile(r"[A-Za-z]:")
_CONTROL = re.compile(r"[\x00-\x1f\x7f]")


def statement(name: str, files: Iterable[tuple[str, Digest]]) -> bytes:
    """Return the payload that signs ``files``, of the model directory ``name``.

    Raises:
        InputError: There is no file, a name occurs twice or leaves the directory.
    """
    resources = dict[str, Digest]()
    for path, digest in files:
        _add(resources, path, digest)
    if not resources:
        raise InputError("A model without files cannot be signed.")
    ordered = sorted(resources.items())
    return Statement(
        subject_name=name,
        subject_digest=_root(digest for _, digest in ordered),
        predicate_type=PREDICATE_TYPE,
        predicate={
            "serialization": {
                "method": "files",
                "hash_type": "sha256",
                "allow_symlinks": False,
                "ignore_paths": [],
            },
            "resources": [
                {"name": path, "algorithm": "sha256", "digest": digest.hex}
                for path, digest in ordered
            ],
        },
    ).to_bytes()


def resources_of(payload: bytes) -> dict[str, Digest]:
    """Return the signed files of an OMS statement, by name, in its own order.

    Raises:
        IntegrityError: It is not a statement that gitmodel can check (``E_OMS``).
    """
    try:
        return _resources(loads(payload))
    except InputError as error:
        raise IntegrityError(
            f"The model signature cannot be used: {error.message}", code="E_OMS"
        ) from error
    except (KeyError, TypeError) as error:
        raise IntegrityError(
            "The model signature is not an OpenSSF Model Signing v1.0 statement.",
            code="E_OMS",
        ) from error


def compare(
    signed: Mapping[str, Digest], actual: Mapping[str, Digest]
) -> list[Problem]:
    """Return how the files of a model differ from those that were signed.

    ``actual`` holds every file of the directory but the signature itself: a file
    that nobody signed is a problem wherever it lies, ``.git`` included.
    """
    problems = [
        Problem("E_ARTIFACT_MISSING", "It is signed, and missing.", path=name)
        for name in sorted(signed.keys() - actual.keys())
    ]
    problems += [
        Problem("E_EXTRA_FILE", "It is not covered by the signature.", path=name)
        for name in sorted(actual.keys() - signed.keys())
    ]
    problems += [
        Problem(
            "E_ARTIFACT_DIGEST",
            f"Its digest is {actual[name]}; {signed[name]} was signed.",
            path=name,
        )
        for name in sorted(signed.keys() & actual.keys())
        if signed[name] != actual[name]
    ]
    return problems


def _resources(value: Any) -> dict[str, Digest]:
    if value["_type"] != STATEMENT_TYPE or value["predicateType"] != PREDICATE_TYPE:
        raise InputError(f"its predicate type is not {PREDICATE_TYPE}.")
    (subject,) = _list(value["subject"], "subject", 1)
    serialization = value["predicate"]["serialization"]
    if serialization["method"] != "files" or serialization["hash_type"] != "sha256":
        raise InputError(
            "its files are not hashed whole with sha256, the one way that "
            "gitmodel can check."
        )
    resources = dict[str, Digest]()
    for resource in _list(value["predicate"]["resources"], "resources"):
        if resource["algorithm"] != "sha256":
            raise InputError("a file is not hashed with sha256.")
        _add(resources, resource["name"], _digest(resource["digest"]))
    if _root(resources.values()) != _digest(subject["digest"]["sha256"]):
        raise InputError("its root digest does not match its files.")
    return resources


def _list(value: object, what: str, length: int | None = None) -> list[Any]:
    if not isinstance(value, list) or not value:
        raise InputError(f"{what} is not a list, or is empty.")
    if length is not None and len(value) != length:
        raise InputError(f"{what} does not have exactly {length} entry.")
    return value


def _digest(value: object) -> Digest:
    if not isinstance(value, str) or not _HEX.fullmatch(value):
        raise InputError("a digest is not 64 lower-case hex digits.")
    return Digest(value)


def _root(digests: Iterable[Digest]) -> Digest:
    whole = hashlib.sha256()
    for digest in digests:
        whole.update(bytes.fromhex(digest.hex))
    return Digest(whole.hexdigest())


def _add(resources: dict[str, Digest], name: object, digest: Digest) -> None:
    if (
        not isinstance(name, str)
        or any(part in {"", ".", ".."} for part in name.split("/"))
        or "\\" in name
        or _DRIVE.match(name)
        or _CONTROL.search(name)
    ):
        raise InputError(
            f"{name!r:.200} is not a file name inside the model directory."
        )
    if name in resources:
        raise InputError(f"{name!r:.200} occurs twice.")
    resources[name] = digest
