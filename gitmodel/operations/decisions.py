"""Say yes or no to what waits for it: before it lands, or after the fact."""

from __future__ import annotations

from typing import TYPE_CHECKING

from gitmodel.errors import NotFoundError
from gitmodel.operations import requests
from gitmodel.operations.late_review import decide_late, review_row, unsettled

if TYPE_CHECKING:
    from gitmodel.operations.requests import Decision, RequestRow
    from gitmodel.registry.handle import RegistryHandle


def list_waiting(handle: RegistryHandle) -> tuple[RequestRow, ...]:
    """Return every request that has not landed, and every review that is not done."""
    view, now = handle.view(), handle.context.clock.now()
    branch = handle.repository.head().branch or ""
    late = [review_row(review, now, branch) for review in unsettled(view, now)]
    return (*requests.list_requests(handle), *late)


def decide(
    handle: RegistryHandle, name: str, decision: Decision, *, comment: str, push: bool
) -> RequestRow:
    """Decide on a request; where there is none, on a rollback that has landed.

    Args:
        handle: The registry.
        name: ``MODEL#STAGE``, or the branch of a request.
        decision: Yes or no.
        comment: What the signer says.
        push: Also bring it to the remote.

    Raises:
        NotFoundError: Nothing of that name waits for anybody.
        ConflictError: It is stale, or another key of the signer's has said no.
        RefusedError: The signer asked for it, or has no say in it.
        IntegrityError: A signature does not count.
    """
    try:
        return requests.decide(handle, name, decision, comment=comment, push=push)
    except NotFoundError as error:
        model, sign, stage = name.partition("#")
        if not sign or error.code != "E_NO_REQUEST":
            raise
        return decide_late(handle, model, stage, decision, comment=comment, push=push)
