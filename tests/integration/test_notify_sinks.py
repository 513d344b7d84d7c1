"""Each way of telling others of an event, with real receivers, good and bad ones."""

from __future__ import annotations

import hashlib
import hmac
import itertools
import json
import os
import stat
import sys
import time
from dataclasses import replace
from email import message_from_bytes
from email.policy import default
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from gitmodel.adapters.notify import alertmanager, file, mail, program, webhook
from gitmodel.domain.event import Event
from gitmodel.domain.notification import Alertmanager, Mail, Webhook
from gitmodel.errors import GitmodelError, InputError, NotFoundError, OutsideError
from tests.support.liar import Liar, lying
from tests.support.listeners import WebServer, mail_server, make_identity, web_server

if TYPE_CHECKING:
    from collections.abc import Iterator

EVENT = Event(
    type="rollback_failed",
    time="2026-02-14T14:03:00Z",
    reason="<!channel> no <https://evil.example|known good> version\r\nBcc: eve@x.org",
    actor="ada",
    model="fraud",
    stage="production",
    origin="1.2.0",
    target="1.1.0",
    incident="INC-7",
    registry="sha256:" + "a" * 64,
)
ENV = {
    "GITMODEL_NOTIFY_TOKEN": "Bearer t0ps3cret",
    "GITMODEL_NOTIFY_HMAC": "shared",
    "GITMODEL_NOTIFY_USER": "gitmodel",
    "GITMODEL_NOTIFY_PASSWORD": "opensesame",
    "GITMODEL_NOTIFY_LINES": "a\r\nX-Evil: 1",
    "GITMODEL_NOTIFY_EMPTY": "",
    "AWS_SECRET_ACCESS_KEY": "k",
}
SOON = 5.0  # seconds: nothing here takes as long
SHORT = 0.4


@pytest.fixture
def web() -> Iterator[WebServer]:
    with web_server() as running:
        yield running


@pytest.fixture
def liar() -> Iterator[Liar]:
    with lying() as running:
        yield running


def fails(hook: Webhook, kind: type[GitmodelError], seconds: float = SOON) -> str:
    started = time.monotonic()
    with pytest.raises(kind) as found:
        webhook.send(hook, EVENT, ENV, seconds)
    assert time.monotonic() - started < SOON
    assert "t0ps3cret" not in str(found.value)
    return found.value.message


# ---- webhooks


def test_a_webhook_gets_a_signed_cloudevent(web: WebServer) -> None:
    hook = Webhook(
        url=f"{web.url}/events/7",
        url_from_env=None,
        headers_from_env=(("Authorization", "GITMODEL_NOTIFY_TOKEN"),),
        secret_from_env="GITMODEL_NOTIFY_HMAC",  # noqa: S106 (its name)
    )
    web.status = 202
    assert webhook.send(hook, EVENT, ENV, SOON) == f"202 from 127.0.0.1:{web.port}"
    [heard] = web.heard
    assert heard.path == "/events/7"
    assert heard.headers["Content-Type"].startswith("application/cloudevents+json")
    assert heard.headers["Authorization"] == "Bearer t0ps3cret"
    assert heard.headers["User-Agent"].startswith("gitmodel/")
    want = hmac.new(b"shared", heard.body, hashlib.sha256).hexdigest()
    assert heard.headers["X-Gitmodel-Signature-256"] == f"sha256={want}"
    assert json.loads(heard.body) == EVENT.to_cloudevent()


def test_slack_gets_text_that_calls_nobody_and_links_nowhere(web: WebServer) -> None:
    url = {"GITMODEL_NOTIFY_URL": f"{web.url}/services/s3cret"}
    hook = Webhook(url=None, url_from_env="GITMODEL_NOTIFY_URL", format="slack")
    said = webhook.send(hook, EVENT, url, SOON)
    assert "s3cret" not in said
    [heard] = web.heard
    assert heard.path == "/services/s3cret"
    content = json.loads(heard.body)
    assert list(content) == ["text"]
    assert "&lt;!channel&gt;" in content["text"]
    assert not {"<", ">", "\n"} & set(content["text"])


