"""The forges' clients against the forges' own descriptions, by Prism."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from gitmodel.adapters.forge.places import connect, locate
from gitmodel.domain.forge import KINDS, Forge, ForgeKind, Protection, Token
from gitmodel.domain.forge_settings import calls
from gitmodel.errors import OutsideError
from tests.support import prism

if TYPE_CHECKING:
    from pathlib import Path


def forge_at(kind: ForgeKind, api: str) -> Forge:
    place = locate(None, kind=kind, api=api, path="octo/registry")
    return connect(place, Token("TOKEN", "secret"))


@pytest.mark.parametrize("kind", KINDS)
def test_every_request_fits_the_description_and_every_answer_can_be_read(
    kind: ForgeKind, tmp_path: Path
) -> None:
    with prism.serving(kind, tmp_path) as api:
        forge = forge_at(kind, api)
        assert forge.repository_id() > 0
        request = forge.pull_request(5)
        assert len(request.head) == 40
        assert request.state in {"open", "merged"}  # GitHub's example is both
        made = forge.open_pull_request("topic", "main", "title", "body")
        assert (made.number, made.head) == (request.number, request.head)
        assert forge.find_pull_request("nothing", "main") is None
        assert forge.find_pull_request(request.branch, request.base)
        reviews = forge.reviews(request)
        states = {(each.state, len(each.commit or "")) for each in reviews}
        assert ("approved", 40) in states
        assert all(each.user > 0 for each in reviews)
        url = forge.upsert_comment(5, "gitmodel", "<!-- gitmodel -->\ntext")
        assert url.startswith("https://") or kind == "gitlab"
        assert forge.protection("main").pull_requests
        assert forge.login(2)


@pytest.mark.parametrize("kind", ["github", "gitlab", "gitea"])
def test_a_request_without_a_token_or_out_of_shape_is_told_of(
    kind: ForgeKind, tmp_path: Path
) -> None:
    with prism.serving(kind, tmp_path) as api:
        forge: Any = forge_at(kind, api)
        with pytest.raises(OutsideError) as caught:
            forge.open_pull_request("topic", "main", 5, "body")
        assert caught.value.code == "E_FORGE_REFUSED"
        forge.api.secret = {}
        if kind != "github":  # GitHub's description asks nobody for a token
            with pytest.raises(OutsideError) as caught:
                forge.repository_id()
            assert caught.value.code == "E_FORGE_TOKEN"


@pytest.mark.parametrize("kind", ["github", "gitlab", "forgejo"])
def test_what_an_administrator_is_to_send_fits_the_description(
    kind: ForgeKind, tmp_path: Path
) -> None:
    strict = Protection(
        force_push=False,
        deletion=False,
        pull_requests=True,
        approvals=1,
        dismisses_stale=True,
        code_owners=True,
    )
    with prism.serving(kind, tmp_path) as api:
        forge: Any = forge_at(kind, api)
        for wish in (strict, Protection(force_push=False, deletion=False)):
            for call in calls(forge.place, "main", wish):
                assert forge.api.send(call.method, call.path, call.body)
