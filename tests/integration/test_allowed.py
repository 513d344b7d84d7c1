"""What a registry may name, this machine must allow, in words of its own."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from gitmodel.adapters.git.repository import Repository
from gitmodel.errors import NotFoundError, RefusedError
from gitmodel.registry.allowed import require_allowed, require_allowed_address

if TYPE_CHECKING:
    from pathlib import Path

    from tests.support.workbench import Workbench


def _program(path: Path) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text("#!/bin/sh\n")
    path.chmod(0o755)
    return path


def _require(bench: Workbench, name: str | Path) -> Path:
    return require_allowed(Repository.discover(bench.path), str(name))


def _refusal(bench: Workbench, name: str | Path) -> RefusedError:
    with pytest.raises(RefusedError) as found:
        _require(bench, name)
    assert found.value.code == "E_NOT_ALLOWED"
    return found.value


def _allow(bench: Workbench, path: Path | str) -> None:
    bench.git("config", "--add", "gitmodel.allow", str(path))


def test_nothing_is_allowed_until_the_machine_says_so(bench: Workbench) -> None:
    program = _program(bench.outside / "it's one")
    refused = _refusal(bench, program)
    (hint,) = refused.hints
    assert hint.startswith("git config --add gitmodel.allow '")
    _allow(bench, "/bin/true")
    _allow(bench, program)
    assert _require(bench, program) == program
    _refusal(bench, program.with_name("other"))


@pytest.mark.parametrize("name", ["sh", "bash", "env", "python3.11", "gawk", "page"])
def test_what_runs_its_arguments_is_warned_of(bench: Workbench, name: str) -> None:
    program = _program(bench.outside / name)
    *warning, hint = _refusal(bench, program).hints
    assert hint.startswith("git config --add gitmodel.allow ")
    assert [each[:10] for each in warning] == ([] if name == "page" else ["Better not"])
    _allow(bench, program)
    assert _require(bench, program) == program


def test_a_file_to_write_need_not_exist(bench: Workbench) -> None:
    file = bench.outside / "later/events.jsonl"
    _allow(bench, file)
    assert _require(bench, file) == file
    _refusal(bench, file.parent)


def test_a_bare_name_is_what_path_has(
    bench: Workbench, monkeypatch: pytest.MonkeyPatch
) -> None:
    program = _program(bench.outside / "bin/probe")
    monkeypatch.setenv("PATH", f"{program.parent}:/usr/bin:/bin")
    _refusal(bench, "probe")
    _allow(bench, program)
    assert _require(bench, "probe") == program
    with pytest.raises(NotFoundError):
        _require(bench, "no-such-program")


def test_a_bare_name_in_the_configuration_allows_nothing(
    bench: Workbench, monkeypatch: pytest.MonkeyPatch
) -> None:
    program = _program(bench.outside / "bin/probe")
    monkeypatch.setenv("PATH", f"{program.parent}:/usr/bin:/bin")
    _allow(bench, "probe")
    _refusal(bench, "probe")


@pytest.mark.parametrize(
    "name", ["", ".", "..", "./probe", "bin/probe", "~/x", "/a\0b"]
)
def test_what_depends_on_where_one_stands_is_refused(
    bench: Workbench, name: str
) -> None:
    _allow(bench, bench.path)
    _refusal(bench, name)


def test_links_are_resolved_and_the_machine_s_spelling_wins(bench: Workbench) -> None:
    program = _program(bench.outside / "real")
    allowed, other = bench.outside / "allowed", bench.outside / "other"
    allowed.symlink_to(program)
    other.symlink_to(program)
    _allow(bench, allowed)
    assert _require(bench, other) == allowed
    assert _require(bench, program) == allowed
    _allow(bench, program)
    assert _require(bench, program) == program
    other.unlink()
    other.symlink_to(_program(bench.outside / "evil"))
    _refusal(bench, other)


def test_links_that_lead_nowhere_are_refused(bench: Workbench) -> None:
    loop = bench.outside / "loop"
    loop.symlink_to(loop)
    _allow(bench, loop)
    _refusal(bench, loop)


def test_a_program_of_the_work_tree_is_refused_even_if_it_is_named(
    bench: Workbench,
) -> None:
    program = _program(bench.path / "tools/notify")
    link = bench.outside / "notify"
    link.symlink_to(program)
    for name in (program, link):
        _allow(bench, name)
        assert "work tree" in _refusal(bench, name).message
    private = _program(bench.path / ".git/gitmodel/notify")
    _allow(bench, private)
    assert _require(bench, private) == private


def test_only_configuration_that_does_not_travel_counts(
    bench: Workbench, monkeypatch: pytest.MonkeyPatch, home: Path
) -> None:
    program = _program(bench.outside / "one")
    allow = f"[gitmodel]\n\tallow = {program}\n"
    for name in (".gitconfig", ".lfsconfig", ".gitmodules"):
        bench.commit_file(name, allow.encode())
    bench.git("config", "include.path", "../.gitconfig")
    monkeypatch.setenv("GIT_CONFIG_COUNT", "1")
    monkeypatch.setenv("GIT_CONFIG_KEY_0", "gitmodel.allow")
    monkeypatch.setenv("GIT_CONFIG_VALUE_0", str(program))
    _refusal(bench, program)
    with (home / "gitconfig").open("a") as mine:
        mine.write(allow)
    assert _require(bench, program) == program


def test_home_is_understood_in_the_configuration(bench: Workbench, home: Path) -> None:
    program = _program(home / "bin/probe")
    _allow(bench, "~/bin/probe")
    assert _require(bench, program) == program


@pytest.mark.parametrize(
    ("allowed", "address"),
    [
        ("https://hooks.example.com", "https://hooks.example.com"),
        ("https://hooks.example.com/", "https://hooks.example.com:443/ops/7"),
        ("https://hooks.example.com/ops", "https://hooks.example.com/ops/7"),
        ("https://HOOKS.example.com:443", "https://hooks.example.com/ops"),
        ("http://[::1]:9093", "http://[::1]:9093/api/v2/alerts"),
        ("smtp://mail.example.com", "smtp://mail.example.com:587"),
    ],
)
def test_an_allowed_address_allows_what_is_below_it(
    bench: Workbench, allowed: str, address: str
) -> None:
    repository = Repository.discover(bench.path)
    with pytest.raises(RefusedError) as found:
        require_allowed_address(repository, address)
    assert found.value.code == "E_NOT_ALLOWED"
    _allow(bench, allowed)
    require_allowed_address(repository, address)


@pytest.mark.parametrize(
    "address",
    [
        "http://hooks.example.com/ops",
        "https://hooks.example.com:8443/ops",
        "https://hooks.example.com.evil.example/ops",
        "https://evil.example/hooks.example.com/ops",
        "https://hooks.example.com@evil.example/ops",
        "https://hooks.example.com/opsy",
        "https://hooks.example.com/ops/../admin",
        "https://hooks.example.com/ops/..;/admin",
        "https://hooks.example.com//ops",
        "https://hooks.example.com/ops/%2e%2e/admin",
        "https://hooks.example.com\\@evil.example/ops",
        "https://hooks.example.com:x/ops",
        "ftp://hooks.example.com/ops",
        "smtp://hooks.example.com",
        "",
    ],
)
def test_another_address_is_refused(bench: Workbench, address: str) -> None:
    _allow(bench, "https://hooks.example.com/ops")
    with pytest.raises(RefusedError) as found:
        require_allowed_address(Repository.discover(bench.path), address)
    assert found.value.code == "E_NOT_ALLOWED"


def test_the_hint_for_an_address_helps(bench: Workbench) -> None:
    repository = Repository.discover(bench.path)
    with pytest.raises(RefusedError) as found:
        require_allowed_address(repository, "https://hooks.example.com:8443/ops/7")
    (hint,) = found.value.hints
    assert hint.startswith("git config --add gitmodel.allow https://hooks.example.com")
    bench.git(*hint.partition("  ")[0].split()[1:])
    require_allowed_address(repository, "https://hooks.example.com:8443/ops/7")
