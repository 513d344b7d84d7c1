"""A policy edited as a text: problems at once, dangers refused, nothing lost."""

from __future__ import annotations

import io
from typing import TYPE_CHECKING, Any

import pytest

from gitmodel.formats import yaml_reader, yaml_writer
from tests.support.cli import gitmodel

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from tests.support.workbench import Workbench

    Edit = Callable[[dict[str, Any]], None]


def _text(bench: Workbench, edit: Edit) -> Path:
    """Write the policy in force, edited, as people would who copy its file."""
    number = bench.do("policy", "show")["version"]
    data = (bench.path / f".gitmodel/policy/{number}.yaml").read_bytes()
    document = yaml_reader.read(data, "policy").value
    edit(document)
    return bench.file("edited.yaml", yaml_writer.dump(document))


def _add_bob(bench: Workbench) -> str:
    key = bench.outside / "bob"
    gitmodel("key", "new", "--out", key)
    return " ".join(key.with_suffix(".pub").read_text().split()[:2])


def test_a_policy_is_edited_from_a_file(bench: Workbench) -> None:
    """A key needs no keyid, and many things change in one policy."""
    public = _add_bob(bench)

    def edit(document: dict[str, Any]) -> None:
        document["principals"]["bob"] = {"keys": [{"public": f"{public} bob@laptop"}]}
        document["roles"]["approver"]["members"].append("bob")
        document["stages"]["production"]["approvals"]["threshold"] = 1

    file = _text(bench, edit)
    before = bench.snapshot()
    dry = bench.do("policy", "edit", file, "--dry-run")
    assert "+  bob:" in dry["changes"]
    assert bench.snapshot() == before
    done = bench.do("policy", "edit", file)
    assert (done["version"], done["changes"]) == (2, dry["changes"])
    [key] = done["policy"]["principals"]["bob"]["keys"]
    assert key["public"] == public
    assert bench.verify("--history", "--full") == (0, [])
    head = (bench.path / ".gitmodel/policy/2.yaml").read_text().splitlines()[:2]
    assert head == ["apiVersion: gitmodel.dev/v1", "kind: Policy"]


def test_what_says_the_same_changes_nothing(bench: Workbench) -> None:
    before = bench.snapshot()
    answer = bench.run("policy", "edit", _text(bench, lambda _: None))
    assert (answer.code, answer.out) == (0, "The policy says so already.\n")
    assert bench.snapshot() == before


def _root(**fields: Any) -> Edit:
    return lambda document: document["roles"]["root"].update(fields)


def _share(document: dict[str, Any]) -> None:
    document["principals"]["eve"] = document["principals"]["ada"]


def _stage(**fields: Any) -> Edit:
    return lambda document: document["stages"]["production"].update(fields)


@pytest.mark.parametrize(
    ("edit", "code", "says"),
    [
        (_root(threshold=0), 2, "roles.root.threshold: 0 is less than 1"),
        (_root(members=[]), 2, "roles.root.members: it needs at least 1"),
        (_root(threshold=2), 3, "nobody could ever act in it"),
        (_root(members=["eve"]), 3, "eve, who is no principal"),
        (lambda document: document["roles"].pop("root"), 2, "root"),
        (lambda document: document["roles"].pop("approver"), 0, ""),
        (_share, 3, "a key has one owner"),
        (_stage(approvals={"threshold": 1, "role": "approver"}), 3, "never come"),
        (_stage(approvals={"threshold": 0, "role": "approver", "direct": 1}), 3, "dir"),
        (_stage(rollback={"approvals": 1, "role": "responder"}), 3, "never come"),
        (_stage(freeze=[{"from": "2026-02-01T00:00:00Z",
                         "until": "2026-01-01T00:00:00Z"}]), 3, "before it begins"),
        (lambda document: document.update(sigstore={
            "trustedRoot": f"sha256:{'0' * 64}"}), 3, "policy trust-root"),
        (lambda document: document["roles"]["publisher"].update(
            members=["ada", "bob"], threshold=2), 3, "bob, who is no principal"),
        (lambda document: document["stages"]["dev"].update({"from": "production"}),
         3, "no version could ever reach"),
        (lambda document: document.update(uid="0" * 8 + "-0000-0000-0000-" + "0" * 12),
         1, "is a copy of policy"),
        (lambda document: document.update(version=7), 1, "is a copy of policy 7"),
        (lambda document: document.update(prinzipals={}), 2, "prinzipals"),
    ],
)  # fmt: skip
def test_a_dangerous_policy_is_refused(
    bench: Workbench, edit: Edit, code: int, says: str
) -> None:
    file = _text(bench, edit)
    before = bench.snapshot()
    answer = bench.run("policy", "edit", file, "--dry-run")
    assert answer.code == code, answer.err
    assert says in answer.err
    if code:
        assert bench.run("policy", "edit", file).code == code
    assert bench.snapshot() == before


