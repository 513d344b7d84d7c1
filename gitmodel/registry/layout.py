"""Where everything lives in a registry, and what a path is (``design`` §2).

The two directions are inverse: for every path that a function below makes,
:func:`classify` says what it is.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from functools import lru_cache
from typing import TYPE_CHECKING, Literal

if TYPE_CHECKING:
    from gitmodel.domain.digest import Digest

SETTINGS = "gitmodel.yaml"
ATTRIBUTES = ".gitattributes"
LFS_CONFIG = ".lfsconfig"
TRUSTED_ROOTS = ".gitmodel/trusted_roots"
REVIEWS = ".gitmodel/reviews"
QUARANTINE = "quarantine"
INCIDENTS = "incidents"
TRIGGERS = "triggers"
ARTIFACTS_PATTERN = "models/*/versions/*/artifacts/**"

Kind = Literal[
    "settings",
    "attributes",
    "policy",
    "trusted_root",
    "review",
    "model",
    "manifest",
    "artifact",
    "oms",
    "attestation",
    "pin",
    "transition",
    "forge_approval",
    "hold_release",
    "quarantine",
    "incident",
    "trigger",
    "signature",
    "other",
]

#: Added once, never changed, renamed or deleted afterwards.
APPEND_ONLY: frozenset[Kind] = frozenset(
    {
        "policy",
        "trusted_root",
        "review",
        "manifest",
        "artifact",
        "oms",
        "attestation",
        "transition",
        "forge_approval",
        "hold_release",
        "quarantine",
        "incident",
        "signature",
    }
)
#: Only gitmodel writes these; anything else below their directories is foreign.
PROTECTED_ROOTS = (
    ".gitmodel/",
    "models/",
    "stages/",
    "log/",
    "quarantine/",
    "incidents/",
    "triggers/",
)

#: The same paths are asked about many times in a row.
_REMEMBERED = 4096
#: What has signatures beside it.
_SIGNED = frozenset(
    {
        "policy",
        "review",
        "manifest",
        "attestation",
        "transition",
        "forge_approval",
        "hold_release",
        "quarantine",
        "incident",
    }
)
_SIGNATURE = re.compile(r"(?P<document>.+)\.(?P<keyid>[0-9a-f]{8})\.sigstore\.json")
_VERSION = r"models/(?P<model>[^/]+)/versions/(?P<version>[^/]+)"
_PATTERNS: tuple[tuple[Kind, re.Pattern[str]], ...] = (
    ("artifact", re.compile(rf"{_VERSION}/artifacts/(?P<name>.+)", re.DOTALL)),
    ("manifest", re.compile(rf"{_VERSION}/manifest\.yaml")),
    ("oms", re.compile(rf"{_VERSION}/model\.sig")),
    (
        "attestation",
        re.compile(
            rf"{_VERSION}/attestations/(?P<name>[a-z]+)-(?P<seq>[1-9][0-9]{{0,8}})\.yaml"
        ),
    ),
    ("model", re.compile(r"models/(?P<model>[^/]+)/model\.yaml")),
    ("pin", re.compile(r"stages/(?P<stage>[^/]+)/(?P<model>[^/]+)\.yaml")),
    (
        "transition",
        re.compile(
            r"log/(?P<stage>[^/]+)/(?P<model>[^/]+)/(?P<seq>[1-9][0-9]{0,8})\.yaml"
        ),
    ),
    (
        "forge_approval",
        re.compile(
            r"log/(?P<stage>[^/]+)/(?P<model>[^/]+)/(?P<seq>[1-9][0-9]{0,8})"
            r"\.forge-(?P<name>[1-9][0-9]{0,3})\.yaml"
        ),
    ),
    (
        "hold_release",
        re.compile(
            r"log/(?P<stage>[^/]+)/(?P<model>[^/]+)/(?P<seq>[1-9][0-9]{0,8})"
            r"\.release\.yaml"
        ),
    ),
    ("quarantine", re.compile(r"quarantine/(?P<seq>[1-9][0-9]{0,8})\.yaml")),
    (
        "incident",
        re.compile(r"incidents/(?P<name>[^/]+)/(?P<seq>[1-9][0-9]{0,8})\.yaml"),
    ),
    ("trigger", re.compile(r"triggers/(?P<model>[^/]+)\.yaml")),
    ("policy", re.compile(r"\.gitmodel/policy/(?P<seq>[1-9][0-9]{0,8})\.yaml")),
    ("review", re.compile(r"\.gitmodel/reviews/(?P<seq>[1-9][0-9]{0,8})\.yaml")),
    (
        "trusted_root",
        re.compile(r"\.gitmodel/trusted_roots/(?P<name>[0-9a-f]{64})\.json"),
    ),
    ("settings", re.compile(r"gitmodel\.yaml")),
    ("attributes", re.compile(r"\.gitattributes")),
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Place:
    """What a path is; the fields that do not apply are empty.

    Attributes:
        document: For a signature: the path of the document that it signs.
    """

    kind: Kind
    model: str = ""
    version: str = ""
    stage: str = ""
    seq: int = 0
    name: str = ""
    document: str = ""
    keyid: str = ""


@lru_cache(_REMEMBERED)
def classify(path: str) -> Place:
    """Say what ``path`` is in a registry."""
    for kind, pattern in _PATTERNS:
        if match := pattern.fullmatch(path):
            found = match.groupdict()
            return Place(
                kind=kind,
                model=found.get("model", ""),
                version=found.get("version", ""),
                stage=found.get("stage", ""),
                seq=int(found.get("seq", 0)),
                name=found.get("name", ""),
            )
    if match := _SIGNATURE.fullmatch(path):
        signed = classify(match["document"])
        if signed.kind in _SIGNED:
            return Place(
                kind="signature",
                model=signed.model,
                version=signed.version,
                stage=signed.stage,
                seq=signed.seq,
                name=signed.name,
                document=match["document"],
                keyid=match["keyid"],
            )
    return Place(kind="other")


def policy_path(number: int) -> str:
    """Return the path of policy ``number``."""
    return f".gitmodel/policy/{number}.yaml"


def review_path(number: int) -> str:
    """Return the path of access review ``number``."""
    return f"{REVIEWS}/{number}.yaml"


def trusted_root_path(digest: Digest) -> str:
    """Return the path of a trusted root, which is named for its own bytes."""
    return f"{TRUSTED_ROOTS}/{digest.hex}.json"


def model_dir(model: str) -> str:
    """Return the directory of a model."""
    return f"models/{model}"


def model_path(model: str) -> str:
    """Return the path of a model's description."""
    return f"models/{model}/model.yaml"


