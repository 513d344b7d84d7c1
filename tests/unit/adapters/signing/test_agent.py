"""What an ssh-agent may say, and what is made of it."""

from __future__ import annotations

import base64
from typing import TYPE_CHECKING

import pytest
from cryptography.hazmat.primitives.asymmetric.utils import decode_dss_signature

from gitmodel.adapters.signing.agent import Agent, holder
from gitmodel.adapters.signing.public_key import PublicKey, public_key
from gitmodel.errors import InputError, OutsideError
from gitmodel.formats.sshsig import mpint, string
from tests.support.signing import a_signer
from tests.support.ssh_agent import false_agent

if TYPE_CHECKING:
    from pathlib import Path

    from gitmodel.adapters.signing.keys import FileSigner

MESSAGE = b"DSSEv1 and so on"


@pytest.fixture
def place(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return a path that is short enough for a socket."""
    return tmp_path_factory.mktemp("a") / "s"


def _blob(key: PublicKey) -> bytes:
    return base64.b64decode(key.ssh.split()[1])


def _message(kind: int, body: bytes = b"") -> bytes:
    return string(bytes([kind]) + body)


def _listing(*blobs: bytes) -> bytes:
    listed = b"".join(string(blob) + string(b"a comment") for blob in blobs)
    return _message(12, len(blobs).to_bytes(4) + listed)


def _signature(signer: FileSigner, message: bytes, kind: str = "") -> bytes:
    r, s = decode_dss_signature(signer.sign(message))
    name = kind or signer.public.split()[0]
    return _message(14, string(string(name.encode()) + string(mpint(r) + mpint(s))))


def test_of_the_keys_that_it_lists_those_that_can_sign_documents_are_taken(
    place: Path,
) -> None:
    mine = a_signer().public_key
    ed25519 = string(b"ssh-ed25519") + string(b"\x01" * 32)
    certificate = string(b"ecdsa-sha2-nistp256-cert-v01@openssh.com") + b"rest"
    with false_agent(place, _listing(ed25519, _blob(mine), certificate)):
        assert Agent(place).held() == (mine,)


@pytest.mark.parametrize("curve", ["P-256", "P-384", "P-521"])
def test_its_signature_becomes_der(place: Path, curve: str) -> None:
    signer = a_signer(curve)
    with false_agent(place, _signature(signer, MESSAGE)):
        made = Agent(place).sign(signer.public_key, MESSAGE)
    assert signer.public_key.verify(made, MESSAGE)


MINE, OTHER = a_signer(), a_signer()
SIGNATURES = {
    "of another message": _signature(MINE, b"something else"),
    "by another key": _signature(OTHER, MESSAGE),
    "of another algorithm": _signature(MINE, MESSAGE, "ecdsa-sha2-nistp384"),
    "with zeros": _message(
        14, string(string(b"ecdsa-sha2-nistp256") + string(mpint(0) + mpint(0)))
    ),
    "with a negative number": _message(
        14,
        string(
            string(b"ecdsa-sha2-nistp256") + string(string(b"\xff") + string(b"\xff"))
        ),
    ),
    "with bytes after it": _signature(MINE, MESSAGE)[4:] and string(
        _signature(MINE, MESSAGE)[4:] + b"\0"
    ),
    "cut short": string(_signature(MINE, MESSAGE)[4:-3]),
    "empty": _message(14, string(b"")),
    "a list of keys": _listing(_blob(MINE.public_key)),
    "a success": _message(6),
    "a refusal": _message(5),
    "nothing": b"",
    "no bytes": string(b""),
    "half a length": b"\0\0",
    "half a message": b"\0\0\1\0\x0e",
    "four gigabytes": b"\xff\xff\xff\xff\x0e",
    "silence": None,
    "silence after a length": b"\0\0\1\0",
}  # fmt: skip


@pytest.mark.parametrize("answer", SIGNATURES.values(), ids=SIGNATURES)
def test_what_is_no_signature_of_this_message_by_this_key_is_not_used(
    place: Path, answer: bytes | None
) -> None:
    with (
        false_agent(place, answer),
        pytest.raises(OutsideError) as caught,
    ):
        Agent(place, sign_seconds=0.05).sign(MINE.public_key, MESSAGE)
    assert caught.value.code == "E_AGENT"


LISTINGS = {
    "fewer than it says": _message(12, (2).to_bytes(4) + string(b"") + string(b"")),
    "more than it says": _message(12, (0).to_bytes(4) + b"x"),
    "billions": _message(12, b"\xff\xff\xff\xff"),
    "an empty key": _listing(b""),
    "half a key": _listing(_blob(MINE.public_key)[:-4]),
    "a point off the curve": _listing(_blob(MINE.public_key)[:-1] + b"\0"),
    "no name": _listing(string(b"\xff\xfe")),
    "a signature": _signature(MINE, MESSAGE),
    "silence": None,
}


@pytest.mark.parametrize("answer", LISTINGS.values(), ids=LISTINGS)
def test_a_list_that_makes_no_sense_is_no_list(
    place: Path, answer: bytes | None
) -> None:
    with false_agent(place, answer, answer):
        with pytest.raises(OutsideError) as caught:
            Agent(place, list_seconds=0.05).held()
        assert caught.value.code == "E_AGENT"
        assert holder(Agent(place, list_seconds=0.05), MINE.public_key) is None


def test_what_no_agent_would_take_is_not_sent(place: Path) -> None:
    with pytest.raises(InputError) as caught:
        Agent(place).sign(MINE.public_key, b"x" * (1 << 18))
    assert caught.value.code == "E_LIMIT"


@pytest.mark.parametrize("name", ["missing", "file", "x" * 200])
def test_a_socket_that_is_none_is_said_to_be_out_of_reach(
    tmp_path: Path, name: str
) -> None:
    (tmp_path / "file").write_text("no socket")
    with pytest.raises(OutsideError) as caught:
        Agent(tmp_path / name).held()
    assert (caught.value.code, caught.value.exit_code) == ("E_AGENT", 5)


def test_nobody_listening_is_no_agent(place: Path) -> None:
    with false_agent(place):
        pass
    with pytest.raises(OutsideError):
        Agent(place).held()
    assert holder(None, public_key(MINE.public)) is None
