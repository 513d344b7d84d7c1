"""Tells a web server: a CloudEvent, or a text as Slack and its kin take it."""

from __future__ import annotations

import hashlib
import hmac
import json
from typing import TYPE_CHECKING

from gitmodel.adapters.notify.post import post
from gitmodel.adapters.notify.variables import headers, secret

if TYPE_CHECKING:
    from collections.abc import Mapping

    from gitmodel.domain.event import Event
    from gitmodel.domain.notification import Webhook

SIGNATURE = "X-Gitmodel-Signature-256"
_TYPES = {
    "cloudevents": "application/cloudevents+json; charset=utf-8",
    "slack": "application/json; charset=utf-8",
}
#: In Slack's own markup these make links, and call a whole channel.
_ESCAPED = str.maketrans({"&": "&amp;", "<": "&lt;", ">": "&gt;"})


def send(
    receiver: Webhook, event: Event, environment: Mapping[str, str], seconds: float
) -> str:
    """Tell a server, and return what it said.

    The body is signed, if there is a secret for that: ``sha256=`` and the HMAC of the
    exact bytes in hex, in ``X-Gitmodel-Signature-256``. A receiver that has seen the
    event's id drops it: that is what stops a replay.

    Raises:
        NotFoundError: A variable is not set.
        InputError: An address or a variable cannot be used.
        OutsideError: The server cannot be told.
    """
    if receiver.format == "slack":
        text = {"text": event.text().translate(_ESCAPED)}
        body = json.dumps(text, ensure_ascii=False).encode()
    else:
        body = event.to_line().rstrip()
    sent = headers(environment, receiver.headers_from_env)
    has_secret = bool(sent or receiver.url_from_env)
    sent["Content-Type"] = _TYPES[receiver.format]
    if receiver.secret_from_env:
        key = secret(environment, receiver.secret_from_env).encode()
        sent[SIGNATURE] = "sha256=" + hmac.new(key, body, hashlib.sha256).hexdigest()
    url = receiver.url or secret(environment, receiver.url_from_env or "")
    return post(url, body, sent, seconds=seconds, is_secret=has_secret)
