"""Registries that begin without any key: policy 1 names an identity (R066)."""

from __future__ import annotations

import dataclasses
import hashlib
import io
import json
from functools import partial
from typing import TYPE_CHECKING

import pytest

from gitmodel.adapters.signing.keyless import read_trusted_root
from gitmodel.adapters.signing.trust_config import public_trusted_root
from tests.support.cli import Answer, gitmodel
from tests.support.robot import ROBOT, Robot
from tests.support.sigstore_local import GITHUB, LocalSigstore
from tests.support.workbench import Workbench

if TYPE_CHECKING:
    from pathlib import Path

WORKFLOW = "acme/models/.github/workflows/release.yml@refs/heads/main"


@pytest.fixture
def place(tmp_path: Path) -> Workbench:
    """Return where there is no registry yet."""
    (tmp_path / "outside").mkdir()
    (tmp_path / "r").mkdir()
    return Workbench(tmp_path / "r", tmp_path / "outside")


@pytest.fixture
def founder(place: Workbench, sigstore: LocalSigstore) -> Robot:
    return Robot(place, sigstore)


def _refused(answer: Answer, exit_code: int, code: str, place: Workbench) -> None:
    """Assert that init was refused, and that no commit came of it."""
    assert (answer.code, answer.json["error"]["code"]) == (exit_code, code), answer.err
    assert place.git("for-each-ref") == ""
    assert [path.name for path in place.path.iterdir()] == [".git"]


@pytest.mark.parametrize(("rekor", "tsa"), [(1, False), (2, True)])
def test_a_registry_lives_without_any_key(
    founder: Robot, home: Path, rekor: int, tsa: bool
) -> None:
    founder = dataclasses.replace(founder, rekor=rekor, tsa=tsa)
    made = founder.do("init", "--principal", "release")
    assert made["identity"] == f"{ROBOT} (by {founder.sigstore.issuer})"
    file = founder.bench.file("model.bin", b"without a key")
    founder.do("register", "fraud", file, "--version", "1.0.0", "--no-capture")
    founder.do("promote", "fraud@1.0.0", "dev")
    bob = f"{founder.sigstore.issuer}=bob@example.com"
    founder.do("policy", "add-principal", "bob", "--identity", bob)
    with founder.sigstore.down():
        root = ("--root", made["root"])
        assert founder.bench.verify("--history", "--full", *root) == (0, [])
    assert not (home / ".config/gitmodel").exists()
    assert set(founder.bench.git("log", "--format=%G?").split()) == {"N"}
    assert founder.bench.git("config", "user.signingkey", ok=False) == ""


def test_a_clone_of_it_is_verified_with_nothing_but_the_clone(
    founder: Robot, tmp_path: Path
) -> None:
    root = founder.do("init")["root"]
    founder.bench.git("clone", "-q", founder.bench.path, tmp_path / "clone")
    clone = Workbench(tmp_path / "clone", founder.bench.outside)
    assert clone.verify("--history", "--full", "--root", root) == (0, [])


def test_it_is_left_as_it_is_by_another_init(founder: Robot) -> None:
    made = founder.do("init", "--principal", "release")
    again = founder.do("init")
    assert again == {**made, "created": False}
    assert gitmodel("init", founder.bench.path).code == 0


def test_its_founder_is_the_only_one_who_can_change_it(
    founder: Robot, home: Path
) -> None:
    founder.do("init")
    assert gitmodel("key", "new").code == 0
    before = founder.bench.snapshot()
    public = home / ".config/gitmodel/keys/id_ecdsa.pub"
    add = ("policy", "add-principal", "ada", "--key", public, "--role", "root")
    answer = founder.bench.run("--json", *add)
    assert (answer.code, answer.json["error"]["code"]) == (3, "E_UNTRUSTED_KEY")
    thief = dataclasses.replace(founder, subject="mallory@example.com")
    answer = thief.run(*add)
    assert (answer.code, answer.json["error"]["code"]) == (3, "E_IDENTITY")
    assert founder.bench.snapshot() == before
    founder.do(*add)
    founder.bench.do("policy", "grant", "ada", "publisher")
    assert founder.bench.verify("--history") == (0, [])


