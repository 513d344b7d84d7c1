"""One file of a model version, and the rules that its name keeps.

A name is relative, with ``/`` between components, the same on every platform:

- valid UTF-8, at most 255 bytes in a component and 1024 in all;
- no empty component, ``.`` or ``..``, no drive letter, no backslash;
- nothing that cannot be seen (control and format characters, U+200B and the like);
- no component that begins with ``.git`` or ``git~``: git acts on such files, and
  model signing leaves them out of its signature;
- no two names that some file system would take for one (case, Unicode forms).
"""

from __future__ import annotations

import re
import unicodedata
from dataclasses import dataclass
from fnmatch import fnmatchcase
from typing import TYPE_CHECKING, Any

from gitmodel.domain.digest import Digest
from gitmodel.errors import InputError

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

COMPONENT_BYTES = 255
NAME_BYTES = 1024

#: Every role that an artifact may have.
ROLES = (
    "weights",
    "tokenizer",
    "config",
    "preprocessor",
    "code",
    "schema",
    "data",
    "card",
    "license",
    "other",
)

# The first pattern that fits the lower-case base name decides.
_CONVENTIONS: tuple[tuple[str, str], ...] = (
    ("license", "license* licence* copying* notice notice.*"),
    ("card", "readme readme.* *model_card* *model-card* *modelcard* card.md card.y*ml"),
    ("tokenizer", "tokenizer* *_tokenizer.* vocab.* vocab merges.txt *.spm"),
    ("tokenizer", "special_tokens_map.json added_tokens.json *.tiktoken *.bpe"),
    ("tokenizer", "sentencepiece* spiece.model chat_template.*"),
    ("preprocessor", "preprocess* *preprocessor* *_processor* processor* *scaler*"),
    ("preprocessor", "*encoder*.pkl *encoder*.joblib *encoder*.skops *vectorizer*"),
    ("schema", "*schema*.json *schema*.y*ml schema.* signature.json *.xsd *.proto"),
    ("weights", "*.safetensors *.gguf *.ggml *.onnx *.onnx_data *.pt *.pth *.bin"),
    ("weights", "*.skops *.joblib *.pkl *.pickle *.h5 *.hdf5 *.keras *.ckpt *.model"),
    ("weights", "*.npz *.msgpack *.tflite *.pb *.mlmodel *.pte *.torchscript *.nemo"),
    ("weights", "*.ubj *.cbm *.pmml *.safetensors.index.json *.bin.index.json"),
    ("weights", "model.json model.txt *.lgb *.xgb *.engine *.params"),
    ("data", "*.csv *.tsv *.parquet *.arrow *.feather *.jsonl *.npy *.tfrecord"),
    ("code", "*.py *.ipynb *.sh *.r *.jl *.cpp *.cu *.c *.h *.js *.ts *.rs *.go"),
    ("config", "*.json *.y*ml *.toml *.ini *.cfg *.conf *.properties *.jinja"),
)
_PATTERNS = tuple(
    (pattern, role) for role, line in _CONVENTIONS for pattern in line.split()
)
_DRIVE = re.compile(r"[A-Za-z]:")
_HEX = re.compile(r"[0-9a-f]{64}")
# Control, format (invisible, some of them ignored by HFS+), surrogate, separators.
_UNSEEN = frozenset({"Cc", "Cf", "Cs", "Zl", "Zp"})


