"""The names that a registry wants: at register, at git commit, at git push (R007)."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from tests.support.hooks import commit_refused, stage

if TYPE_CHECKING:
    from tests.support.served import Served
    from tests.support.workbench import Workbench

RULE = b'naming:\n  model: "[a-z][a-z0-9-]*"\n'


@pytest.fixture
def ruled(stocked: Workbench) -> Workbench:
    """Return a registry that has models, and a rule for further ones."""
    settings = (stocked.path / "gitmodel.yaml").read_bytes()
    stocked.commit_file("gitmodel.yaml", settings + RULE)
    return stocked


def test_a_new_model_that_breaks_the_rule_is_not_registered(ruled: Workbench) -> None:
    head = ruled.git("rev-parse", "HEAD")
    file = ruled.file("m.bin", b"x" * 500)
    answer = ruled.run("--json", "register", "Churn_EU", file)
    assert (answer.code, answer.json["error"]["code"]) == (3, "E_NAMING")
    assert "[a-z][a-z0-9-]*" in answer.json["error"]["message"]
    assert ruled.git("rev-parse", "HEAD") == head
    ruled.do("register", "churn-eu", file)


def test_models_from_before_the_rule_go_on(stocked: Workbench) -> None:
    file = stocked.file("m.bin", b"x" * 500)
    stocked.do("register", "Old_Name", file)
    settings = (stocked.path / "gitmodel.yaml").read_bytes()
    stocked.commit_file("gitmodel.yaml", settings + RULE)
    stocked.do("register", "Old_Name", stocked.file("n.bin", b"y" * 500))
    assert stocked.verify() == (0, [])


def test_plain_git_cannot_commit_one_either(ruled: Workbench) -> None:
    ruled.do("hooks", "install")
    model = b"apiVersion: gitmodel.dev/v1\nkind: Model\nname: Churn_EU\n"
    stage(ruled, "models/Churn_EU/model.yaml", model)
    assert "E_NAMING" in commit_refused(ruled)


def test_a_rule_that_could_take_for_ever_is_no_setting(stocked: Workbench) -> None:
    settings = (stocked.path / "gitmodel.yaml").read_bytes()
    stocked.commit_file("gitmodel.yaml", settings + b'naming:\n  model: "(a+)+x"\n')
    answer = stocked.run("--json", "list")
    assert (answer.code, answer.json["error"]["code"]) == (2, "E_SCHEMA")
    answer = stocked.run("--json", "verify")
    assert (answer.code, answer.json["error"]["code"]) == (4, "E_SCHEMA")


def test_a_server_refuses_one_by_the_rule_that_it_has(served: Served) -> None:
    settings = (served.ours.path / "gitmodel.yaml").read_bytes()
    served.ours.commit_file("gitmodel.yaml", settings + RULE)
    served.ours.git("push", "-q", "origin", "main")
    served.ours.commit_file("gitmodel.yaml", settings)
    served.ours.do("register", "Churn_EU", served.ours.file("m.bin", b"x" * 500))
    said = served.refuses("main", codes={"E_NAMING"})
    assert "Churn_EU" in said
