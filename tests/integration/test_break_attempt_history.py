"""Attacks on order, bytes and what a clone remembers, found by trying to break them."""

from __future__ import annotations

from io import BytesIO
from typing import TYPE_CHECKING

import pytest

from gitmodel.adapters.git.objects import ObjectReader
from gitmodel.adapters.git.repository import Repository
from gitmodel.adapters.lfs import checkout
from gitmodel.adapters.signing import keys
from gitmodel.domain.digest import Digest
from gitmodel.errors import OutsideError
from gitmodel.formats import pickle_scan
from gitmodel.formats.secret_scan import find_secrets
from gitmodel.operations import pull
from gitmodel.registry import layout
from tests.support.cli import gitmodel
from tests.support.forgery import (
    FILE,
    TREE,
    Forged,
    Item,
    commit_files,
    commit_tree,
    in_order,
    items_of,
    signature,
    write_object,
    write_tree,
)
from tests.support.refusals import found_by_verify, nothing_acts_on, refusal
from tests.support.remotes import clone
from tests.support.workbench import git

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from tests.support.remotes import Team
    from tests.support.served import Served
    from tests.support.workbench import Workbench

ELSEWHERE = b"[lfs]\n\turl = http://127.0.0.1:9/evil\n"


def _admit(bench: Workbench, role: str) -> Path:
    """Let bob in; return his key."""
    key = bench.outside / "bob"
    assert gitmodel("key", "new", "--out", key).code == 0
    bench.do(
        "policy", "add-principal", "bob", "--key", f"{key}.pub", "--role", role
    )  # fmt: skip
    return key


def _overtaken(bench: Workbench) -> None:
    """Remove bob on a branch, and let him promote on the main line meanwhile."""
    key = _admit(bench, "promoter")
    bench.register(version="3.0.0")
    bench.git("switch", "-qc", "revocation")
    bench.do("policy", "remove-principal", "bob")
    bench.git("switch", "-q", "main")
    done = gitmodel("--key", key, "promote", "fraud@3.0.0", "dev", cwd=bench.path)
    assert done.code == 0


def test_a_policy_overtakes_also_what_was_verified_before_it_came(
    bench: Workbench,
) -> None:
    """A clone that remembers says the same as one that does not."""
    _overtaken(bench)
    assert bench.verify("--history", "--no-bytes") == (0, [])
    bench.git("merge", "-q", "--no-ff", "--no-edit", "revocation")
    for options in (("--no-bytes",), (), ("--full", "--no-bytes")):
        assert found_by_verify(bench, "--history", *options) == {"E_UNTRUSTED_KEY"}


def test_a_server_whose_hook_is_new_judges_what_was_overtaken_before(
    served: Served,
) -> None:
    _overtaken(served.ours)
    served.ours.git("merge", "-q", "--no-ff", "--no-edit", "revocation")
    hook = served.hub / "hooks/pre-receive"
    hook.rename(hook.with_suffix(".off"))
    served.lands("main")
    hook.with_suffix(".off").rename(hook)
    (served.hub / "gitmodel/received.json").unlink()
    served.ours.commit_file("notes.txt", b"x")
    served.refuses("main", codes={"E_UNTRUSTED_KEY"})


def test_who_rejected_is_not_said_to_have_approved(bench: Workbench) -> None:
    """A signature may come after its transition has landed."""
    key = _admit(bench, "approver")
    bench.register()
    bench.promote("fraud@1.0.0", "dev")
    path = "log/dev/fraud/1.yaml"
    policy = Digest.of((bench.path / ".gitmodel/policy/2.yaml").read_bytes())
    signer = keys.load(key, lambda: None)
    said = Forged(role="approver", decision="reject", policy=policy)
    bundle = signature(bench, signer, path, (bench.path / path).read_bytes(), said)
    late = {layout.signature_path(path, signer.keyid): bundle.to_bytes()}
    commit_files(bench, late)
    assert bench.verify("--history") == (0, [])
    [event] = bench.do("log", "fraud", "--stage", "dev")["events"]
    assert (event["actor"], event["approvers"]) == ("ada", [])
    assert bench.do("log", "--stage", "dev", "--actor", "bob")["events"] == []


def _by_include(bench: Workbench) -> None:
    bench.commit_file("elsewhere", ELSEWHERE)
    bench.commit_file(".lfsconfig", b"[include]\n\tpath = elsewhere\n")


def _by_condition(bench: Workbench) -> None:
    bench.commit_file("elsewhere", ELSEWHERE)
    text = b'[includeIf "onbranch:**"]\n\tpath = elsewhere\n'
    bench.commit_file(".lfsconfig", text)


def _by_link(bench: Workbench) -> None:
    bench.commit_file("elsewhere", ELSEWHERE)
    (bench.path / ".lfsconfig").symlink_to("elsewhere")
    bench.git("add", ".lfsconfig")
    bench.git("commit", "-qm", "hand")


