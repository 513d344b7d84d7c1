"""LFS servers that fail in every way: retried or refused, never a bad file in place."""

from __future__ import annotations

import fcntl
import json
import os
import signal
import subprocess
import sys
import threading
from dataclasses import dataclass, replace
from itertools import count
from typing import TYPE_CHECKING, Any

import pytest

import gitmodel
from tests.support.faulty_lfs import MEDIA, FaultyLfs, Reply, Request, serving
from tests.support.isolation import isolate
from tests.support.progress import Recorder
from tests.support.refusals import refusal
from tests.support.remotes import (
    clone,
    copy_repositories,
    digests,
    make_hub,
    stored,
)
from tests.support.workbench import Workbench, git, unpack

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

    Spoil = Callable[[Request, Reply], Reply]

BIG = bytes(range(256)) * 600


@pytest.fixture
def server() -> Iterator[FaultyLfs]:
    with serving() as running:
        yield running


def point(bench: Workbench, server: FaultyLfs) -> Workbench:
    """Have a clone use a server, and give up on it after moments, not a minute."""
    with (bench.path / ".git/config").open("a") as file:
        file.write(
            f"[lfs]\n\turl = {server.url}\n\tactivitytimeout = 1\n"
            '[lfs "transfer"]\n\tmaxretries = 2\n\tmaxretrydelay = 0\n'
        )
    return bench


@dataclass(frozen=True)
class Place:
    """A pushed version whose two files are on a server that may be told to fail."""

    ours: Workbench
    anyone: Workbench
    server: FaultyLfs
    hub: Path
    pull: tuple[str | Path, ...]
    out: Path

    def whole(self) -> bool:
        files = {p.name: p.read_bytes() for p in (self.out / "artifacts").iterdir()}
        return files == {"model.bin": BIG, "tokenizer.json": b"{}"}


@dataclass(frozen=True)
class Pushed:
    """What ``place`` copies: repositories in one directory, and bytes of a server."""

    root: Path
    objects: dict[str, bytes]


@pytest.fixture(scope="session")
def pushed(template: Path, tmp_path_factory: pytest.TempPathFactory) -> Pushed:
    root = tmp_path_factory.mktemp("pushed")
    with pytest.MonkeyPatch.context() as patch, serving() as server:
        isolate(patch, root / "home")
        bench = unpack(template, root / "home", root)
        bench.git("remote", "add", "origin", make_hub(root / "hub.git"))
        bench.git("config", "lfs.url", server.url)
        bench.file("v/model.bin", BIG)
        bench.file("v/tokenizer.json", b"{}")
        register = ("register", "fraud", bench.outside / "v", "--version", "1.0.0")
        bench.do(*register, "--no-capture", "--push")
        bench.git("config", "--remove-section", "lfs")
        clone(root / "hub.git", root / "anyone", root)
    return Pushed(root, server.objects)


@pytest.fixture
def place(pushed: Pushed, server: FaultyLfs, home: Path, tmp_path: Path) -> Place:
    """Return a clone that has no bytes, beside the one that made the version."""
    hub, *paths = copy_repositories(
        pushed.root, tmp_path, "hub.git", "r", "anyone", home=home
    )
    server.objects |= pushed.objects
    (tmp_path / "outside").mkdir()
    ours, anyone = (
        point(Workbench(path, tmp_path / "outside"), server) for path in paths
    )
    (tmp_path / "place").mkdir()
    out = tmp_path / "place/out"
    return Place(ours, anyone, server, hub, ("pull", "fraud@1.0.0", "-o", out), out)


# --- the catalogue --------------------------------------------------------------------


def only(times: int, spoil: Spoil) -> Spoil:
    """Spoil so many replies, and then no more."""
    number = count()
    return lambda request, reply: (
        spoil(request, reply) if next(number) < times else reply
    )


def says(status: int, **headers: str) -> Spoil:
    """Answer with a status, in the way of LFS servers."""
    document = json.dumps({"message": "the reason"}).encode()
    media = {"Content-Type": MEDIA, **headers}
    return lambda *_: Reply(status, document, media)


def big(spoil: Spoil) -> Spoil:
    """Spoil the larger object only."""
    return lambda request, reply: (
        spoil(request, reply) if len(reply.body) > 1000 else reply
    )


