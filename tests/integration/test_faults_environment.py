"""A hostile environment or configuration of git changes nothing (design 4.1, 6)."""

from __future__ import annotations

import shlex
from typing import TYPE_CHECKING

import pytest

from tests.support.workbench import Workbench, git

if TYPE_CHECKING:
    from pathlib import Path

    from tests.support.workbench import Snapshot

HOOKS = (
    "pre-commit",
    "prepare-commit-msg",
    "commit-msg",
    "post-commit",
    "pre-push",
    "pre-merge-commit",
    "post-merge",
    "post-checkout",
    "post-index-change",
    "reference-transaction",
    "pre-auto-gc",
)


def _flow(bench: Workbench, out: Path) -> None:
    """Do everything once, and assert that all of it is sound."""
    for version in ("1.0.0", "1.1.0"):
        bench.register(version=version)
        bench.promote(f"fraud@{version}", "dev")
    assert bench.do("rollback", "fraud", "dev", "-m", "x")["to"] == "1.0.0"
    actions = [event["action"] for event in bench.do("log", "fraud")["events"]]
    assert actions == ["rollback", "promote", "register", "promote", "register"]
    assert bench.do("pull", "fraud#dev", "-o", out)["version"] == "1.0.0"
    assert bench.verify() == (0, [])


def _program(path: Path, marker: Path, *lines: str) -> Path:
    """Write a program that leaves ``marker`` behind when it is run."""
    text = ["#!/bin/sh", f"echo x >> {shlex.quote(str(marker))}", *lines]
    path.write_text("\n".join(text) + "\n")
    path.chmod(0o755)
    return path


@pytest.fixture
def elsewhere(tmp_path: Path) -> Workbench:
    """Return another repository, which no command may touch."""
    git(tmp_path, "init", "-q", "elsewhere")
    git(tmp_path / "elsewhere", "commit", "-q", "--allow-empty", "-m", "theirs")
    return Workbench(tmp_path / "elsewhere", tmp_path)


def _environment(name: str, elsewhere: Path) -> dict[str, str]:
    git_dir = elsewhere / ".git"
    return {
        "places": {
            "GIT_DIR": str(git_dir),
            "GIT_COMMON_DIR": str(git_dir),
            "GIT_WORK_TREE": str(elsewhere),
            "GIT_INDEX_FILE": str(git_dir / "strange-index"),
            "GIT_OBJECT_DIRECTORY": str(git_dir / "objects"),
            "GIT_ALTERNATE_OBJECT_DIRECTORIES": str(git_dir / "objects"),
            "GIT_QUARANTINE_PATH": str(git_dir / "objects"),
            "GIT_PREFIX": "strange/",
            "GIT_INTERNAL_SUPER_PREFIX": "strange/",
        },
        "configuration": {
            "GIT_CONFIG": str(git_dir / "config"),
            "GIT_CONFIG_PARAMETERS": "'core.bare'='true'",
            "GIT_CONFIG_COUNT": "2",
            "GIT_CONFIG_KEY_0": "core.worktree",
            "GIT_CONFIG_VALUE_0": str(elsewhere),
            "GIT_CONFIG_KEY_1": "core.bare",
            "GIT_CONFIG_VALUE_1": "true",
        },
        "behaviour": {
            "GIT_NAMESPACE": "strange",
            "GIT_GLOB_PATHSPECS": "1",
            "GIT_ICASE_PATHSPECS": "1",
            "GIT_DEFAULT_HASH": "sha256",
            "GIT_DIFF_OPTS": "--unified=0",
            "GIT_EXTERNAL_DIFF": "false",
            "GIT_PAGER": "false",
            "GIT_REPLACE_REF_BASE": "refs/heads/",
            "GIT_TRACE": "1",
            "LANG": "de_DE.UTF-8",
            "LC_ALL": "tr_TR.UTF-8",
            "LANGUAGE": "de",
        },
    }[name]


@pytest.mark.parametrize("name", ["places", "configuration", "behaviour"])
def test_stray_variables_lead_nowhere_else(
    name: str, bench: Workbench, elsewhere: Workbench, tmp_path: Path
) -> None:
    before = elsewhere.snapshot()
    with pytest.MonkeyPatch.context() as patch:
        for key, value in _environment(name, elsewhere.path).items():
            patch.setenv(key, value)
        _flow(bench, tmp_path / "out")
    assert elsewhere.snapshot() == before
    assert bench.git("status", "--porcelain", "-uall") == ""
    assert bench.git("fsck", "--strict", "--no-dangling") == ""
    assert len(bench.git("rev-list", "HEAD").split()) == 6


