"""Plain git commit in a clone with hooks: what is refused, what to run (R060, R061)."""

from __future__ import annotations

import os
import pickle
import subprocess
import sys
from typing import TYPE_CHECKING

import pytest

from gitmodel.adapters.signing import keys
from tests.support.forgery import Forged, document_at, pin_of, signed
from tests.support.hooks import commit_refused, plain_git, stage

if TYPE_CHECKING:
    from collections.abc import Callable

    from tests.support.workbench import Workbench

V1 = "models/fraud/versions/1.0.0"
PIN = "stages/dev/fraud.yaml"
# Put together here, so that no tool takes this file for one that leaks them.
PRIVATE_KEY = b"-----BEGIN OPENSSH " + b"PRIVATE KEY-----\nAAAA\n"
GITHUB_TOKEN = b"token: ghp" + b"_" + b"a1B2" * 9 + b"\n"


@pytest.fixture
def hooked(stocked: Workbench) -> Workbench:
    """Return a registry of two versions whose clone has the hooks."""
    stocked.do("hooks", "install")
    return stocked


def _edit(path: str, old: bytes, new: bytes) -> Callable[[Workbench], None]:
    def edit(bench: Workbench) -> None:
        data = (bench.path / path).read_bytes()
        assert old in data
        stage(bench, path, data.replace(old, new))

    return edit


def _rename(bench: Workbench) -> None:
    bench.git("mv", f"{V1}/manifest.yaml", f"{V1}/manifest2.yaml")


def _symlink(bench: Workbench) -> None:
    (bench.path / f"{V1}/manifest.yaml").unlink()
    (bench.path / f"{V1}/manifest.yaml").symlink_to("/etc/passwd")
    bench.git("add", "-A", V1)


def _executable(bench: Workbench) -> None:
    bench.git("update-index", "--chmod=+x", "models/fraud/model.yaml")


def _unsigned_transition(bench: Workbench) -> None:
    text = (bench.path / "log/dev/fraud/2.yaml").read_bytes()
    stage(bench, "log/dev/fraud/3.yaml", text.replace(b"seq: 2", b"seq: 3"))


def _borrowed_signature(bench: Workbench) -> None:
    """Stage a transition with the signature of another one."""
    _unsigned_transition(bench)
    [old] = (bench.path / "log/dev/fraud").glob("2.yaml.*")
    stage(bench, f"log/dev/fraud/{old.name.replace('2', '3', 1)}", old.read_bytes())


def _stranger(bench: Workbench) -> None:
    """Stage a promotion that a key signed which nobody knows."""
    key = bench.outside / "stranger"
    keys.write_new(key, keys.generate(None), comment="stranger")
    signer = keys.load(key, lambda: None)
    path = "log/staging/churn/1.yaml"
    document = document_at(bench, "log/dev/churn/1.yaml") | {"stage": "staging"}
    for name, data in signed(bench, path, document, signer=signer).items():
        stage(bench, name, data)
    stage(
        bench, "stages/staging/churn.yaml", pin_of(bench, "staging", "churn", "1.0.0")
    )


def _wrong_role(bench: Workbench) -> None:
    """Stage an attestation that its author's role does not allow."""
    path = f"{V1}/attestations/review-1.yaml"
    document = {
        "apiVersion": "gitmodel.dev/v1",
        "kind": "Attestation",
        "type": "review",
    }
    said = Forged(kind="attestation", role="stranger")
    for name, data in signed(bench, path, document, said).items():
        stage(bench, name, data)


def _new_pin(bench: Workbench) -> None:
    stage(
        bench,
        "stages/production/fraud.yaml",
        pin_of(bench, "production", "fraud", "1.1.0"),
    )


def _raw_artifact(bench: Workbench) -> None:
    stage(bench, f"{V1}/artifacts/extra.bin", b"weights" * 400)


def _pickle(bench: Workbench) -> None:
    class Bomb:
        def __reduce__(self) -> tuple[object, ...]:
            return (os.system, ("true",))

    stage(bench, "notebooks/model.pkl", pickle.dumps(Bomb()))


def _file(path: str, data: bytes | None) -> Callable[[Workbench], None]:
    return lambda bench: stage(bench, path, data)


