"""Checkpoints: forks, rewritten and frozen registries, and shallow clones."""

from __future__ import annotations

import json
import shutil
from datetime import timedelta
from typing import TYPE_CHECKING, Any

import pytest

from gitmodel.adapters.signing import keys
from gitmodel.domain.checkpoint import Checkpoint
from gitmodel.operations.checkpoint import verify_checkpoints
from gitmodel.operations.verify import verify as verify_registry
from gitmodel.registry import checkpoints
from tests.support.cli import gitmodel
from tests.support.clocks import opened_after
from tests.support.contract import ANSWERS
from tests.support.json_keys import deviations
from tests.support.workbench import Workbench, git

if TYPE_CHECKING:
    from pathlib import Path

    from tests.support.remotes import Team


def create(bench: Workbench, name: str = "checkpoint.json") -> Path:
    path = bench.outside / name
    bench.do("checkpoint", "create", "-o", path)
    return path


def verify(bench: Workbench, *files: Path) -> tuple[int, list[str]]:
    answer = bench.run("--json", "checkpoint", "verify", *files)
    found = answer.json["checkpoints"]
    return answer.code, [p["code"] for one in found for p in one["problems"]]


def forget(bench: Workbench) -> None:
    """Make the clone one that has seen nothing before."""
    shutil.rmtree(bench.path / ".git/gitmodel", ignore_errors=True)


def fork(bench: Workbench) -> Workbench:
    """Return a copy whose newest commit is another one, by the same owner's key."""
    other = bench.copy(bench.outside / "fork")
    other.git("reset", "-q", "--hard", "HEAD~1")
    forget(other)
    other.register(version="6.6.6")
    return other


@pytest.fixture
def live(bench: Workbench) -> Workbench:
    bench.register()
    bench.promote("fraud@1.0.0", "dev")
    return bench


def test_a_checkpoint_says_what_the_registry_is(live: Workbench) -> None:
    result = live.do("checkpoint", "create", "--expires", "12h")
    said = result["checkpoint"]
    assert said["commit"] == live.git("rev-parse", "HEAD")
    assert said["seq"] == int(live.git("rev-list", "--count", "--first-parent", "HEAD"))
    [tip] = said["chains"]
    assert (tip["stage"], tip["model"], tip["seq"]) == ("dev", "fraud", 1)
    assert result["signer"] == "ada"
    assert live.git("status", "--porcelain") == "", "it is not in the tree"
    assert list((live.path / ".git/gitmodel/checkpoints").glob("*.json"))


def test_it_holds_for_a_fresh_clone_and_for_what_came_later(live: Workbench) -> None:
    file = create(live)
    live.promote("fraud@1.0.0", "staging")
    git(live.outside, "clone", "-q", live.path, "clone")
    clone = Workbench(live.outside / "clone", live.outside)
    assert verify(clone, file) == (0, [])
    assert clone.verify("--checkpoint", str(file), "--no-bytes") == (0, [])


def test_the_next_one_names_the_one_before(live: Workbench) -> None:
    first = live.do("checkpoint", "create")["checkpoint"]
    live.promote("fraud@1.0.0", "staging")
    second = live.do("checkpoint", "create")["checkpoint"]
    assert first["prior"] is None
    assert second["prior"] is not None
    assert second["seq"] == first["seq"] + 1


def test_a_rewritten_branch_does_not_come_from_it(live: Workbench) -> None:
    """Attack: a fork made with good keys, served to somebody who never saw better."""
    file = create(live)
    other = fork(live)
    assert other.verify("--history", "--full", "--no-bytes") == (0, [])
    assert verify(other, file) == (4, ["E_CHECKPOINT_NOT_ANCESTOR"])
    assert other.verify("--no-bytes", "--checkpoint", str(file)) == (
        4,
        ["E_CHECKPOINT_NOT_ANCESTOR"],
    )


def test_two_truths_about_one_place_in_history_are_equivocation(
    live: Workbench,
) -> None:
    file = create(live)
    theirs = create(fork(live), "theirs.json")
    forget(live)
    code, problems = verify(live, file, theirs)
    assert code == 4
    assert problems.count("E_EQUIVOCATION") == 2