@pytest.mark.parametrize("status", [400, 401, 404, 429, 500, 503])
def test_an_answer_that_is_not_good_is_a_failure(web: WebServer, status: int) -> None:
    web.status = status
    message = fails(Webhook(url=web.url, url_from_env=None), OutsideError)
    assert str(status) in message
    assert len(web.heard) == 1


@pytest.mark.parametrize("status", [301, 302, 303, 307, 308])
def test_redirects_are_not_followed(web: WebServer, status: int) -> None:
    with web_server() as other:
        web.status, web.headers = status, {"Location": f"{other.url}/x"}
        hook = Webhook(
            url=web.url,
            url_from_env=None,
            headers_from_env=(("Authorization", "GITMODEL_NOTIFY_TOKEN"),),
        )
        assert "elsewhere" in fails(hook, OutsideError)
        assert other.heard == []


def test_a_server_that_is_not_there_is_a_failure(liar: Liar) -> None:
    hook = Webhook(url="http://127.0.0.1:1/x", url_from_env=None)
    assert "refused" in fails(hook, OutsideError)
    hook = Webhook(url=liar.url.replace("http:", "https:"), url_from_env=None)
    fails(hook, OutsideError, SHORT)


@pytest.mark.parametrize("how", ["hangs", "drips a head", "drips a body"])
def test_a_server_that_takes_for_ever_is_left(liar: Liar, how: str) -> None:
    liar.hangs, liar.pause = True, 0.05
    if how == "drips a head":
        liar.pieces = itertools.chain(
            [b"HTTP/1.1 200 OK\r\nX: "], itertools.repeat(b"x")
        )
    if how == "drips a body":
        head = b"HTTP/1.1 200 OK\r\nContent-Length: 9999\r\n\r\n"
        liar.pieces = itertools.chain([head], itertools.repeat(b"x"))
    message = fails(Webhook(url=liar.url, url_from_env=None), OutsideError, SHORT)
    assert "too long" in message


def test_an_answer_without_end_is_left(liar: Liar) -> None:
    head = b"HTTP/1.1 200 OK\r\n\r\n"
    liar.pieces = itertools.chain([head], itertools.repeat(b"x" * 2**16))
    message = fails(Webhook(url=liar.url, url_from_env=None), OutsideError)
    assert "no end" in message


@pytest.mark.parametrize(
    ("variable", "kind"),
    [
        ("GITMODEL_NOTIFY_UNSET", NotFoundError),
        ("GITMODEL_NOTIFY_EMPTY", NotFoundError),
        ("GITMODEL_NOTIFY_LINES", InputError),
        ("AWS_SECRET_ACCESS_KEY", InputError),
    ],
)
def test_a_variable_that_cannot_be_used_sends_nothing(
    web: WebServer, variable: str, kind: type[GitmodelError]
) -> None:
    for hook in (
        Webhook(web.url, None, headers_from_env=(("X-A", variable),)),
        Webhook(web.url, None, secret_from_env=variable),
        Webhook(None, variable),
    ):
        assert variable in fails(hook, kind)
    assert web.heard == []


@pytest.mark.parametrize(
    "url",
    ["http://hooks.example.com/x", "ftp://127.0.0.1/x", "file:///etc/passwd", "x",
     "https://user:t0ps3cret@127.0.0.1/x", "http://[::1/x", "http://127.0.0.1:x/t0ps3cret"],
)  # fmt: skip
def test_an_address_that_is_none_or_tells_a_secret_is_refused(url: str) -> None:
    env = ENV | {"GITMODEL_NOTIFY_URL": url}
    with pytest.raises((InputError, OutsideError)) as found:
        webhook.send(Webhook(None, "GITMODEL_NOTIFY_URL"), EVENT, env, SHORT)
    assert "t0ps3cret" not in found.value.message
    if url.startswith("http://hooks"):
        assert isinstance(found.value, InputError)
        assert "clear" in found.value.message


# ---- Alertmanager


