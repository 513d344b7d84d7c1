"""Plain git push in a clone with hooks, against a real LFS server (R062)."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import pytest

from tests.support.hooks import Said, plain_git, stage
from tests.support.lfs_server import LfsServer, serving
from tests.support.remotes import clone, make_hub
from tests.support.workbench import git

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from tests.support.workbench import Workbench

PIN = "stages/dev/fraud.yaml"


@pytest.fixture(scope="session")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[LfsServer]:
    """Run an LFS server."""
    root = tmp_path_factory.mktemp("lfs-of-hooks")
    (root / "storage").mkdir()
    with serving(root / "storage") as running:
        yield running


@dataclass(frozen=True)
class Hosted:
    """A clone with hooks, its remote, and what the LFS server has for it."""

    ours: Workbench
    hub: Path
    server: LfsServer
    name: str

    def tip(self, branch: str = "main") -> str:
        """Return the commit that a branch of the remote has; "" for none."""
        return git(self.hub, "rev-parse", "-q", "--verify", branch, ok=False)

    def push(self, *args: str) -> Said:
        """Push with plain git."""
        return plain_git(self.ours.path, "push", *(args or ("origin", "main")))

    def refused(self, *args: str, by: str = "gitmodel refuses this push") -> str:
        """Push in vain; the remote is as before, and so is the clone."""
        refs = git(self.hub, "for-each-ref")
        objects = self.server.objects(self.name)
        before = self.ours.snapshot()
        said = self.push(*args)
        assert said.code != 0, said.text
        assert by in said.text
        assert "Traceback" not in said.text
        assert git(self.hub, "for-each-ref") == refs
        assert self.server.objects(self.name) == objects
        assert self.ours.snapshot() == before
        return said.text

    def digests(self) -> set[str]:
        """Return the ids of the artifacts of every version of fraud."""
        return {
            artifact["sha256"].removeprefix("sha256:")
            for row in self.ours.do("list", "fraud")["versions"]
            for artifact in self.ours.do("show", f"fraud@{row['version']}")["artifacts"]
        }


@pytest.fixture
def hosted(bench: Workbench, server: LfsServer, tmp_path: Path) -> Hosted:
    """Return a registry with fraud@1.0.0 in dev, all of it pushed, with hooks."""
    made = Hosted(bench, make_hub(tmp_path / "hub.git"), server, tmp_path.name)
    bench.git("remote", "add", "origin", made.hub)
    bench.git("config", "lfs.url", server.url(tmp_path.name))
    bench.git("config", "--global", "lfs.transfer.maxRetries", "1")
    bench.register()
    bench.promote("fraud@1.0.0", "dev")
    bench.do("hooks", "install")
    said = made.push()
    assert said.code == 0, said.text
    return made


def _break(bench: Workbench) -> str:
    """Move a pin by hand, past the hooks; return the commit."""
    data = (bench.path / PIN).read_bytes()
    stage(bench, PIN, data.replace(b"1.0.0", b"9.9.9"))
    bench.git("commit", "-qnm", "by hand")
    return bench.git("rev-parse", "HEAD")


def test_a_plain_push_takes_the_bytes_along(hosted: Hosted) -> None:
    """Not even git-lfs has a hook in this clone."""
    assert hosted.tip() == hosted.ours.git("rev-parse", "HEAD")
    assert hosted.server.objects(hosted.name) == hosted.digests()
    hosted.ours.register(version="1.1.0")
    hosted.ours.promote("fraud@1.1.0", "dev")
    said = hosted.push()
    assert said.code == 0, said.text
    assert "gitmodel" not in said.text
    assert hosted.server.objects(hosted.name) == hosted.digests()
    assert len(hosted.digests()) == 2


def test_the_hook_of_git_lfs_runs_as_well(hosted: Hosted) -> None:
    ours = hosted.ours
    ours.do("hooks", "uninstall")
    ours.git("lfs", "install", "--local", "--force")
    rows = {row["hook"]: row for row in ours.do("hooks", "install")["hooks"]}
    assert rows["pre-push"]["other"] == "git-lfs"
    ours.register(version="1.1.0")
    assert hosted.push().code == 0
    assert hosted.server.objects(hosted.name) == hosted.digests()


def test_nothing_to_push_is_nothing_to_check(hosted: Hosted) -> None:
    assert hosted.push().code == 0


def test_an_illegal_commit_does_not_leave(hosted: Hosted) -> None:
    hosted.ours.register(version="1.1.0")
    bad = _break(hosted.ours)
    stage(hosted.ours, "README.md", b"and a good one\n")
    hosted.ours.git("commit", "-qm", "docs")
    said = hosted.refused()
    assert f"{PIN}: pin and log must move together" in said
    assert f"(commit {bad[:12]})" in said
    assert f"-> git reset --keep {bad[:12]}~1" in said
    # And that command helps.
    hosted.ours.git("reset", "-q", "--keep", f"{bad[:12]}~1")
    assert hosted.push().code == 0


def test_a_revert_past_the_hooks_does_not_leave(hosted: Hosted) -> None:
    hosted.ours.register(version="1.1.0")
    hosted.ours.promote("fraud@1.1.0", "dev")
    hosted.ours.git("-c", "core.hooksPath=/dev/null", "revert", "--no-edit", "HEAD")
    said = hosted.refused()
    assert "log/dev/fraud/2.yaml: it was deleted. [E_APPEND_ONLY]" in said
    assert "-> gitmodel rollback fraud dev -m REASON" in said


def test_history_is_not_rewritten(hosted: Hosted) -> None:
    hosted.ours.git("commit", "-q", "--amend", "--no-edit", "--date=2020-01-01T00:00Z")
    said = hosted.refused("--force", "origin", "main")
    assert "E_FORCE_PUSH" in said
    assert "-> git fetch origin" in said


def test_the_branch_of_the_registry_is_not_deleted(hosted: Hosted) -> None:
    said = hosted.refused("--delete", "origin", "main")
    assert "main of origin holds the registry, and cannot be deleted" in said
    hosted.ours.git("branch", "other")
    assert hosted.push("origin", "other").code == 0
    assert hosted.push("--delete", "origin", "other").code == 0


def test_a_merge_the_wrong_way_round_does_not_leave(hosted: Hosted) -> None:
    """What was main would be the second parent, and never judged again."""
    ours = hosted.ours
    stage(ours, "a", b"a\n")
    ours.git("commit", "-qm", "theirs")
    assert hosted.push().code == 0
    ours.git("switch", "-qc", "feature", "HEAD~1")
    stage(ours, "b", b"b\n")
    ours.git("commit", "-qm", "ours")
    ours.git("merge", "-q", "--no-edit", "main")
    ours.git("branch", "-qM", "main")
    said = hosted.refused()
    assert "E_FIRST_PARENT" in said
    _as_told(hosted, said)
    assert git(hosted.hub, "show", "main:a") == "a"
    assert git(hosted.hub, "show", "main:b") == "b"


def _as_told(hosted: Hosted, said: str) -> None:
    """Run the command of a refusal, after which the remote has it all."""
    lines = [
        line.partition("-> ")[2] for line in said.splitlines() if "    -> " in line
    ]
    assert lines == ["gitmodel sync"]
    hosted.ours.do("sync")
    assert hosted.tip() == hosted.ours.git("rev-parse", "HEAD")


def test_what_others_pushed_is_fetched_first(hosted: Hosted, tmp_path: Path) -> None:
    theirs = clone(hosted.hub, tmp_path / "theirs", hosted.ours.outside)
    (theirs.path / "note").write_text("x\n")
    theirs.git("add", "note")
    theirs.git("commit", "-qm", "theirs")
    theirs.git("push", "-q", "origin", "main")
    stage(hosted.ours, "mine", b"y\n")
    hosted.ours.git("commit", "-qm", "mine")
    said = hosted.refused()
    assert "main of origin has commits that this clone has not" in said
    _as_told(hosted, said)
    assert hosted.ours.verify("--history") == (0, [])


def test_other_branches_are_peoples_own(hosted: Hosted) -> None:
    hosted.ours.git("switch", "-qc", "experiment")
    _break(hosted.ours)
    assert hosted.push("origin", "experiment").code == 0
    assert hosted.push("origin", "HEAD~1:refs/tags/fraud-v1").code == 0
    hosted.refused("origin", "experiment:main")


def test_a_remote_may_be_a_path_that_has_no_name(hosted: Hosted) -> None:
    hosted.ours.git("remote", "remove", "origin")
    hosted.ours.register(version="1.1.0")
    said = hosted.push(str(hosted.hub), "main")
    assert said.code == 0, said.text
    assert hosted.server.objects(hosted.name) == hosted.digests()
    _break(hosted.ours)
    hosted.refused(str(hosted.hub), "main")


def test_protected_branches_can_be_named(hosted: Hosted) -> None:
    hosted.ours.git("config", "--add", "gitmodel.protected", "release/*")
    _break(hosted.ours)
    hosted.refused("origin", "main:release/1")
    assert hosted.push("origin", "main").code == 0


def test_a_good_ref_does_not_carry_a_bad_one(hosted: Hosted) -> None:
    hosted.ours.git("branch", "good")
    _break(hosted.ours)
    hosted.refused("origin", "good", "main")
    assert hosted.tip("good") == ""


def test_altered_bytes_do_not_leave(hosted: Hosted) -> None:
    hosted.ours.register(version="1.1.0")
    hosted.ours.tamper("fraud@1.1.0")
    said = hosted.refused(by="Error: ")
    assert "has been altered" in said


def test_bytes_that_nobody_has_stop_the_push(hosted: Hosted) -> None:
    hosted.ours.register(version="1.1.0")
    [artifact] = hosted.ours.do("show", "fraud@1.1.0")["artifacts"]
    hosted.ours.object_path(artifact["sha256"]).unlink()
    said = hosted.refused(by="neither here nor on origin")
    assert "Hint: git lfs fetch --all" in said


def test_bytes_that_only_the_remote_has_need_not_be_here(hosted: Hosted) -> None:
    ours = hosted.ours
    ours.git("switch", "-qc", "feature")
    ours.register(version="1.1.0")
    assert hosted.push("origin", "feature").code == 0
    [artifact] = ours.do("show", "fraud@1.1.0")["artifacts"]
    ours.object_path(artifact["sha256"]).unlink()
    ours.git("switch", "-q", "main")
    ours.git("merge", "-q", "--ff-only", "feature")
    said = hosted.push()
    assert said.code == 0, said.text


def test_bytes_are_brought_even_if_a_branch_went_ahead_without_them(
    hosted: Hosted,
) -> None:
    """git-lfs takes for granted that the remote has what its branches name."""
    ours = hosted.ours
    ours.git("switch", "-qc", "feature")
    ours.register(version="1.1.0")
    assert hosted.push("--no-verify", "origin", "feature").code == 0
    assert hosted.server.objects(hosted.name) != hosted.digests()
    ours.git("switch", "-q", "main")
    ours.git("merge", "-q", "--ff-only", "feature")
    assert hosted.push().code == 0
    assert hosted.server.objects(hosted.name) == hosted.digests()


def test_a_registry_cannot_send_the_bytes_elsewhere(hosted: Hosted) -> None:
    ours = hosted.ours
    ours.git("config", "--unset", "lfs.url")
    ours.register(version="1.1.0")
    stage(ours, ".lfsconfig", b"[lfs]\n\turl = http://127.0.0.1:1/evil\n")
    ours.git("commit", "-qnm", "by hand")
    assert "E_LFSCONFIG" in hosted.refused()
    ours.git("switch", "-qc", "feature")
    hosted.refused("origin", "feature", by="Error: .lfsconfig: it redirects LFS")


def test_gitmodel_pushes_without_the_hook(hosted: Hosted) -> None:
    """It does all of this itself, so nothing is judged or uploaded twice."""
    ours = hosted.ours
    hook = ours.path / ".git/hooks/pre-push"
    hook.write_text("#!/bin/sh\nexit 1\n")
    ours.register(version="1.1.0")
    ours.do("promote", "fraud@1.1.0", "dev", "--push")
    assert hosted.tip() == ours.git("rev-parse", "HEAD")
    assert hosted.server.objects(hosted.name) == hosted.digests()


def test_what_git_never_writes_is_refused(hosted: Hosted, tmp_path: Path) -> None:
    hook = hosted.ours.path / ".git/hooks/pre-push"
    nonsense = tmp_path / "nonsense"
    nonsense.write_text("refs/heads/main zzz refs/heads/main\n")
    said = plain_git(
        hosted.ours.path, "-c", f"alias.x=!'{hook}' origin url < '{nonsense}'", "x"
    )
    assert said.code == 2
    assert "This is not what git writes to a pre-push hook" in said.text
