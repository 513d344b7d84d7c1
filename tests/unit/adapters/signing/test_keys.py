from __future__ import annotations

import base64
import os
import stat
from typing import TYPE_CHECKING

import pytest
from cryptography.hazmat.primitives.asymmetric import ec, ed25519, rsa
from cryptography.hazmat.primitives.serialization import (
    BestAvailableEncryption,
    Encoding,
    NoEncryption,
    PrivateFormat,
)

from gitmodel.adapters.signing.keys import (
    generate,
    load,
    public_key,
    read_public,
    write_new,
)
from gitmodel.errors import (
    ConflictError,
    GitmodelError,
    InputError,
    NotFoundError,
    OutsideError,
)
from gitmodel.formats.sshsig import string
from tests.support.signing import a_private_key

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from gitmodel.domain.ports import Signer


def _unasked() -> bytes | None:
    raise AssertionError("the passphrase was asked for")


def _says(secret: bytes | None) -> Callable[[], bytes | None]:
    return lambda: secret


def _store(path: Path, data: bytes, mode: int = 0o600) -> Path:
    path.write_bytes(data)
    path.chmod(mode)
    return path


def test_a_new_key_signs(tmp_path: Path) -> None:
    path = tmp_path / "key"
    public = write_new(path, generate(), comment="alice")
    signer: Signer = load(path, _unasked)
    assert public.curve == "P-256"
    assert (signer.keyid, signer.public) == (public.keyid, public.ssh)
    assert public_key(signer.public).verify(signer.sign(b"m"), b"m")


def test_files_directories_and_modes(tmp_path: Path) -> None:
    path = tmp_path / "a" / "b" / "key"
    public = write_new(path, generate(), comment="alice")
    modes = {
        found.relative_to(tmp_path).as_posix(): stat.S_IMODE(found.stat().st_mode)
        for found in tmp_path.rglob("*")
    }
    assert modes == {"a": 0o700, "a/b": 0o700, "a/b/key": 0o600, "a/b/key.pub": 0o644}
    assert path.with_suffix(".pub").read_text() == f"{public.ssh} alice\n"


def test_the_comment_is_optional(tmp_path: Path) -> None:
    public = write_new(tmp_path / "key", generate())
    assert (tmp_path / "key.pub").read_text() == f"{public.ssh}\n"


@pytest.mark.parametrize("taken", ["key", "key.pub"])
@pytest.mark.parametrize("link", [False, True])
def test_nothing_is_overwritten(tmp_path: Path, taken: str, *, link: bool) -> None:
    target = tmp_path / "target"
    if link:
        (tmp_path / taken).symlink_to(target)  # dangling: writing through would work
    else:
        (tmp_path / taken).write_text("precious")
    with pytest.raises(ConflictError, match=taken):
        write_new(tmp_path / "key", generate())
    assert [found.name for found in tmp_path.iterdir()] == [taken]
    assert not target.exists()
    if not link:
        assert (tmp_path / taken).read_text() == "precious"


@pytest.mark.parametrize(
    ("name", "data", "comment"),
    [
        ("key.pub", generate(), ""),
        ("key", generate(), "two\nlines"),
        ("key", b"not a key", ""),
    ],
)
def test_senseless_writes_are_refused(
    tmp_path: Path, name: str, data: bytes, comment: str
) -> None:
    with pytest.raises(InputError):
        write_new(tmp_path / name, data, comment=comment)
    assert not list(tmp_path.iterdir())