def test_an_alert_says_what_it_is_about_in_labels(web: WebServer) -> None:
    receiver = Alertmanager(f"{web.url}/am", (("team", "risk"), ("severity", "none")))
    alertmanager.send(receiver, EVENT, ENV, SOON)
    [heard] = web.heard
    assert heard.path == "/am/api/v2/alerts"
    [alert] = json.loads(heard.body)
    assert alert["labels"] == {
        "alertname": "GitmodelRollbackFailed",
        "severity": "critical",
        "model": "fraud",
        "stage": "production",
        "incident": "INC-7",
        "team": "risk",
    }
    assert alert["annotations"]["summary"] == EVENT.text()
    assert alert["startsAt"] == "2026-02-14T14:03:00Z"
    assert alert["endsAt"] == "2026-02-14T15:03:00Z"
    again = alertmanager.alert(replace(EVENT, target="1.0.0"), {"team": "risk"})
    assert again["labels"] == alert["labels"]


# ---- programs


def _script(path: Path, text: str) -> Path:
    path.write_text(f"#!{sys.executable}\n{text}")
    path.chmod(0o755)
    return path


def test_a_program_reads_the_event_and_its_words_as_they_are(tmp_path: Path) -> None:
    script = _script(
        tmp_path / "page",
        "import sys, pathlib\n"
        "pathlib.Path(sys.argv[1]).write_text(sys.stdin.read() + repr(sys.argv[2:]))\n",
    )
    words = [str(tmp_path / "out"), "$(touch x); a b", "*", ""]
    assert program.send(script, words, EVENT, SOON) == "page took it"
    line, words_seen = (tmp_path / "out").read_text().splitlines()
    assert json.loads(line) == EVENT.to_cloudevent()
    assert words_seen == repr(words[1:])


def test_a_program_that_fails_says_why(tmp_path: Path) -> None:
    script = _script(tmp_path / "page", "import sys; sys.exit('nobody is on duty')")
    with pytest.raises(OutsideError, match="nobody is on duty"):
        program.send(script, [], EVENT, SOON)
    with pytest.raises(OutsideError, match="cannot be started"):
        program.send(tmp_path / "gone", [], EVENT, SOON)
    (tmp_path / "text").write_text("x")
    with pytest.raises(OutsideError, match="cannot be started"):
        program.send(tmp_path / "text", [], EVENT, SOON)


def test_a_program_that_hangs_is_killed_with_all_that_it_started(
    tmp_path: Path,
) -> None:
    script = tmp_path / "page"
    script.write_text(f"#!/bin/sh\nsleep 600 & echo $! > {tmp_path}/pid; wait\n")
    script.chmod(0o755)
    with pytest.raises(OutsideError, match="did not end"):
        program.send(script, [], EVENT, 1.5)
    pid = int((tmp_path / "pid").read_text())
    deadline = time.monotonic() + SOON
    while _is_alive(pid):
        assert time.monotonic() < deadline


def _is_alive(pid: int) -> bool:
    try:
        with open(f"/proc/{pid}/stat", encoding="ascii") as state:  # noqa: PTH123
            return state.read().rpartition(")")[2].split()[0] not in {"Z", "X"}
    except FileNotFoundError:
        return False


def test_a_program_need_not_listen(tmp_path: Path) -> None:
    big = replace(EVENT, details={"x": "y" * 2**20})
    script = _script(tmp_path / "page", "import os; os.close(0); print('z' * 2**20)")
    program.send(script, [], big, SOON)


# ---- files


def _lines(path: Path) -> list[Any]:
    return [json.loads(line) for line in path.read_text().splitlines()]


def test_a_file_gets_a_line_for_each_event_and_is_mine_alone(tmp_path: Path) -> None:
    for _ in range(3):
        file.append(tmp_path, "ops/team/trail.jsonl", EVENT)
    path = tmp_path / "ops/team/trail.jsonl"
    assert _lines(path) == [EVENT.to_cloudevent()] * 3
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    assert stat.S_IMODE(path.parent.stat().st_mode) == 0o700
    file.send(tmp_path / "mine.jsonl", EVENT)
    assert len(_lines(tmp_path / "mine.jsonl")) == 1


def test_a_line_that_broke_off_harms_no_other(tmp_path: Path) -> None:
    path = tmp_path / "trail.jsonl"
    path.write_bytes(EVENT.to_line()[:40])
    for _ in range(2):
        file.append(tmp_path, path.name, EVENT)
    half, *whole = path.read_bytes().splitlines(keepends=True)
    assert (half, whole) == (EVENT.to_line()[:40] + b"\n", [EVENT.to_line()] * 2)