def test_a_github_job_begins_a_registry(
    founder: Robot, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name, value in founder.sigstore.github_environment(WORKFLOW).items():
        monkeypatch.setenv(name, value)
    made = founder.bench.do("--keyless", "--trust-config", founder.config, "init")
    assert made["identity"] == f"https://github.com/{WORKFLOW} (by {GITHUB})"
    assert founder.bench.verify("--history") == (0, [])


def test_what_cannot_be_certified_begins_nothing(
    founder: Robot, place: Workbench, monkeypatch: pytest.MonkeyPatch
) -> None:
    with founder.sigstore.down():
        _refused(founder.run("init"), 5, "E_SIGSTORE", place)
    config = founder.config
    expired = founder.sigstore.token(ROBOT, life=-60)
    token = ("--json", "--identity-token", expired, "--trust-config", config)
    _refused(place.run(*token, "init"), 2, "E_TOKEN", place)
    broken = place.file("broken.json", b"{}")
    options = ("--json", "--identity-token", founder.token, "--trust-config", broken)
    _refused(place.run(*options, "init"), 2, "E_INPUT", place)
    monkeypatch.setattr("sys.stdin", io.StringIO())
    for name in ("GITHUB_ACTIONS", "GITLAB_CI", "CIRCLECI", "BUILDKITE"):
        monkeypatch.delenv(name, raising=False)
    asked = ("--json", "--keyless", "--trust-config", config, "init")
    _refused(place.run(*asked), 1, "E_NO_IDENTITY", place)


def test_a_token_of_one_sigstore_is_no_use_with_another(
    founder: Robot, place: Workbench
) -> None:
    with LocalSigstore() as other:
        options = ("--json", "--identity-token", other.token(ROBOT))
        config = ("--trust-config", founder.config)
        _refused(place.run(*options, *config, "init"), 5, "E_SIGSTORE", place)


def test_an_option_chooses_the_key_over_a_token_in_the_environment(
    founder: Robot, place: Workbench, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert gitmodel("key", "new", "--out", place.outside / "key").code == 0
    key = ("--key", place.outside / "key")
    assert founder.run("init", *key).code == 2
    monkeypatch.setenv("GITMODEL_IDENTITY_TOKEN", founder.token)
    assert place.do("init", *key)["identity"] is None


def test_show_list_and_doctor_know_identities(founder: Robot) -> None:
    founder.do("init", "--principal", "release")
    identity = f"{ROBOT} (by {founder.sigstore.issuer})"
    shown = founder.do("key", "show")
    assert (shown["kind"], shown["identity"], shown["principal"], shown["public"]) == (
        "identity", identity, "release", None,
    )  # fmt: skip
    assert founder.run("key", "show", "--pem").code == 2
    [row] = founder.do("key", "list")["keys"]
    assert (row["identity"], row["signs"]) == (identity, True)
    [row] = founder.bench.do("key", "list")["keys"]
    assert (row["identity"], row["signs"]) == (identity, False)
    doctor = {check["name"]: check for check in founder.do("doctor")["checks"]}
    assert doctor["keyless identity"]["found"] == f"{identity} (release)"
    thief = dataclasses.replace(founder, subject="mallory@example.com")
    doctor = {check["name"]: check for check in thief.do("doctor")["checks"]}
    assert not doctor["keyless identity"]["ok"]
    assert "--identity" in doctor["keyless identity"]["hint"]


@pytest.fixture
def embedded(monkeypatch: pytest.MonkeyPatch) -> None:
    """Use the production root that Sigstore ships, where it would be fetched."""
    from sigstore.models import ClientTrustConfig  # noqa: PLC0415

    production = partial(ClientTrustConfig.production, offline=True)
    monkeypatch.setattr(ClientTrustConfig, "production", production)


@pytest.mark.usefixtures("embedded")
def test_the_public_root_is_pinned_where_no_other_is_named(
    bench: Workbench, sigstore: LocalSigstore, monkeypatch: pytest.MonkeyPatch
) -> None:
    root = public_trusted_root()
    assert read_trusted_root(root) == root
    pinned = [bench.do("policy", "trust-root")["policy"]["sigstore"]["trustedRoot"]]
    assert pinned[0] == f"sha256:{hashlib.sha256(root).hexdigest()}"
    config = bench.file("config.json", json.dumps(sigstore.trust_config()).encode())
    monkeypatch.setenv("GITMODEL_TRUST_CONFIG", str(config))
    pinned += [bench.do("policy", "trust-root")["policy"]["sigstore"]["trustedRoot"]]
    assert pinned[0] != pinned[1]
    assert bench.verify("--history") == (0, [])