def entries(change: Callable[[dict[str, Any]], object]) -> Spoil:
    """Change what the batch answer says of each object."""

    def spoil(_: Request, reply: Reply) -> Reply:
        document = json.loads(reply.body)
        for entry in document["objects"]:
            change(entry)
        return Reply.of(document)

    return spoil


def refuses(code: int) -> Spoil:
    """Refuse each object within an answer that is fine as a whole."""

    def change(entry: dict[str, Any]) -> None:
        entry.pop("actions", None)
        entry["error"] = {"code": code, "message": "the reason"}

    return entries(change)


def cut(reply: Reply, **more: Any) -> Reply:
    return replace(reply, body=reply.body[:1000], length=len(reply.body), **more)


def flip(reply: Reply) -> Reply:
    return replace(reply, body=reply.body[:500] + b"\xff" + reply.body[501:])


@dataclass(frozen=True)
class Fault:
    """What goes wrong at one kind of request, and what the user is told."""

    kind: str
    spoil: Spoil
    exit_code: int = 0
    code: str = ""
    words: str = ""


MISSING, DIGEST = "E_ARTIFACT_MISSING", "E_ARTIFACT_DIGEST"
FAULTS = {
    # bytes
    "truncated": Fault(
        "download", big(lambda _, r: replace(r, body=r.body[:-9])), 4, DIGEST
    ),
    "flipped": Fault("download", big(lambda _, r: flip(r)), 4, DIGEST),
    "longer": Fault(
        "download", big(lambda _, r: replace(r, body=r.body + b"x")), 4, DIGEST
    ),
    "another object": Fault(
        "download", big(lambda _, r: replace(r, body=b"hello")), 4, DIGEST
    ),
    "broken off": Fault("download", big(lambda _, r: cut(r)), 5, "E_LFS", "EOF"),
    "broken off once": Fault("download", only(1, big(lambda _, r: cut(r)))),
    "reset": Fault("download", lambda _, r: cut(r, reset=True), 5, "E_LFS"),
    "stalls": Fault(
        "download", big(lambda _, r: cut(r, stall=True)), 5, "E_LFS", "timeout"
    ),
    "trickles": Fault("download", big(lambda _, r: replace(r, pieces=3, pause=0.3))),
    # statuses of one object
    "object 401": Fault("download", says(401), 5, "E_LFS_AUTH", "credentials"),
    "object 403": Fault("download", says(403), 5, "E_LFS_AUTH", "403"),
    "object 404": Fault("download", says(404), 1, MISSING, "404"),
    "object 410": Fault("download", says(410), 1, MISSING, "410"),
    "object 413": Fault("download", says(413), 5, "E_LFS", "413"),
    "object 422": Fault("download", says(422), 4, DIGEST, "422"),
    "object 429": Fault("download", says(429), 5, "E_LFS", "429"),
    "object 429 once": Fault("download", only(1, says(429, **{"Retry-After": "1"}))),
    "object 500": Fault("download", says(500), 5, "E_LFS", "500"),
    "object 500 once": Fault("download", only(1, says(500))),
    "object 503": Fault("download", says(503), 5, "E_LFS", "503"),
    # statuses of the whole request
    "batch 401": Fault("batch", says(401), 5, "E_LFS_AUTH", "credentials"),
    "batch 403": Fault("batch", says(403), 5, "E_LFS_AUTH", "the reason (HTTP 403)"),
    "batch 404": Fault("batch", says(404), 1, MISSING, "none is there"),
    "batch 410": Fault("batch", says(410), 1, MISSING, "410"),
    "batch 413": Fault("batch", says(413), 5, "E_LFS", "413"),
    "batch 422": Fault("batch", says(422), 5, "E_LFS", "the reason (HTTP 422)"),
    "batch 429": Fault("batch", says(429), 5, "E_LFS", "429"),
    "batch 429 once": Fault("batch", only(1, says(429, **{"Retry-After": "1"}))),
    "batch 429 for an hour": Fault(
        "batch", says(429, **{"Retry-After": "3600"}), 5, "E_LFS", "went silent"
    ),
    "batch 500": Fault("batch", says(500), 5, "E_LFS", "the reason (HTTP 500)"),
    "batch 500 once": Fault("batch", only(1, says(500))),
    "batch 503": Fault("batch", says(503), 5, "E_LFS", "503"),
    # what the batch answer says
    "refused 403": Fault("batch", refuses(403), 5, "E_LFS_AUTH"),
    "refused 404": Fault("batch", refuses(404), 1, MISSING, "the reason"),
    "refused 410": Fault("batch", refuses(410), 1, MISSING),
    "refused 422": Fault("batch", refuses(422), 4, DIGEST),
    "refused 500": Fault("batch", refuses(500), 5, "E_LFS", "the reason"),
    "a page": Fault(
        "batch",
        lambda *_: Reply(200, b"<html>Log in</html>", {"Content-Type": "text/html"}),
        5, "E_LFS", "text/html",
    ),
    "no JSON": Fault(
        "batch", lambda *_: Reply(200, b"}{", {"Content-Type": MEDIA}), 5, "E_LFS"
    ),
    "other names": Fault(
        "batch", entries(lambda e: e.update(oid="0" * 64)), 5, "E_LFS", "unknown OID"
    ),
    "negative sizes": Fault(
        "batch", entries(lambda e: e.update(size=-5)), 5, "E_LFS", "invalid size"
    ),
    "other sizes": Fault("batch", entries(lambda e: e.update(size=5))),
    "nothing to do": Fault(
        "batch", entries(lambda e: e.pop("actions")), 1, MISSING, "gave nothing"
    ),
    "no objects": Fault(
        "batch", lambda *_: Reply.of({"objects": []}), 5, "E_LFS", "went silent"
    ),
}  # fmt: skip


