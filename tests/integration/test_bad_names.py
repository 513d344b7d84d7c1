"""Names and selectors that mean nothing: refused in one sentence, nothing changed."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from tests.support.cli import gitmodel
from tests.support.refusals import refused

if TYPE_CHECKING:
    from pathlib import Path

    from tests.support.workbench import Workbench

NAMES = {
    "space": "a b", "slash": "a/b", "backslash": "a\\b", "parent": "..", "up": "../x",
    "inside": "fraud/versions", "git": ".git", "hidden": ".x", "underscore": "_x",
    "drive": "a:b", "glob": "a*", "tilde": "~", "variable": "$HOME", "percent": "%2e",
    "two dots": "a..b", "trailing dot": "x.", "lock": "x.lock", "empty": "",
    "dash": "-x", "dashes": "--", "101": "x" * 101, "300": "x" * 300,
    "NUL": "a\0b", "newline": "a\nb", "escape": "\x1b[31m", "not UTF-8": "\udcff",
    "cyrillic": "fr\u0430ud", "fullwidth": "\uff46raud", "invisible": "fraud\u200b",
    "accent": "\xe9", "combining": "e\u0301", "right to left": "\u202edliub",
    "con": "con", "nul": "NUL", "aux": "aux.txt", "com1": "com1", "lpt9": "LPT9.bin",
}  # fmt: skip


def test_no_command_takes_a_name_that_some_file_system_does_not(
    stocked: Workbench,
) -> None:
    file = stocked.file("ok.bin")
    before = stocked.snapshot()
    args: tuple[str | Path, ...]
    for name in NAMES.values():
        for args in (
            ("register", "--no-capture", "--", name, file),
            ("promote", "--", f"{name}@1.0.0", "dev"),
            ("promote", "--", "fraud@1.0.0", name),
        ):
            assert refused(stocked, *args)["code"] == "E_NAME", args
    for name in ("..", "fraud/versions", "", "-x", "fr\u0430ud", "a\0b", "\udcff"):
        for args in (
            ("rollback", "-m", "x", "--", name, "dev"),
            ("rollback", "-m", "x", "--", "fraud", name),
            ("list", "--", name),
            ("list", f"--stage={name}"),
            ("log", "--", name),
            ("log", f"--stage={name}"),
            ("check", "fraud@1.0.0", f"--stage={name}"),
        ):
            assert refused(stocked, *args)["code"] == "E_NAME", args
    assert stocked.snapshot() == before


def test_init_takes_no_such_stage_or_principal(tmp_path: Path) -> None:
    # A principal's name is no path: dots and devices do no harm.
    no_path = {"two dots", "trailing dot", "lock", "con", "aux", "com1"}
    for case, name in NAMES.items():
        for option in ("--stage", "--principal"):
            if option == "--principal" and case in no_path:
                continue
            place = tmp_path / "new"
            answer = gitmodel("--json", "init", f"{option}={name}", place)
            assert answer.code == 2, (option, name, answer.err)
            assert answer.json["error"]["code"] == "E_NAME", (option, name)
            assert not (place / "gitmodel.yaml").exists()


@pytest.mark.parametrize("name", ["", "a\nb", "\x1b[31m", "x" * 101, "\x85", "\udcff"])
def test_a_registry_is_not_called_that(tmp_path: Path, name: str) -> None:
    answer = gitmodel("--json", "init", f"--name={name}", tmp_path / "new")
    assert answer.code == 2, answer.err
    assert not (tmp_path / "new").exists()


@pytest.mark.parametrize("name", ["x" * 150, "a\nb", "a\x1bb", "\udcff", "\u202e"])
def test_a_directory_may_be_called_anything(tmp_path: Path, name: str) -> None:
    answer = gitmodel("--json", "init", tmp_path / name)
    assert answer.code == 0, answer.err
    assert answer.json["registry"].isprintable()
    assert gitmodel("verify", cwd=tmp_path / name).code == 0


def test_a_name_is_taken_in_every_casing(stocked: Workbench) -> None:
    file = stocked.file("ok.bin")
    stocked.register("fraud", "3.0.0-rc.1")
    before = stocked.snapshot()
    for args in (
        ("register", "Fraud", file),
        ("register", "FRAUD", file),
        ("register", "fraud", file, "--version", "3.0.0-RC.1"),
    ):
        error = refused(stocked, *args, "--no-capture", code=1)
        assert error["code"] == "E_NAME_COLLISION"
    assert stocked.snapshot() == before


def test_asking_for_another_casing_names_the_right_one(stocked: Workbench) -> None:
    error = refused(stocked, "show", "Fraud@1.0.0", code=1)
    assert error["hints"] == ["Did you mean fraud?"]


VERSIONS = (
    "", " ", "1", "1.0", "1.0.0.0", "v1.0.0", "V1.0.0", "1.0.0+build", "01.0.0",
    "1.0.0-",
    "1.0.0-01", "1.0.0-a..b", "1.0.0 ", "1.0.0\n", " 1.0.0", "-1.0.0", "1e5.0.0",
    "1.0.x",
    "latest", "^1.0.0", "../1.0.0", "1.0.0/..", "\uff11.0.0", "1.0.0-\xe9",
    "1.0.0-" + "x" * 60,
    "9" * 10 + ".0.0", "1.0.0\0", "nan", "0x1.0.0", "--",
)  # fmt: skip


def test_a_version_is_a_semantic_version_and_nothing_else(stocked: Workbench) -> None:
    file = stocked.file("ok.bin")
    before = stocked.snapshot()
    for version in VERSIONS:
        for args in (
            ("register", "fraud", file, "--no-capture", f"--version={version}"),
            ("rollback", "fraud", "dev", "-m", "x", f"--to={version}"),
            ("register", "new", file, "--no-capture", f"--parent=fraud@{version}"),
        ):
            assert refused(stocked, *args)["code"] in {"E_NAME", "E_INPUT"}, args
    assert stocked.snapshot() == before


def test_what_is_wrong_with_a_version_is_said(stocked: Workbench) -> None:
    file = stocked.file("ok.bin")
    for version, hint in (("v1.2.0", "Leave out the 'v'"), ("1.2.0+1", "label")):
        error = refused(stocked, "register", "fraud", file, "--version", version)
        assert hint in error["hints"][0]


MALFORMED = (
    "", "@", "#", "@@", "fraud@", "fraud#", "@1.0.0", "#dev", "fraud@@1.0.0",
    "fraud##dev",
    "fraud@1.0.0#dev", "fraud#dev@1.0.0", "fraud@lkg", "fraud@LATEST", "fraud@1.x",
    "fraud@>=1", "fraud@1.0.0 ", " fraud@1.0.0", "fraud @1.0.0", "fraud@1.0.0.0",
    "fraud@-1",
    "fraud@sha256:", "fraud@sha256:12",
    "fraud@sha256:" + "A" * 64, "fraud@sha256:" + "1" * 65,
    "fraud@lkg#", "fraud@lkg#DEV", "fraud#DEV", "fraud@\xb2", "fraud@1.0.0\n",
    "fr\udcff@1",
)  # fmt: skip
UNKNOWN = (
    "nope", "nope@1.0.0", "nope#dev", "fraud@9.9.9", "fraud@9", "fraud@1.9",
    "fraud#nope",
    "fraud#production", "fraud@lkg#production", "churn@lkg#dev",
    "fraud@sha256:" + "1" * 64,
)  # fmt: skip


@pytest.mark.parametrize("verb", ["show", "check", "verify", "pull", "promote", "diff"])
def test_a_selector_that_means_nothing_is_malformed_or_unknown(
    stocked: Workbench, verb: str
) -> None:
    before = stocked.snapshot()
    more = {"promote": ["staging"], "diff": ["fraud@1.0.0"]}.get(verb, [])
    if verb == "pull":
        more = ["-o", str(stocked.outside / "pulled")]
    for selector in MALFORMED:
        error = refused(stocked, verb, selector, *more)
        assert error["code"] in {"E_NAME", "E_INPUT"}, selector
    for selector in UNKNOWN:
        refused(stocked, verb, selector, *more, code=1)
    assert stocked.snapshot() == before
    assert not (stocked.outside / "pulled").exists()
