"""Artifacts on LFS servers and in other clones, with the stock client beside us."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from tests.support.lfs_server import LfsServer, serving
from tests.support.refusals import refusal
from tests.support.remotes import clone, digests, make_hub, objects_in, stored
from tests.support.workbench import Workbench, git

if TYPE_CHECKING:
    from collections.abc import Iterator


NOBODY_LISTENS = "http://127.0.0.1:1/"
VERSIONS = ("fraud@1.0.0", "fraud@1.1.0")


@pytest.fixture(scope="session")
def lfs_server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[LfsServer]:
    root = tmp_path_factory.mktemp("lfs-server")
    (root / "storage").mkdir()
    with serving(root / "storage") as server:
        yield server


@dataclass(frozen=True)
class Hosted:
    """A registry whose commits are in a bare repository, and bytes on a server."""

    ours: Workbench
    hub: Path
    server: LfsServer
    name: str

    @property
    def url(self) -> str:
        return self.server.url(self.name)

    def on_server(self) -> set[str]:
        return self.server.objects(self.name)

    def anyone(self, to: Path) -> Workbench:
        """Return a fresh clone without any artifact's bytes."""
        return clone(self.hub, to, self.ours.outside, "-c", f"lfs.url={self.url}")


@pytest.fixture
def hosted(bench: Workbench, lfs_server: LfsServer, tmp_path: Path) -> Hosted:
    """Return a registry of two versions with two files each, all of it pushed."""
    made = Hosted(bench, make_hub(tmp_path / "hub.git"), lfs_server, tmp_path.name)
    bench.git("remote", "add", "origin", made.hub)
    bench.git("config", "lfs.url", made.url)
    # A failure is a failure at once: git-lfs would try for half a minute.
    bench.git("config", "--global", "lfs.transfer.maxRetries", "1")
    for version in ("1.0.0", "1.1.0"):
        for name in ("model.bin", "tokenizer.json"):
            bench.file(f"{version}/{name}", f"{name} of {version}".encode())
        files = bench.outside / version
        bench.do("register", "fraud", files, "--version", version, "--no-capture")
        push = ("--push",) if version == "1.1.0" else ()
        bench.do("promote", f"fraud@{version}", "dev", *push)
    return made


def bytes_of(directory: Path) -> dict[str, bytes]:
    return {
        path.name: path.read_bytes() for path in (directory / "artifacts").iterdir()
    }


# --- a server -------------------------------------------------------------------------


def test_what_was_pushed_is_all_that_a_stock_client_needs(
    hosted: Hosted, tmp_path: Path
) -> None:
    # The versions were registered without --push; the promotion brought them along.
    assert hosted.on_server() == stored(hosted.ours) == digests(hosted.ours, *VERSIONS)
    hosted.ours.do("rollback", "fraud", "dev", "-m", "x", "--push")
    hosted.ours.git("lfs", "push", "--all", "origin")
    assert hosted.on_server() == stored(hosted.ours)
    anyone = hosted.anyone(tmp_path / "anyone")
    assert stored(anyone) == set()
    anyone.git("lfs", "fetch")
    assert stored(anyone) == hosted.on_server()
    assert anyone.git("lfs", "fsck") == "Git LFS fsck OK"
    anyone.git("lfs", "checkout")
    model = "models/fraud/versions/1.1.0/artifacts/model.bin"
    assert (anyone.path / model).read_bytes() == b"model.bin of 1.1.0"
    assert anyone.git("status", "--porcelain") == ""
    assert anyone.verify() == (0, [])


def test_a_version_that_a_stock_client_pushed_can_be_pulled(
    hosted: Hosted, tmp_path: Path
) -> None:
    hosted.ours.register(version="2.0.0")
    hosted.ours.git("lfs", "push", "origin", "main")
    hosted.ours.git("push", "-q", "origin", "main")
    anyone = hosted.anyone(tmp_path / "anyone")
    anyone.do("pull", "fraud@2.0.0", "-o", tmp_path / "out")
    assert bytes_of(tmp_path / "out") == {"model.bin": b"fraud 2.0.0"}


def test_a_clone_without_bytes_lacks_them_and_nothing_else(
    hosted: Hosted, tmp_path: Path
) -> None:
    anyone = hosted.anyone(tmp_path / "anyone")
    assert anyone.verify("--no-bytes") == (0, [])
    code, problems = anyone.verify()
    assert (code, set(problems)) == (1, {"E_ARTIFACT_MISSING"})
    assert len(problems) == 4