def test_what_a_clone_remembers_is_enough_to_see_equivocation(live: Workbench) -> None:
    file = create(live)
    theirs = create(fork(live), "theirs.json")
    assert verify(live, file) == (0, [])
    code, problems = verify(live, theirs)
    assert code == 4
    assert "E_EQUIVOCATION" in problems


def test_a_frozen_mirror_is_noticed_when_its_checkpoint_expires(
    live: Workbench,
) -> None:
    file = create(live)
    with opened_after(live, timedelta(days=6)) as handle:
        assert verify_checkpoints(handle, [file])[0].problems == ()
        [result] = verify_checkpoints(handle, [file], max_age=timedelta(days=5))
        assert [problem.code for problem in result.problems] == ["E_FROZEN"]
    with opened_after(live, timedelta(days=8)) as handle:
        [result] = verify_checkpoints(handle, [file])
        assert [problem.code for problem in result.problems] == ["E_FROZEN"]


def test_only_an_auditor_or_a_root_may_sign_one(live: Workbench) -> None:
    key = live.outside / "bob"
    assert gitmodel("key", "new", "--out", key).code == 0
    live.do("policy", "add-principal", "bob", "--key", f"{key}.pub",
            "--role", "publisher")  # fmt: skip
    file = live.outside / "bobs.json"
    answer = gitmodel("--json", "--key", key, "checkpoint", "create", "-o", file,
                      cwd=live.path)  # fmt: skip
    assert (answer.code, answer.json["error"]["code"]) == (3, "E_ROLE")
    assert not file.exists()
    live.do("policy", "grant", "bob", "auditor")
    made = gitmodel("--key", key, "checkpoint", "create", "-o", file, cwd=live.path)
    assert made.code == 0
    assert verify(live, file) == (0, [])


def test_one_signed_by_a_key_of_nobody_does_not_count(live: Workbench) -> None:
    said = live.do("checkpoint", "create")["checkpoint"]
    forget(live)
    key = live.outside / "eve"
    assert gitmodel("key", "new", "--out", key).code == 0
    file = live.outside / "eves.json"
    signer = keys.load(key, lambda: None)
    honest = Checkpoint.from_document(said)
    file.write_bytes(checkpoints.sign(signer, honest, "auditor").data)
    assert verify(live, file) == (4, ["E_UNTRUSTED_KEY"])


def test_another_checkpoints_signature_is_none_of_this_one(live: Workbench) -> None:
    file = create(live)
    live.promote("fraud@1.0.0", "staging")
    other = json.loads(create(live, "later.json").read_text())
    forget(live)
    bundle = json.loads(file.read_text())
    taken = other["dsseEnvelope"]["signatures"][0]["sig"]
    bundle["dsseEnvelope"]["signatures"][0]["sig"] = taken
    file.write_text(json.dumps(bundle))
    assert verify(live, file) == (4, ["E_SIGNATURE"])


def test_verify_says_how_old_the_checkpoint_may_be(live: Workbench) -> None:
    file = create(live)
    fresh = ("--no-bytes", "--checkpoint", str(file), "--max-age", "1h")
    assert live.verify(*fresh) == (0, [])
    with opened_after(live, timedelta(days=5)) as handle:
        for allowed, codes in ((6, []), (4, ["E_FROZEN"])):
            result = verify_registry(
                handle,
                hash_bytes=False,
                checkpoint=file,
                max_age=timedelta(days=allowed),
            )
            assert [problem.code for problem in result.problems] == codes
    alone = live.run("--json", "verify", "--max-age", "7d")
    assert (alone.code, alone.json["error"]["code"]) == (2, "E_USAGE")


def test_a_checkpoint_is_published_and_fetched(team: Team, tmp_path: Path) -> None:
    ours, file = team.ours, tmp_path / "got.json"
    none = team.theirs.run("--json", "checkpoint", "fetch", "-o", file)
    assert (none.code, none.json["error"]["code"]) == (1, "E_NOT_FOUND")
    before = team.tip()
    first = ours.do("checkpoint", "create", "--push")
    assert first["published"].startswith("refs/gitmodel/checkpoints/")
    ours.promote("fraud@1.1.0", "dev")
    ours.git("push", "-q", "origin", "main")
    second = ours.do("checkpoint", "create", "--push")
    assert git(team.hub, "rev-list", "--count", f"{before}..main") == "1"
    got = team.theirs.do("checkpoint", "fetch", "-o", file)
    assert deviations(got, ANSWERS["checkpoint fetch"]) == []
    assert (got["seq"], got["commit"]) == (second["seq"], second["commit"])
    assert (got["signer"], got["path"]) == ("ada", str(file))
    # The clone itself stands still, as behind a stale mirror.
    assert verify(team.theirs, file) == (4, ["E_CHECKPOINT_NOT_ANCESTOR"])
    team.theirs.git("pull", "-q", "--ff-only")
    assert team.theirs.verify("--no-bytes", "--checkpoint", str(file)) == (0, [])


