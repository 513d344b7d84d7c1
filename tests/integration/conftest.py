"""Registries with some history, made once and copied for every test that wants one."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from tests.support.isolation import isolate
from tests.support.remotes import Team, clone, make_hub
from tests.support.robot import ROBOT, Robot, admit, trust
from tests.support.served import Served, serve
from tests.support.sigstore_local import LocalSigstore
from tests.support.workbench import unpack

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from tests.support.workbench import Workbench


@pytest.fixture(scope="session")
def stock(template: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Make the registry that ``stocked`` copies."""
    root = tmp_path_factory.mktemp("stock")
    with pytest.MonkeyPatch.context() as patch:
        isolate(patch, root / "home")
        bench = unpack(template, root / "home", root)
        bench.register("fraud", "1.0.0")
        bench.promote("fraud@1.0.0", "dev", "staging")
        bench.register("fraud", "1.1.0")
        bench.promote("fraud@1.1.0", "dev", "staging")
        bench.register("fraud", "2.0.0")
        bench.register("churn", "1.0.0")
        bench.promote("churn@1.0.0", "dev")
    return root


@pytest.fixture
def stocked(stock: Path, home: Path, tmp_path: Path) -> Workbench:
    """Return a registry in which fraud@1.1.0 and churn@1.0.0 are live.

    fraud@1.0.0 and 1.1.0 went through dev and staging, 2.0.0 is only registered,
    churn@1.0.0 is in dev.
    """
    return unpack(stock, home, tmp_path)


@pytest.fixture(scope="session")
def told(template: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Make the registry that ``story`` copies."""
    root = tmp_path_factory.mktemp("told")
    with pytest.MonkeyPatch.context() as patch:
        isolate(patch, root / "home")
        bench = unpack(template, root / "home", root)
        for version, accuracy in (("1.0.0", 0.90), ("1.1.0", 0.95)):
            file = bench.file(f"{version}/model.bin", version.encode() * 1000)
            bench.do(
                "register", "fraud", file, "--version", version,
                "--metric", f"accuracy={accuracy}", "--param", "depth=3",
                "--label", "team=risk", "--description", "a model",
            )  # fmt: skip
            bench.promote(f"fraud@{version}", "dev", "staging")
        reason = ("-m", "recall fell", "--incident", "I-1")
        bench.do("rollback", "fraud", "staging", *reason)
    return root


@pytest.fixture
def story(told: Path, home: Path, tmp_path: Path) -> Workbench:
    """Return a registry in which every kind of thing has happened to one model.

    Both versions have metrics, labels and parameters. 1.1.0 is live in dev; staging
    was rolled back from it to 1.0.0.
    """
    return unpack(told, home, tmp_path)


@pytest.fixture(scope="session")
def sigstore() -> Iterator[LocalSigstore]:
    """Run a Sigstore on loopback."""
    with LocalSigstore() as running:
        yield running


@pytest.fixture(scope="session")
def keyless(
    template: Path, sigstore: LocalSigstore, tmp_path_factory: pytest.TempPathFactory
) -> Path:
    """Make the registry that ``robot`` works on."""
    root = tmp_path_factory.mktemp("keyless")
    with pytest.MonkeyPatch.context() as patch:
        isolate(patch, root / "home")
        bench = unpack(template, root / "home", root)
        trust(bench, sigstore)
        roles = ("publisher", "promoter", "approver")
        admit(bench, "robot", sigstore.issuer, ROBOT, *roles)
        bench.register()
    return root


@pytest.fixture
def robot(keyless: Path, sigstore: LocalSigstore, home: Path, tmp_path: Path) -> Robot:
    """Return a keyless principal of a registry that has fraud@1.0.0, by ada."""
    return Robot(unpack(keyless, home, tmp_path), sigstore)


@pytest.fixture(scope="session")
def first_team(template: Path, tmp_path_factory: pytest.TempPathFactory) -> Team:
    """Make the two clones and the remote that ``team`` copies."""
    root = tmp_path_factory.mktemp("team")
    with pytest.MonkeyPatch.context() as patch:
        isolate(patch, root / "home")
        ours = unpack(template, root / "home", root)
        for version in ("1.0.0", "1.1.0", "1.2.0"):
            ours.register(version=version)
        ours.register("churn")
        ours.promote("fraud@1.0.0", "dev")
        ours.git("remote", "add", "origin", make_hub(root / "hub.git"))
        ours.git("lfs", "push", "--all", "origin")
        ours.git("push", "-q", "origin", "main")
        theirs = clone(root / "hub.git", root / "theirs", root / "outside")
    return Team(root / "hub.git", ours, theirs)


@pytest.fixture
def team(first_team: Team, home: Path, tmp_path: Path) -> Team:
    """Return two clones that agree with their remote: fraud@1.0.0 is in dev.

    Only ``ours`` has bytes; fraud@1.1.0, fraud@1.2.0 and churn@1.0.0 are registered.
    """
    return first_team.copy(tmp_path, home)


@pytest.fixture(scope="session")
def first_served(template: Path, tmp_path_factory: pytest.TempPathFactory) -> Served:
    """Make the server and the clone that ``served`` copies."""
    root = tmp_path_factory.mktemp("served")
    with pytest.MonkeyPatch.context() as patch:
        isolate(patch, root / "home")
        return serve(template, root)


@pytest.fixture
def served(first_served: Served, home: Path, tmp_path: Path) -> Served:
    """Return a server with fraud@1.0.0 in dev, and a clone that agrees with it."""
    return first_served.copy(tmp_path, home)
