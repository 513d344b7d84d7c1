"""Options and files that no command can use: refused in a sentence, nothing changed."""

from __future__ import annotations

import json
import os
import socket
import subprocess
import time
from typing import TYPE_CHECKING

import pytest

from tests.support.refusals import refused

if TYPE_CHECKING:
    from tests.support.workbench import Workbench

METADATA: dict[str, str | bytes] = {
    "cut.yaml": "a: [1", "empty.yaml": "", "list.yaml": "- 1", "text.yaml": '"x"',
    "unknown.yaml": "unknown: 1", "identity.yaml": "model: evil\nversion: 9.9.9",
    "artifacts.yaml": "artifacts: []", "training.yaml": "training: 5",
    "parameters.yaml": "training: {hyperparameters: 5}",
    "data.yaml": "training: {data: 5}",
    "data-item.yaml": "training: {data: [5]}",
    "data-name.yaml": "training: {data: [{}]}",
    "digest.yaml": "training: {data: [{name: x, digest: y}]}",
    "code.yaml": "training: {code: x}", "commit.yaml": "training: {code: {commit: x}}",
    "duration.yaml": "training: {durationSeconds: -1}", "metrics.yaml": "metrics: 5",
    "set.yaml": "metrics: {validation: 5}",
    "nan.yaml": "metrics: {validation: {a: .nan}}",
    "value.yaml": "metrics: {validation: {a: {value: x}}}",
    "boolean.yaml": "metrics: {validation: {a: true}}", "labels.yaml": "labels: [1]",
    "label.yaml": "labels: {a: 1}", "parents.yaml": "lineage: {parents: 5}",
    "parent.yaml": "lineage: {parents: [5]}",
    "parent-empty.yaml": "lineage: {parents: [{}]}",
    "parent-half.yaml": "lineage: {parents: [{model: fraud}]}",
    "parent-types.yaml": "lineage: {parents: [{model: 5, version: [1]}]}",
    "environment.yaml": "environment: 5", "architecture.yaml": "architecture: 5",
    "card.yaml": "card: 5", "card-missing.yaml": "card: missing.md",
    "description.yaml": "description: [a]", "change.yaml": "change: nope",
    "alias.yaml": "labels: &x {a: b}\ntraining: *x",
    "merge.yaml": "labels: {<<: {a: b}}",
    "tag.yaml": '!!python/object/apply:os.system ["id"]', "utf16.yaml": b"\xff\xfea\0",
    "directive.yaml": "%YAML 1.1\n---\nlabels: {a: no}",
    "duplicate.yaml": "labels: 1\nlabels: 2",
    "deep.yaml": "x: " + "[" * 3000, "large.yaml": "#" * (2 << 20),
    "binary.yaml": b"\0\xff",
    "cut.json": "{", "list.json": "[]", "nan.json": '{"labels": {"a": NaN}}',
    "infinite.json": '{"metrics": {"validation": {"a": 1e999}}}',
    "duplicate.json": '{"labels": {"a": "1", "a": "2"}}', "deep.json": "[" * 200_000,
    "surrogate.json": '{"labels": {"a": "\\ud800"}}', "binary.json": b"\xff",
    "digits.json": '{"training": {"hyperparameters": {"a": ' + "9" * 5000 + "}}}",
    "huge.json": '{"training": {"hyperparameters": {"a": ' + "9" * 300 + "}}}",
    "levels.json": '{"training": {"hyperparameters": ' + '{"x":' * 99 + "1" + "}" * 101,
    "control.json": '{"labels": {"a\\u0000": "x"}}',
    "spaces.json": " " * (2 << 20) + "{}",
}  # fmt: skip


def test_metadata_that_no_manifest_can_hold(stocked: Workbench) -> None:
    file = stocked.file("ok.bin")
    before = stocked.snapshot()
    for name, content in METADATA.items():
        data = content.encode() if isinstance(content, str) else content
        path = stocked.file(name, data)
        refused(stocked, "register", "new", file, "--no-capture", "--metadata", path)
    assert stocked.snapshot() == before