def test_all_problems_are_named_at_once(bench: Workbench) -> None:
    def malformed(document: dict[str, Any]) -> None:
        document["roles"]["root"]["threshold"] = 0
        document["stages"]["dev"]["from"] = 3
        document["extra"] = 1

    answer = bench.run("--json", "policy", "edit", _text(bench, malformed))
    assert answer.code == 2
    problems = answer.json["error"]["problems"]
    assert len(problems) == 3
    assert all(problem["line"] for problem in problems)

    def contradictory(document: dict[str, Any]) -> None:
        document["principals"]["eve"] = document["principals"]["ada"]
        document["roles"]["root"]["threshold"] = 5
        document["stages"]["dev"]["from"] = "nowhere"

    answer = bench.run("--json", "policy", "edit", _text(bench, contradictory))
    assert answer.code == 3
    codes = [problem["code"] for problem in answer.json["error"]["problems"]]
    assert codes[:3] == ["E_KEY_SHARED_BY_PRINCIPALS", "E_POLICY", "E_POLICY"]


def test_the_text_may_come_from_standard_input(
    bench: Workbench, monkeypatch: pytest.MonkeyPatch
) -> None:
    file = _text(bench, _stage(soak="24h"))
    stream = io.TextIOWrapper(io.BytesIO(file.read_bytes()))
    monkeypatch.setattr("sys.stdin", stream)
    assert bench.do("policy", "edit", "-")["version"] == 2
    stages = bench.do("policy", "show")["policy"]["stages"]
    assert stages["production"]["soak"] == "24h"


def _editor(bench: Workbench, monkeypatch: pytest.MonkeyPatch, script: str) -> None:
    program = bench.file("editor", f"#!/bin/sh\n{script}\n".encode())
    program.chmod(0o755)
    monkeypatch.setenv("EDITOR", str(program))
    monkeypatch.delenv("VISUAL", raising=False)


def test_the_editor_gets_what_people_decide(
    bench: Workbench, monkeypatch: pytest.MonkeyPatch
) -> None:
    seen = bench.outside / "seen"
    _editor(
        bench, monkeypatch, f"cp \"$1\" {seen}; sed -i 's/from: dev/from: null/' $1"
    )
    done = bench.do("policy", "edit")
    assert (done["version"], done["status"]) == (2, "changed")
    assert done["policy"]["stages"]["staging"]["from"] is None
    text = seen.read_text()
    assert text.startswith("# Policy 1, without")
    assert "uid:" not in text
    assert "principals:" in text


def test_an_editor_that_changes_nothing_makes_nothing(
    bench: Workbench, monkeypatch: pytest.MonkeyPatch
) -> None:
    for script in ("true", "touch -d tomorrow $1"):
        _editor(bench, monkeypatch, script)
        before = bench.snapshot()
        assert bench.do("policy", "edit")["status"] == "in_force"
        assert bench.snapshot() == before


def test_a_text_that_cannot_be_used_is_kept(
    bench: Workbench, monkeypatch: pytest.MonkeyPatch
) -> None:
    _editor(bench, monkeypatch, "sed -i 's/from: dev/from: 3/' $1")
    before = bench.snapshot()
    answer = bench.run("policy", "edit")
    assert answer.code == 2
    kept = bench.path / ".git/gitmodel/policy.edited.yaml"
    assert f"gitmodel policy edit {kept}" in answer.err
    assert bench.snapshot() == before
    kept.write_text(kept.read_text().replace("from: 3", "from: null"))
    assert bench.do("policy", "edit", kept)["version"] == 2


def test_an_editor_that_fails_is_said(
    bench: Workbench, monkeypatch: pytest.MonkeyPatch
) -> None:
    _editor(bench, monkeypatch, "exit 3")
    answer = bench.run("policy", "edit")
    assert answer.code not in {0, 70}
    assert "Traceback" not in answer.err


@pytest.mark.parametrize(
    ("args", "code"),
    [
        (("edit", "/no/such/file"), 2),
        (("edit", "/dev/null"), 2),
        (("threshold", "root", "0"), 2),
        (("threshold", "root", "2"), 3),
        (("threshold", "approver", "1"), 0),
        (("sensitivity", "fraud"), 2),
        (("sensitivity", "fraud", "secret"), 2),
        (("sensitivity", "fraud", "public", "--default"), 2),
        (("sensitivity", "../x", "public"), 2),
    ],
)
def test_bad_words_are_said(bench: Workbench, args: tuple[str, ...], code: int) -> None:
    before = bench.snapshot()
    assert bench.run("policy", *args).code == code
    assert bench.snapshot() == before


def test_only_the_roots_have_a_threshold(bench: Workbench) -> None:
    """What nothing looks at must not be promised."""
    public = _add_bob(bench)
    del public
    bench.do("policy", "add-principal", "bob", "--key", f"{bench.outside / 'bob'}.pub",
             "--role", "approver")  # fmt: skip
    before = bench.snapshot()
    answer = bench.run("policy", "threshold", "approver", "2")
    assert answer.code == 3
    assert "gitmodel policy require STAGE --approvals N" in answer.err
    assert bench.snapshot() == before


def test_who_is_not_a_root_edits_nothing(bench: Workbench) -> None:
    _add_bob(bench)
    bench.do("policy", "add-principal", "bob", "--key", f"{bench.outside / 'bob'}.pub",
             "--role", "promoter")  # fmt: skip
    file = _text(bench, _root(members=["ada", "bob"]))
    before = bench.snapshot()
    answer = bench.run("--json", "--key", bench.outside / "bob", "policy", "edit", file)
    assert (answer.code, answer.json["error"]["code"]) == (3, "E_ROLE")
    assert bench.snapshot() == before
