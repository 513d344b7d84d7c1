"""What a manifest says besides its artifacts: given by people, or captured."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Any

from gitmodel.adapters.capture.code import capture_code
from gitmodel.adapters.capture.environment import capture_environment
from gitmodel.domain.metrics import read_metrics
from gitmodel.errors import InputError

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

    from gitmodel.domain.semver import Change
    from gitmodel.registry.handle import RegistryHandle

#: Sections of a manifest that ``--metadata`` may fill.
SECTIONS = (
    "description",
    "training",
    "environment",
    "metrics",
    "lineage",
    "architecture",
    "card",
    "labels",
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Facts:
    """Facts for a new manifest.

    Attributes:
        change: breaking, feature or fix; None to derive it from the version.
        given: Sections by name, as a user wrote them.
        code: Where the training code is; its repository's commit is captured.
        code_required: Whether ``code`` was asked for, so that it must be found.
        capture: Whether to capture code and environment at all.
        environment: The virtual environment of the training; None for this one.
    """

    change: Change | None = None
    given: Mapping[str, Any] = field(default_factory=dict)
    code: Path | None = None
    code_required: bool = False
    capture: bool = True
    environment: Path | None = None

    def sections(self) -> dict[str, Any]:
        """Return the sections in the manifest's order, without empty ones."""
        return {name: self.given[name] for name in SECTIONS if self.given.get(name)}


def gather(handle: RegistryHandle, facts: Facts) -> Facts:
    """Add what can be captured, and refuse facts that no manifest may hold.

    What people gave wins over what was found.

    Raises:
        InputError: An unknown section, or a metric that is not a finite number.
    """
    given = dict(facts.given)
    if unknown := sorted(set(given) - set(SECTIONS)):
        raise InputError(
            f"The metadata has an unknown section: {unknown[0]}",
            f"Sections are: {', '.join(SECTIONS)}",
        )
    for name in ("training", "environment", "metrics", "lineage"):
        if not isinstance(given.get(name, {}), dict):
            raise InputError(f"The metadata's section {name} is not a mapping.")
    read_metrics(given.get("metrics", {}))
    if facts.capture:
        training = dict(given.get("training", {}))
        if "code" not in training and facts.code is not None:
            code = capture_code(
                facts.code,
                exclude=None if facts.code_required else handle.repository.work_tree,
                notice=handle.context.warn if facts.code_required else None,
            )
            if code is not None:
                training["code"] = code.to_dict()
            elif facts.code_required:
                raise InputError(
                    f"{facts.code} is not in a git repository with a commit.",
                    "Commit the training code first, or leave out --code.",
                )
        if training:
            given["training"] = training
        captured = capture_environment(facts.code, prefix=facts.environment)
        given["environment"] = {**captured, **given.get("environment", {})}
    return replace(facts, given=given)