@pytest.mark.parametrize("name", FAULTS)
def test_a_download_that_goes_wrong_is_retried_or_refused_and_can_be_repeated(
    name: str, place: Place
) -> None:
    fault, anyone = FAULTS[name], place.anyone
    before = anyone.snapshot()
    config = (anyone.path / ".git/config").read_text()
    place.server.spoil[fault.kind] = fault.spoil
    answer = anyone.run("--json", *place.pull)
    if fault.exit_code:
        message = refusal(answer, fault.exit_code, fault.code)
        assert fault.words in message
        assert len(message) < 400
        assert not {"%!", "\n", "trace"} & set(message.split(" "))
        assert list(place.out.parent.iterdir()) == []
        # What came may stay, if it is what it should be.
        assert stored(anyone) <= digests(anyone, "fraud@1.0.0")
        assert DIGEST not in anyone.verify()[1]
        after = anyone.snapshot()
        assert replace(after, objects=before.objects) == before
        assert (anyone.path / ".git/config").read_text() == config
        place.server.spoil.clear()
        assert anyone.do(*place.pull)["verified"]
    assert answer.code == fault.exit_code, answer.err
    assert place.whole()


# --- what is asked for ----------------------------------------------------------------


def test_it_asks_for_what_it_needs_once_and_at_the_same_time(place: Place) -> None:
    place.ours.register(version="2.0.0")
    place.ours.do("promote", "fraud@2.0.0", "dev", "--push")
    place.anyone.git("pull", "-q", "--ff-only")
    place.server.requests.clear()
    place.server.spoil["download"] = place.server.meeting(2)
    place.anyone.do(*place.pull)
    assert place.server.busiest == 2
    [batch] = place.server.asked("batch")
    wanted = digests(place.anyone, "fraud@1.0.0")
    assert {each["oid"] for each in batch.json["objects"]} == wanted
    assert sorted(each.oid for each in place.server.asked("download")) == sorted(wanted)
    # One of the two is here: only the other one is asked for.
    [lost] = [oid for oid in wanted if len(place.server.objects[oid]) > 1000]
    place.anyone.object_path(lost).unlink()
    place.server.spoil.clear()
    place.server.requests.clear()
    place.anyone.do(*place.pull[:-1], place.out.with_name("again"))
    assert [each.oid for each in place.server.asked("download")] == [lost]
    assert sum(len(each.json["objects"]) for each in place.server.asked("batch")) == 1