REFUSED = {
    "a manifest is edited": (
        _edit(f"{V1}/manifest.yaml", b"1.0.0", b"1.0.9"),
        ["E_APPEND_ONLY", f"git restore --staged --worktree -- {V1}/manifest.yaml",
         "gitmodel register fraud FILE… --bump patch"],
    ),
    "a manifest is deleted": (
        _file(f"{V1}/manifest.yaml", None), [f"{V1}/manifest.yaml: it was deleted."],
    ),
    "a manifest is renamed": (_rename, ["E_APPEND_ONLY", "E_EXTRA_FILE"]),
    "a manifest becomes a link": (_symlink, ["replaced by another kind of file"]),
    "a file is made executable": (
        _executable,
        ["E_MODE", "git update-index --chmod=-x -- models/fraud/model.yaml"],
    ),
    "a name differs by case only": (
        _file("models/Fraud/model.yaml", b"x"), ["E_NAME_COLLISION"],
    ),
    "a transition is deleted": (
        _file("log/dev/fraud/2.yaml", None),
        ["log/dev/fraud/2.yaml: it was deleted. [E_APPEND_ONLY]"],
    ),
    "a transition without a signature": (
        _unsigned_transition, ["dev/fraud/3.yaml: nobody has signed it. [E_UNSIGNED]"],
    ),
    "a transition with the signature of another": (
        _borrowed_signature, ["log/dev/fraud/3.yaml.", "sigstore.json: "],
    ),
    "a promotion signed by a stranger": (
        _stranger, ["log/staging/churn/1.yaml.", "E_UNTRUSTED_KEY"],
    ),
    "an attestation by nobody who may": (_wrong_role, ["attestations/review-1.yaml"]),
    "a pin is moved by hand": (
        _edit(PIN, b"1.1.0", b"1.0.0"),
        ["E_TRANSITION_UNRECORDED", f"git restore --staged --worktree -- {PIN}",
         "gitmodel promote fraud@1.0.0 dev"],
    ),
    "a pin is made by hand": (
        _new_pin,
        ["E_TRANSITION_UNRECORDED", "git rm --cached -- stages/production/fraud.yaml",
         "gitmodel promote fraud@1.1.0 production"],
    ),
    "a pin is deleted": (_file(PIN, None), ["gitmodel rollback fraud dev -m REASON"]),
    "the policy is edited": (
        _edit(".gitmodel/policy/1.yaml", b"ada", b"eve"),
        ["policy/1.yaml: it was changed. [E_APPEND_ONLY]"],
    ),
    "settings with a field too many": (
        _edit("gitmodel.yaml", b"stages:", b"stagez:"),
        ["gitmodel.yaml:4: stagez: there is no such field. Did you mean stages?",
         "git add -- gitmodel.yaml  once it is mended"],
    ),
    "settings are deleted": (_file("gitmodel.yaml", None), ["E_MISSING"]),
    "a document that is no YAML": (
        _file("models/fraud/model.yaml", b"kind: [\n"),
        ["models/fraud/model.yaml:", "E_YAML"],
    ),
    "the file instead of its pointer": (
        _raw_artifact,
        ["extra.bin: git would hold the file itself, not a pointer to LFS.",
         f"git rm --cached -- {V1}/artifacts/extra.bin"],
    ),
    "attributes without LFS": (
        _file(".gitattributes", b"* text=auto\n"),
        [".gitattributes: such as models/", "E_ATTRIBUTES", ">> .gitattributes"],
    ),
    "an LFS server of the registry's own": (
        _file(".lfsconfig", b"[lfs]\n\turl = https://evil.example\n"), ["E_LFSCONFIG"],
    ),
    "a private key": (
        _file("deploy/id", b"\n" + PRIVATE_KEY),
        ["deploy/id:2: it looks like a private key", "git rm --cached -- deploy/id"],
    ),
    "a token in a document": (
        _file("notes.yaml", b"a: 1\n" + GITHUB_TOKEN),
        ["notes.yaml:2: it looks like a GitHub"],
    ),
    "a pickle in git": (_pickle, ["notebooks/model.pkl: it is a pickle", "E_PICKLE"]),
}  # fmt: skip


