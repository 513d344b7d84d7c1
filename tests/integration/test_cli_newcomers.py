"""What people meet before they belong: no terminal, a new key, a clone of yesterday."""

from __future__ import annotations

from typing import TYPE_CHECKING

from tests.support.cli import gitmodel
from tests.support.lfs_server import serving
from tests.support.remotes import make_hub

if TYPE_CHECKING:
    from pathlib import Path

    import pytest

    from tests.support.remotes import Team
    from tests.support.workbench import Workbench


def test_a_new_key_says_how_to_get_it_into_a_registry() -> None:
    answer = gitmodel("key", "new")
    assert answer.code == 0
    assert "gitmodel policy add-principal NAME --key FILE.pub" in answer.err
    assert "init" in answer.err


def test_a_passphrase_is_not_asked_for_where_nobody_can_type_it(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    answer = gitmodel("key", "new", "--out", tmp_path / "key", "--passphrase")
    assert answer.code == 1
    assert answer.err.splitlines() == [
        "Error: There is no terminal to ask for a new passphrase at.",
        "Hint: GITMODEL_KEY_PASSPHRASE=… gitmodel key new --passphrase  gives it.",
    ]
    assert list(tmp_path.iterdir()) == []
    monkeypatch.setenv("GITMODEL_KEY_PASSPHRASE", "correct horse")
    made = gitmodel("key", "new", "--out", tmp_path / "key", "--passphrase")
    assert made.code == 0


def test_no_editor_is_started_where_nobody_can_see_it(
    bench: Workbench, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in ("VISUAL", "EDITOR"):
        monkeypatch.delenv(name, raising=False)
    before = bench.snapshot()
    answer = bench.run("--json", "policy", "edit")
    assert (answer.code, answer.json["error"]["code"]) == (2, "E_USAGE")
    assert bench.snapshot() == before


def test_who_was_let_in_since_is_told_to_fetch(team: Team) -> None:
    """A clone of yesterday does not know the policy that names one's key."""
    key = team.ours.outside / "carol"
    assert gitmodel("key", "new", "--out", key).code == 0
    add = ("policy", "add-principal", "carol", "--key", f"{key}.pub", "--push")
    team.ours.do(*add, "--role", "approver")
    approve = ("--key", key, "attest", "fraud@1.0.0", "review", "-m", "read")
    late = team.theirs.run(*approve)
    assert late.code == 3
    assert "git pull --ff-only" in late.err
    team.theirs.git("pull", "-q", "--ff-only")
    team.theirs.do(*approve)


def test_several_roles_are_given_and_taken_in_one_policy(bench: Workbench) -> None:
    key = bench.outside / "bob"
    gitmodel("key", "new", "--out", key)
    bench.do("policy", "add-principal", "bob", "--key", f"{key}.pub")
    granted = bench.do("policy", "grant", "bob", "approver", "auditor", "root")
    assert granted["version"] == 3
    roles = {name: role["members"] for name, role in granted["policy"]["roles"].items()}
    assert {name for name in roles if "bob" in roles[name]} == {
        "approver", "auditor", "root",
    }  # fmt: skip
    taken = bench.do("policy", "revoke", "ada", "approver", "auditor")
    assert taken["version"] == 4
    # Nobody else is a publisher: then nothing of it happens.
    before = bench.snapshot()
    answer = bench.run("policy", "revoke", "ada", "root", "publisher")
    assert (answer.code, bench.snapshot()) == (3, before)
    assert bench.verify("--history", "--no-bytes") == (0, [])


def test_after_the_first_sync_plain_git_knows_the_remote(
    bench: Workbench, tmp_path: Path
) -> None:
    bench.git("remote", "add", "origin", make_hub(tmp_path / "hub.git"))
    assert bench.do("sync")["sent"] == 1
    assert bench.git("rev-parse", "--abbrev-ref", "main@{upstream}") == "origin/main"
    bench.git("pull", "-q", "--ff-only")
    bench.git("branch", "--unset-upstream")
    bench.git("config", "branch.main.remote", "elsewhere")
    bench.do("sync")
    assert bench.git("config", "branch.main.remote") == "elsewhere"


def test_doctor_says_that_nothing_was_ever_uploaded(
    bench: Workbench, tmp_path: Path
) -> None:
    """Plain git pushes no artifacts from a clone that git-lfs has no hooks in."""
    (tmp_path / "lfs/storage").mkdir(parents=True)
    bench.register()
    bench.git("remote", "add", "origin", make_hub(tmp_path / "hub.git"))
    with serving(tmp_path / "lfs/storage") as server:
        bench.git("config", "lfs.url", server.url("models"))
        bench.git("push", "-q", "-u", "origin", "main")
        asked = bench.run("--json", "doctor")
        assert asked.code == 1
        [check] = [
            each for each in asked.json["checks"] if each["name"] == "lfs server"
        ]
        assert "git lfs push --all origin" in check["hint"]
        bench.git("lfs", "push", "--all", "origin")
        assert bench.run("doctor").code == 0


def test_a_version_in_the_wrong_place_is_told_its_place(story: Workbench) -> None:
    before = story.snapshot()
    apart = story.run("promote", "fraud", "1.1.0", "production")
    assert (apart.code, apart.err.splitlines()[0]) == (
        2,
        "Error: Write fraud@1.1.0 as one word.",
    )
    named = story.run("rollback", "fraud@1.0.0", "staging", "-m", "x")
    assert (named.code, named.err.splitlines()[-1]) == (
        2,
        "Hint: Write fraud alone here, and a version as --help says.",
    )
    assert story.snapshot() == before


def test_a_key_that_is_not_there_or_there_already_says_what_to_run(
    tmp_path: Path,
) -> None:
    nowhere = tmp_path / "key"
    missing = gitmodel("--key", nowhere, "key", "show")
    assert missing.code == 1
    assert f"gitmodel key new --out {nowhere}" in missing.err
    gitmodel("key", "new", "--out", nowhere)
    again = gitmodel("key", "new", "--out", nowhere)
    assert again.code == 1
    assert "gitmodel key list" in again.err
