"""Tells people by mail. What an event says can be no header and no command."""

from __future__ import annotations

import json
import smtplib
import ssl
from email import policy
from email.errors import HeaderParseError
from email.headerregistry import Address
from email.message import EmailMessage
from typing import TYPE_CHECKING

from gitmodel.adapters.cutoff import Cutoff
from gitmodel.adapters.http import LOOPBACK
from gitmodel.adapters.notify.variables import secret
from gitmodel.adapters.reaching import connect
from gitmodel.domain.moment import from_text
from gitmodel.errors import InputError, OutsideError

if TYPE_CHECKING:
    import socket
    from collections.abc import Mapping

    from gitmodel.domain.event import Event
    from gitmodel.domain.notification import Mail

_SUBJECT = 150  # characters
#: Who we say we are: looking up our own name can take longer than all the rest.
_HELLO = "[127.0.0.1]"
_ENVELOPE = policy.SMTP.clone(cte_type="7bit")


def send(
    receiver: Mail, event: Event, environment: Mapping[str, str], seconds: float
) -> str:
    """Hand a mail to the server, and return to how many people it goes.

    Raises:
        NotFoundError: A variable is not set.
        InputError: An address or a variable cannot be used.
        OutsideError: The server cannot be reached, is not secure, or refuses.
    """
    if receiver.tls == "none" and receiver.host not in LOOPBACK:
        raise InputError(
            f"Mail to {receiver.host} would not be encrypted.",
            "tls: starttls  encrypts it.",
        )
    user = password = None
    if receiver.username_from_env and receiver.password_from_env:
        user = secret(environment, receiver.username_from_env)
        password = secret(environment, receiver.password_from_env)
    message = compose(receiver, event)
    cutoff = Cutoff(seconds)
    try:
        with cutoff, _connection(receiver, cutoff, seconds) as server:
            if receiver.tls == "starttls":
                server.starttls(context=ssl.create_default_context())
            if user is not None and password is not None:
                server.login(user, password)
            refused = server.send_message(message)
    except (OSError, smtplib.SMTPException) as error:
        why = "it takes too long" if cutoff.is_over else _why(error)
        raise OutsideError(f"{receiver.host} does not take mail: {why}") from error
    if refused:
        raise OutsideError(
            f"{receiver.host} does not take mail for {', '.join(sorted(refused))}"
        )
    return f"{receiver.host} took it for {len(receiver.to)}"


def compose(receiver: Mail, event: Event) -> EmailMessage:
    """Return the mail: the event in words, then as JSON.

    Raises:
        InputError: An address is none.
    """
    message = EmailMessage(_ENVELOPE)
    text = event.text()
    subject = text if len(text) <= _SUBJECT else text[: _SUBJECT - 1] + "…"
    try:
        message["From"] = Address(addr_spec=receiver.sender)
        message["To"] = [Address(addr_spec=each) for each in receiver.to]
    except (ValueError, HeaderParseError) as error:
        raise InputError("The mail has an address that is none.") from error
    message["Subject"] = f"[gitmodel] {subject}"
    message["Date"] = from_text(event.time)
    # The same event is the same mail, which servers and readers show once.
    message["Message-ID"] = f"<{event.id}@gitmodel.invalid>"
    message["Auto-Submitted"] = "auto-generated"
    body = json.dumps(event.to_cloudevent(), indent=2)
    message.set_content(f"{text}\n\n{body}\n")
    return message


def _connection(receiver: Mail, cutoff: Cutoff, seconds: float) -> smtplib.SMTP:
    if receiver.tls == "tls":
        return _CutSecure(receiver, cutoff, seconds)
    return _Cut(receiver, cutoff, seconds)


class _Cut(smtplib.SMTP):
    """A connection that is cut off when its time is over, from its first byte."""

    def __init__(self, receiver: Mail, cutoff: Cutoff, seconds: float) -> None:
        self._cutoff = cutoff
        super().__init__(receiver.host, receiver.port, _HELLO, seconds)

    def _get_socket(self, host: str, port: int, timeout: float) -> socket.socket:
        left = self._cutoff.left
        found = connect(host, port, silence=timeout, seconds=left)
        self._cutoff.add(found)
        return found


class _CutSecure(_Cut):
    """The same, encrypted from its first byte."""

    def _get_socket(self, host: str, port: int, timeout: float) -> socket.socket:
        found = super()._get_socket(host, port, timeout)
        context = ssl.create_default_context()
        return context.wrap_socket(found, server_hostname=host)


def _why(error: Exception) -> str:
    if isinstance(error, smtplib.SMTPResponseException):
        return f"{error.smtp_code}"
    if isinstance(error, smtplib.SMTPRecipientsRefused):
        return "it refuses everybody who should get it"
    if isinstance(error, TimeoutError):
        return "it takes too long"
    return getattr(error, "strerror", None) or str(error) or type(error).__name__