def test_what_holds_anything_else_is_not_written_to(tmp_path: Path) -> None:
    for text in ("#!/bin/sh\n", '{"accuracy": 0.9}', "{", "\n"):
        (tmp_path / "other").write_text(text)
        with pytest.raises(OutsideError, match="something else than events"):
            file.send(tmp_path / "other", EVENT)
        assert (tmp_path / "other").read_text() == text


@pytest.mark.parametrize("path", ["../x", "a/../../x", "/etc/x", "", "..", "a/.."])
def test_a_path_that_leads_out_is_refused(tmp_path: Path, path: str) -> None:
    root = tmp_path / "root"
    root.mkdir()
    with pytest.raises(InputError):
        file.append(root, path, EVENT)
    assert list(tmp_path.iterdir()) == [root]


def test_links_pipes_and_directories_are_not_written_to(tmp_path: Path) -> None:
    root, outside = tmp_path / "root", tmp_path / "outside"
    root.mkdir()
    outside.mkdir()
    (outside / "file").write_bytes(EVENT.to_line())
    (root / "link").symlink_to(outside / "file")
    (root / "dangling").symlink_to(outside / "new")
    (root / "way").symlink_to(outside)
    os.mkfifo(root / "pipe")
    (root / "directory").mkdir()
    names = ("link", "dangling", "way/file", "pipe", "directory")
    for name in names:
        with pytest.raises(OutsideError, match="cannot be written"):
            file.append(root, name, EVENT)
        with pytest.raises(OutsideError):
            file.send(root / name.replace("way/file", "link"), EVENT)
    assert (outside / "file").read_bytes() == EVENT.to_line()
    assert [path.name for path in outside.iterdir()] == ["file"]


# ---- mail


def _mail(port: int, tls: Any = "none", *, login: bool = False) -> Mail:
    return Mail(
        host="127.0.0.1",
        port=port,
        tls=tls,
        sender="gitmodel@example.com",
        to=("ops@example.com", "ml+oncall@example.com"),
        username_from_env="GITMODEL_NOTIFY_USER" if login else None,
        password_from_env="GITMODEL_NOTIFY_PASSWORD" if login else None,
    )


