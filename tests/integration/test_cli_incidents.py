"""What people at night are told: whole words, and commands that work as they are."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from tests.support.workbench import Workbench

if TYPE_CHECKING:
    from pathlib import Path

EMERGENCY = ("--emergency", "--incident", "INC-7")


def _next(said: str) -> list[str]:
    """Return the commands that a conversation proposes."""
    return [
        line.removeprefix("Next: ").partition("  ")[0]
        for line in said.splitlines()
        if line.startswith("Next: ")
    ]


@pytest.mark.parametrize(
    "options",
    [
        (),
        ("--incident", "INC-7", "--skip-validation"),
        ("--also", "fraud#dev", "--incident", "INC-7"),
        EMERGENCY,
    ],
)
def test_a_plan_needs_no_reason_and_proposes_what_was_planned(
    stocked: Workbench, options: tuple[str, ...]
) -> None:
    before = stocked.snapshot()
    answer = stocked.run("rollback", "fraud", "staging", *options, "--plan")
    proposed = " ".join(("gitmodel rollback fraud staging", *options, "-m REASON"))
    assert (answer.code, _next(answer.err)) == (0, [proposed])
    assert stocked.snapshot() == before
    done = stocked.run(*proposed.split()[1:], *(["--yes"] * ("--emergency" in options)))
    assert done.code == 0, done.err


def test_where_nothing_could_go_back_the_same_is_not_proposed_again(
    bench: Workbench,
) -> None:
    bench.register()
    bench.promote("fraud@1.0.0", "dev", "staging")
    answer = bench.run("rollback", "fraud", "staging", *EMERGENCY, "-m", "x", "--yes")
    assert answer.code == 1
    assert _next(answer.err) == [
        "gitmodel log fraud --stage staging",
        "gitmodel rollback fraud dev --emergency --incident INC-7 -m REASON",
        "gitmodel incident show INC-7",
    ]


def test_a_digest_is_shown_whole(stocked: Workbench) -> None:
    digest = f"sha256:{'1' * 64}"
    answer = stocked.run("quarantine", "--digest", digest, "-m", "x")
    assert f"Is in quarantine: {digest} (quarantine 1)\n" in answer.out
    assert digest in stocked.git("log", "-1", "--format=%s")


@pytest.mark.parametrize(
    ("words", "error", "hint"),
    [
        (
            ("incident", "open", "-m", "x", "--evidence", "nowhere.csv"),
            "The evidence nowhere.csv does not exist.",
            "Name a file",
        ),
        (("incident", "open", "-m", " "), "Say what it is about: -m TITLE.", ""),
        (("incident", "open", "-m", "a\nb"), "A title is one line", ""),
        (("quarantine", "--until", "1h", "-m", "x"), "--until goes with --since.", ""),
        (
            ("quarantine", "--since", "yesterday", "-m", "x"),
            "'yesterday' is neither a date nor a length of time.",
            "Write 48h",
        ),
    ],
)
def test_the_sentence_is_about_what_was_typed(
    bench: Workbench, words: tuple[str, ...], error: str, hint: str
) -> None:
    answer = bench.run(*words)
    assert answer.code == 2
    first, second, *_ = answer.err.splitlines()
    assert first.startswith(f"Error: {error}")
    assert second.startswith(f"Hint: {hint}")


def test_an_incident_shows_what_people_pointed_at_and_when_all_is_done(
    bench: Workbench,
) -> None:
    file = bench.file("labels.csv")
    bench.do("incident", "open", "INC-7", "-m", "slow")
    bench.do("incident", "note", "INC-7", "-m", "broken labels", "--evidence", file)
    shown = bench.run("incident", "show", "INC-7").out
    assert "note: broken labels; evidence: labels.csv" in shown
    assert "\nWhat there is to do:\n" in shown
    fix = ("--root-cause", "a join", "--fixed-in", "https://example.com/fix")
    bench.do("incident", "close", "INC-7", *fix)
    assert "\nWhat was to do:\n" in bench.run("incident", "show", "INC-7").out
    again = bench.run("incident", "reopen", "INC-7", "-m", "it came back")
    assert again.out.startswith("Reopened incident INC-7: slow\n")


def test_who_must_approve_afterwards_is_proposed_and_what_the_policy_says_shown(
    stocked: Workbench,
) -> None:
    key = stocked.outside / "bob"
    stocked.do("key", "new", "--out", key)
    public = stocked.outside / "bob.pub"
    bob = ("bob", "--key", public, "--role", "approver")
    stocked.do("policy", "add-principal", *bob)
    later = ("--rollback-review", "after", "--rollback-within", "12h")
    more = ("--rollback-approvals", "1", "--further-back", "2")
    stocked.do("policy", "require", "staging", *later, *more)
    assert (
        "responder, 1 approval after, within 12h, up to 2 further back  "
        in stocked.run("policy", "show").out
    )
    answer = stocked.run("rollback", "fraud", "staging", "-m", "slow")
    proposed = ["gitmodel verify fraud#staging", "gitmodel approve fraud#staging"]
    assert _next(answer.err) == proposed
    stocked.run("--key", key, "reject", "fraud#staging", "-m", "no")
    checks = stocked.run("--json", "doctor", "--offline").json["checks"]
    [said] = [check for check in checks if check["name"] == "rollback reviews"]
    assert said["hint"].startswith("gitmodel log fraud --stage staging")


def test_an_id_in_another_case_is_told_from_a_new_one(bench: Workbench) -> None:
    bench.do("incident", "open", "INC-7", "-m", "slow")
    for words in (("show", "inc-7"), ("note", "inc-7", "-m", "x")):
        hints = bench.run("--json", "incident", *words).json["error"]["hints"]
        assert hints[0].startswith("gitmodel incident show INC-7 ")
        assert "incident open" not in " ".join(hints)
    hints = bench.run("--json", "incident", "show", "INC-8").json["error"]["hints"]
    assert "gitmodel incident open INC-8 -m TITLE" in hints[1]


def test_a_drill_says_once_what_stood_in_the_way(bench: Workbench) -> None:
    bench.register()
    bench.promote("fraud@1.0.0", "dev")
    answer = bench.run("drill", "fraud", "dev")
    assert answer.code == 3
    assert answer.out.count("has no last known good") == 1
    hints = [line for line in answer.out.splitlines() if " -> gitmodel" in line]
    assert not [hint for hint in hints if hint.endswith(";")]


def test_a_shallow_clone_says_that_it_is_one_before_anybody_cries_theft(
    stocked: Workbench, tmp_path: Path
) -> None:
    stocked.do("policy", "require", "dev", "--rollback-review", "after")
    here = tmp_path / "shallow"
    stocked.git("clone", "-q", "--depth", "1", f"file://{stocked.path}", here)
    clone = Workbench(here, stocked.outside)
    for words in (
        ("rollback", "fraud", "staging", "--plan"),
        ("drill", "fraud", "staging"),
    ):
        answer = clone.run("--json", *words)
        assert answer.code == 4
        assert answer.json["error"]["hints"][0].startswith("git fetch --unshallow ")
    assert _next(clone.run("verify", "--no-bytes").err) == ["git fetch --unshallow"]
    checks = clone.run("--json", "doctor", "--offline").json["checks"]
    assert "git fetch --unshallow" in [check["hint"] for check in checks]
    clone.git("fetch", "-q", "--unshallow")
    assert clone.run("rollback", "fraud", "staging", "--plan").code in {0, 5}
