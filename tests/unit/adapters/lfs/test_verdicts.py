"""What is made of the words and statuses that git-lfs leaves behind."""

from __future__ import annotations

import pytest

from gitmodel.adapters.lfs import verdicts
from gitmodel.adapters.lfs.batch import Endpoint
from gitmodel.adapters.lfs.client import Ran


@pytest.mark.parametrize(
    ("statuses", "refusal"),
    [
        ((), None),
        ((200, 206), None),
        ((401, 200, 200), None),  # it only asked for the password
        ((401,), 401),
        ((200, 401), 401),  # of an object, after the batch request was answered
        ((401, 200, 403), 403),
        ((200, 500, 200), 500),
        ((200, 500, 404), 404),
    ],
)
def test_a_refusal_is_the_last_failure_that_was_not_about_the_password(
    statuses: tuple[int, ...], refusal: int | None
) -> None:
    assert Ran(ok=False, said="", statuses=statuses).refusal == refusal


@pytest.mark.parametrize(
    ("said", "told"),
    [
        (
            (
                "fetch: Fetching reference refs/heads/main\n"
                "batch response: Fatal error: sorry\n\nErrors logged to '/r/x.log'.\n"
                "error: failed to fetch some objects from 'http://h/lfs'\n"
            ),
            "sorry",
        ),
        (
            (
                'cannot write data to temporary file "/r/incomplete/ab12": LFS: '
                "unexpected EOF\n"
            ),
            "unexpected EOF",
        ),
        (
            "LFS: Client error &{%!!(string=h) %!!(string=)}s(MISSING) from HTTP 410",
            "Client error from HTTP 410",
        ),
        (
            (
                "fatal: could not read Username for 'http://h': prompts disabled\n"
                "batch response: Git credentials for http://h/lfs not found.\n"
            ),
            "Git credentials for http://h/lfs not found.",
        ),
        (
            "LFS: Authorization error: https://s3.h/b/ab?X-Amz-Signature=f0&Expires=9\n",
            "Authorization error: https://s3.h/b/ab",
        ),
        (
            'Post "https://ada:pw@h/lfs/objects/batch": connection refused',
            'Post "https://h/lfs/objects/batch": connection refused',
        ),
        ("LFS: what is wrong? Nothing.", "what is wrong? Nothing."),
        ("", "it does not say why"),
    ],
)
def test_the_reason_is_the_line_that_says_it_without_secrets(
    said: str, told: str
) -> None:
    error = verdicts.of_push(Ran(ok=False, said=said), "origin", 1)
    assert error.message.endswith(f": {told}")


@pytest.mark.parametrize(
    ("url", "ssh", "http", "shown"),
    [
        ("https://ada:pw@h:1/x", False, True, "https://h:1/x"),
        ("https://h/x", True, False, "https://h/x"),
        ("/srv/x.git/info/lfs", False, False, "/srv/x.git/info/lfs"),
        ("file:///srv/x.git", False, False, "file:///srv/x.git"),
    ],
)
def test_an_endpoint_is_shown_without_user_and_password(
    url: str, ssh: bool, http: bool, shown: str
) -> None:
    endpoint = Endpoint(url, ssh)
    assert (endpoint.is_http, str(endpoint)) == (http, shown)