@pytest.fixture
def identity(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Return an identity that this machine trusts."""
    path = make_identity(tmp_path / "identity.pem")
    monkeypatch.setenv("SSL_CERT_FILE", str(path))
    return path


def test_a_mail_says_all_and_its_reason_is_no_header() -> None:
    with mail_server() as server:
        said = mail.send(_mail(server.port), EVENT, ENV, SOON)
    assert said == "127.0.0.1 took it for 2"
    [envelope] = server.taken
    assert envelope.mail_from == "gitmodel@example.com"
    assert envelope.rcpt_tos == ["ops@example.com", "ml+oncall@example.com"]
    assert isinstance(envelope.content, bytes)
    found = message_from_bytes(envelope.content, policy=default)
    assert found["Bcc"] is None
    assert found["To"] == "ops@example.com, ml+oncall@example.com"
    subject = found["Subject"]
    assert subject.startswith(
        "[gitmodel] CRITICAL: rollback failed: fraud in production"
    )
    assert found["Message-ID"] == f"<{EVENT.id}@gitmodel.invalid>"
    assert found["Auto-Submitted"] == "auto-generated"
    body = found.get_content().replace("\r\n", "\n")
    assert body.startswith(EVENT.text())
    assert json.loads(body.partition("\n\n")[2]) == EVENT.to_cloudevent()


@pytest.mark.parametrize("encrypted", [False, True], ids=["starttls", "tls"])
def test_mail_goes_encrypted_with_a_login(identity: Path, encrypted: bool) -> None:
    tls = "tls" if encrypted else "starttls"
    with mail_server(identity, encrypted=encrypted, login=True) as server:
        mail.send(_mail(server.port, tls, login=True), EVENT, ENV, SOON)
        assert server.logins == [("gitmodel", "opensesame")]
        wrong = ENV | {"GITMODEL_NOTIFY_PASSWORD": "sesame"}
        with pytest.raises(OutsideError, match="535") as found:
            mail.send(_mail(server.port, tls, login=True), EVENT, wrong, SOON)
        assert "sesame" not in found.value.message
    assert len(server.taken) == 1


@pytest.mark.parametrize("encrypted", [False, True], ids=["starttls", "tls"])
def test_a_mail_server_that_nobody_vouches_for_hears_no_password(
    tmp_path: Path, encrypted: bool
) -> None:
    path = make_identity(tmp_path / "identity.pem")
    tls = "tls" if encrypted else "starttls"
    with mail_server(path, encrypted=encrypted, login=True) as server:
        with pytest.raises(OutsideError, match="CERTIFICATE_VERIFY_FAILED"):
            mail.send(_mail(server.port, tls, login=True), EVENT, ENV, SOON)
        assert server.logins == []


def test_a_mail_server_without_tls_is_refused_where_tls_is_asked_for() -> None:
    with mail_server() as server:
        with pytest.raises(OutsideError, match="STARTTLS"):
            mail.send(_mail(server.port, "starttls"), EVENT, ENV, SOON)
        with pytest.raises(OutsideError):
            mail.send(_mail(server.port, "tls"), EVENT, ENV, SHORT)
    assert server.taken == []


def test_mail_leaves_this_machine_encrypted_or_not_at_all() -> None:
    receiver = replace(_mail(25), host="mail.example.com")
    with pytest.raises(InputError, match="encrypted"):
        mail.send(receiver, EVENT, ENV, SHORT)


def test_whoever_gets_no_mail_is_named() -> None:
    with mail_server() as server:
        server.refused = frozenset({"ops@example.com"})
        with pytest.raises(OutsideError, match=r"for ops@example\.com"):
            mail.send(_mail(server.port), EVENT, ENV, SOON)
        assert len(server.taken) == 1
        server.refused |= {"ml+oncall@example.com"}
        with pytest.raises(OutsideError, match="everybody"):
            mail.send(_mail(server.port), EVENT, ENV, SOON)


@pytest.mark.parametrize(
    "address", ["a@b\r\nBcc: c@d.org", "a b@c.org", "a@b.org>", "@", "ops", "a@b@c"]
)
def test_an_address_cannot_be_a_header_or_a_command(address: str) -> None:
    receiver = replace(_mail(1), to=(address,))
    with pytest.raises(InputError):
        mail.compose(receiver, EVENT)


@pytest.mark.parametrize("how", ["hangs", "drips", "babbles", "hangs up"])
def test_a_mail_server_that_is_none_is_left(liar: Liar, how: str) -> None:
    liar.hangs = how != "hangs up"
    if how == "drips":
        liar.pause = 0.05
        liar.pieces = itertools.chain([b"220-"], itertools.repeat(b"x"))
    if how == "babbles":
        liar.pieces = itertools.repeat(b"220-more\r\n")
    started = time.monotonic()
    for tls in ("none", "tls"):
        with pytest.raises(OutsideError):
            mail.send(_mail(liar.port, tls), EVENT, ENV, SHORT)
    assert time.monotonic() - started < SOON


def test_what_is_no_text_keeps_nobody_from_hearing(
    web: WebServer, tmp_path: Path
) -> None:
    odd = replace(EVENT, reason="triggers/\udcff\ud800.yaml is not YAML")
    for form in ("cloudevents", "slack"):
        hook = Webhook(url=web.url, url_from_env=None, format=form)
        webhook.send(hook, odd, ENV, SOON)
    alertmanager.send(Alertmanager(web.url), odd, ENV, SOON)
    for heard in web.heard:
        assert "is not YAML" in heard.body.decode()
    file.append(tmp_path, "trail.jsonl", odd)
    assert "is not YAML" in (tmp_path / "trail.jsonl").read_text(encoding="utf-8")
    kept = tmp_path / "kept"
    code = f"import sys; open({str(kept)!r}, 'wb').write(sys.stdin.buffer.read())"
    program.send(Path(sys.executable), ["-c", code], odd, SOON)
    assert "is not YAML" in kept.read_text(encoding="utf-8")
    receiver = Mail("h", 25, "none", "a@example.com", ("b@example.com",))
    assert b"is not YAML" in mail.compose(receiver, odd).as_bytes()