def test_pull_fetches_the_objects_of_its_version_and_no_others(
    hosted: Hosted, tmp_path: Path
) -> None:
    anyone = hosted.anyone(tmp_path / "anyone")
    # Settings that make a stock fetch take more, or nothing at all.
    anyone.git("config", "lfs.fetchRecentAlways", "true")
    anyone.git("config", "lfs.fetchRecentCommitsDays", "100")
    anyone.git("config", "lfs.fetchExclude", "*")
    result = anyone.do("pull", "fraud@1.0.0", "-o", tmp_path / "out")
    assert (result["status"], result["verified"]) == ("pulled", True)
    assert bytes_of(tmp_path / "out") == {
        "model.bin": b"model.bin of 1.0.0",
        "tokenizer.json": b"tokenizer.json of 1.0.0",
    }
    assert stored(anyone) == digests(anyone, "fraud@1.0.0")
    assert anyone.git("status", "--porcelain") == ""
    code, problems = anyone.verify("fraud@1.0.0")
    assert (code, problems) == (0, [])
    code, problems = anyone.verify()
    assert (code, problems) == (1, ["E_ARTIFACT_MISSING"] * 2)


def test_what_is_here_already_is_not_fetched_again(
    hosted: Hosted, tmp_path: Path
) -> None:
    anyone = hosted.anyone(tmp_path / "anyone")
    anyone.do("pull", "fraud@1.0.0", "-o", tmp_path / "out")
    anyone.git("config", "lfs.url", NOBODY_LISTENS)
    anyone.do("pull", "fraud@1.0.0", "-o", tmp_path / "again")
    assert bytes_of(tmp_path / "again") == bytes_of(tmp_path / "out")


def test_a_rollback_fetches_the_bytes_it_lacks_or_names_them(
    hosted: Hosted, tmp_path: Path
) -> None:
    anyone = hosted.anyone(tmp_path / "anyone")
    there = anyone.git("config", "lfs.url")
    anyone.git("config", "lfs.url", NOBODY_LISTENS)
    before = anyone.snapshot()
    rollback = ("rollback", "fraud", "dev", "-m", "1.1.0 is bad", "--push")
    answer = anyone.run("--json", *rollback)
    assert "fraud@1.0.0" in refusal(answer, 1, "E_ARTIFACT_MISSING")
    assert "gitmodel pull fraud@1.0.0" in answer.err
    assert anyone.snapshot() == before
    anyone.git("config", "lfs.url", there)
    assert anyone.do(*rollback)["to"] == "1.0.0"
    # Only the target's bytes were asked for, and none had to be uploaded again.
    assert stored(anyone) == digests(anyone, "fraud@1.0.0")
    assert git(hosted.hub, "rev-parse", "main") == anyone.git("rev-parse", "HEAD")


@dataclass(frozen=True)
class Trouble:
    """One way in which a server fails, and what pull makes of it."""

    exit_code: int
    code: str
    says: str


TROUBLES = {
    "other bytes": Trouble(4, "E_ARTIFACT_DIGEST", "other bytes"),
    "fewer bytes": Trouble(4, "E_ARTIFACT_DIGEST", "other bytes"),
    "no such object": Trouble(1, "E_ARTIFACT_MISSING", "does not have"),
    "one object missing": Trouble(1, "E_ARTIFACT_MISSING", "does not have"),
    "no such repository": Trouble(1, "E_ARTIFACT_MISSING", "does not have"),
    "down": Trouble(5, "E_LFS", "connection refused"),
}


def _make(trouble: str, hosted: Hosted, anyone: Workbench) -> None:
    objects = sorted(digests(anyone, "fraud@1.0.0"))
    paths = [hosted.server.object_path(hosted.name, each) for each in objects]
    match trouble:
        case "other bytes":
            paths[0].write_bytes(b"X" * paths[0].stat().st_size)
        case "fewer bytes":
            paths[0].write_bytes(b"X")
        case "no such object":
            for path in paths:
                path.unlink()
        case "one object missing":
            paths[1].unlink()
        case "no such repository":
            anyone.git("config", "lfs.url", hosted.server.url("nobody"))
        case _:
            anyone.git("config", "lfs.url", NOBODY_LISTENS)