def test_what_the_remote_has_not_got_is_not_published(team: Team) -> None:
    team.ours.promote("fraud@1.1.0", "dev")
    before = git(team.hub, "for-each-ref")
    answer = team.ours.run("--json", "checkpoint", "create", "--push")
    assert (answer.code, answer.json["error"]["code"]) == (1, "E_CONFLICT")
    assert git(team.hub, "for-each-ref") == before
    assert not (team.ours.path / ".git/gitmodel/checkpoints").exists()


def test_what_others_leave_beside_the_published_ones_is_not_fetched(
    team: Team, tmp_path: Path
) -> None:
    good = team.ours.do("checkpoint", "create", "--push")
    key = tmp_path / "eve"
    assert gitmodel("key", "new", "--out", key).code == 0
    lie = Checkpoint.from_document({**good["checkpoint"], "seq": 4000})
    kept = checkpoints.sign(keys.load(key, lambda: None), lie, "auditor")
    (tmp_path / "eves.json").write_bytes(kept.data)
    (tmp_path / "junk").write_bytes(b"{")
    for name, seq in (("eves.json", 4000), ("junk", 5000)):
        oid = git(team.hub, "hash-object", "-w", tmp_path / name)
        git(team.hub, "update-ref", f"refs/gitmodel/checkpoints/{seq}-0", oid)
    got = team.theirs.do("checkpoint", "fetch", "-o", tmp_path / "got.json")
    assert got["checkpoint"] == good["checkpoint"]


def test_019_a_mirror_that_stands_still_is_noticed(team: Team, tmp_path: Path) -> None:
    """The mirror serves what was true once: every signature in it is good."""
    team.ours.do("checkpoint", "create", "--push", "--expires", "2w")
    mirror = tmp_path / "mirror.git"
    git(tmp_path, "clone", "-q", "--mirror", team.hub, mirror)
    team.ours.promote("fraud@1.1.0", "dev")
    team.ours.git("push", "-q", "origin", "main")
    team.theirs.git("remote", "set-url", "origin", str(mirror))
    team.theirs.git("pull", "-q")
    assert team.theirs.verify("--history", "--no-bytes") == (0, [])
    file = tmp_path / "got.json"
    team.theirs.do("checkpoint", "fetch", "-o", file)
    for days, max_age, codes in (
        (3, 4, []),
        (5, 4, ["E_FROZEN"]),
        (15, None, ["E_FROZEN"]),
    ):
        with opened_after(team.theirs, timedelta(days=days)) as handle:
            allowed = None if max_age is None else timedelta(days=max_age)
            found = verify_registry(
                handle, hash_bytes=False, checkpoint=file, max_age=allowed
            )
        assert [problem.code for problem in found.problems] == codes


def test_020_two_published_truths_about_one_place_are_equivocation(
    team: Team, tmp_path: Path
) -> None:
    """The remote shows two clones different branches; what they publish meets there."""
    team.ours.promote("fraud@1.1.0", "dev")
    team.ours.git("push", "-q", "origin", "main")
    team.ours.do("checkpoint", "create", "--push")
    before = git(team.hub, "rev-parse", "main~1")
    git(team.hub, "update-ref", "refs/heads/main", before)
    team.theirs.do("promote", "fraud@1.0.0", "staging", "--push")
    file = tmp_path / "theirs.json"
    team.theirs.do("checkpoint", "create", "--push", "-o", file)
    assert verify(team.theirs, file) == (0, [])
    team.theirs.do("checkpoint", "fetch", "-o", tmp_path / "got.json")
    code, problems = verify(team.theirs, file)
    assert (code, problems) == (4, ["E_EQUIVOCATION"])