def test_init_is_not_led_astray_either(
    home: Path, elsewhere: Workbench, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    del home
    before = elsewhere.snapshot()
    fresh = Workbench(tmp_path / "fresh", tmp_path)
    fresh.path.mkdir()
    with monkeypatch.context() as patch:
        for key, value in _environment("places", elsewhere.path).items():
            patch.setenv(key, value)
        fresh.do("init", "--principal", "ada")
    assert elsewhere.snapshot() == before
    assert fresh.verify() == (0, [])


def test_no_hook_runs(bench: Workbench, tmp_path: Path) -> None:
    marker = tmp_path / "marker"
    for directory in (tmp_path / "hooks", bench.path / ".git/hooks"):
        directory.mkdir(exist_ok=True)
        for name in HOOKS:
            _program(directory / name, marker, "exit 1")
    _flow(bench, tmp_path / "out")
    bench.git("config", "core.hooksPath", tmp_path / "hooks")
    bench.register(version="2.0.0")
    bench.promote("fraud@2.0.0", "dev")
    assert not marker.exists()
    bench.git("commit", "-q", "--allow-empty", "-m", "x", ok=False)
    assert marker.exists()  # the hooks are real: plain git runs them


def test_no_hook_runs_when_pushing(bench: Workbench, tmp_path: Path) -> None:
    git(tmp_path, "init", "-q", "--bare", "remote.git")
    bench.git("remote", "add", "origin", tmp_path / "remote.git")
    bench.git("push", "-q", "origin", "main")
    marker = tmp_path / "marker"
    (bench.path / ".git/hooks").mkdir(exist_ok=True)
    for name in HOOKS:
        _program(bench.path / ".git/hooks" / name, marker, "exit 1")
    file = bench.file("m.bin")
    bench.do("register", "fraud", file, "--push", "--no-capture")
    bench.do("promote", "fraud@1.0.0", "dev", "--push")
    assert not marker.exists()
    assert git(tmp_path / "remote.git", "rev-parse", "main") == bench.git(
        "rev-parse", "main"
    )


def _settings(name: str, tmp_path: Path) -> dict[str, str]:
    """Return settings that would mislead git; their programs leave a marker."""
    marker = tmp_path / "marker"
    fails = str(_program(tmp_path / "fails", marker, "exit 1"))
    forges = _program(
        tmp_path / "forges",
        marker,
        "echo '[GNUPG:] SIG_CREATED D 1 8 00 1 X' >&2",
        "echo '[GNUPG:] GOODSIG X Ada'",
        "echo '-----BEGIN SSH SIGNATURE-----'",
    )
    ignore = tmp_path / "ignore-all"
    ignore.write_text("*\n")
    attributes = tmp_path / "attributes"
    attributes.write_text("* text eol=crlf -filter -diff ident\n")
    return {
        "programs": {
            "core.fsmonitor": fails,
            "core.askPass": fails,
            "core.editor": fails,
            "core.pager": fails,
            "sequence.editor": fails,
            "diff.external": fails,
            "alias.rev-parse": f"!{fails}",
            "alias.update-ref": f"!{fails}",
            "filter.lfs.process": fails,
            "filter.lfs.clean": fails,
            "filter.lfs.smudge": fails,
            "help.autoCorrect": "immediate",
        },
        "signing-fails": {
            "commit.gpgSign": "true",
            "gpg.program": fails,
            "gpg.ssh.program": fails,
        },
        "signing-forges": {
            "commit.gpgSign": "true",
            "push.gpgSign": "if-asked",
            "gpg.program": str(forges),
            "gpg.ssh.program": str(forges),
            "log.showSignature": "true",
        },
        "line-endings": {
            "core.autocrlf": "true",
            "core.eol": "crlf",
            "core.safecrlf": "true",
            "core.attributesFile": str(attributes),
            "core.excludesFile": str(ignore),
            "core.ignoreCase": "true",
            "core.precomposeUnicode": "true",
        },
        "output": {
            "log.showRoot": "false",
            "log.follow": "true",
            "log.decorate": "full",
            "log.date": "relative",
            "format.pretty": "oneline",
            "diff.renames": "copies",
            "diff.noprefix": "true",
            "diff.orderFile": str(ignore),
            "diff.relative": "true",
            "color.ui": "always",
            "core.quotePath": "true",
            "trace2.normalTarget": "1",
        },
        "encodings": {
            "i18n.commitEncoding": "latin1",
            "i18n.logOutputEncoding": "utf-16",
        },
        "storage": {
            "core.logAllRefUpdates": "false",
            "core.sharedRepository": "world",
            "core.looseCompression": "9",
            "core.fileMode": "false",
            "core.symlinks": "false",
            "core.splitIndex": "true",
            "core.untrackedCache": "true",
            "index.version": "4",
            "index.threads": "2",
            "gc.auto": "1",
        },
    }[name]


@pytest.mark.parametrize(
    "name",
    [
        "programs",
        "signing-fails",
        "signing-forges",
        "line-endings",
        "output",
        "encodings",
        "storage",
    ],
)
def test_hostile_settings_change_nothing_and_run_nothing(
    name: str, bench: Workbench, tmp_path: Path
) -> None:
    settings = _settings(name, tmp_path)
    original = (bench.path / ".git/config").read_text()
    for key, value in settings.items():
        bench.git("config", key, value)
    _flow(bench, tmp_path / "out")
    assert not (tmp_path / "marker").exists()
    if name in {"line-endings", "storage"}:  # which say what a clean tree is
        assert bench.git("status", "--porcelain", "-uall") == ""
    (bench.path / ".git/config").write_text(original)
    assert bench.git("status", "--porcelain", "-uall") == ""
    assert bench.git("fsck", "--strict", "--no-dangling") == ""
    for commit in bench.git("rev-list", "HEAD").split():
        bench.git("verify-commit", commit)


def _two_in_dev(bench: Workbench) -> Snapshot:
    for version in ("1.0.0", "1.1.0"):
        bench.register(version=version)
        bench.promote(f"fraud@{version}", "dev")
    return bench.snapshot()


def _seen(bench: Workbench) -> list[object]:
    """Return everything that reading commands say."""
    questions: list[tuple[str, ...]] = [
        ("list",),
        ("list", "fraud"),
        ("log",),
        ("show", "fraud#dev"),
        ("verify",),
    ]
    return [bench.do(*question) for question in questions]


def test_a_replaced_pin_is_not_believed(bench: Workbench) -> None:
    _two_in_dev(bench)
    before = _seen(bench)
    pin = "stages/dev/fraud.yaml"
    old = bench.git("rev-parse", f"HEAD~2:{pin}")
    bench.git("replace", f"HEAD:{pin}", old)
    assert "1.0.0" in bench.git("cat-file", "-p", f"HEAD:{pin}")  # git is fooled
    assert _seen(bench) == before
    assert bench.do("rollback", "fraud", "dev", "-m", "x")["from"] == "1.1.0"
    bench.git("replace", "-d", bench.git("for-each-ref", "--format=%(refname:lstrip=2)",
                                         "refs/replace"))  # fmt: skip
    assert bench.verify() == (0, [])


def test_a_replaced_commit_is_not_believed(bench: Workbench) -> None:
    _two_in_dev(bench)
    before = _seen(bench)
    bench.git("replace", "HEAD", "HEAD~2")
    assert len(bench.git("rev-list", "HEAD").split()) == 3  # git is fooled
    assert _seen(bench) == before
    bench.promote("fraud@1.0.0", "dev")
    assert bench.verify() == (0, [])


def test_grafts_hide_no_history(bench: Workbench) -> None:
    _two_in_dev(bench)
    before = _seen(bench)
    (bench.path / ".git/info").mkdir(exist_ok=True)
    (bench.path / ".git/info/grafts").write_text(bench.git("rev-parse", "HEAD") + "\n")
    assert len(bench.git("rev-list", "HEAD").split()) == 1  # git is fooled
    assert _seen(bench) == before


def _without_parent(graph: bytes, commit: str) -> bytes:
    """Return a commit-graph file in which a commit has no parent."""
    chunks = {
        graph[start : start + 4]: int.from_bytes(graph[start + 4 : start + 12], "big")
        for start in range(8, 8 + 12 * graph[6], 12)
    }
    number = (
        graph.index(bytes.fromhex(commit), chunks[b"OIDL"]) - chunks[b"OIDL"]
    ) // 20
    parent = chunks[b"CDAT"] + 36 * number + 20
    return graph[:parent] + (0x70000000).to_bytes(4, "big") + graph[parent + 4 :]


def test_a_forged_commit_graph_hides_no_history(bench: Workbench) -> None:
    _two_in_dev(bench)
    before = _seen(bench)
    bench.git("commit-graph", "write", "--reachable")
    graph = bench.path / ".git/objects/info/commit-graph"
    forged = _without_parent(graph.read_bytes(), bench.git("rev-parse", "HEAD"))
    graph.chmod(0o644)
    graph.write_bytes(forged)
    assert len(bench.git("rev-list", "HEAD").split()) == 1  # git is fooled
    assert _seen(bench) == before
    bench.do("rollback", "fraud", "dev", "-m", "x")
    assert bench.verify() == (0, [])


def test_attributes_of_the_clone_that_would_bypass_lfs_stop_a_registration(
    bench: Workbench,
) -> None:
    (bench.path / ".git/info").mkdir(exist_ok=True)
    (bench.path / ".git/info/attributes").write_text("models/** -filter\n")
    before = bench.snapshot()
    answer = bench.run("--json", "register", "fraud", bench.file("m.bin"))
    assert (answer.code, answer.json["error"]["code"]) == (1, "E_ATTRIBUTES")
    after = bench.snapshot()
    assert (after.refs, after.status, after.files) == (
        before.refs,
        before.status,
        before.files,
    )