def test_metadata_that_has_no_end_is_cut_short(stocked: Workbench) -> None:
    file = stocked.file("ok.bin")
    error = refused(stocked, "register", "new", file, "--metadata", "/dev/zero")
    assert error["code"] == "E_LIMIT"


def test_metadata_that_is_not_there(stocked: Workbench) -> None:
    file = stocked.file("ok.bin")
    for path in (stocked.outside / "missing.yaml", stocked.outside):
        refused(stocked, "register", "new", file, "--metadata", path, code=1)


def test_what_is_registered_can_be_read_again_however_large(stocked: Workbench) -> None:
    file = stocked.file("ok.bin")
    for size in (400, 1000):
        # Backslashes are twice as long in YAML: more than fits, or just within.
        many = {f"k{number}": "\\" * size for number in range(900)}
        path = stocked.file(
            "big.json", json.dumps({"training": {"hyperparameters": many}}).encode()
        )
        args = ("register", "new", file, "--no-capture", "--metadata", path)
        if size == 1000:
            assert refused(stocked, *args, "--allow-same-bytes")["code"] == "E_LIMIT"
        else:
            stocked.do(*args)
    assert stocked.verify("new@1.0.0") == (0, [])


OPTIONS: tuple[tuple[str, ...], ...] = (
    *((f"--metric={text}",) for text in (
        "", "a", "a=", "=1", "a=nan", "a=NaN", "a=inf", "a=-Infinity", "a=1e999",
        "a=abc",
        "a=0x10", "a=1_000", "a=\uff11", "a=1,5", "a=1 ", "a=1\n", "a=true", "a b=1",
        ".a=1",
        "x" * 300 + "=1", "a=" + "9" * 5000, "\0=1", "--=1", "a\udcff=1",
    )),
    ("--metric=a=1", "--metric=a=2"),
    ("--metric=a=1", "--metric=validation.a=1"),
    *((f"--param={text}",) for text in (
        "", "a", "=1", "a b=1", "x" * 300 + "=1", 'a={"b":1,"b":2}', "a=\a", "a=\udcff",
        'a="\\ud800"',
        "a=" + "[" * 30 + "]" * 30, "a=" + "[" * 100_000, "a=" + "9" * 400,
    )),
    ("--param=a=1", "--param=a=1"),
    *((f"--label={text}",) for text in (
        "", "a", "=1", "a b=1", "a=" + "x" * 300, "a=\n", "a=\x1b", "a=\udcff", "-=1",
    )),
    ("--label=a=1", "--label=a=2"),
    *((f"--data={text}",) for text in (
        "", "a", "=x", "a=", "a=missing", "a b=x", "a@=x", "a=/dev/null", "a=http://x",
        "a=http://x@sha256:zz", "a=s3://x@sha256:" + "A" * 64, "a=\0", "a=\udcff",
        "a=http://user:secret@x@sha256:" + "1" * 64,
    )),
    *((f"--parent={text}",) for text in (
        "", "fraud", "fraud@", "@1.0.0", "fraud@1.0", "fraud@latest", "fraud#dev",
        "../x@1.0.0", "fraud@1.0.0:a b",
        "fraud@1.0.0:" + "x" * 300, "fraud@1.0.0:\udcff",
    )),
    *((f"--role={text}",) for text in (
        "", "x", "ok.bin=", "ok.bin=nope", "ok.bin=WEIGHTS", "=weights", "nope=weights",
    )),
    ("--bump=nope",), ("--bump=",), ("--change=nope",), ("--version=1.0.0",
    "--bump=major"),
    ("--code=.",), ("--card=missing",), ("--card=",), ("--metadata=",),
    ("--description=" + "x" * 5000,), ("--description=a\ab",),
    ("--description=\udcff",),
    ("--nope",), ("--json=1",), ("--push=1",),
)  # fmt: skip


