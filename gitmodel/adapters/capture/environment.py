"""Which software a model was trained with (R017).

- Distributions are read from the metadata directories on the import path (first
  one wins, as in an import), names normalised as PEP 503 says.
- ``packages`` is the SHA-256 of the sorted ``name==version`` lines, each ended by
  a newline: two machines with the same packages have the same digest.
- The lock file is the nearest one, from the code's directory up to the root of its
  repository.
- No host name, user, path or kernel: a manifest is public to whoever has a clone.

It imports none of the frameworks, follows no ``.pth`` file of a ``prefix``, and
does not look into conda's own package list.
"""

from __future__ import annotations

import hashlib
import os
import re
import sys
import sysconfig
from typing import TYPE_CHECKING, Any

from gitmodel.domain.digest import Digest
from gitmodel.errors import OutsideError

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator
    from pathlib import Path

FRAMEWORKS = frozenset(
    {
        "accelerate",
        "catboost",
        "diffusers",
        "flax",
        "jax",
        "jaxlib",
        "keras",
        "lightgbm",
        "lightning",
        "mlflow",
        "numpy",
        "onnx",
        "onnxruntime",
        "onnxruntime-gpu",
        "optuna",
        "paddlepaddle",
        "pandas",
        "peft",
        "polars",
        "pyspark",
        "pytorch-lightning",
        "safetensors",
        "scikit-learn",
        "scipy",
        "sentence-transformers",
        "skops",
        "spacy",
        "statsmodels",
        "tensorflow",
        "tensorflow-cpu",
        "timm",
        "tokenizers",
        "torch",
        "torchvision",
        "transformers",
        "vllm",
        "xgboost",
    }
)
LOCKS = (
    "uv.lock",
    "poetry.lock",
    "pdm.lock",
    "Pipfile.lock",
    "conda-lock.yml",
    "requirements.lock",
    "requirements.txt",
)
_RUNS = re.compile(r"[-_.]+")
_HEAD = 2048  # bytes; Name and Version stand at the top of every metadata file


def capture_environment(
    code_dir: Path | None, *, prefix: Path | None = None
) -> dict[str, Any]:
    """Describe the software of a training run as ``environment`` of a manifest.

    Args:
        code_dir: Where to look for a lock file, and in its parents up to the root
            of the repository; None looks for none.
        prefix: The virtual environment to describe; None means the one that runs
            this process, which is not the training environment where gitmodel was
            installed as a separate tool.

    Returns:
        ``python``, ``platform``, ``frameworks``, ``packages``, ``packageCount``,
        and ``lock`` where there is one.

    Raises:
        OutsideError: The lock file cannot be read, or ``prefix`` is no virtual
            environment.
    """
    python, places = _running() if prefix is None else _at(prefix)
    packages = installed(places)
    lines = sorted(f"{name}=={version}\n" for name, version in packages.items())
    found: dict[str, Any] = {
        "python": python,
        "platform": sysconfig.get_platform(),
        "frameworks": {
            name: packages[name] for name in sorted(FRAMEWORKS & packages.keys())
        },
        "packages": str(Digest.of("".join(lines).encode())),
        "packageCount": len(packages),
    }
    lock = find_lock(code_dir) if code_dir is not None else None
    if lock is not None:
        found["lock"] = lock
    return found


def installed(places: Iterable[str]) -> dict[str, str]:
    """Return the version of each distribution found in ``places``, by its name.

    Directories that do not exist, and metadata without a name or a version, as an
    interrupted uninstall leaves them, are passed over.
    """
    packages: dict[str, str] = {}
    for place in dict.fromkeys(places):
        for file in _metadata_files(place or "."):
            name, version = _name_and_version(file)
            if name and version:
                packages.setdefault(name, version)
    return packages


def find_lock(code_dir: Path) -> dict[str, str] | None:
    """Return ``{path, sha256}`` of the nearest lock file, or None.

    ``path`` is relative to the root of the repository around ``code_dir``, or to
    ``code_dir`` where there is no repository.

    Raises:
        OutsideError: The lock file cannot be read.
    """
    here = code_dir.resolve()
    for base in (here, *here.parents):
        if (base / ".git").exists():
            searched = [here, *here.parents][: len(here.parts) - len(base.parts) + 1]
            break
    else:
        base, searched = here, [here]
    for directory in searched:
        for name in LOCKS:
            lock = directory / name
            if lock.is_file():
                return {
                    "path": lock.relative_to(base).as_posix(),
                    "sha256": _sha256(lock),
                }
    return None


def normalise(name: str) -> str:
    """Return a distribution's name as PEP 503 writes it."""
    return _RUNS.sub("-", name).lower()


def _running() -> tuple[str, list[str]]:
    return sys.version.split(maxsplit=1)[0], sys.path


def _at(prefix: Path) -> tuple[str, list[str]]:
    settings: dict[str, str] = {}
    try:
        text = (prefix / "pyvenv.cfg").read_text("utf-8")
    except (OSError, UnicodeDecodeError) as error:
        raise OutsideError(f"{prefix} is not a Python virtual environment.") from error
    for line in text.splitlines():
        key, _, value = line.partition("=")
        settings[key.strip().lower()] = value.strip()
    # venv writes "version", uv and virtualenv write "version_info".
    version = settings.get("version") or settings.get("version_info")
    if version is None:
        raise OutsideError(f"{prefix}/pyvenv.cfg names no Python version.")
    numbers = ".".join(version.split(".")[:3])  # without virtualenv's ".final.0"
    return numbers, sorted(str(path) for path in prefix.glob("lib/*/site-packages"))


def _metadata_files(place: str) -> Iterator[str]:
    try:
        with os.scandir(place) as entries:
            names = sorted(entry.name for entry in entries)
    except OSError:
        return  # a zip file, or a directory on the path that does not exist
    for name in names:
        if name.endswith(".dist-info"):
            yield f"{place}/{name}/METADATA"
        elif name.endswith(".egg-info"):
            yield f"{place}/{name}/PKG-INFO"
            yield f"{place}/{name}"  # distutils wrote a plain file


def _name_and_version(file: str) -> tuple[str, str]:
    try:
        with open(file, "rb") as stream:  # noqa: PTH123 (Path is half of the time)
            head = stream.read(_HEAD)
            fields = _fields(head)
            if len(fields) < 2 and len(head) == _HEAD:  # noqa: PLR2004
                fields = _fields(head + stream.read())
    except OSError:
        return "", ""
    return normalise(fields.get("name", "")), fields.get("version", "")


def _fields(head: bytes) -> dict[str, str]:
    found: dict[str, str] = {}
    for line in head.decode("utf-8", "replace").splitlines():
        if not line:
            break
        key, _, value = line.partition(":")
        if key.lower() in {"name", "version"}:
            found.setdefault(key.lower(), value.strip())
    return found


def _sha256(file: Path) -> str:
    try:
        with file.open("rb") as stream:
            return hashlib.file_digest(stream, "sha256").hexdigest()
    except OSError as error:
        raise OutsideError(f"{file} cannot be read: {error.strerror}.") from error