@pytest.mark.parametrize("case", REFUSED)
def test_a_plain_commit_is_refused_with_the_command_that_helps(
    hooked: Workbench, case: str
) -> None:
    change, expected = REFUSED[case]
    change(hooked)
    said = commit_refused(hooked)
    for words in expected:
        assert words in said
    assert "    -> g" in said or "    -> echo" in said


def test_every_problem_is_told_at_once_and_what_is_staged_stays(
    hooked: Workbench,
) -> None:
    _edit(f"{V1}/manifest.yaml", b"1.0.0", b"1.0.9")(hooked)
    _pickle(hooked)
    stage(hooked, "README.md", b"fine\n")
    before = hooked.snapshot()
    said = commit_refused(hooked)
    assert "E_APPEND_ONLY" in said
    assert "E_PICKLE" in said
    assert "README.md" not in said
    assert hooked.snapshot() == before


def test_the_commands_of_a_refusal_do_help(hooked: Workbench) -> None:
    _edit(PIN, b"1.1.0", b"1.0.0")(hooked)
    lines = commit_refused(hooked).splitlines()
    undo, right = (line.partition("-> ")[2] for line in lines if "-> g" in line)
    hooked.git(*undo.split()[1:])
    assert hooked.git("status", "--porcelain") == ""
    hooked.do(*right.split()[1:])
    assert hooked.live("fraud", "dev") == "1.0.0"
    assert hooked.verify("--history") == (0, [])


def test_peoples_own_files_are_committed(hooked: Workbench) -> None:
    stage(hooked, "README.md", b"# Ours\n")
    model = (hooked.path / "models/fraud/model.yaml").read_bytes()
    stage(hooked, "models/fraud/model.yaml", model + b"description: ours\n")
    said = plain_git(hooked.path, "commit", "-qm", "docs")
    assert (said.code, said.text) == (0, "")
    assert hooked.verify("--history") == (0, [])


def test_only_the_index_counts_not_the_work_tree(hooked: Workbench) -> None:
    stage(hooked, "README.md", b"fine\n")
    (hooked.path / f"{V1}/manifest.yaml").write_bytes(b"edited, not staged")
    assert plain_git(hooked.path, "commit", "-qm", "docs").code == 0
    stage(hooked, "bad.yaml", GITHUB_TOKEN)
    (hooked.path / "bad.yaml").write_bytes(b"clean now, but not staged\n")
    assert "bad.yaml:1" in commit_refused(hooked)


def test_commit_all_and_commit_of_one_file_are_judged_by_their_own_index(
    hooked: Workbench,
) -> None:
    stage(hooked, "notes", b"a\n")
    hooked.git("commit", "-qm", "notes")
    (hooked.path / "notes").write_bytes(PRIVATE_KEY)
    (hooked.path / "other").write_bytes(b"b\n")
    hooked.git("add", "other")
    for args in (("commit", "-qam", "x"), ("commit", "-qm", "x", "notes")):
        said = plain_git(hooked.path, *args)
        assert said.code == 1
        assert "notes:1: it looks like a private key" in said.text
    # The bad file is not part of this commit, though it lies there.
    assert plain_git(hooked.path, "commit", "-qm", "x", "other").code == 0


def test_a_merge_is_judged_by_what_it_brings(hooked: Workbench) -> None:
    hooked.git("switch", "-qc", "theirs")
    _edit(PIN, b"1.1.0", b"1.0.0")(hooked)
    hooked.git("commit", "-qnm", "without the hooks")
    hooked.git("switch", "-q", "main")
    stage(hooked, "README.md", b"x\n")
    hooked.git("commit", "-qm", "docs")
    said = plain_git(hooked.path, "merge", "--no-edit", "theirs")
    assert said.code != 0
    assert "E_TRANSITION_UNRECORDED" in said.text
    assert "-> git reset --merge" in said.text
    assert hooked.git("log", "-1", "--format=%s") == "docs"
    # And once more after a conflict, when git commit ends the merge.
    hooked.git("reset", "-q", "--merge")
    hooked.git("merge", "-q", "--no-commit", "theirs")
    said = plain_git(hooked.path, "commit", "--no-edit")
    assert said.code != 0
    assert "-> git merge --abort" in said.text
    hooked.git("merge", "--abort")
    assert hooked.git("status", "--porcelain") == ""


