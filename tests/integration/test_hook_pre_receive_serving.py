"""A server that judges: what is legal lands, by every way that git has to get there."""

from __future__ import annotations

import json
import shutil
import subprocess
from typing import TYPE_CHECKING

import pytest

from tests.support import gitolite, http_git, transcript
from tests.support.contract import ANSWERS
from tests.support.forgery import pin_of
from tests.support.json_keys import deviations
from tests.support.remotes import make_hub
from tests.support.served import Served
from tests.support.terminal import ROOT
from tests.support.workbench import Workbench, git

if TYPE_CHECKING:
    from pathlib import Path

PIN = "stages/dev/fraud.yaml"


def test_the_verbs_push_what_they_make(served: Served) -> None:
    ours = served.ours
    file = ours.file("model.bin", b"third")
    made = ("register", "fraud", file, "--version", "3.0.0", "--no-capture", "--push")
    for command in (
        made,
        ("promote", "fraud@3.0.0", "dev", "--push"),
        ("promote", "fraud@3.0.0", "staging", "--push"),
        ("rollback", "fraud", "dev", "-m", "worse", "--push"),
    ):
        assert ours.do(*command)["commit"] == served.tip()
    served.ask_for_approval()
    assert served.tip() == ours.git("rev-parse", "HEAD")
    assert served.refusals() == []


def test_a_request_is_approved_and_landed(served: Served) -> None:
    ours, bob = served.ours, ("--key", served.ask_for_approval())
    branch = ours.do("promote", "fraud@1.1.0", "dev", "--push")["branch"]
    assert branch == "request/dev/fraud/2"
    ours.do(*bob, "approve", "fraud#dev", "--push")
    assert served.tip(branch) == ours.git("rev-parse", branch)
    landed = ours.do("promote", "--finalize", "fraud#dev", "--push")
    assert landed["commit"] == served.tip()
    assert served.refusals() == []


@pytest.mark.parametrize("how", ["--no-ff", "--squash"])
def test_an_approved_request_is_merged_by_plain_git(served: Served, how: str) -> None:
    ours, file = served.ours, served.ask_for_approval()
    branch = ours.do("promote", "fraud@1.1.0", "dev", "--push")["branch"]
    ours.git("merge", "-q", "--no-ff", "-m", "too early", branch)
    served.refuses("main", codes={"E_THRESHOLD"})
    ours.git("reset", "-q", "--hard", "origin/main")
    ours.do("--key", file, "approve", "fraud#dev", "--push")
    ours.commit_file("README.md", b"meanwhile")
    ours.git("merge", "-q", how, *([] if how == "--squash" else ["-m", "x"]), branch)
    if how == "--squash":
        ours.git("commit", "-qm", "Promote fraud")
    served.lands("main", f":{branch}")
    assert served.tip() == ours.git("rev-parse", "HEAD")


@pytest.mark.parametrize("how", ["land", "--ff-only", "--no-ff", "--squash"])
def test_a_policy_of_two_roots(served: Served, how: str) -> None:
    ours, bob = served.ours, served.ours.outside / "bob"
    ours.do("key", "new", "--out", bob)
    who = ("bob", "--key", f"{bob}.pub", "--role", "root")
    ours.do("policy", "add-principal", *who, "--push")
    ours.do("policy", "threshold", "root", "2")
    ours.do("--key", bob, "policy", "sign")
    served.lands("main")
    asked = ours.do("policy", "grant", "bob", "approver", "--push")
    branch = "request/policy/4"
    assert (asked["status"], asked["branch"]) == ("pending", branch)
    assert served.tip(branch) == ours.git("rev-parse", branch)
    if how == "land":
        ours.do("--key", bob, "policy", "sign", "--push")
    else:
        ours.do("--key", bob, "policy", "sign", "--no-land", "--push")
        ours.git(
            "merge", "-q", how, *([] if how == "--squash" else ["-m", "x"]), branch
        )
        if how == "--squash":
            ours.git("commit", "-qm", "bob approves")
        served.lands("main")
    assert served.tip() == ours.git("rev-parse", "main")
    assert ours.do("policy", "show")["version"] == 4
    assert served.refusals() == []


def test_what_people_may_do_with_their_own(served: Served) -> None:
    ours = served.ours
    ours.commit_file("notes.txt", b"x")
    served.lands("HEAD:refs/heads/work/ada", "HEAD~1:refs/tags/v1")
    ours.git("commit", "-q", "--amend", "-m", "better")
    served.lands("--force", "HEAD:refs/heads/work/ada")
    served.lands(":refs/heads/work/ada")
    ours.git("notes", "add", "-m", "a note", "HEAD~1")
    served.lands("refs/notes/commits")
    assert served.refusals() == []