def test_a_killed_download_goes_on_where_it_was(place: Place) -> None:
    [big_one] = [o for o, data in place.server.objects.items() if len(data) > 1000]
    half = len(BIG) // 2
    reached = threading.Event()

    def stall(_: Request, reply: Reply) -> Reply:
        piece = reply.body[:half]
        return replace(reply, body=piece, length=len(BIG), stall=True, last=reached.set)

    place.anyone.git("config", "lfs.activitytimeout", "60")
    place.server.spoil["download"] = big(stall)
    process = subprocess.Popen(
        [sys.executable, "-m", "gitmodel", "-C", place.anyone.path, *place.pull],
        start_new_session=True,
        stderr=subprocess.DEVNULL,
    )
    assert reached.wait(60)
    incomplete = place.anyone.path / ".git/lfs/incomplete"
    while not any(p.stat().st_size >= half for p in incomplete.glob(f"{big_one}*")):
        assert process.poll() is None
    os.killpg(process.pid, signal.SIGKILL)
    process.wait()
    assert list(place.out.parent.iterdir()) == []
    place.server.spoil.clear()
    place.server.given.clear()
    place.anyone.do(*place.pull)
    assert place.whole()
    assert place.server.given[big_one] == len(BIG) - half
    assert [each.name for each in incomplete.iterdir()] == ["gitmodel.lock"]