@pytest.mark.parametrize("redirect", [_by_include, _by_condition, _by_link])
def test_032_a_server_named_by_a_file_that_lfsconfig_leads_to(
    stocked: Workbench, tmp_path: Path, redirect: Callable[[Workbench], None]
) -> None:
    stocked.git("init", "-q", "--bare", tmp_path / "hub.git")
    stocked.git("remote", "add", "origin", tmp_path / "hub.git")
    stocked.git("push", "-q", "--no-verify", "origin", "main")
    redirect(stocked)
    assert "127.0.0.1:9/evil" in stocked.git("lfs", "env")  # git-lfs believes it
    assert "E_LFSCONFIG" in found_by_verify(stocked, "--no-bytes")
    assert "E_LFSCONFIG" in found_by_verify(stocked, "--history", "--no-bytes")
    [artifact] = stocked.do("show", "fraud@1.1.0")["artifacts"]
    stocked.object_path(artifact["sha256"]).unlink()
    pulled = str(stocked.outside / "pulled")
    nothing_acts_on(stocked, ("pull", "fraud@1.1.0", "-o", pulled))


def test_032_uploads_are_not_sent_elsewhere_past_the_url_of_ones_own(
    stocked: Workbench, tmp_path: Path
) -> None:
    """For uploads git-lfs prefers ``lfs.pushurl`` of anybody to ``lfs.url``."""
    stocked.git("init", "-q", "--bare", tmp_path / "hub.git")
    stocked.git("remote", "add", "origin", tmp_path / "hub.git")
    stocked.git("config", "lfs.url", f"file://{tmp_path}/hub.git")
    stocked.git("lfs", "push", "--all", "origin")
    stocked.git("push", "-q", "--no-verify", "origin", "main")
    stocked.commit_file(".lfsconfig", b"[lfs] pushurl = http://127.0.0.1:9/evil\n")
    file = stocked.file("new.bin", b"new")
    register = ("register", "fraud", file, "--no-capture", "--push")
    refusal(stocked.run("--json", *register), 4, "E_LFSCONFIG")
    stocked.git("config", "lfs.pushurl", f"file://{tmp_path}/hub.git")
    stocked.do(*register)


@pytest.mark.parametrize("replace", [False, True])
def test_what_people_put_there_during_a_pull_is_theirs(
    stocked: Workbench, monkeypatch: pytest.MonkeyPatch, *, replace: bool
) -> None:
    target = stocked.outside / "pulled"
    options = ["pull", "fraud@1.1.0", "-o", str(target)]
    if replace:
        stocked.do("pull", "fraud@1.0.0", "-o", target)
        options.append("--replace")
    note = target / "notes.txt"
    real = checkout.copy_out_all

    def meanwhile(*args: object) -> None:
        real(*args)  # type: ignore[arg-type]
        target.mkdir(exist_ok=True)
        note.write_text("mine")

    monkeypatch.setattr(pull, "copy_out_all", meanwhile)
    refusal(stocked.run("--json", *options), 1, "E_EXISTS")
    assert note.read_text() == "mine"
    assert [path.name for path in stocked.outside.glob(".pulled-*")] == []
    if replace:
        assert (target / "manifest.yaml").exists()


def test_two_pulls_at_once_to_one_place(
    stocked: Workbench, monkeypatch: pytest.MonkeyPatch
) -> None:
    options = ("pull", "fraud@1.1.0", "-o", stocked.outside / "pulled")
    real = checkout.copy_out_all

    def meanwhile(*args: object) -> None:
        real(*args)  # type: ignore[arg-type]
        monkeypatch.setattr(pull, "copy_out_all", real)
        assert stocked.do(*options)["status"] == "pulled"

    monkeypatch.setattr(pull, "copy_out_all", meanwhile)
    assert stocked.do(*options)["status"] == "unchanged"


LONG = 1_000_000