def test_a_checkpoint_is_published_once(served: Served) -> None:
    made = served.ours.do("checkpoint", "create", "--push")
    ref = made["published"]
    assert ref in git(served.hub, "for-each-ref")
    served.refuses(f":{ref}", codes={"E_REF_DELETED"})
    served.refuses("--force", f"HEAD:{ref}", codes={"E_TAG_MOVED"})


def test_who_has_parted_merges_into_the_servers_branch(served: Served) -> None:
    """What the refusal advises, word for word."""
    ours = served.ours
    theirs = Workbench(ours.path.parent / "theirs", ours.outside)
    skip = ("-c", "filter.lfs.process=git-lfs filter-process --skip")
    git(theirs.path.parent, *skip, "clone", "-q", served.hub, theirs.path)
    ours.do("promote", "fraud@1.1.0", "dev", "--push")
    theirs.commit_file("README.md", b"x")
    pushed = subprocess.run(
        ["git", "push", "--force", "origin", "main"],
        cwd=theirs.path, capture_output=True, text=True, check=False,
    )  # fmt: skip
    [line] = [line for line in pushed.stderr.splitlines() if " -> git fetch" in line]
    advised = line.partition(" -> ")[2].strip()
    done = subprocess.run(
        ["sh", "-c", advised],
        cwd=theirs.path, capture_output=True, text=True, check=False,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    assert served.tip() == theirs.git("rev-parse", "HEAD")


def test_a_push_costs_by_its_own_commits(served: Served) -> None:
    served.ours.commit_file("README.md", b"x")
    assert "main: 1 commit verified" in served.lands("main")
    whole = int(served.ours.git("rev-list", "--count", "HEAD")) + 1
    (served.hub / "gitmodel/received.json").unlink()
    served.ours.commit_file("README.md", b"y")
    assert f"main: {whole} commits verified" in served.lands("main")
    served.ours.commit_file("README.md", b"z")
    assert "main: 1 commit verified" in served.lands("main")


def test_a_new_branch_costs_no_more(served: Served) -> None:
    git(served.hub, "config", "--add", "gitmodel.protected", "main")
    git(served.hub, "config", "--add", "gitmodel.protected", "release/*")
    served.ours.commit_file("README.md", b"x")
    said = served.lands("main:refs/heads/release/1")
    assert "release/1: 1 commit verified" in said


def test_a_memory_that_others_could_have_written_is_not_believed(
    served: Served,
) -> None:
    (served.hub / "gitmodel/received.json").chmod(0o666)
    served.ours.commit_file("README.md", b"x")
    whole = int(served.ours.git("rev-list", "--count", "HEAD"))
    assert f"main: {whole} commits verified" in served.lands("main")


def test_an_illegal_past_is_found_when_the_hook_comes_later(served: Served) -> None:
    hook = served.hub / "hooks/pre-receive"
    text = hook.read_text()
    hook.unlink()
    served.ours.commit_file(PIN, pin_of(served.ours, "dev", "fraud", "2.0.0"))
    served.lands("main")
    hook.write_text(text)
    hook.chmod(0o755)
    served.ours.commit_file("README.md", b"x")
    codes = {"E_TRANSITION_UNRECORDED", "E_PIN_MISMATCH"}
    served.refuses("main", codes=codes)


def test_an_old_repository_becomes_a_registry(served: Served, tmp_path: Path) -> None:
    hub = make_hub(tmp_path / "old.git")
    place = tmp_path / "old"
    git(tmp_path, "init", "-q", place)
    git(place, "commit", "-q", "--allow-empty", "-m", "before")
    git(place, "remote", "add", "origin", hub)
    git(place, "push", "-q", "origin", "main")
    old = Served(hub, Workbench(place, served.ours.outside))
    program = git(served.hub, "config", "gitmodel.program")
    old.ours.do("hook", "install-server", hub, "--program", program)
    old.ours.do("init")
    assert "main: 2 commits verified" in old.lands("main")


def test_a_thousand_commits(served: Served) -> None:
    """Between two promotions, as a busy day of people who edit descriptions."""
    tip = served.ours.git("rev-parse", "HEAD")
    stream = "".join(
        "commit refs/heads/main\ncommitter A <a@b.c> 1767225600 +0000\n"
        f"data 1\nx{f'{chr(10)}from {tip}' if number == 0 else ''}\n"
        f"M 100644 inline notes/{number % 50}.txt\ndata {len(str(number))}\n{number}\n"
        for number in range(998)
    )
    fast = ["git", "fast-import", "--quiet", "--force"]
    subprocess.run(fast, cwd=served.ours.path, input=stream, text=True, check=True)
    served.ours.git("reset", "-q", "--hard")
    served.ours.promote("fraud@1.1.0", "dev", "staging")
    assert "main: 1,000 commits verified" in served.lands("main")


def test_two_pushes_at_once(served: Served, tmp_path: Path) -> None:
    clones = []
    for name in ("one", "two"):
        place = tmp_path / name
        shutil.copytree(served.ours.path, place, symlinks=True)
        bench = Workbench(place, served.ours.outside)
        bench.promote(f"fraud@{'1.1.0' if name == 'one' else '2.0.0'}", "dev")
        clones.append(bench)
    running = [
        subprocess.Popen(
            ["git", "push", "-q", "origin", "main"],
            cwd=bench.path,
            stderr=subprocess.PIPE,
        )
        for bench in clones
    ]
    said = [process.communicate()[1] for process in running]
    codes = [process.returncode for process in running]
    assert sorted(codes) == [0, 1], said
    winner = clones[codes.index(0)]
    assert served.tip() == winner.git("rev-parse", "HEAD")
    winner.commit_file("README.md", b"x")
    winner.git("push", "-q", "origin", "main")
    assert served.tip() == winner.git("rev-parse", "HEAD")


def test_a_shallow_clone_pushes(served: Served, tmp_path: Path) -> None:
    place = tmp_path / "shallow"
    skip = ("-c", "filter.lfs.process=git-lfs filter-process --skip")
    git(tmp_path, *skip, "clone", "-q", "--depth=1", f"file://{served.hub}", place)
    clone = Workbench(place, served.ours.outside)
    clone.commit_file("README.md", b"x")
    clone.git("push", "-q", "origin", "main")
    assert served.tip() == clone.git("rev-parse", "HEAD")
    evil = pin_of(clone, "dev", "fraud", "2.0.0")
    clone.commit_file(PIN, evil)
    Served(served.hub, clone).refuses(
        "main", codes={"E_TRANSITION_UNRECORDED", "E_PIN_MISMATCH"}
    )


def test_bytes_that_the_server_has_not(served: Served, tmp_path: Path) -> None:
    store = tmp_path / "lfs"
    store.mkdir()
    served.setting("gitmodel.lfs", str(store))
    served.ours.register(version="3.0.0")
    said = served.refuses("main", codes={"E_ARTIFACT_MISSING"})
    assert "its bytes are not in the server's LFS store" in said
    objects = served.ours.path / ".git/lfs/objects"
    shutil.copytree(objects, store, dirs_exist_ok=True)  # as git-lfs lays it out
    served.lands("main")
    served.ours.register(version="4.0.0")
    [artifact] = served.ours.do("show", "fraud@4.0.0")["artifacts"]
    flat = store / artifact["sha256"]  # as giftless lays it out
    flat.write_bytes(b"x")
    served.refuses("main", codes={"E_ARTIFACT_MISSING"})
    shutil.copyfile(served.ours.object_path(artifact["sha256"]), flat)
    served.lands("main")
    served.setting("gitmodel.lfs", str(tmp_path / "nowhere"))
    served.ours.register(version="5.0.0")
    served.refuses("main", codes={"E_INPUT"})


def test_a_repository_with_a_work_tree(served: Served) -> None:
    """Somebody pushes to a clone: git starts the hook inside of its .git."""
    place = served.hub.parent / "work"
    git(served.hub.parent, "clone", "-q", "--no-checkout", served.hub, place)
    git(place, "symbolic-ref", "HEAD", "refs/heads/elsewhere")
    program = git(served.hub, "config", "gitmodel.program")
    options = ("--program", program, "--protect", "main")
    served.ours.do("hook", "install-server", place / ".git", *options)
    served.ours.git("remote", "set-url", "origin", place)
    served.ours.commit_file("README.md", b"x")
    other = Served(place / ".git", served.ours)
    assert "commits verified" in other.lands("main")
    served.ours.commit_file(PIN, pin_of(served.ours, "dev", "fraud", "2.0.0"))
    other.refuses("main", codes={"E_TRANSITION_UNRECORDED", "E_PIN_MISMATCH"})


def test_the_answers_in_json(served: Served, tmp_path: Path) -> None:
    tip = served.tip()
    program = git(served.hub, "config", "gitmodel.program")
    done = subprocess.run(
        [program, "hook", "pre-receive", "--json"],
        cwd=served.hub,
        input=f"{tip} {'0' * 40} refs/heads/main\n".encode(),
        capture_output=True,
        check=False,
    )
    answer = json.loads(done.stdout)
    assert deviations(answer, ANSWERS["hook pre-receive"]) == []
    assert (done.returncode, answer["ok"]) == (1, False)
    [problem] = answer["refs"][0]["problems"]
    assert problem["code"] == "E_REF_DELETED"
    hub = make_hub(tmp_path / "new.git")
    install = ("hook", "install-server", hub, "--program", program)
    made, again = served.ours.do(*install), served.ours.do(*install)
    assert deviations(made, ANSWERS["hook install-server"]) == []
    assert (made["changed"], again["changed"]) == (True, False)


def test_over_smart_http(served: Served) -> None:
    served.setting("http.receivepack", "true")
    with http_git.serving(served.hub.parent, user="ada") as url:
        served.ours.git("remote", "set-url", "origin", f"{url}/hub.git")
        served.ours.git("config", "lfs.url", f"file://{served.hub}")
        served.ours.do("promote", "fraud@1.1.0", "dev", "--push")
        assert served.tip() == served.ours.git("rev-parse", "HEAD")
        served.ours.commit_file("notes.bin", bytes(range(256)) * 8192)  # chunked
        said = served.lands("main")
        assert "main: 1 commit verified" in said
        served.ours.commit_file(PIN, pin_of(served.ours, "dev", "fraud", "2.0.0"))
        served.refuses("main", codes={"E_TRANSITION_UNRECORDED", "E_PIN_MISMATCH"})
        served.refuses(":main", codes={"E_REF_DELETED"})
    assert {entry["who"] for entry in served.refusals()} == {"ada"}


@pytest.mark.skipif(not gitolite.INSTALLED, reason="apt-get install gitolite3")
def test_with_gitolite(served: Served, tmp_path: Path) -> None:
    lite = gitolite.set_up(tmp_path / "gitolite")
    script = lite.home / "local/hooks/repo-specific/gitmodel"
    shutil.copy(ROOT / "templates/hooks/server/pre-receive", script)
    root = served.ours.do("verify", "--no-bytes")["root"]
    program = git(served.hub, "config", "gitmodel.program")
    lite.configure(
        "repo gitolite-admin\n    RW+ = admin\n"
        "repo models\n    RW+ = ada\n    RW = bob\n"
        "    option hook.pre-receive = gitmodel\n"
        f"    config gitmodel.root = {root}\n"
        f"    config gitmodel.program = {program}\n"
    )
    hub = lite.repository("models")
    assert git(hub, "symbolic-ref", "HEAD") == "refs/heads/main"
    ours = served.ours
    ours.git("remote", "set-url", "origin", "git@here:models")
    ours.git("config", "core.sshCommand", str(lite.ssh("ada")))
    models = Served(hub, ours)
    assert "commits verified" in models.lands("main")
    ours.git("config", "lfs.url", f"file://{served.hub}")
    ours.do("promote", "fraud@1.1.0", "dev", "--push")
    assert models.tip() == ours.git("rev-parse", "HEAD")
    # gitolite lets ada force; the registry does not.
    models.refuses("--force", "HEAD~1:main", codes={"E_FORCE_PUSH"})
    assert models.refusals()[-1]["who"] == "ada"
    # And what the registry would take, gitolite may refuse, of bob.
    ours.git("config", "core.sshCommand", str(lite.ssh("bob")))
    models.lands("HEAD:refs/heads/work")
    pushed = models.push("--force", "HEAD~1:refs/heads/work")
    assert (pushed.code, "FATAL: + refs/heads/work" in pushed.said) == (1, True)


def test_the_guide_happens_as_it_is_told(tmp_path: Path) -> None:
    place = tmp_path / "guide"
    place.mkdir()
    page = (ROOT / "docs/guides/server-hook.md").read_text()
    for ran in transcript.run(transcript.steps(page), place):
        printed = "\n".join(ran.lines)
        assert ran.as_shown, f"$ {ran.step.command}\n{printed}"