def test_what_is_being_downloaded_by_another_is_left_to_it(place: Place) -> None:
    incomplete = place.anyone.path / ".git/lfs/incomplete"
    incomplete.mkdir(parents=True)
    [big_one] = [o for o, data in place.server.objects.items() if len(data) > 1000]
    theirs = incomplete / f"{big_one}123456"
    theirs.write_bytes(BIG[:1000])
    with (incomplete / "gitmodel.lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_SH)
        place.anyone.do(*place.pull)
    assert place.whole()
    assert theirs.read_bytes() == BIG[:1000]
    assert place.server.given[big_one] == len(BIG)


@pytest.mark.parametrize("left", [b"other bytes", BIG + b"more", bytes(len(BIG))])
def test_bad_bytes_of_an_earlier_attempt_do_not_spoil_this_one(
    left: bytes, place: Place
) -> None:
    incomplete = place.anyone.path / ".git/lfs/incomplete"
    incomplete.mkdir(parents=True)
    [big_one] = [o for o, data in place.server.objects.items() if len(data) > 1000]
    (incomplete / f"{big_one}.part").write_bytes(left)
    place.anyone.do(*place.pull)
    assert place.whole()


def test_credentials_do_not_follow_a_redirect_to_another_host(place: Place) -> None:
    header = "Authorization: Basic YWRhOnNlY3JldA=="
    place.anyone.git("config", f"http.{place.server.url}.extraHeader", header)
    with serving() as other:
        other.objects |= place.server.objects
        elsewhere = f"http://localhost:{other.port}/object"
        place.server.spoil["download"] = lambda request, _: Reply(
            302, headers={"Location": f"{elsewhere}/{request.oid}"}
        )
        place.anyone.do(*place.pull)
        assert place.whole()
        assert "authorization" in place.server.asked("batch")[0].headers
        asked = other.asked("download")
        assert len(asked) == 2
        assert all("authorization" not in each.headers for each in asked)


def test_an_address_that_is_a_secret_is_not_told(place: Place) -> None:
    def sign(entry: dict[str, Any]) -> None:
        entry["actions"]["download"]["href"] += "?X-Amz-Signature=s3cret&Expires=9"

    place.server.spoil |= {"batch": entries(sign), "download": lambda *_: Reply(403)}
    address = place.server.url.replace("://", "://ada:s3cret@")
    place.anyone.git("config", "lfs.url", address)
    answer = place.anyone.run("--json", *place.pull)
    assert "/object/" in refusal(answer, 5, "E_LFS_AUTH")
    assert "s3cret" not in answer.out + answer.err
    place.anyone.git("config", "lfs.url", "http://ada:s3cret@127.0.0.1:1/lfs")
    answer = place.anyone.run("--json", *place.pull)
    assert "127.0.0.1:1" in refusal(answer, 5, "E_LFS")
    assert "s3cret" not in answer.out + answer.err


def test_how_far_it_has_come_is_told_in_bytes(place: Place) -> None:
    heard = Recorder()
    with gitmodel.open_registry(place.anyone.path, progress=heard) as registry:
        registry.pull("fraud@1.0.0", place.out)
    # Each byte once while it is fetched, and once while it is copied and hashed.
    assert (heard.done, heard.finished) == (2 * (len(BIG) + 2), 2)


# --- uploads --------------------------------------------------------------------------

UPLOADS = {
    "no entry": Fault("batch", says(403), 5, "E_LFS_AUTH", "the reason"),
    "no server": Fault("batch", says(404), 5, "E_LFS", "no LFS server"),
    "too large": Fault("upload", says(413), 5, "E_LFS_FULL", "413"),
    "full": Fault("upload", says(507), 5, "E_LFS_FULL", "507"),
    "refused": Fault("upload", says(422), 5, "E_LFS", "422"),
    "fails": Fault("upload", says(500), 5, "E_LFS", "500"),
    "fails once": Fault("upload", only(1, says(500))),
    "starts": Fault("batch", only(1, says(503))),
    "does not verify": Fault("verify", says(404), 5, "E_LFS"),
    "breaks off": Fault(
        "upload", lambda _, r: replace(r, length=9, lose=True), 5, "E_LFS"
    ),
}


@pytest.mark.parametrize("name", UPLOADS)
def test_no_commit_goes_where_its_objects_did_not(name: str, place: Place) -> None:
    fault, ours = UPLOADS[name], place.ours
    ours.register(version="2.0.0")
    tip = git(place.hub, "rev-parse", "main")
    before = ours.snapshot()
    place.server.spoil[fault.kind] = fault.spoil
    promote = ("promote", "fraud@2.0.0", "dev", "--push")
    answer = ours.run("--json", *promote)
    if fault.exit_code:
        message = refusal(answer, fault.exit_code, fault.code)
        assert fault.words in message
        assert git(place.hub, "rev-parse", "main") == tip
        assert ours.snapshot() == before
        place.server.spoil.clear()
        ours.do(*promote)
    assert answer.code == fault.exit_code, answer.err
    assert git(place.hub, "rev-parse", "main") == ours.git("rev-parse", "HEAD")
    assert digests(ours, "fraud@2.0.0") <= place.server.objects.keys()


@pytest.mark.parametrize("verifies", [True, False])
def test_a_server_that_drops_what_it_took_gets_no_commit(
    verifies: bool, place: Place
) -> None:
    place.ours.register(version="2.0.0")
    tip = git(place.hub, "rev-parse", "main")
    place.server.spoil["upload"] = lambda _, reply: replace(reply, lose=True)
    if not verifies:
        place.server.spoil["batch"] = entries(
            lambda entry: entry.get("actions", {}).pop("verify", None)
        )
    promote = ("promote", "fraud@2.0.0", "dev", "--push")
    refusal(place.ours.run("--json", *promote), 5, "E_LFS")
    assert git(place.hub, "rev-parse", "main") == tip
    place.server.spoil.clear()
    place.ours.do(*promote)


def test_an_upload_that_broke_off_sends_only_what_is_missing_there(
    place: Place,
) -> None:
    for number in range(3):
        place.ours.register(version=f"2.0.{number}")
    uploads = count()
    place.server.spoil["upload"] = lambda _, reply: (
        Reply(413) if next(uploads) else reply
    )
    promote = ("promote", "fraud@2.0.0", "dev", "--push")
    refusal(place.ours.run("--json", *promote), 5, "E_LFS_FULL")
    there = set(place.server.objects)
    place.server.spoil.clear()
    place.server.requests.clear()
    place.ours.do(*promote)
    sent = [each.oid for each in place.server.asked("upload")]
    assert len(there) == 3
    assert sorted(sent) == sorted(set(place.server.objects) - there)


def test_altered_bytes_do_not_leave_this_clone(place: Place) -> None:
    place.ours.register(version="2.0.0")
    place.ours.tamper("fraud@2.0.0")
    tip = git(place.hub, "rev-parse", "main")
    there = set(place.server.objects)
    promote = ("promote", "fraud@2.0.0", "dev", "--push")
    refusal(place.ours.run("--json", *promote), 4, DIGEST)
    assert git(place.hub, "rev-parse", "main") == tip
    assert set(place.server.objects) == there