def test_people_bring_main_into_branches_of_their_own(hooked: Workbench) -> None:
    """Many steps come at once, and each was judged when main got it."""
    hooked.git("switch", "-qc", "experiment")
    stage(hooked, "train.py", b"x = 1\n")
    hooked.git("commit", "-qm", "try")
    hooked.git("switch", "-q", "main")
    hooked.promote("fraud@2.0.0", "dev")
    hooked.promote("fraud@1.1.0", "dev")
    hooked.git("switch", "-q", "experiment")
    said = plain_git(hooked.path, "merge", "--no-edit", "main")
    assert said.code == 0, said.text
    # Back again, the whole branch is one step of main's.
    hooked.git("switch", "-q", "main")
    said = plain_git(hooked.path, "merge", "--no-ff", "--no-edit", "experiment")
    assert said.code == 0, said.text
    assert hooked.verify("--history") == (0, [])


def test_a_secret_does_not_come_in_by_a_merge(hooked: Workbench) -> None:
    hooked.git("switch", "-qc", "experiment")
    hooked.git("switch", "-qc", "theirs")
    stage(hooked, "id", PRIVATE_KEY)
    hooked.git("commit", "-qnm", "theirs")
    hooked.git("switch", "-q", "experiment")
    said = plain_git(hooked.path, "merge", "--no-ff", "--no-edit", "theirs")
    assert said.code != 0
    assert "id:1: it looks like a private key" in said.text


def test_a_line_may_say_that_it_is_no_secret(hooked: Workbench) -> None:
    stage(hooked, "notes", GITHUB_TOKEN.strip() + b"  # gitleaks:allow\n")
    assert plain_git(hooked.path, "commit", "-qm", "x").code == 0


def test_git_can_go_on_without_the_hooks_if_told_to(hooked: Workbench) -> None:
    stage(hooked, "notes", PRIVATE_KEY)
    assert plain_git(hooked.path, "commit", "-qnm", "x").code == 0


def test_what_is_no_registry_is_left_in_peace(bench: Workbench) -> None:
    other = bench.outside / "other"
    bench.git("init", "-q", other)
    bench.do("-C", other, "hooks", "install")
    (other / "key").write_bytes(PRIVATE_KEY)
    assert plain_git(other, "add", ".").code == 0
    assert plain_git(other, "commit", "-qm", "mine").code == 0


@pytest.mark.parametrize(
    "trailer",
    ["Gitmodel-Action: promote", "Gitmodel-To: 9.9.9", "Gitmodel-Principal: ada"],
)
def test_a_message_cannot_claim_what_the_commit_does_not_do(
    hooked: Workbench, trailer: str
) -> None:
    stage(hooked, "README.md", b"x\n")
    said = commit_refused(hooked, f"docs\n\n{trailer}\n")
    assert f"COMMIT_EDITMSG:3: {trailer} is not what this commit does." in said
    assert "git commit --edit --file=.git/COMMIT_EDITMSG" in said


def test_a_squashed_request_may_carry_its_own_trailers(hooked: Workbench) -> None:
    """What gitmodel wrote about the very documents that are staged is true."""
    message = hooked.git("log", "-1", "--format=%B")
    assert "Gitmodel-Transition: sha256:" in message
    hooked.git("branch", "request")
    hooked.git("reset", "-q", "--hard", "HEAD~1")
    hooked.git("merge", "-q", "--squash", "request")
    assert plain_git(hooked.path, "commit", "-qm", message).code == 0
    assert hooked.verify("--history") == (0, [])
    # And git commit --amend may keep them.
    assert plain_git(hooked.path, "commit", "-q", "--amend", "--no-edit").code == 0