def test_016_words_without_end_are_scanned_in_no_time() -> None:
    """With the square of their length this would take days, not a moment."""
    word = b"c" * LONG
    assert list(pickle_scan.scan(BytesIO(word), LONG, "weights.bin")) == []
    text = word + b"os\nsystem\n("
    [found] = pickle_scan.scan(BytesIO(text), len(text), "weights.bin")
    assert "may be a pickle" in found.message
    assert find_secrets(b"-eyJ" * (LONG // 4)) == ()
    token = b"." + b".".join((b"eyJhbGciOiJIUzI1", b"eyJzdWIiOiIxMjM0", b"s" * 20))
    assert [secret.what for secret in find_secrets(token)] == ["a JSON Web Token"]


def test_016_a_message_without_end_does_not_keep_the_next_commit(
    stocked: Workbench,
) -> None:
    """The hook reads the message of HEAD, which may be anybody's."""
    spaces = f"x\n\nGitmodel-Action: a{' ' * LONG}b\n{'-' * LONG}\n"
    file = stocked.outside / "message"
    file.write_text(spaces)
    stocked.git("commit", "-q", "--allow-empty", "--cleanup=verbatim", "-F", file)
    file.write_text("A note\n")
    assert stocked.run("hook", "commit-msg", file).code == 0


def test_a_place_that_cannot_be(stocked: Workbench) -> None:
    where = stocked.outside / ("n" * 300)
    pulled = stocked.run("--json", "pull", "fraud@1.1.0", "-o", where)
    refusal(pulled, 5, "E_OUTSIDE")


@pytest.mark.parametrize(
    "memory", ["[" * 100_000, '{"registry": "sha256:%s", "commit": "HEAD"}']
)
def test_what_a_clone_remembers_is_damaged(stocked: Workbench, memory: str) -> None:
    """It is as if nothing were remembered: all is verified again."""
    state = stocked.path / ".git/gitmodel/state.json"
    assert stocked.verify("--history", "--no-bytes") == (0, [])
    root = Digest.of((stocked.path / ".gitmodel/policy/1.yaml").read_bytes())
    state.write_text(memory.replace("%s", root.hex))
    answer = stocked.do("verify", "--history", "--no-bytes")
    line = stocked.git("rev-list", "--first-parent", "--count", "HEAD")
    assert answer["steps"] == int(line)


@pytest.mark.parametrize(
    "path",
    ["models/x.bin", "stages/a/b.yaml", "models/m/versions/1.0.0/artifacts/x", "log/x"],
)
def test_a_repository_that_had_directories_of_such_names(
    bench: Workbench, tmp_path: Path, path: str
) -> None:
    """They make room first; what they were then is nobody's concern any more."""
    home = tmp_path / "adopted"
    git(tmp_path, "init", "-q", home)
    adopted = type(bench)(home, bench.outside)
    adopted.commit_file(path, b"x" * (9 << 20))
    before = adopted.snapshot()
    init = ("init", "--principal", "ada")
    refusal(adopted.run("--json", *init), 1, "E_NO_ROOM")
    assert adopted.snapshot() == before
    adopted.commit_file(path, None)
    adopted.do(*init)
    for options in ((), ("--history",), ("--full", "--no-bytes")):
        assert adopted.verify(*options) == (0, [])


def test_files_that_stay_where_a_registry_begins(bench: Workbench) -> None:
    """Its policy comes after them, so nobody has judged them."""
    tree = bench.git("rev-parse", "HEAD^{tree}")
    odd = write_tree(bench, [Item(FILE, b"x", write_object(bench, "blob", b"x"))])
    kept = Item(TREE, b"log", write_tree(bench, [Item(TREE, b"dev", odd)]))
    before = bench.git("commit-tree", write_tree(bench, [kept]), "-m", "before")
    both = in_order([*items_of(bench, tree), kept])
    commit_tree(bench, write_tree(bench, both), before)
    for options in (("--history",), ("--full", "--no-bytes")):
        found = found_by_verify(bench, *options)
        assert {"E_POLICY_MISSING", "E_EXTRA_FILE"} <= found


def test_067_git_lfs_runs_no_program_of_the_configuration(team: Team) -> None:
    """It asks git for files, and git asks whatever watches them."""
    ours, ran = team.ours, team.ours.outside / "ran"
    ours.git("config", "core.fsmonitor", f"touch {ran}")
    ours.git("ls-files", "--modified")
    assert ran.exists()  # git itself believes it
    ran.unlink()
    ours.do("promote", "fraud@1.1.0", "dev", "--push")
    ours.run("doctor")
    theirs = team.theirs
    theirs.git("config", "core.fsmonitor", f"touch {ran}")
    theirs.do("pull", "fraud@1.0.0", "-o", theirs.outside / "pulled")
    theirs.run("doctor")
    assert not ran.exists()


@pytest.fixture
def partial(stocked: Workbench, tmp_path: Path) -> Workbench:
    """A clone that has left all files at its remote."""
    stocked.git("config", "uploadpack.allowFilter", "true")
    url = f"file://{stocked.path}"
    return clone(url, tmp_path / "p", stocked.outside, "-n", "--filter=blob:none")


def test_a_remote_that_is_silent_while_git_asks_it_for_an_object(
    partial: Workbench,
) -> None:
    """git waits as long as it takes, and then for the next question; we do not."""
    oid = partial.git("rev-parse", "HEAD:gitmodel.yaml")
    partial.git("config", "remote.origin.uploadpack", "sleep 9; git-upload-pack")
    with ObjectReader(Repository.discover(partial.path), patience=0.5) as reader:
        with pytest.raises(OutsideError, match="git said nothing for 0"):
            reader.read(oid)
        with pytest.raises(OutsideError, match="git said nothing"):
            next(reader.read_many([oid]))


def test_an_object_that_a_remote_does_not_give_is_not_called_altered(
    partial: Workbench,
) -> None:
    partial.git("remote", "set-url", "origin", "file:///nowhere")
    for command in (("list",), ("verify", "--no-bytes"), ("show", "fraud@1.0.0")):
        error = partial.run("--json", *command)
        assert "could not get object" in refusal(error, 5, "E_GIT"), command


def test_016_a_checkpoint_without_end(stocked: Workbench) -> None:
    file = stocked.file("endless.json", b"")
    with file.open("r+b") as hole:
        hole.truncate(1 << 40)
    answer = stocked.run("--json", "checkpoint", "verify", file)
    assert (answer.code, answer.json["error"]["code"]) == (4, "E_CHECKPOINT")