@pytest.mark.parametrize("trouble", TROUBLES)
def test_a_pull_that_the_server_spoils_says_how_and_leaves_nothing(
    trouble: str, hosted: Hosted, tmp_path: Path
) -> None:
    anyone = hosted.anyone(tmp_path / "anyone")
    _make(trouble, hosted, anyone)
    (tmp_path / "place").mkdir()
    before = anyone.snapshot()
    pull = ("pull", "fraud@1.0.0", "-o", tmp_path / "place/out")
    expected = TROUBLES[trouble]
    message = refusal(anyone.run("--json", *pull), expected.exit_code, expected.code)
    assert expected.says in message
    assert list((tmp_path / "place").iterdir()) == []
    after = anyone.snapshot()
    assert (after.refs, after.files, after.staged) == (
        before.refs,
        before.files,
        before.staged,
    )
    # What came may stay, if it is what it should be.
    assert stored(anyone) <= digests(anyone, "fraud@1.0.0")
    assert "E_ARTIFACT_DIGEST" not in anyone.verify()[1]
    # And when the server is well again, the same command succeeds.
    for path in hosted.server.storage.glob(f"tests/{hosted.name}/*"):
        path.unlink()
    hosted.ours.git("lfs", "push", "--all", "origin")
    anyone.git("config", "lfs.url", hosted.url)
    assert anyone.do(*pull)["verified"]


def test_a_push_to_a_server_that_is_down_changes_nothing(hosted: Hosted) -> None:
    hosted.ours.register(version="2.0.0")
    tip = git(hosted.hub, "rev-parse", "main")
    hosted.ours.git("config", "lfs.url", NOBODY_LISTENS)
    before = hosted.ours.snapshot()
    promote = ("promote", "fraud@2.0.0", "dev", "--push")
    message = refusal(hosted.ours.run("--json", *promote), 5, "E_LFS")
    assert "connection refused" in message
    assert hosted.ours.snapshot() == before
    assert git(hosted.hub, "rev-parse", "main") == tip
    hosted.ours.git("config", "lfs.url", hosted.url)
    hosted.ours.do(*promote)
    assert hosted.on_server() == stored(hosted.ours)


# --- no server ------------------------------------------------------------------------


@pytest.fixture
def shared(bench: Workbench, tmp_path: Path) -> Path:
    """Return a bare repository on this disk with commits and bytes of two versions."""
    hub = make_hub(tmp_path / "hub.git")
    bench.git("remote", "add", "origin", hub.as_uri())
    bench.register(version="1.0.0")
    bench.register(version="1.1.0")
    bench.do("promote", "fraud@1.0.0", "dev", "--push")
    return hub


def test_a_file_remote_shares_its_objects_and_a_damage_is_seen_on_both_sides(
    bench: Workbench, shared: Path, tmp_path: Path
) -> None:
    [digest] = digests(bench, "fraud@1.0.0")
    ours = bench.object_path(digest)
    theirs = shared / "lfs/objects" / digest[:2] / digest[2:4] / digest
    assert theirs.samefile(ours)  # git-lfs links them
    theirs.chmod(0o644)
    theirs.write_bytes(b"X" * theirs.stat().st_size)
    assert bench.verify() == (4, ["E_ARTIFACT_DIGEST"])
    anyone = clone(shared.as_uri(), tmp_path / "anyone", bench.outside)
    answer = anyone.run("--json", "pull", "fraud@1.0.0", "-o", tmp_path / "out")
    refusal(answer, 4, "E_ARTIFACT_DIGEST")
    assert not (tmp_path / "out").exists()
    theirs.unlink()
    answer = anyone.run("--json", "pull", "fraud@1.0.0", "-o", tmp_path / "out")
    refusal(answer, 1, "E_ARTIFACT_MISSING")
    assert stored(anyone) == set()


def test_a_pulled_file_can_be_edited_without_harm_to_any_store(
    bench: Workbench, shared: Path, tmp_path: Path
) -> None:
    bench.do("pull", "fraud@1.0.0", "-o", tmp_path / "out")
    pulled = tmp_path / "out/artifacts/model.bin"
    pulled.chmod(0o644)
    with pulled.open("r+b") as file:
        file.write(b"X")
    assert bench.verify() == (0, [])
    anyone = clone(shared.as_uri(), tmp_path / "anyone", bench.outside, smudge=True)
    assert anyone.verify() == (0, [])