@pytest.mark.parametrize(
    ("field", "value"),
    [("seq", 1), ("tree", "sha256:" + "0" * 64), ("chains", []), ("seq", 4000)],
)
def test_a_signed_lie_about_a_commit_is_named(
    live: Workbench, field: str, value: Any
) -> None:
    """An auditor's key signs something else than what the commit is."""
    honest = live.do("checkpoint", "create")["checkpoint"]
    forget(live)
    file = live.outside / "lie.json"
    with opened_after(live, timedelta()) as handle:
        lie = Checkpoint.from_document({**honest, field: value})
        file.write_bytes(checkpoints.sign(handle.signer, lie, "auditor").data)
    assert verify(live, file) == (4, ["E_CHECKPOINT"])


def test_a_checkpoint_of_another_registry_says_nothing_here(live: Workbench) -> None:
    place = live.outside / "other"
    assert gitmodel("init", "--principal", "ada", place).code == 0
    other = Workbench(place, live.outside)
    code, problems = verify(live, create(other))
    assert (code, problems) == (4, ["E_OTHER_POLICY"])


def test_what_is_no_checkpoint_is_refused(live: Workbench) -> None:
    junk = live.file("junk.json", b"{}")
    answer = live.run("--json", "checkpoint", "verify", junk)
    assert (answer.code, answer.json["error"]["code"]) == (4, "E_CHECKPOINT")
    [signature] = (live.path / "log/dev/fraud").glob("*.sigstore.json")
    answer = live.run("--json", "checkpoint", "verify", signature)
    assert (answer.code, answer.json["error"]["code"]) == (4, "E_CHECKPOINT")
    assert live.run("checkpoint", "verify", live.outside / "none").code == 1
    assert live.run("checkpoint", "create", "--expires", "7 days").code == 2


def test_a_shallow_clone_is_verified_from_a_checkpoint_on(live: Workbench) -> None:
    file = create(live)
    live.promote("fraud@1.0.0", "staging")
    url = f"file://{live.path}"
    git(live.outside, "clone", "-q", "--depth", "2", url, "shallow")
    shallow = Workbench(live.outside / "shallow", live.outside)
    code, problems = shallow.verify("--history", "--no-bytes")
    assert code != 0
    assert "E_SHALLOW" in problems
    answer = shallow.run(
        "--json", "verify", "--history", "--no-bytes", "--checkpoint", file
    )
    assert (answer.code, answer.json["problems"]) == (0, [])
    assert answer.json["steps"] == 1
    refused = shallow.run("--json", "checkpoint", "create")
    assert (refused.code, refused.json["error"]["code"]) == (1, "E_SHALLOW")


def test_a_shallow_clone_without_the_commit_cannot_be_verified(
    live: Workbench,
) -> None:
    file = create(live)
    live.promote("fraud@1.0.0", "staging")
    url = f"file://{live.path}"
    git(live.outside, "clone", "-q", "--depth", "1", url, "shallow")
    shallow = Workbench(live.outside / "shallow", live.outside)
    code, problems = shallow.verify("--no-bytes", "--checkpoint", str(file))
    assert code == 1
    assert set(problems) == {"E_SHALLOW"}


def test_a_step_after_the_checkpoint_is_still_judged(live: Workbench) -> None:
    file = create(live)
    live.commit_file("stages/dev/fraud.yaml", None)
    url = f"file://{live.path}"
    git(live.outside, "clone", "-q", "--depth", "2", url, "shallow")
    shallow = Workbench(live.outside / "shallow", live.outside)
    code, problems = shallow.verify(
        "--history", "--no-bytes", "--checkpoint", str(file)
    )
    assert code == 4
    assert "E_TRANSITION_UNRECORDED" in problems


def test_a_checkpoint_outlives_the_key_that_signed_it(live: Workbench) -> None:
    """The policy at its commit entitles the signer, not the policy of today."""
    file = create(live)
    new = live.outside / "new"
    assert gitmodel("key", "new", "--out", new).code == 0
    old = live.do("key", "show")["keyid"]
    live.do("policy", "add-principal", "ada", "--key", f"{new}.pub")
    gone = gitmodel("--key", new, "policy", "remove-principal", "ada", "--key",
                    old[:8], cwd=live.path)  # fmt: skip
    assert gone.code == 0
    assert verify(live, file) == (0, [])
    refused = live.run("--json", "checkpoint", "create")
    assert (refused.code, refused.json["error"]["code"]) == (3, "E_UNTRUSTED_KEY")