def test_a_registry_may_ask_for_trailers_of_commits_by_hand(hooked: Workbench) -> None:
    settings = (hooked.path / "gitmodel.yaml").read_bytes()
    asked = settings + b"commits:\n  trailers: [Ticket, Signed-off-by]\n"
    stage(hooked, "gitmodel.yaml", asked)
    assert plain_git(hooked.path, "commit", "-qm", "Ask for tickets").code == 0
    # Not of what is no part of the registry.
    stage(hooked, "README.md", b"x\n")
    assert plain_git(hooked.path, "commit", "-qm", "docs").code == 0
    stage(hooked, "gitmodel.yaml", asked + b"# ours\n")
    said = commit_refused(hooked, "Ticket: in the subject is none")
    assert "the registry asks for a line Ticket: … at the end." in said
    assert "the registry asks for a line Signed-off-by: … at the end." in said
    assert "--trailer 'Ticket: VALUE'" in said
    message = (".git/COMMIT_EDITMSG", "--trailer", "Ticket: A-1")
    done = plain_git(hooked.path, "commit", "-qsF", *message)
    assert (done.code, done.text) == (0, "")
    assert "Ticket: A-1" in hooked.git("log", "-1", "--format=%B")
    # Nor of gitmodel, whose commits say it all.
    hooked.do("promote", "fraud@2.0.0", "dev")
    assert hooked.verify("--history") == (0, [])


def test_gitmodel_itself_asks_no_hooks(hooked: Workbench) -> None:
    (hooked.path / ".git/hooks/pre-commit").write_text("#!/bin/sh\nexit 1\n")
    (hooked.path / ".git/hooks/pre-push").write_text("#!/bin/sh\nexit 1\n")
    hooked.do("promote", "fraud@2.0.0", "dev")


def test_a_merge_that_is_not_resolved_is_no_commit(hooked: Workbench) -> None:
    stage(hooked, "notes", b"a\n")
    hooked.git("commit", "-qm", "a")
    hooked.git("switch", "-qc", "other", "HEAD~1")
    stage(hooked, "notes", b"b\n")
    hooked.git("commit", "-qm", "b")
    plain_git(hooked.path, "merge", "main")
    answer = hooked.run("--json", "hook", "pre-commit")
    assert (answer.code, answer.json["error"]["code"]) == (1, "E_CONFLICT")


def test_aspects_and_files_narrow_what_is_looked_at(hooked: Workbench) -> None:
    _edit("gitmodel.yaml", b"stages:", b"stagez:")(hooked)
    _edit(f"{V1}/manifest.yaml", b"1.0.0", b"1.0.9")(hooked)
    stage(hooked, "notes", PRIVATE_KEY)

    def found(*args: str) -> tuple[int, set[str]]:
        answer = hooked.run("--json", "hook", "pre-commit", *args)
        return answer.code, {problem["code"] for problem in answer.json["problems"]}

    assert found("--only", "schema") == (2, {"E_SCHEMA", "E_NAME"})
    assert found("--only", "immutable") == (4, {"E_APPEND_ONLY"})
    assert found("--only", "secrets") == (3, {"E_SECRET"})
    assert found("--only", "secrets", str(hooked.path / "gitmodel.yaml")) == (0, set())
    assert found("--only", "lfs") == (0, set())
    assert found()[0] == 4
    answer = hooked.run("hook", "pre-commit", "--only", "nonsense")
    assert answer.code == 2
    assert "schema, immutable, lfs, signatures, policy, secrets" in answer.err


def test_an_ordinary_commit_waits_for_no_large_library(hooked: Workbench) -> None:
    stage(hooked, "README.md", b"x\n")
    code = (
        "import sys; from gitmodel.cli.main import run; "
        "code = run(['hook', 'pre-commit']); "
        "print(code, *sorted({'git', 'jsonschema', 'ruamel', 'sigstore'} & "
        "sys.modules.keys()))"
    )
    done = subprocess.run(
        [sys.executable, "-c", code],
        cwd=hooked.path, capture_output=True, text=True, check=True,
    )  # fmt: skip
    assert done.stdout == "0\n"


def test_a_large_file_is_not_read(hooked: Workbench) -> None:
    stage(hooked, "data.bin", b"\0" * (5 << 20) + PRIVATE_KEY)
    stage(hooked, f"{V1}/artifacts/big.bin", b"\0" * (9 << 20))
    said = commit_refused(hooked)
    assert "E_POINTER" in said
    assert "data.bin" not in said