def test_options_of_register_that_say_nothing(
    stocked: Workbench, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(stocked.outside)
    file = stocked.file("ok.bin")
    before = stocked.snapshot()
    for options in OPTIONS:
        error = refused(stocked, "register", "new", file, "--no-capture", *options)
        assert "secret" not in str(error)
    for parent in ("fraud@9.9.9", "nope@1.0.0", "Fraud@1.0.0"):
        args = ("register", "new", file, "--no-capture", "--parent", parent)
        assert refused(stocked, *args, code=1)["code"] == "E_NOT_FOUND"
    # A role is looked up among the artifacts, which are in the store by then.
    assert stocked.snapshot().refs == before.refs
    assert stocked.snapshot().files == before.files


def test_code_that_is_in_no_repository(stocked: Workbench) -> None:
    file = stocked.file("ok.bin")
    before = stocked.snapshot()
    for place in (stocked.outside, stocked.outside / "missing", file):
        refused(stocked, "register", "new", file, "--code", place)
    assert stocked.snapshot() == before


COMMANDS: tuple[tuple[str, ...], ...] = (
    ("list", "--limit", "0"), ("list", "--limit", "-1"), ("list", "--limit", "x"),
    ("log", "--limit", "0"), ("list", "fraud", "--sort", ""), ("list", "--label",
    "a=b"),
    ("list", "fraud", "--sort", "nope"), ("list", "fraud", "--where", "x"),
    ("list", "fraud", "--where", ""), ("list", "fraud", "--where", "a>=nan"),
    ("list", "fraud", "--label", "x"), ("list", "--where", "a>1"),
    ("log", "--since", "yesterday"), ("log", "--until", "2026-13-01"), ("log",
    "--since", ""),
    ("show", "fraud@1.0.0", "--at", "x"), ("show", "fraud@1.0.0", "--at", "2026-02-30"),
    ("promote", "fraud@1.0.0"), ("promote",), ("rollback", "fraud", "dev"), ("diff",
    "fraud@1"),
    ("rollback", "fraud", "dev", "-m", ""), ("rollback", "fraud", "dev", "-m", " \n"),
    ("rollback", "fraud", "dev", "-m", "\0"), ("promote", "fraud@2.0.0", "dev", "-m",
    "\x1b"),
    ("promote", "fraud@2.0.0", "dev", "-m", "\udcff"), ("pull", "fraud@1.0.0", "-o",
    ""),
    ("promote", "fraud@2.0.0", "dev", "-m", "x" * 5000),
    ("rollback", "fraud", "dev", "-m", "x", "--incident", "\x1b"),
    ("rollback", "fraud", "dev", "-m", "x", "--incident", "a\nb"),
    ("verify", "--root", "x"), ("verify", "--root", ""), ("verify", "--root",
    "sha256:1"),
    ("verify", "--root", "sha256:" + "A" * 64), ("verify", "fraud@1.0.0",
    "churn@1.0.0"),
    ("key", "nope"), ("key", "show", "x"), ("completion", "nope"), ("nope",), ("--nope",
    "list"),
    ("list", "--nope"), ("list", "fraud", "churn"), ("-C",), ("init", "--stage", "a",
    "--stage", "a"),
)  # fmt: skip


def test_commands_that_make_no_sense(stocked: Workbench) -> None:
    before = stocked.snapshot()
    for args in COMMANDS:
        refused(stocked, *args)
    for args in (
        ("show", "fraud@1.0.0", "--at", "1970-01-01"),
        ("log", "--stage", "nope"),
        ("list", "--stage", "nope"),
        ("promote", "fraud@1.0.0", "nope"),
        ("rollback", "churn", "staging", "-m", "x"),
        ("rollback", "fraud", "dev", "-m", "x", "--to", "9.9.9"),
        ("--key", "/nope", "promote", "fraud@2.0.0", "dev"),
        ("pull", "fraud@1.0.0", "-o", str(stocked.file("taken"))),
    ):
        refused(stocked, *args, code=1)
    assert stocked.snapshot() == before


@pytest.mark.parametrize(
    ("typed", "meant"), [("promtoe", "promote"), ("veryfy", "verify"), ("lst", "list")]
)
def test_a_mistyped_command_is_recognised(
    stocked: Workbench, typed: str, meant: str
) -> None:
    assert meant in refused(stocked, typed)["message"]


def test_files_that_cannot_be_artifacts(stocked: Workbench) -> None:
    root = stocked.outside
    (root / "empty").mkdir()
    os.mkfifo(root / "pipe")
    (root / "link").symlink_to(stocked.file("target"))
    (root / "dangling").symlink_to("nowhere")
    listener = socket.socket(socket.AF_UNIX)
    listener.bind(os.path.relpath(root / "socket"))
    listener.close()
    stocked.file("linked/a.bin")
    (root / "linked/b.bin").symlink_to("a.bin")
    stocked.file("git/.git/config")
    stocked.file("bytes/\udcff.bin")
    stocked.file("control/a\nb")
    stocked.file("back/a\\b")
    stocked.file("case/Model.bin")
    stocked.file("case/model.BIN", b"other")
    stocked.file("unicode/\xe9", b"one")
    stocked.file("unicode/e\u0301", b"other")
    pointer = b"version https://git-lfs.github.com/spec/v1\noid sha256:%b\nsize 5\n" % (
        b"1" * 64
    )
    stocked.file("pointer.bin", pointer)
    before = stocked.snapshot()
    for name in (
        "missing", "empty", "pipe", "link", "dangling", "socket", "linked", "git",
        "bytes",
        "control", "back", "case", "unicode", "pointer.bin",
    ):  # fmt: skip
        error = refused(stocked, "register", "new", root / name, "--no-capture")
        assert error["code"] == "E_SOURCE", name
        assert error["problems"], name
    for path in ("/dev/null", "/dev/zero", "/proc/self/mem", ""):
        refused(stocked, "register", "new", path, "--no-capture")
    refused(
        stocked, "register", "new", root / "case/Model.bin", root / "case/Model.bin"
    )
    refused(stocked, "register", "new")
    assert stocked.snapshot() == before


def test_five_thousand_files_take_seconds(stocked: Workbench) -> None:
    root = stocked.outside / "many"
    root.mkdir()
    for number in range(5000):
        (root / f"shard-{number:05}.bin").write_bytes(b"%d" % number)
    started = time.monotonic()
    stocked.do("register", "many", root, "--no-capture")
    # Five seconds on a quiet machine, mostly of making small files durable.
    assert time.monotonic() - started < 60
    assert stocked.verify("many@1.0.0", "--no-bytes") == (0, [])


def test_more_files_than_a_manifest_can_name_are_refused_at_once(
    stocked: Workbench,
) -> None:
    root = stocked.outside / "many"
    deep = root.joinpath(*("d" * 240 for _ in range(4)))
    deep.mkdir(parents=True)
    for number in range(1100):
        (deep / str(number)).write_bytes(b"%d" % number)
    before = stocked.snapshot()
    error = refused(stocked, "register", "many", root, "--no-capture")
    assert error["code"] == "E_LIMIT"
    assert stocked.snapshot() == before


def test_nothing_that_is_typed_is_run_by_a_shell(stocked: Workbench) -> None:
    file = stocked.file("$(touch ran)`touch ran`;touch ran.bin")
    for text in (
        "$(touch ran)",
        "`touch ran`",
        "; touch ran",
        "| touch ran",
        "&& touch ran",
    ):
        stocked.run("register", text, file)
        stocked.run("register", "new", file, "-m", text, "--label", f"a={text}")
        stocked.run("show", text)
        stocked.run("promote", "new@1.0.0", "dev", "-m", text)
    found = subprocess.run(
        ["find", stocked.path.parent, ".", "-maxdepth", "3", "-name", "ran"],
        capture_output=True, text=True, check=True,
    )  # fmt: skip
    assert found.stdout == ""
    assert stocked.verify() == (0, [])