def test_where_nothing_can_be_written(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    with pytest.raises(OutsideError, match="Cannot write"):
        write_new(tmp_path / "file" / "key", generate())


def test_pub_means_the_private_key_beside_it(tmp_path: Path) -> None:
    public = write_new(tmp_path / "id.release", generate())
    assert load(tmp_path / "id.release.pub", _unasked).keyid == public.keyid


def test_missing(tmp_path: Path) -> None:
    with pytest.raises(NotFoundError, match="no key at") as caught:
        load(tmp_path / "key", _unasked)
    assert "gitmodel key new" in caught.value.hints[0]


def test_private_key_missing_beside_the_public_one(tmp_path: Path) -> None:
    write_new(tmp_path / "key", generate())
    (tmp_path / "key").unlink()
    with pytest.raises(NotFoundError):
        load(tmp_path / "key.pub", _unasked)
    assert read_public(tmp_path / "key.pub").curve == "P-256"


@pytest.mark.parametrize("mode", [0o640, 0o604, 0o660, 0o666, 0o610, 0o602])
def test_a_key_that_others_can_read_is_not_used(tmp_path: Path, mode: int) -> None:
    path = _store(tmp_path / "my key", generate(), mode)
    with pytest.raises(GitmodelError, match=f"mode {mode:04o}") as caught:
        load(path, _unasked)
    assert (caught.value.code, caught.value.exit_code) == ("E_KEY_MODE", 1)
    assert f"chmod 600 '{path}'" in caught.value.hints[0]


@pytest.mark.parametrize("mode", [0o600, 0o400, 0o700])
def test_private_modes_are_fine(tmp_path: Path, mode: int) -> None:
    assert load(_store(tmp_path / "key", generate(), mode), _unasked).keyid


@pytest.mark.skipif(os.geteuid() != 0, reason="only root gives files away")
def test_group_of_a_mounted_secret_may_read_but_nobody_else(tmp_path: Path) -> None:
    path = _store(tmp_path / "key", generate(), 0o440)
    os.chown(path, 12345, 0)
    assert load(path, _unasked).keyid
    path.chmod(0o444)
    with pytest.raises(GitmodelError) as caught:
        load(path, _unasked)
    assert caught.value.code == "E_KEY_MODE"


def test_passphrase(tmp_path: Path) -> None:
    path = tmp_path / "key"
    public = write_new(path, generate(b"correct horse"))
    assert load(path, _says(b"correct horse")).keyid == public.keyid
    assert read_public(path) == public


@pytest.mark.parametrize(
    ("secret", "message"),
    [(b"wrong", "does not open"), (None, "none was given"), (b"", "none was given")],
)
@pytest.mark.parametrize("pem", [False, True])
def test_wrong_or_no_passphrase(
    tmp_path: Path, secret: bytes | None, message: str, *, pem: bool
) -> None:
    data = (
        a_private_key().private_bytes(
            Encoding.PEM, PrivateFormat.PKCS8, BestAvailableEncryption(b"right")
        )
        if pem
        else generate(b"right")
    )
    path = _store(tmp_path / "key", data)
    with pytest.raises(GitmodelError, match=message) as caught:
        load(path, _says(secret))
    assert (caught.value.code, caught.value.exit_code) == ("E_PASSPHRASE", 1)
    assert load(path, _says(b"right")).keyid


def test_a_passphrase_is_not_empty() -> None:
    with pytest.raises(InputError):
        generate(b"")


@pytest.mark.parametrize("curve", ["P-256", "P-384", "P-521"])
@pytest.mark.parametrize(
    "form",
    [PrivateFormat.OpenSSH, PrivateFormat.PKCS8, PrivateFormat.TraditionalOpenSSL],
)
def test_all_curves_and_forms_are_read(
    tmp_path: Path, curve: str, form: PrivateFormat
) -> None:
    data = a_private_key(curve).private_bytes(Encoding.PEM, form, NoEncryption())
    signer = load(_store(tmp_path / "key", data), _unasked)
    assert signer.public_key.curve == curve
    assert signer.public_key.verify(signer.sign(b"m"), b"m")


@pytest.mark.parametrize("secret", [None, b"never asked for"])
def test_other_types_are_refused_before_a_passphrase_is_asked(
    tmp_path: Path, secret: bytes | None
) -> None:
    encryption = BestAvailableEncryption(secret) if secret else NoEncryption()
    for key in (
        ed25519.Ed25519PrivateKey.generate(),
        rsa.generate_private_key(65537, 2048),
    ):
        data = key.private_bytes(Encoding.PEM, PrivateFormat.OpenSSH, encryption)
        path = tmp_path / "key"
        with pytest.raises(InputError, match="P-256, P-384 or P-521") as caught:
            load(_store(path, data), _unasked)
        assert caught.value.code == "E_KEY_TYPE"
        assert "gitmodel key new" in caught.value.hints[0]
        with pytest.raises(InputError, match="type ssh-"):
            read_public(path)


def test_other_types_in_pem_are_refused(tmp_path: Path) -> None:
    for key in (
        ed25519.Ed25519PrivateKey.generate(),
        ec.generate_private_key(ec.SECP256K1()),
    ):
        data = key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())
        with pytest.raises(InputError, match=r"Ed25519|secp256k1") as caught:
            load(_store(tmp_path / "key", data), _unasked)
        assert caught.value.code == "E_KEY_TYPE"


KEY = generate()
# The magic, three strings ("none", "none", ""), and how many keys follow.
TWO_KEYS = base64.b64encode(
    b"openssh-key-v1\0" + string(b"none") * 2 + string(b"") + b"\0\0\0\x02"
)


@pytest.mark.parametrize(
    "data",
    [
        b"",
        b"hello",
        KEY[:100],
        KEY.replace(b"b3BlbnNzaC1rZXktdjEA", b"b3BlbnNzaC1rZXktdjIA"),
        b"-----BEGIN OPENSSH PRIVATE KEY-----\n!!!\n-----END OPENSSH PRIVATE KEY-----",
        b"-----BEGIN OPENSSH PRIVATE KEY-----\n%b\n-----END OPENSSH PRIVATE KEY-----"
        % TWO_KEYS,
        b"-----BEGIN PRIVATE KEY-----\nAAAA\n-----END PRIVATE KEY-----\n",
        KEY[: len(KEY) // 2] + b"A" + KEY[len(KEY) // 2 + 1 :][::-1],
    ],
)
def test_malformed(tmp_path: Path, data: bytes) -> None:
    with pytest.raises(InputError, match="does not hold a private key") as caught:
        load(_store(tmp_path / "key", data), _unasked)
    assert caught.value.code == "E_KEY"


def test_a_public_key_in_place_of_the_private_one(tmp_path: Path) -> None:
    write_new(tmp_path / "key", generate())
    text = (tmp_path / "key.pub").read_bytes()
    with pytest.raises(InputError, match="does not hold a private key"):
        load(_store(tmp_path / "other", text), _unasked)


def test_what_is_no_file(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "pipe", 0o600)
    for path in (tmp_path / "pipe", tmp_path):
        with pytest.raises(InputError, match="not a regular file"):
            load(path, _unasked)


def test_a_huge_file_is_not_read(tmp_path: Path) -> None:
    path = _store(tmp_path / "key", b"")
    os.truncate(path, 10**9)
    with pytest.raises(InputError, match="too large"):
        load(path, _unasked)


def test_a_path_through_a_file(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    with pytest.raises(OutsideError, match="Cannot read"):
        load(tmp_path / "file" / "key", _unasked)


def test_the_private_key_does_not_show(tmp_path: Path) -> None:
    path = tmp_path / "key"
    write_new(path, generate())
    signer = load(path, _unasked)
    assert "object at" in repr(signer)
    assert not hasattr(signer, "__dict__")
