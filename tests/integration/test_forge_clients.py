"""The forges' clients against recorded answers: good ones, odd ones, hostile ones."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import pytest

from gitmodel.adapters.forge import http
from gitmodel.adapters.forge.places import connect, locate
from gitmodel.domain.forge import ForgeKind, Protection, PullRequest, Review, Token
from gitmodel.errors import GitmodelError, InputError, NotFoundError, OutsideError
from tests.support import forge_server
from tests.support.forge_server import (
    ForgeServer,
    Reply,
    gitea_pull,
    github_pull,
    github_review,
    gitlab_merge,
    serving,
    user,
)

if TYPE_CHECKING:
    from collections.abc import Iterator

    from gitmodel.adapters.forge.gitea import Gitea
    from gitmodel.adapters.forge.github import GitHub
    from gitmodel.adapters.forge.gitlab import GitLab

HEAD, OLD = "a" * 40, "b" * 40
SECRET = "s3cret-t0ken"  # noqa: S105
GITHUB, GITLAB = "/repos/octo/registry", "/projects/octo%2Fregistry"
PULL = {"github": f"{GITHUB}/pulls/5", "gitlab": f"{GITLAB}/merge_requests/5"}
AT = "2026-02-14T14:03:00Z"


@dataclass
class Client:
    """A client, its forge, and how long it waited."""

    forge: GitHub | GitLab | Gitea
    server: ForgeServer
    paused: list[float]

    def of(self, number: int = 5, head: str = HEAD) -> PullRequest:
        return PullRequest(
            number=number, url="", state="open", head=head, branch="topic",
            base="main", author=1, foreign=False,
        )  # fmt: skip


@pytest.fixture
def server() -> Iterator[ForgeServer]:
    with serving() as running:
        yield running


def client(server: ForgeServer, kind: ForgeKind, source: str = "TOKEN") -> Client:
    place = locate(None, kind=kind, api=server.url, path="octo/registry")
    forge: Any = connect(place, Token(source, SECRET))
    paused: list[float] = []
    forge.api.pause = paused.append
    return Client(forge, server, paused)


@pytest.fixture
def github(server: ForgeServer) -> Client:
    return client(server, "github")


@pytest.fixture
def gitlab(server: ForgeServer) -> Client:
    return client(server, "gitlab")


@pytest.fixture
def gitea(server: ForgeServer) -> Client:
    return client(server, "forgejo")


def review(number: int, account: int, state: Any, **fields: Any) -> Review:
    at = f"2026-02-14T14:{number:02}:00Z"
    said: dict[str, Any] = {"bot": False, "commit": HEAD, "submitted_at": at} | fields
    return Review(id=number, user=account, state=state, **said)


def failing(code: str, kind: type[GitmodelError], action: Any, *args: Any) -> str:
    with pytest.raises(kind) as caught:
        action(*args)
    error = caught.value
    assert error.code == code
    said = "\n".join((error.message, *error.hints))
    assert SECRET not in said
    assert "\x1b" not in said
    return said


# What they are asked.


@pytest.mark.parametrize(
    ("kind", "source", "name", "value"),
    [
        ("github", "GITHUB_TOKEN", "authorization", f"Bearer {SECRET}"),
        ("gitlab", "GITLAB_TOKEN", "private-token", SECRET),
        ("gitlab", "CI_JOB_TOKEN", "job-token", SECRET),
        ("gitea", "GITEA_TOKEN", "authorization", f"token {SECRET}"),
        ("forgejo", "FORGEJO_TOKEN", "authorization", f"token {SECRET}"),
    ],
)
def test_each_forge_gets_the_token_as_it_wants_it(
    server: ForgeServer, kind: ForgeKind, source: str, name: str, value: str
) -> None:
    path = GITLAB if kind == "gitlab" else GITHUB
    server.on(f"GET {path}", {"id": 77})

    assert client(server, kind, source).forge.repository_id() == 77

    [heard] = server.heard
    assert heard.headers[name] == value
    assert heard.headers["user-agent"].startswith("gitmodel/")


def test_a_pull_request_of_each_forge(
    github: Client, gitlab: Client, gitea: Client
) -> None:
    expected = PullRequest(
        number=5, url="https://github.com/octo/registry/pull/5", state="open",
        head=HEAD, branch="topic", base="main", author=1, foreign=False,
    )  # fmt: skip
    github.server.on(f"GET {PULL['github']}", github_pull(5, HEAD))
    assert github.forge.pull_request(5) == expected
    gitlab.server.on(f"GET {PULL['gitlab']}", gitlab_merge(5, HEAD, state="merged"))
    merged = gitlab.forge.pull_request(5)
    assert (merged.number, merged.state, merged.head) == (5, "merged", HEAD)
    gitea.server.on(f"GET {PULL['github']}", gitea_pull(5, HEAD, state="closed"))
    assert gitea.forge.pull_request(5).state == "closed"


def test_a_branch_in_a_fork_is_foreign_also_when_the_fork_is_gone(
    github: Client,
) -> None:
    gone = {"ref": "topic", "sha": HEAD, "repo": None}
    github.server.on(f"GET {PULL['github']}", github_pull(5, HEAD, head=gone))
    assert github.forge.pull_request(5).foreign
    github.server.on(f"GET {GITHUB}/pulls", [github_pull(5, HEAD, head=gone)])
    assert github.forge.find_pull_request("topic", "main") is None


def test_the_open_pull_request_is_found_and_otherwise_one_is_opened(
    github: Client, gitlab: Client, gitea: Client
) -> None:
    pulls, merges = f"{GITHUB}/pulls", f"{GITLAB}/merge_requests"
    body = {"title": "promote", "body": "text"}
    other = {"ref": "other", "sha": OLD, "repo_id": 7}
    for each, path, found in (
        (github, pulls, github_pull(5, HEAD)),
        (gitlab, merges, gitlab_merge(5, HEAD)),
        (gitea, pulls, gitea_pull(5, HEAD)),
    ):
        each.server.on(f"GET {path}", [gitea_pull(4, OLD, head=other)], [found])
        if each is not gitea:
            each.server.on(f"GET {path}", [], [found])
        each.server.on(f"POST {path}", Reply(found, 201))
        assert each.forge.find_pull_request("topic", "main") is None
        made = each.forge.open_pull_request("topic", "main", **body)
        assert each.forge.find_pull_request("topic", "main") == made
    sent = [each.body for each in github.server.heard if each.method == "POST"]
    head = {"head": "topic", "base": "main", **body}
    text = {"title": "promote", "description": "text"}
    assert sent == [
        head, {"source_branch": "topic", "target_branch": "main", **text}, head,
    ]  # fmt: skip


# What people said.


def test_what_each_state_of_a_github_review_means(github: Client) -> None:
    bot = user(9, "ci[bot]", "Bot")
    github.server.on(
        f"GET {PULL['github']}/reviews",
        [
            github_review(1, user(2), "APPROVED", HEAD),
            github_review(2, user(3), "CHANGES_REQUESTED", OLD),
            github_review(3, user(4), "DISMISSED", HEAD),
            github_review(4, user(5), "COMMENTED", HEAD),
            github_review(5, bot, "APPROVED", HEAD),
            github_review(6, None, "APPROVED", HEAD),  # the account is gone
            github_review(7, user(6), "PENDING", HEAD, submitted_at=None),
            github_review(8, user(7), "SOMETHING_NEW", HEAD),
        ],
    )

    assert github.forge.reviews(github.of()) == (
        review(1, 2, "approved"),
        review(2, 3, "changes_requested", commit=OLD),
        review(3, 4, "dismissed"),
        review(4, 5, "commented"),
        review(5, 9, "approved", bot=True),
        review(7, 6, "pending", submitted_at=None),
        review(8, 7, "commented"),
    )


def test_what_each_state_of_a_gitea_review_means(gitea: Client) -> None:
    plain = {"dismissed": False, "stale": False, "official": True}
    at = {"submitted_at": "2026-02-14T15:01:00+01:00"}  # in its own time zone
    ghost = {"id": -1, "login": "Ghost"}
    gitea.server.on(
        f"GET {PULL['github']}/reviews",
        [
            github_review(1, user(2), "APPROVED", HEAD, **plain) | at,
            github_review(2, user(3), "APPROVED", OLD, **plain | {"stale": True}),
            github_review(3, user(4), "APPROVED", HEAD, **plain | {"dismissed": True}),
            github_review(4, user(5), "REQUEST_CHANGES", HEAD, **plain),
            github_review(5, user(6), "REQUEST_REVIEW", HEAD, **plain),
            github_review(6, ghost, "APPROVED", HEAD, **plain),
            github_review(7, None, "APPROVED", HEAD, **plain),  # of a team
        ],
    )

    assert gitea.forge.reviews(gitea.of()) == (
        review(1, 2, "approved"),
        review(2, 3, "stale", commit=OLD),
        review(3, 4, "dismissed"),
        review(4, 5, "changes_requested"),
        review(5, 6, "commented"),
    )


def approved_by(number: int, at: str | None = AT) -> dict[str, Any]:
    account = {"id": number, "username": f"user{number}"}
    return {"user": account} | ({"approved_at": at} if at else {})


def gitlab_reviews(
    gitlab: Client, *approvals: dict[str, Any], **reviewers: str
) -> dict[int, Review]:
    server, path = gitlab.server, PULL["gitlab"]
    server.on(f"GET {path}/approvals", {"approved_by": list(approvals)})
    server.on(
        f"GET {path}/versions",
        [
            {"id": 2, "head_commit_sha": HEAD, "created_at": "2026-02-14T14:02:00Z"},
            {"id": 1, "head_commit_sha": OLD, "created_at": "2026-02-14T14:00:00Z"},
        ],
    )
    server.on(
        f"GET {path}/reviewers",
        [
            {"user": {"id": int(number.removeprefix("u"))}, "state": state}
            for number, state in reviewers.items()
        ],
    )
    for number in (2, 3, 4, 5):
        server.on(f"GET /users/{number}", {"id": number, "bot": number == 5})
    return {each.user: each for each in gitlab.forge.reviews(gitlab.of())}


def test_a_gitlab_approval_is_of_the_version_that_was_the_newest_then(
    gitlab: Client,
) -> None:
    early, same = "2026-02-14T14:01:00.500Z", "2026-02-14T14:02:00.900Z"
    found = gitlab_reviews(
        gitlab,
        approved_by(2),
        approved_by(3, early),
        approved_by(4, same),  # in the second of the push: who knows what was seen
        approved_by(5),
    )
    assert {each: found[each].commit for each in found} == {
        2: HEAD, 3: OLD, 4: OLD, 5: HEAD,
    }  # fmt: skip
    assert [each for each in found if found[each].bot] == [5]


def test_who_asks_a_gitlab_for_changes_has_not_approved(gitlab: Client) -> None:
    found = gitlab_reviews(
        gitlab, approved_by(2), approved_by(3), u2="requested_changes", u3="reviewed"
    )
    assert {each: found[each].state for each in found} == {
        2: "changes_requested", 3: "approved",
    }  # fmt: skip


@pytest.mark.parametrize(
    ("settings", "commit"),
    [
        (Reply({"reset_approvals_on_push": True}), HEAD),
        (Reply({"reset_approvals_on_push": False}), None),
        (Reply({"message": "403 Forbidden"}, 403), None),
        (Reply({"message": "404 Not found"}, 404), None),
    ],
)
def test_an_old_gitlab_must_take_approvals_away_when_someone_pushes(
    gitlab: Client, settings: Reply, commit: str | None
) -> None:
    gitlab.server.on(f"GET {GITLAB}/approvals", settings)
    [found] = gitlab_reviews(gitlab, approved_by(2, None)).values()
    assert found.commit == commit


def test_three_pages_are_read_and_no_address_of_the_server_is_followed(
    github: Client,
) -> None:
    evil = '<https://evil.example/?page=2>; rel="next"'
    last = '<https://evil.example/?page=1>; rel="prev"'
    github.server.on(
        f"GET {PULL['github']}/reviews",
        Reply([github_review(1, user(2), "APPROVED", HEAD)], headers={"Link": evil}),
        Reply([github_review(2, user(3), "APPROVED", HEAD)], headers={"Link": evil}),
        Reply([github_review(3, user(4), "APPROVED", HEAD)], headers={"Link": last}),
    )

    assert [each.user for each in github.forge.reviews(github.of())] == [2, 3, 4]

    assert [each.query["page"] for each in github.server.heard] == ["1", "2", "3"]


def test_a_gitea_that_gives_less_than_was_asked_for_is_asked_on(gitea: Client) -> None:
    total = {"X-Total-Count": "3"}
    gitea.server.on(
        f"GET {PULL['github']}/reviews",
        *(
            Reply([github_review(n, user(n), "APPROVED", HEAD)], headers=total)
            for n in (1, 2, 3)
        ),
    )
    assert len(gitea.forge.reviews(gitea.of())) == 3
    assert len(gitea.server.heard) == 3


def test_pages_without_end_come_to_an_end(
    github: Client, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(http, "MAX_PAGES", 3)
    link = {"Link": '<x>; rel="next"'}
    path = f"GET {PULL['github']}/reviews"
    pages = [
        Reply([github_review(n, user(n), "APPROVED", HEAD)], headers=link)
        for n in range(1, 6)
    ]
    github.server.on(path, *pages)
    failing("E_LIMIT", OutsideError, github.forge.reviews, github.of())
    github.server.on(path, pages[0])  # the same page again and again
    assert len(github.forge.reviews(github.of())) == 1


# Comments.


@pytest.mark.parametrize("kind", ["github", "gitlab", "gitea"])
def test_one_comment_is_updated_in_place(server: ForgeServer, kind: ForgeKind) -> None:
    each = client(server, kind)
    base = "/projects/octo%2Fregistry/merge_requests/5/notes"
    field, method = "author", "PUT"
    place = f"{base}/3"
    if kind != "gitlab":
        base, field, method = f"{GITHUB}/issues/5/comments", "user", "PATCH"
        place = f"{GITHUB}/issues/comments/3"
    stored = {"id": 3, "html_url": "https://x/3", field: user(8)}
    server.on("GET /user", user(8))
    server.on(f"GET {base}", [])
    server.on(f"POST {base}", Reply(stored, 201))
    first = each.forge.upsert_comment(5, "gitmodel", "<!-- gitmodel -->\none")
    forged = {"id": 2, "body": "<!-- gitmodel -->\nfake", field: user(666)}
    ours = stored | {"body": "<!-- gitmodel -->\none"}
    server.on(f"GET {base}", [forged, ours])
    server.on(f"{method} {place}", stored)
    second = each.forge.upsert_comment(5, "gitmodel", "<!-- gitmodel -->\ntwo")

    assert first == second
    [update] = server.requests(f"{method} {place}")
    assert update.body == {"body": "<!-- gitmodel -->\ntwo"}
    assert len(server.requests(f"POST {base}")) == 1


def test_a_job_that_may_not_ask_who_it_is_replaces_what_a_bot_wrote(
    github: Client,
) -> None:
    path = f"{GITHUB}/issues/5/comments"
    mark = {"body": "<!-- gitmodel -->\none", "html_url": "https://x"}
    github.server.on("GET /user", Reply({"message": "not by integration"}, 403))
    comments = [
        {"id": 2, "user": user(666), **mark},
        {"id": 3, "user": user(9, "github-actions[bot]", "Bot"), **mark},
    ]
    github.server.on(f"GET {path}", comments)
    github.server.on(f"PATCH {GITHUB}/issues/comments/3", comments[1])

    github.forge.upsert_comment(5, "gitmodel", "<!-- gitmodel -->\ntwo")

    assert len(github.server.requests(f"PATCH {GITHUB}/issues/comments/3")) == 1


# Protection.


def test_how_github_protects_a_branch_by_rulesets_and_the_older_way(
    github: Client,
) -> None:
    server, rules = github.server, f"GET {GITHUB}/rules/branches/main"
    old = f"GET {GITHUB}/branches/main/protection"
    server.on(rules, [])
    assert github.forge.protection("main") == Protection()
    parameters = {
        "required_approving_review_count": 2,
        "dismiss_stale_reviews_on_push": True,
        "require_code_owner_review": True,
    }
    weaker = {"type": "pull_request", "parameters": {}}
    full = [
        {"type": "deletion"},
        {"type": "non_fast_forward"},
        weaker,
        {"type": "pull_request", "parameters": parameters},
    ]
    server.on(rules, full)
    server.on(old, Reply({"message": "Resource not accessible"}, 403))
    strict = Protection(
        force_push=False, deletion=False, pull_requests=True, approvals=2,
        dismisses_stale=True, code_owners=True,
    )  # fmt: skip
    assert github.forge.protection("main") == strict
    server.on(rules, [])
    server.on(
        old,
        {
            "allow_force_pushes": {"enabled": False},
            "allow_deletions": {"enabled": False},
            "required_pull_request_reviews": {
                "required_approving_review_count": 2,
                "dismiss_stale_reviews": True,
                "require_code_owner_reviews": True,
            },
        },
    )
    assert github.forge.protection("main") == strict


def test_how_gitlab_and_gitea_protect_a_branch(gitlab: Client, gitea: Client) -> None:
    assert gitlab.forge.protection("main") == Protection()
    gitlab.server.on(
        f"GET {GITLAB}/protected_branches/main",
        {
            "name": "main",
            "allow_force_push": False,
            "push_access_levels": [{"access_level": 0}],
            "code_owner_approval_required": True,
        },
    )
    gitlab.server.on(
        f"GET {GITLAB}/approvals",
        {"reset_approvals_on_push": True, "approvals_before_merge": 1},
    )
    strict = Protection(
        force_push=False, deletion=False, pull_requests=True, approvals=1,
        dismisses_stale=True, code_owners=True,
    )  # fmt: skip
    assert gitlab.forge.protection("main") == strict
    assert gitea.forge.protection("main") == Protection()
    rule = {"rule_name": "main", "enable_push": True, "required_approvals": 3}
    gitea.server.on(f"GET {GITHUB}/branch_protections/main", rule)
    assert gitea.forge.protection("main") == Protection(
        force_push=False, deletion=False, approvals=3
    )


def test_the_name_of_an_account_follows_its_number(
    github: Client, gitlab: Client, gitea: Client
) -> None:
    for each, path in ((github, "/user/7"), (gitlab, "/users/7")):
        assert each.forge.login(7) is None
        each.server.on(
            f"GET {path}", {"id": 7, "login": "renamed", "username": "renamed"}
        )
        assert each.forge.login(7) == "renamed"
    gitea.server.on("GET /users/search", {"ok": True, "data": [user(7, "renamed")]})
    assert gitea.forge.login(7) == "renamed"
    assert gitea.forge.login(8) is None


# What goes wrong.


def test_a_forge_that_has_had_enough_is_waited_for_and_then_asked_again(
    github: Client,
) -> None:
    now = "Sat, 14 Feb 2026 14:00:00 GMT"
    spent = {"X-RateLimit-Remaining": "0", "X-RateLimit-Reset": "1771077610"}
    github.server.on(
        f"GET {GITHUB}",
        Reply({"message": "slow down"}, 429, {"Retry-After": "3"}),
        Reply({"message": "API rate limit"}, 403, {**spent, "Date": now}),
        {"id": 5},
    )
    assert github.forge.repository_id() == 5
    assert github.paused[0] == 3
    assert 10 <= github.paused[1] <= 60


def test_nobody_waits_for_an_hour(github: Client) -> None:
    limit = Reply({"message": "secondary rate limit"}, 403, {"Retry-After": "3600"})
    github.server.on(f"GET {GITHUB}", limit)
    said = failing("E_FORGE_RATE_LIMIT", OutsideError, github.forge.repository_id)
    assert "3600 s" in said
    assert not github.paused


def test_a_forge_that_fails_is_asked_again_but_nothing_is_opened_twice(
    github: Client,
) -> None:
    github.server.on(f"GET {GITHUB}", Reply(b"<html>", 502), Reply(b"", 503), {"id": 5})
    assert github.forge.repository_id() == 5
    github.server.on(f"GET {GITHUB}", Reply({"message": "boom"}, 500))
    failing("E_FORGE_DOWN", OutsideError, github.forge.repository_id)
    github.server.on(f"POST {GITHUB}/pulls", Reply(b"<html>", 502))
    opening = github.forge.open_pull_request
    failing("E_FORGE_DOWN", OutsideError, opening, "topic", "main", "t", "b")
    assert len(github.server.requests(f"POST {GITHUB}/pulls")) == 1


@pytest.mark.parametrize(
    ("status", "code", "words"),
    [
        (401, "E_FORGE_TOKEN", "GITHUB_TOKEN must hold"),
        (403, "E_FORGE_RIGHTS", "read and write access to pull requests"),
        (404, "E_FORGE_NOT_FOUND", "--repository"),
        (422, "E_FORGE_REFUSED", "Validation Failed: No commits between"),
    ],
)
def test_a_refusal_says_what_the_token_must_be_allowed(
    github: Client, status: int, code: str, words: str
) -> None:
    errors = [{"message": "No commits between\x1b[31m main and topic"}]
    said = {"message": "Validation Failed", "errors": errors}
    github.server.on(f"POST {GITHUB}/pulls", Reply(said, status))
    kind = NotFoundError if status == 404 else OutsideError
    opening = github.forge.open_pull_request
    assert words in failing(code, kind, opening, "topic", "main", "t", "b")


@pytest.mark.parametrize(
    "answer",
    [
        Reply(b"<html>Sign in</html>", headers={"Content-Type": "text/html"}),
        Reply(b"[" * 100_000),
        Reply({"id": "12"}),
        Reply({"id": True}),
        Reply({"id": -3}),
        Reply([]),
        Reply(None),
        Reply(b""),
        Reply(b"\xff\xfe"),
    ],
)
def test_answers_that_make_no_sense_are_refused(github: Client, answer: Reply) -> None:
    github.server.on(f"GET {GITHUB}", answer)
    failing("E_FORGE_ANSWER", OutsideError, github.forge.repository_id)


def test_a_huge_answer_is_not_read_to_its_end(
    github: Client, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(http, "MAX_ANSWER", 100_000)
    github.server.on(f"GET {GITHUB}", {"id": 1, "name": "x" * 200_000})
    said = failing("E_FORGE_ANSWER", OutsideError, github.forge.repository_id)
    assert "100,000 bytes" in said


def test_a_connection_that_breaks_is_no_answer(github: Client) -> None:
    short = {"Content-Length": "400000"}
    github.server.on(
        f"GET {GITHUB}", Reply({"id": 1}, headers=short | {"Connection": "close"})
    )
    failing("E_FORGE_UNREACHABLE", OutsideError, github.forge.repository_id)


@pytest.mark.parametrize("field", ["state", "commit_id", "submitted_at", "id", "user"])
def test_a_review_with_a_strange_field_is_no_review(github: Client, field: str) -> None:
    odd = github_review(1, user(2), "APPROVED", HEAD) | {field: {"\x1b[31m": 1}}
    if field == "user":
        odd["user"] = {"id": "2", "type": "User"}
    github.server.on(f"GET {PULL['github']}/reviews", [odd])
    failing("E_FORGE_ANSWER", OutsideError, github.forge.reviews, github.of())


def test_the_token_goes_to_no_other_host(github: Client) -> None:
    with forge_server.serving() as other:
        other.on(f"GET {GITHUB}", {"id": 5})
        for status in (301, 302, 307, 308):
            sent_on = Reply(None, status, {"Location": f"{other.url}{GITHUB}"})
            github.server.on(f"GET {GITHUB}", sent_on)
            failing("E_FORGE_REDIRECT", OutsideError, github.forge.repository_id)
        assert other.heard == []


def test_a_repository_that_was_renamed_is_found_on_the_same_host(
    github: Client,
) -> None:
    moved = Reply({"message": "Moved"}, 301, {"Location": "/repositories/5"})
    github.server.on(f"GET {GITHUB}", moved)
    github.server.on("GET /repositories/5", {"id": 5})
    assert github.forge.repository_id() == 5
    github.server.on("GET /repositories/5", moved)
    failing("E_FORGE_REDIRECT", OutsideError, github.forge.repository_id)


def test_nobody_is_there() -> None:
    with serving() as gone:
        each = client(gone, "gitea")
    failing("E_FORGE_UNREACHABLE", OutsideError, each.forge.repository_id)


# Where it is.


@pytest.mark.parametrize(
    ("remote", "kind", "api", "path"),
    [
        ("https://github.com/o/reg.git", "github", "https://api.github.com", "o/reg"),
        ("git@github.com:o/reg.git", "github", "https://api.github.com", "o/reg"),
        ("ssh://git@ssh.github.com:443/o/r", "github", "https://api.github.com", "o/r"),
        ("git@gitlab.com:a/b/c.git", "gitlab", "https://gitlab.com/api/v4", "a/b/c"),
        ("https://codeberg.org/o/r", "forgejo", "https://codeberg.org/api/v1", "o/r"),
    ],
)  # fmt: skip
def test_an_address_says_which_forge_it_is(
    remote: str, kind: str, api: str, path: str
) -> None:
    place = locate(remote)
    assert (place.kind, place.api, place.path) == (kind, api, path)


def test_other_hosts_need_a_word_about_what_they_are() -> None:
    remote = "ssh://git@git.example.com:2222/octo/reg.git"
    with pytest.raises(InputError, match="which forge"):
        locate(remote)
    place = locate(remote, kind="gitea")
    assert (place.api, place.host) == (
        "https://git.example.com/api/v1", "git.example.com",
    )  # fmt: skip
    ours = locate(remote, kind="github", api="https://api.git.example.com/x/")
    assert (ours.api, ours.host) == ("https://api.git.example.com/x", "git.example.com")
    port = locate("https://git.example.com:3000/octo/reg", kind="forgejo")
    assert (port.api, port.host) == (
        "https://git.example.com:3000/api/v1", "git.example.com:3000",
    )  # fmt: skip


@pytest.mark.parametrize(
    "remote",
    ["/srv/git/reg.git", "../reg", "file:///x/y", "", "https://github.com/octo",
     "git@github.com:octo/..", "https://github.com/a/b?c/d", "https://github.com/a/\x1b[1m"],
)  # fmt: skip
def test_what_is_no_repository_of_a_forge(remote: str) -> None:
    with pytest.raises(InputError) as caught:
        locate(remote)
    assert caught.value.code == "E_FORGE_UNKNOWN"


@pytest.mark.parametrize(
    "api", ["http://git.example.com/api", "ftp://x", "https://me:pw@x/y"]
)
def test_a_token_is_sent_neither_in_the_clear_nor_anywhere_strange(api: str) -> None:
    place = locate(None, kind="gitea", api=api, path="octo/reg")
    with pytest.raises(InputError) as caught:
        connect(place, Token("GITEA_TOKEN", SECRET))
    assert SECRET not in str(caught.value)


@pytest.mark.parametrize("value", ["two words", "line\nbreak", "", "ключ"])
def test_a_token_is_one_word(server: ForgeServer, value: str) -> None:
    place = locate(None, kind="gitea", api=server.url, path="octo/reg")
    with pytest.raises(InputError, match="GITEA_TOKEN"):
        connect(place, Token("GITEA_TOKEN", value))
    assert SECRET not in repr(Token("GITEA_TOKEN", SECRET))