@dataclass(frozen=True, slots=True, kw_only=True)
class Artifact:
    """A file that a manifest names.

    Attributes:
        path: Name below ``artifacts/``; ``artifact_name_problem(path)`` is None.
        role: What it is for; one of ``ROLES``.
        digest: SHA-256 of its bytes, which is also its LFS object id.
        size: Length in bytes.
        format: What its content is, such as ``safetensors``; ``opaque`` if unknown.
    """

    path: str
    role: str
    digest: Digest
    size: int
    format: str

    def __post_init__(self) -> None:
        problem = artifact_name_problem(self.path)
        if problem is not None:
            raise InputError(f"{self.path!r:.200} {problem}.", code="E_NAME")
        if self.role not in ROLES:
            raise InputError(
                f"{self.path} has the unknown role {self.role!r:.80}.",
                f"Roles are {', '.join(ROLES)}.",
            )
        if self.size < 0:
            raise InputError(f"{self.path} has a negative size.")

    @classmethod
    def from_dict(cls, value: Mapping[str, Any]) -> Artifact:
        """Read an item of ``artifacts``; ``from_dict(a.to_dict()) == a``.

        Raises:
            InputError: A key is missing or has a value that it cannot have.
        """
        path, role, sha256, size, found = (
            value.get(key) for key in ("path", "role", "sha256", "size", "format")
        )
        if not (isinstance(path, str) and isinstance(role, str)):
            raise InputError("An artifact needs a path and a role.")
        if not (isinstance(sha256, str) and _HEX.fullmatch(sha256)):
            raise InputError(f"{path!r:.200} needs a sha256 of 64 hex digits.")
        if not isinstance(size, int) or isinstance(size, bool):
            raise InputError(f"{path!r:.200} needs a size in bytes.")
        if not isinstance(found, str):
            raise InputError(f"{path!r:.200} needs a format.")
        return cls(path=path, role=role, digest=Digest(sha256), size=size, format=found)

    def to_dict(self) -> dict[str, str | int]:
        """Return the form that an item of ``artifacts`` has in a manifest."""
        return {
            "path": self.path,
            "role": self.role,
            "sha256": self.digest.hex,
            "size": self.size,
            "format": self.format,
        }


def artifact_name_problem(name: str) -> str | None:
    """Say why ``name`` cannot name an artifact, as a clause; None if it can."""
    problem = _character_problem(name)
    if problem is None and len(name.encode()) > NAME_BYTES:
        problem = f"is longer than {NAME_BYTES} bytes"
    problems = map(_component_problem, name.split("/"))
    return problem or next(filter(None, problems), None)


def _character_problem(name: str) -> str | None:
    for character in name:
        if unicodedata.category(character) in _UNSEEN:
            if "\udc80" <= character <= "\udcff":
                return "is not UTF-8"
            return f"holds the invisible character U+{ord(character):04X}"
    if "\\" in name:
        return "holds a backslash"
    if _DRIVE.match(name):
        return "begins with a drive letter"
    return None


def _component_problem(component: str) -> str | None:
    if component == "":
        return "is empty, absolute, or holds an empty component"
    if component in {".", ".."}:
        return f"holds the component {component!r}"
    if component.casefold().startswith((".git", "git~")):
        return f"holds {component!r:.80}, a name that git keeps for itself"
    if len(component.encode()) > COMPONENT_BYTES:
        return f"holds a component of more than {COMPONENT_BYTES} bytes"
    return None


def collisions(names: Iterable[str]) -> tuple[tuple[str, str], ...]:
    """Return the pairs of names that cannot live side by side, in order of arrival.

    Two names collide when they are equal, when some file system takes them for
    equal (case, Unicode forms), or when one is a directory of the other.
    """
    files: dict[str, str] = {}
    directories: dict[str, str] = {}
    found = []
    for name in names:
        key = _folded(name)
        parents = [key[: place.start()] for place in re.finditer("/", key)]
        other = files.get(key) or directories.get(key)
        if other is None:
            other = next((files[parent] for parent in parents if parent in files), None)
        if other is not None:
            found.append((other, name))
        files.setdefault(key, name)
        for parent in parents:
            directories.setdefault(parent, name)
    return tuple(found)


def _folded(name: str) -> str:
    normal = unicodedata.normalize("NFC", name).casefold()
    return unicodedata.normalize("NFC", normal)


def role_of(name: str) -> str:
    """Return the role that an artifact of this name has by convention."""
    base = name.rpartition("/")[2].lower()
    for pattern, role in _PATTERNS:
        if fnmatchcase(base, pattern):
            return role
    return "other"