def versions_dir(model: str) -> str:
    """Return the directory that holds a model's versions."""
    return f"models/{model}/versions"


def version_dir(model: str, version: str) -> str:
    """Return the directory of a version."""
    return f"models/{model}/versions/{version}"


def manifest_path(model: str, version: str) -> str:
    """Return the path of a version's manifest."""
    return f"{version_dir(model, version)}/manifest.yaml"


def oms_path(model: str, version: str) -> str:
    """Return the path of a version's OpenSSF Model Signing bundle."""
    return f"{version_dir(model, version)}/model.sig"


def artifacts_dir(model: str, version: str) -> str:
    """Return the directory of a version's artifacts."""
    return f"{version_dir(model, version)}/artifacts"


def artifact_path(model: str, version: str, name: str) -> str:
    """Return the path of one artifact."""
    return f"{artifacts_dir(model, version)}/{name}"


def attestations_dir(model: str, version: str) -> str:
    """Return the directory of a version's attestations."""
    return f"{version_dir(model, version)}/attestations"


def attestation_path(model: str, version: str, kind: str, number: int) -> str:
    """Return the path of one attestation."""
    return f"{attestations_dir(model, version)}/{kind}-{number}.yaml"


def pin_path(stage: str, model: str) -> str:
    """Return the path of a pin."""
    return f"stages/{stage}/{model}.yaml"


def log_dir(stage: str, model: str) -> str:
    """Return the directory of a pin's transitions."""
    return f"log/{stage}/{model}"


def transition_path(stage: str, model: str, seq: int) -> str:
    """Return the path of one transition."""
    return f"{log_dir(stage, model)}/{seq}.yaml"


def forge_approval_path(stage: str, model: str, seq: int, number: int) -> str:
    """Return the path of what a forge said of a transition."""
    return f"{log_dir(stage, model)}/{seq}.forge-{number}.yaml"


def hold_release_path(stage: str, model: str, seq: int) -> str:
    """Return the path of what releases the hold of a rollback."""
    return f"{log_dir(stage, model)}/{seq}.release.yaml"


def quarantine_path(number: int) -> str:
    """Return the path of quarantine document ``number``."""
    return f"{QUARANTINE}/{number}.yaml"


def incident_dir(incident: str) -> str:
    """Return the directory of an incident's entries."""
    return f"{INCIDENTS}/{incident}"


def incident_path(incident: str, number: int) -> str:
    """Return the path of one entry of an incident."""
    return f"{incident_dir(incident)}/{number}.yaml"


def trigger_path(model: str) -> str:
    """Return the path of a model's rollback triggers."""
    return f"{TRIGGERS}/{model}.yaml"


def signature_path(document: str, keyid: str) -> str:
    """Return the path of the signature of ``document`` by a key."""
    return f"{document}.{keyid[:8]}.sigstore.json"
