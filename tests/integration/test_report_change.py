"""What CI says of a pull request before it is merged (R087, R091, R117, R139)."""

from __future__ import annotations

import json
import re
from typing import TYPE_CHECKING, Any

import pytest

from tests.support.isolation import isolate
from tests.support.remotes import clone
from tests.support.workbench import Workbench, git, unpack

if TYPE_CHECKING:
    from pathlib import Path

REQUEST = "request/production/fraud/2"
MANIFEST = "models/fraud/versions/1.0.0/manifest.yaml"
EVIL = "all *well* @octocat [x](https://evil.example) <img src=x> `rm` | #1"


@pytest.fixture(scope="module")
def proposed(told: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Make a registry in which fraud 1.1.0 waits for bob before production."""
    root = tmp_path_factory.mktemp("proposed")
    with pytest.MonkeyPatch.context() as patch:
        isolate(patch, root / "home")
        bench = unpack(told, root / "home", root)
        bench.do("promote", "fraud@1.0.0", "production")
        bob = root / "home/bob"
        bench.do("key", "new", "--out", bob)
        bench.do("policy", "add-principal", "bob", "--key", f"{bob}.pub",
                 "--role", "approver")  # fmt: skip
        bench.do("policy", "require", "production", "--approvals", "1",
                 "--metric", "validation.accuracy>=0.91")  # fmt: skip
        bench.do("promote", "fraud@1.1.0", "production", "-m", EVIL)
    return root


@pytest.fixture
def bench(proposed: Path, home: Path, tmp_path: Path) -> Workbench:
    return unpack(proposed, home, tmp_path)


def approve(bench: Workbench, home: Path) -> None:
    bench.do("--key", str(home / "bob"), "approve", "fraud#production")


def report(bench: Workbench, commits: str, *options: str) -> tuple[int, Any]:
    """Return the exit code and the answer; whatever comes out, nothing is changed."""
    before = bench.snapshot()
    answer = bench.run("--json", "report", "change", commits, *options)
    assert bench.snapshot() == before
    return answer.code, answer.json


def rendered(text: str) -> str:
    """Return what a forge takes for Markdown: all that is in no code span."""
    return re.sub(r"(?<!`)(`+)(?!`)[^\n]*?(?<!`)\1(?!`)", "", text)


def codes(answer: Any) -> set[str]:
    return {refusal["code"] for refusal in answer["refusals"]}


def branch(bench: Workbench, name: str, start: str = "main") -> None:
    bench.git("switch", "-qc", name, start)


def test_a_request_waits_until_it_is_approved(bench: Workbench, home: Path) -> None:
    code, answer = report(bench, f"main..{REQUEST}")
    assert (code, answer["status"], answer["refusals"]) == (0, "pending", [])
    [move] = answer["moves"]
    assert (move["from"], move["to"], move["requester"]) == ("1.0.0", "1.1.0", "ada")
    assert move["needed"] == answer["needed"] != []
    assert [(gate["gate"], gate["met"]) for gate in move["gates"]] == [
        ("from", True),
        ("metric", True),
    ]
    [metric] = [m for m in move["metrics"] if m["name"] == "accuracy"]
    assert (metric["verdict"], metric["direction"]) == ("better", "higher")
    assert report(bench, f"main..{REQUEST}", "--require-approvals")[0] == 3

    approve(bench, home)
    code, answer = report(bench, f"main..{REQUEST}", "--require-approvals")
    assert (code, answer["status"], answer["needed"]) == (0, "allowed", [])
    assert answer["moves"][0]["approvals"] == ["bob"]


def test_what_it_allows_verifies_once_merged_and_what_it_refuses_does_not(
    bench: Workbench, home: Path
) -> None:
    waiting = bench.copy(bench.path.parent / "waiting")
    waiting.git("merge", "-q", "--no-ff", "-m", "merged", REQUEST)
    assert waiting.verify("--history")[1] == ["E_THRESHOLD"]
    approve(bench, home)
    assert report(bench, f"main..{REQUEST}")[1]["status"] == "allowed"
    bench.git("merge", "-q", "--no-ff", "-m", "merged", REQUEST)
    assert bench.verify("--history") == (0, [])


def test_a_rejected_request_is_refused(bench: Workbench, home: Path) -> None:
    bob = ("--key", str(home / "bob"))
    bench.do(*bob, "reject", "fraud#production", "-m", "no")
    code, answer = report(bench, f"main..{REQUEST}")
    assert (code, answer["status"]) == (3, "refused")
    assert codes(answer) == {"E_REJECTED"}
    assert answer["moves"][0]["rejections"] == ["bob"]


def test_an_unmet_gate_is_named_with_the_others(bench: Workbench, home: Path) -> None:
    approve(bench, home)
    bench.git("switch", "-q", REQUEST)
    bench.git("switch", "-q", "main")
    bench.do("policy", "require", "production", "--metric",
             "validation.accuracy>=0.99")  # fmt: skip
    code, answer = report(bench, f"main..{REQUEST}")
    assert code == 4  # asked for under a policy that is replaced
    assert {"E_GATE", "E_OTHER_POLICY"} <= codes(answer)
    gates = {gate["gate"]: gate for gate in answer["moves"][0]["gates"]}
    assert gates["from"]["met"] is True
    assert gates["metric"]["met"] is False
    assert "0.95" in gates["metric"]["message"]


@pytest.mark.parametrize("path", [MANIFEST, "stages/production/fraud.yaml"])
def test_a_document_edited_by_hand_is_refused(bench: Workbench, path: str) -> None:
    branch(bench, "bad")
    text = (bench.path / path).read_bytes()
    bench.commit_file(path, text.replace(b"1.0.0", b"1.1.0"))
    code, answer = report(bench, "main..bad")
    assert (code, answer["status"]) == (
        (4, "refused") if path == MANIFEST else (3, "refused")
    )
    assert all(r["commands"] for r in answer["refusals"] if r["path"] == path)
    if path != MANIFEST:
        assert codes(answer) >= {"E_TRANSITION_UNRECORDED"}
        [move] = answer["moves"]
        assert (move["action"], move["to"]) == (None, "1.1.0")


def test_what_was_edited_and_put_back_would_stay_in_the_history(
    bench: Workbench,
) -> None:
    branch(bench, "there-and-back")
    bench.commit_file(MANIFEST, b"kind: Nothing\n")
    bench.git("revert", "--no-edit", "HEAD")
    bench.commit_file("README.md", b"hello\n")
    code, answer = report(bench, "main..there-and-back")
    assert (code, answer["status"], answer["elsewhere"]) == (4, "refused", 1)
    assert codes(answer) == {"E_APPEND_ONLY"}


def test_a_branch_does_not_bring_its_own_judges(bench: Workbench) -> None:
    """A policy that lets everybody do everything does not count before it landed."""
    thief = bench.file("thief")
    thief.unlink()
    bench.do("key", "new", "--out", thief)
    branch(bench, "coup")
    policy = bench.path / ".gitmodel/policy/3.yaml"
    assert policy.exists()
    mine = bench.run("--key", str(thief), "policy", "add-principal", "eve", "--key",
                     f"{thief}.pub", "--role", "root")  # fmt: skip
    assert mine.code != 0
    bench.commit_file(".gitmodel/policy/4.yaml", policy.read_bytes())
    code, answer = report(bench, "main..coup")
    assert (code, answer["status"]) == (3, "refused")
    assert codes(answer) & {"E_POLICY_ROLLBACK", "E_UNSIGNED", "E_POLICY"}


def test_a_parent_that_is_not_there_is_refused(bench: Workbench) -> None:
    """R031: a version whose parent was registered on another branch only."""
    branch(bench, "both")
    base = bench.file("base.bin", b"base")
    bench.do("register", "base", base, "--version", "1.0.0", "--no-capture")
    bench.do("register", "fraud", base, "--version", "2.0.0", "--no-capture",
             "--parent", "base@1.0.0")  # fmt: skip
    assert report(bench, "main..both")[1]["status"] == "allowed"
    kinds = {each["name"] for each in report(bench, "main..both")[1]["additions"]}
    assert {"base@1.0.0", "fraud@2.0.0"} <= kinds
    branch(bench, "child", "main")
    bench.git("checkout", "-q", "both", "--", "models/fraud")
    bench.git("commit", "-qm", "the child alone")
    code, answer = report(bench, "main..child")
    assert (code, codes(answer)) == (3, {"E_LINEAGE"})


def test_a_branch_behind_its_base_is_merged_first(bench: Workbench) -> None:
    branch(bench, "late", "main")
    file = bench.file("late.bin", b"late")
    bench.do("register", "churn", file, "--version", "1.0.0", "--no-capture")
    bench.git("switch", "-q", "main")
    bench.do("register", "other", file, "--version", "1.0.0", "--no-capture")
    code, answer = report(bench, "main..late")
    assert (code, answer["status"]) == (0, "allowed")
    assert [each["name"] for each in answer["additions"]] == ["churn", "churn@1.0.0"]


def test_what_does_not_merge_is_refused(bench: Workbench, home: Path) -> None:
    approve(bench, home)
    branch(bench, "other", "main")
    bench.commit_file("notes.txt", b"one\n")
    branch(bench, "third", "main")
    bench.commit_file("notes.txt", b"two\n")
    code, answer = report(bench, "other..third")
    assert (code, codes(answer)) == (3, {"E_MERGE_CONFLICT"})
    [refusal] = answer["refusals"]
    assert (refusal["path"], refusal["commands"]) == ("notes.txt", ["git merge BASE"])


def test_a_request_that_others_overtook_has_to_be_made_anew(
    bench: Workbench, home: Path
) -> None:
    approve(bench, home)
    bench.git("branch", "-m", REQUEST, "overtaken")
    bench.do("promote", "fraud@1.1.0", "production", "-m", "I was faster")
    approve(bench, home)
    bench.do("promote", "--finalize", "fraud#production")
    code, answer = report(bench, "main..overtaken")
    assert (code, codes(answer)) == (3, {"E_MERGE_CONFLICT"})
    commands = {command for r in answer["refusals"] for command in r["commands"]}
    assert commands == {"gitmodel promote fraud@VERSION production"}


def test_a_stranger_of_a_history_is_refused(bench: Workbench) -> None:
    bench.git("switch", "-q", "--orphan", "stranger")
    bench.git("commit", "-q", "--allow-empty", "-m", "first")
    code, answer = report(bench, "main..stranger")
    assert (code, codes(answer)) == (3, {"E_ROOT_ANCHOR"})


def test_no_registry_is_left(bench: Workbench) -> None:
    branch(bench, "wipe")
    bench.git("rm", "-rq", ".")
    bench.git("commit", "-qm", "wipe")
    code, answer = report(bench, "main..wipe")
    assert (code, answer["status"]) == (4, "refused")
    assert {"E_APPEND_ONLY", "E_NO_REGISTRY"} <= codes(answer)


def test_another_root_ends_it(bench: Workbench) -> None:
    root = f"sha256:{'0' * 64}"
    code, answer = report(bench, f"main..{REQUEST}", "--root", root)
    assert (code, answer["error"]["code"]) == (4, "E_ROOT_ANCHOR")
    root = bench.do("verify", "--no-bytes")["root"]
    assert report(bench, f"main..{REQUEST}", "--root", root)[0] == 0


def test_a_shallow_clone_cannot_tell(bench: Workbench, tmp_path: Path) -> None:
    shallow = clone(f"file://{bench.path}", tmp_path / "shallow", tmp_path,
                    "--depth=1", "--no-single-branch")  # fmt: skip
    code, answer = report(shallow, f"origin/main..origin/{REQUEST}")
    assert (code, answer["error"]["code"]) == (4, "E_SHALLOW")
    assert "fetch --unshallow" in answer["error"]["hints"][0]


def test_a_policy_waits_for_its_roots(bench: Workbench) -> None:
    bench.do("policy", "grant", "bob", "root")
    asked = bench.do("policy", "threshold", "root", "2")
    commits = f"main..{asked['branch']}"
    code, answer = report(bench, commits)
    assert (code, answer["status"]) == (0, "pending")
    assert [each["kind"] for each in answer["additions"]] == ["policy"]
    text = bench.run("report", "change", commits, "--markdown", "-").out
    assert f"`gitmodel policy sign {asked['version']} --push`" in text


def test_nothing_to_merge_is_no_change(bench: Workbench) -> None:
    code, answer = report(bench, f"{REQUEST}..main")
    assert (code, answer["status"], answer["moves"]) == (0, "unchanged", [])


def test_a_malformed_range_is_a_usage_error(bench: Workbench) -> None:
    for commits in ("main", "..main", "main...x", "a..b..c", "..", "--all"):
        answer = bench.run("report", "change", "--", commits)
        assert answer.code == 2, commits
        assert "BASE..HEAD" in answer.err


def test_unknown_commits_are_named(bench: Workbench) -> None:
    for commits in ("main..nowhere", "nowhere..main"):
        code, answer = report(bench, commits)
        assert (code, answer["error"]["code"]) == (1, "E_NOT_FOUND")


def test_markdown_renders_nothing_that_strangers_wrote(
    bench: Workbench, tmp_path: Path
) -> None:
    file = tmp_path / "report.md"
    code, _ = report(bench, f"main..{REQUEST}", "--markdown", str(file))
    text = file.read_text()
    assert code == 0
    assert text == bench.run("report", "change", f"main..{REQUEST}", "--markdown",
                             "-").out  # fmt: skip
    assert "all *well* @octocat" in text  # shown, and as code
    outside = rendered(text)
    for word in ("octocat", "evil.example", "<img", "#1", "rm"):
        assert word not in outside
    assert re.search(r"[<>@\[\]]", outside.replace("<br>", "")) is None
    assert "waits for approvals" in text
    assert "`gitmodel approve fraud#production --push`" in text


def test_markdown_shows_hostile_file_names_without_rendering_them(
    bench: Workbench, tmp_path: Path
) -> None:
    branch(bench, "names")
    name = "models/fraud/versions/1.0.0/`|@octocat <b>\u202e.txt"
    bench.commit_file(name, b"x")
    file = tmp_path / "report.md"
    code, answer = report(bench, "main..names", "--markdown", str(file))
    assert (code, codes(answer)) == (4, {"E_EXTRA_FILE"})
    [row] = [line for line in file.read_text().split("\n") if "octocat" in line]
    assert "octocat" not in rendered(row)
    assert rendered(row).count("|") == 5
    assert "\u202e" not in row


def test_a_report_of_a_thousand_problems_fits_a_comment(
    bench: Workbench, tmp_path: Path
) -> None:
    branch(bench, "many")
    for number in range(1000):
        path = bench.path / f"stages/production/{'x' * 150}{number}.txt"
        path.write_text("x")
    bench.git("add", "stages")
    bench.git("commit", "-qm", "many")
    file = tmp_path / "report.md"
    code, answer = report(bench, "main..many", "--markdown", str(file))
    assert code == 4
    assert len(answer["refusals"]) >= 1000
    assert len(file.read_bytes()) <= 60_000
    assert "and 950 more" in file.read_text()


def test_json_and_markdown_do_not_share_stdout(bench: Workbench) -> None:
    answer = bench.run("--json", "report", "change", "main..main", "--markdown", "-")
    assert answer.code == 2
    assert json.loads(answer.out)["error"]["code"] == "E_INPUT"
    nowhere = bench.run("report", "change", "main..main", "--markdown", "/no/where")
    assert nowhere.code == 5


def test_people_read_what_it_says(bench: Workbench) -> None:
    answer = bench.run("report", "change", f"main..{REQUEST}")
    assert answer.code == 0
    assert "fraud in production: 1.0.0 -> 1.1.0, promote by ada" in answer.out
    assert "approved  0 of 1" in answer.out
    assert "taken on trust" in answer.err
    assert git(bench.path, "for-each-ref", "--count=1") != ""