def test_registering_the_same_bytes_again_heals_only_this_clone(
    bench: Workbench, shared: Path
) -> None:
    [digest] = digests(bench, "fraud@1.0.0")
    theirs = shared / "lfs/objects" / digest[:2] / digest[2:4] / digest
    bench.object_path(digest).chmod(0o644)
    bench.object_path(digest).write_bytes(b"X" * theirs.stat().st_size)
    file = bench.file("again/model.bin", b"fraud 1.0.0")
    bench.do("register", "copy", file, "--no-capture")
    assert bench.verify() == (0, [])
    assert not theirs.samefile(bench.object_path(digest))


@pytest.mark.parametrize("setting", ["../../lfs-disk", "{root}/elsewhere"])
def test_a_clone_with_its_store_elsewhere_uses_it_for_everything(
    setting: str, bench: Workbench, shared: Path, tmp_path: Path
) -> None:
    anyone = clone(shared.as_uri(), tmp_path / "anyone", bench.outside)
    anyone.git("config", "lfs.storage", setting.replace("{root}", str(tmp_path)))
    [media] = [
        line.partition("=")[2]
        for line in anyone.git("lfs", "env").splitlines()
        if line.startswith("LocalMediaDir=")
    ]
    anyone.do("pull", "fraud@1.0.0", "-o", tmp_path / "out")
    file = anyone.file("two/model.bin", b"two")
    anyone.do("register", "fraud", file, "--version", "2.0.0", "--no-capture", "--push")
    assert objects_in(Path(media).parent) == digests(
        anyone, "fraud@1.0.0", "fraud@2.0.0"
    )
    assert stored(anyone) == set()
    assert anyone.verify() == (1, ["E_ARTIFACT_MISSING"])
    anyone.git("lfs", "fetch")
    assert anyone.git("lfs", "fsck") == "Git LFS fsck OK"
    assert anyone.verify() == (0, [])
    bench.git("pull", "-q", "--ff-only", "origin", "main")
    bench.do("pull", "fraud@2.0.0", "-o", tmp_path / "out2")
    assert bytes_of(tmp_path / "out2") == {"model.bin": b"two"}


def test_a_linked_worktree_shares_store_branches_and_remote(
    bench: Workbench, shared: Path, tmp_path: Path
) -> None:
    anyone = clone(shared.as_uri(), tmp_path / "anyone", bench.outside)
    skip = ("-c", "filter.lfs.process=git-lfs filter-process --skip")
    anyone.git(*skip, "worktree", "add", "-q", "-b", "side", tmp_path / "side")
    side = Workbench(tmp_path / "side", bench.outside)
    side.do("pull", "fraud@1.0.0", "-o", tmp_path / "out")
    assert stored(anyone) == digests(anyone, "fraud@1.0.0")
    assert side.verify("fraud@1.0.0") == (0, [])
    side.do("promote", "fraud@1.0.0", "staging", "--push")
    assert git(shared, "rev-parse", "side") == side.git("rev-parse", "HEAD")
    assert side.git("status", "--porcelain") == ""
    assert anyone.git("status", "--porcelain") == ""
    assert anyone.live("fraud", "staging") is None


def test_a_mirror_gives_out_and_proves_versions_without_a_work_tree(
    bench: Workbench, shared: Path, tmp_path: Path
) -> None:
    git(tmp_path, "clone", "-q", "--mirror", shared.as_uri(), tmp_path / "mirror.git")
    mirror = Workbench(tmp_path / "mirror.git", bench.outside)
    assert mirror.verify("--no-bytes") == (0, [])
    assert mirror.verify() == (1, ["E_ARTIFACT_MISSING"] * 2)
    mirror.do("pull", "fraud#dev", "-o", tmp_path / "out")
    assert bytes_of(tmp_path / "out") == {"model.bin": b"fraud 1.0.0"}
    assert objects_in(mirror.path / "lfs") == digests(bench, "fraud@1.0.0")
    assert mirror.verify() == (1, ["E_ARTIFACT_MISSING"])
    mirror.git("lfs", "fetch", "--all")
    assert mirror.verify() == (0, [])
    refusal(mirror.run("--json", "promote", "fraud@1.1.0", "dev"), 1, "E_BARE")


def test_the_hub_itself_can_be_read_where_it_stands(
    bench: Workbench, shared: Path, tmp_path: Path
) -> None:
    here = Workbench(shared, bench.outside)
    before = {path: path.stat().st_mtime_ns for path in shared.rglob("*")}
    assert here.verify() == (0, [])
    assert here.do("pull", "fraud@1.1.0", "-o", tmp_path / "out")["verified"]
    assert {path: path.stat().st_mtime_ns for path in shared.rglob("*")} == before
