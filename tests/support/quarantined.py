"""People who put things into quarantine, or lift it, each with a key of their own."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from tests.support.cli import Answer, gitmodel

if TYPE_CHECKING:
    from pathlib import Path

    from tests.support.workbench import Workbench


def enrol(bench: Workbench, name: str, *roles: str) -> Path:
    """Let somebody in; return the key."""
    key = bench.outside / name
    assert gitmodel("key", "new", "--out", key).code == 0
    options = [word for role in roles for word in ("--role", role)]
    bench.do("policy", "add-principal", name, "--key", f"{key}.pub", *options)
    return key


def ask_two_to_lift(bench: Workbench) -> None:
    """Let the policy ask for two approvers before anything leaves quarantine."""
    bench.do("policy", "lift", "--threshold", "2")


def as_(bench: Workbench, key: Path, *args: str | Path) -> Answer:
    """Run a command as the owner of a key."""
    return gitmodel("--json", "--key", key, *args, cwd=bench.path)


def quarantine(bench: Workbench, *args: str | Path) -> Any:
    """Put something into quarantine."""
    return bench.do("quarantine", *args, "-m", "backdoor", "--incident", "INC-1")


def lift(bench: Workbench, *args: str | Path) -> Any:
    """Lift a quarantine."""
    return bench.do("quarantine", "--lift", *args, "-m", "false alarm")
