"""``gitmodel forge``: owners and protection, made from the policy and compared."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gitmodel.domain.forge_settings import BEGIN, END, block_in, merged
from tests.support.cli import gitmodel
from tests.support.contract import ANSWERS
from tests.support.forge_server import ForgeServer, Reply, serving
from tests.support.json_keys import deviations

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from tests.support.workbench import Workbench

REPO = "/repos/octo/registry"


@pytest.fixture
def forge() -> Iterator[ForgeServer]:
    with serving() as running:
        yield running


@pytest.fixture
def people(bench: Workbench, tmp_path: Path) -> Workbench:
    """Return a registry whose production belongs to bob and carol."""
    for name, number in (("bob", 20), ("carol", 30), ("dave", None)):
        assert gitmodel("key", "new", "--out", tmp_path / name).code == 0
        accounts = [
            option
            for forge in ("github", "forgejo", "gitlab")
            for option in ("--account", f"{forge}:{number}")
            if number
        ]
        bench.do(
            "policy", "add-principal", name, "--key", tmp_path / f"{name}.pub",
            *accounts, "--role", "approver",
        )  # fmt: skip
    bench.do("policy", "revoke", "ada", "approver")
    bench.do("policy", "require", "production", "--approvals", "2")
    return bench


def at(forge: ForgeServer, kind: str = "github") -> tuple[str, ...]:
    return ("--forge", kind, "--api", forge.url, "--repository", "octo/registry")


def names(forge: ForgeServer) -> None:
    forge.on("GET /user/20", {"id": 20, "login": "bob-b"})
    forge.on("GET /user/30", {"id": 30, "login": "carol-c"})


def test_owners_of_stages_and_of_the_policy(
    people: Workbench, forge: ForgeServer
) -> None:
    names(forge)
    found = people.do("forge", "codeowners", *at(forge))
    assert deviations(found, ANSWERS["forge codeowners"]) == []
    assert found["path"] == ".github/CODEOWNERS"
    assert "/stages/production/ @bob-b @carol-c" in found["text"].splitlines()
    assert "/log/production/ @bob-b @carol-c" in found["text"].splitlines()
    assert "/stages/dev/" not in found["text"]
    assert "# policy: nobody in root has an account" in found["text"]
    assert sorted(found["missing"]) == ["ada", "dave"]
    assert not (people.path / ".github").exists()


def test_each_forge_writes_them_in_its_own_way(
    people: Workbench, tmp_path: Path
) -> None:
    file = tmp_path / "names.yaml"
    file.write_text('bob: bob-b\ncarol: "@carol-c"\nada: ada\n')
    text = {
        kind: people.do(
            "forge", "codeowners", "--forge", kind, "--accounts", file
        )["text"].splitlines()
        for kind in ("github", "gitlab", "gitea", "forgejo")
    }  # fmt: skip
    assert "/.gitmodel/ @ada" in text["github"]
    assert "/triggers/ @ada" in text["github"]
    assert text["gitlab"].index("[production][2]") + 1 == text["gitlab"].index(
        "/stages/production/ @bob-b @carol-c"
    )
    assert "stages/production/.* @bob-b @carol-c" in text["gitea"]
    assert ".gitmodel/.* @ada" in text["forgejo"]
    strange = tmp_path / "strange.yaml"
    strange.write_text("mallory: m\n")
    answer = people.run(
        "forge", "codeowners", "--forge", "github", "--accounts", strange
    )
    assert (answer.code, "no principal" in answer.err) == (2, True)
    strange.write_text('bob: "a @everyone"\n')
    answer = people.run(
        "forge", "codeowners", "--forge", "github", "--accounts", strange
    )
    assert answer.code == 2


def test_writing_keeps_what_people_wrote(people: Workbench, forge: ForgeServer) -> None:
    names(forge)
    people.commit_file("CODEOWNERS", b"*.md @writers")
    first = people.do("forge", "codeowners", "--write", *at(forge))
    assert (first["path"], first["written"]) == ("CODEOWNERS", True)
    text = (people.path / "CODEOWNERS").read_text()
    assert text.startswith(f"*.md @writers\n\n{BEGIN}\n")
    again = people.do("forge", "codeowners", "--write", *at(forge))
    assert (again["written"], (people.path / "CODEOWNERS").read_text()) == (False, text)
    forge.on("GET /user/20", {"id": 20, "login": "renamed"})
    people.do("forge", "codeowners", "--write", *at(forge))
    assert (people.path / "CODEOWNERS").read_text() == text.replace("bob-b", "renamed")


def test_no_link_is_followed_when_writing(
    people: Workbench, forge: ForgeServer, tmp_path: Path
) -> None:
    names(forge)
    victim = tmp_path / "victim"
    victim.write_text("mine")
    (people.path / ".github").mkdir()
    (people.path / ".github/CODEOWNERS").symlink_to(victim)
    answer = people.run("forge", "codeowners", "--write", *at(forge))
    assert (answer.code, victim.read_text()) == (1, "mine")


@given(st.text(alphabet="ab#*/@ \n", max_size=40), st.sampled_from(["x", "y\nz"]))
def test_our_block_is_replaced_and_nothing_else(before: str, inner: str) -> None:
    block = f"{BEGIN}\n{inner}\n{END}\n"
    once = merged(before, block)
    assert merged(once, block) == once
    assert once.startswith(before)
    assert block_in(once) == block
    other = merged(once, f"{BEGIN}\nother\n{END}\n")
    assert other == once.replace(f"\n{inner}\n{END}", f"\nother\n{END}")


@pytest.mark.parametrize("kind", ["github", "gitlab", "forgejo"])
def test_what_an_administrator_sends_is_shown_and_not_sent(
    people: Workbench, forge: ForgeServer, kind: str
) -> None:
    shown = people.do(
        "forge", "protect", "--print", "--pull-requests", *at(forge, kind)
    )
    assert deviations(shown, ANSWERS["forge protect"]) == []
    assert shown["forge"] == kind
    bodies = [call["body"] for call in shown["calls"]]
    if kind == "github":
        [body] = bodies
        kinds = [rule["type"] for rule in body["rules"]]
        assert kinds == ["deletion", "non_fast_forward", "pull_request"]
        assert body["conditions"]["ref_name"]["include"] == ["refs/heads/main"]
    elif kind == "gitlab":
        assert (bodies[0]["allow_force_push"], bodies[0]["push_access_level"]) == (
            False, 0,
        )  # fmt: skip
        assert bodies[1]["reset_approvals_on_push"] is True
    else:
        [body] = bodies
        assert (body["rule_name"], body["enable_push"]) == ("main", False)
    assert forge.heard == []
    text = people.run("forge", "protect", "--print", *at(forge, kind)).out
    assert "<<'END'" in text
    assert people.run("forge", "protect", *at(forge, kind)).code == 2


def protect(forge: ForgeServer, *rules: dict[str, Any]) -> None:
    forge.on(f"GET {REPO}", {"id": 7})
    forge.on(f"GET {REPO}/rules/branches/main", list(rules))


def test_a_forge_that_is_weaker_than_the_policy_is_told_of(
    people: Workbench, forge: ForgeServer
) -> None:
    names(forge)
    protect(forge)
    answer = people.run("--json", "forge", "check", *at(forge))
    assert answer.code == 3
    assert deviations(answer.json, ANSWERS["forge check"]) == []
    assert not answer.json["ok"]
    weak = {each["setting"] for each in answer.json["differences"] if each["weaker"]}
    assert weak == {"force pushes", "deletion"}
    protect(forge, {"type": "deletion"}, {"type": "non_fast_forward"})
    fine = people.do("forge", "check", *at(forge))
    assert (fine["ok"], fine["differences"]) == (True, [])
    people.git("checkout", "-q", "--detach")  # as CI systems do
    lost = people.run("--json", "forge", "check", *at(forge))
    assert lost.json["error"]["code"] == "E_DETACHED"
    assert people.do("forge", "check", "--branch", "main", *at(forge))["ok"]
    people.git("checkout", "-q", "main")
    more = people.run("--json", "forge", "check", "--pull-requests", *at(forge))
    assert {each["setting"] for each in more.json["differences"]} == {
        "pull requests", "code owners", "stale reviews",
    }  # fmt: skip


def test_a_forge_that_is_stricter_is_no_problem(
    people: Workbench, forge: ForgeServer
) -> None:
    names(forge)
    strict = {"required_approving_review_count": 3}
    protect(
        forge,
        {"type": "deletion"},
        {"type": "non_fast_forward"},
        {"type": "pull_request", "parameters": strict},
    )
    found = people.do("forge", "check", *at(forge))
    assert found["ok"]
    assert [(d["setting"], d["weaker"]) for d in found["differences"]] == [
        ("pull requests", False), ("reviews", False),
    ]  # fmt: skip


def test_owners_accounts_and_repositories_are_compared(
    people: Workbench, forge: ForgeServer
) -> None:
    names(forge)
    protect(forge, {"type": "deletion"}, {"type": "non_fast_forward"})
    people.do("forge", "codeowners", "--write", *at(forge))
    people.git("add", ".github/CODEOWNERS")
    people.git("commit", "-qm", "owners")
    assert people.do("forge", "check", *at(forge))["ok"]
    here = f"github@127.0.0.1:{forge.port}:8"
    people.do("policy", "require", "production", "--forge", here)
    forge.on("GET /user/20", Reply({"message": "Not Found"}, 404))
    answer = people.run("--json", "forge", "check", *at(forge))
    assert answer.code == 3
    assert {each["setting"] for each in answer.json["differences"]} == {
        "repository of production", "account of bob", ".github/CODEOWNERS",
    }  # fmt: skip


def test_a_token_that_may_not_look_is_told_what_it_needs(
    people: Workbench, forge: ForgeServer
) -> None:
    forge.on(f"GET {REPO}/rules/branches/main", Reply({"message": "no"}, 401))
    answer = people.run("--json", "forge", "check", *at(forge))
    assert (answer.code, answer.json["error"]["code"]) == (5, "E_FORGE_TOKEN")
    assert "GITHUB_TOKEN" in answer.err


# Accounts in the policy.


def test_an_account_has_one_owner_and_an_owner_one_account(people: Workbench) -> None:
    taken = people.run(
        "--json", "policy", "add-principal", "carol", "--account", "github:20"
    )
    assert (taken.code, taken.json["error"]["code"]) == (
        1, "E_ACCOUNT_SHARED_BY_PRINCIPALS",
    )  # fmt: skip
    people.do("policy", "add-principal", "carol", "--account", "github:31")
    policy = people.do("policy", "show")["policy"]
    assert policy["principals"]["carol"]["forge"]["github"] == 31
    again = people.do("policy", "add-principal", "carol", "--account", "github:31")
    assert again["status"] == "in_force"
    people.do("policy", "remove-principal", "carol", "--account", "github")
    policy = people.do("policy", "show")["policy"]
    assert "github" not in policy["principals"]["carol"]["forge"]
    for word in ("github:octocat", "sourceforge:5", "github", "github:0", "5"):
        answer = people.run("policy", "add-principal", "carol", "--account", word)
        assert answer.code == 2, word
    assert people.verify("--history") == (0, [])


def test_an_access_review_shows_who_can_approve_by_which_account(
    people: Workbench,
) -> None:
    people.do("policy", "add-principal", "eve", "--account", "github:40")
    people.do("policy", "grant", "eve", "approver")
    review = people.do("policy", "review")
    assert deviations(review, ANSWERS["policy review"]) == []
    [eve] = [each for each in review["access"] if each["principal"] == "eve"]
    assert (eve["account"], eve["keyid"], eve["lastUse"]) == ("github:40", None, None)
    assert [each["role"] for each in eve["roles"]] == ["approver"]
    assert "github:40" in people.run("policy", "review").out


def test_who_can_sign_nothing_is_no_root(people: Workbench) -> None:
    people.do("policy", "add-principal", "eve", "--account", "github:40")
    answer = people.run("--json", "policy", "grant", "eve", "root")
    assert (answer.code, answer.json["error"]["code"]) == (3, "E_POLICY")


def test_approvals_that_only_reviews_could_give_need_a_forge(
    people: Workbench,
) -> None:
    for name, number in (("eve", 40), ("finn", 50)):
        account = ("--account", f"github:{number}", "--role", "auditor")
        people.do("policy", "add-principal", name, *account)
    people.do("policy", "revoke", "ada", "auditor")
    ask = ("policy", "require", "staging", "--role", "auditor", "--approvals", "2")
    here = ("--forge", "github:7")
    alone = people.run("--json", *ask)
    assert (alone.code, alone.json["error"]["code"]) == (3, "E_POLICY")
    signed = people.run("--json", *ask, *here, "--direct", "1")
    assert (signed.code, signed.json["error"]["code"]) == (3, "E_POLICY")
    people.do(*ask, *here, "--direct", "0")


def test_one_approval_stays_direct_unless_somebody_says_otherwise(
    people: Workbench,
) -> None:
    def approvals() -> Any:
        return people.do("policy", "show")["policy"]["stages"]["production"][
            "approvals"
        ]

    people.do("policy", "require", "production", "--forge", "github:1296269")
    source = {"forge": "github", "host": "github.com", "repository": 1296269}
    assert (approvals()["forges"], approvals()["direct"]) == ([source], 1)
    people.do("policy", "require", "production", "--forge", "github:5", "--direct", "0")
    assert len(approvals()["forges"]) == 2
    assert "direct" not in approvals()
    assert "also at github:1296269 github:5" in people.run("policy", "show").out
    people.do("policy", "require", "production", "--no-forge")
    assert "forges" not in approvals()


@pytest.mark.parametrize(
    ("word", "code"),
    [
        ("github", "E_INPUT"),
        ("github:octo/registry", "E_INPUT"),
        ("sourceforge@x:5", "E_INPUT"),
        ("gitlab@host name:5", "E_INPUT"),
    ],
)
def test_a_repository_is_a_number(people: Workbench, word: str, code: str) -> None:
    answer = people.run("--json", "policy", "require", "production", "--forge", word)
    assert (answer.code, answer.json["error"]["code"]) == (2, code)


def test_accounts_are_those_of_one_host(people: Workbench) -> None:
    people.do("policy", "require", "production", "--forge", "gitlab:42")
    answer = people.run(
        "--json", "policy", "require", "staging", "--approvals", "1",
        "--forge", "gitlab@git.example.com:42",
    )  # fmt: skip
    assert (answer.code, answer.json["error"]["code"]) == (3, "E_POLICY")
