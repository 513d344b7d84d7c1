"""Stock tools accept what gitmodel signs, and gitmodel what stock tools sign."""

from __future__ import annotations

import hashlib
import os
import subprocess
import sys
from pathlib import Path

import pytest
from cryptography.hazmat.primitives.serialization import (
    Encoding,
    NoEncryption,
    PrivateFormat,
)
from sigstore_models.bundle.v1 import Bundle as StockBundle

from gitmodel.adapters.signing.commit import (
    allowed_signers,
    sign_commit,
    verify_commit,
)
from gitmodel.adapters.signing.dsse import oms_bundle, sign_statement, verify_oms
from gitmodel.adapters.signing.keys import (
    FileSigner,
    generate,
    load,
    read_public,
    write_new,
)
from gitmodel.domain.digest import Digest
from gitmodel.errors import GitmodelError, InputError, IntegrityError
from gitmodel.formats import oms
from gitmodel.formats.bundle import Bundle
from gitmodel.formats.commit_object import split_signature, with_signature
from gitmodel.formats.statement import Statement, predicate_type
from tests.support.signing import a_private_key, a_signer

MODEL_SIGNING = Path(sys.executable).parent / "model_signing"
ALICE = "alice@example.com"


def _run(
    *command: str | Path, cwd: Path, stdin: bytes = b"", ok: bool | None = True
) -> subprocess.CompletedProcess[bytes]:
    environment = {
        "PATH": os.environ["PATH"],
        "HOME": str(cwd),
        "LC_ALL": "C",
        "GIT_CONFIG_GLOBAL": "/dev/null",
        "GIT_CONFIG_NOSYSTEM": "1",
    }
    done = subprocess.run(
        command, cwd=cwd, env=environment, input=stdin, capture_output=True, check=False
    )
    if ok is not None:
        assert (done.returncode == 0) is ok, (done.stdout + done.stderr).decode()
    return done


def _nothing() -> bytes | None:
    raise AssertionError("the passphrase was asked for")


def _commit(tree: str) -> bytes:
    return (
        f"tree {tree}\n"
        f"author Alice <{ALICE}> 1760000000 +0000\n"
        f"committer Alice <{ALICE}> 1760000000 +0000\n"
        "\n"
        "Promote fraud to production\n\nGitmodel-Action: promote\n"
    ).encode()


# --- ssh-keygen ---------------------------------------------------------------


@pytest.mark.parametrize("curve", ["P-256", "P-384", "P-521"])
def test_ssh_keygen_verifies_our_signature(tmp_path: Path, curve: str) -> None:
    signer = a_signer(curve)
    commit = _commit("ab" * 20)
    (tmp_path / "sig").write_text(sign_commit(signer, commit))
    (tmp_path / "allowed").write_text(
        allowed_signers(
            {"bob@example.com": [a_signer().public_key], ALICE: [signer.public_key]}
        )
    )
    check = ["ssh-keygen", "-Y", "check-novalidate", "-n", "git", "-s", "sig"]
    assert b"Good" in _run(*check, cwd=tmp_path, stdin=commit).stdout
    _run(*check, cwd=tmp_path, stdin=commit + b"x", ok=False)

    verify = ["ssh-keygen", "-Y", "verify", "-f", "allowed", "-s", "sig"]
    _run(*verify, "-n", "git", "-I", ALICE, cwd=tmp_path, stdin=commit)
    _run(
        *verify, "-n", "git", "-I", "bob@example.com", cwd=tmp_path, stdin=commit,
        ok=False,
    )  # fmt: skip
    _run(*verify, "-n", "file", "-I", ALICE, cwd=tmp_path, stdin=commit, ok=False)


@pytest.mark.parametrize("secret", [None, b"correct horse"])
def test_ssh_keygen_reads_our_key(tmp_path: Path, secret: bytes | None) -> None:
    public = write_new(tmp_path / "key", generate(secret), comment="alice")
    words = ["-P", (secret or b"").decode()]
    done = _run("ssh-keygen", "-y", *words, "-f", "key", cwd=tmp_path)
    assert done.stdout.decode().split()[:2] == public.ssh.split()
    printed = _run("ssh-keygen", "-l", "-f", "key.pub", cwd=tmp_path).stdout
    assert printed.startswith(b"256 SHA256:")
    assert b"alice (ECDSA)" in printed


def test_ssh_agent_takes_our_key(tmp_path: Path) -> None:
    write_new(tmp_path / "key", generate())
    done = _run("ssh-agent", "ssh-add", "key", cwd=tmp_path)
    assert b"Identity added" in done.stderr


@pytest.mark.parametrize(
    "options",
    [
        ["-b", "256"],
        ["-b", "384"],
        ["-b", "521"],
        ["-m", "PEM"],
        ["-m", "PKCS8"],
        ["-N", "secret"],
        ["-N", "secret", "-Z", "aes256-gcm@openssh.com"],
        ["-N", "secret", "-m", "PKCS8"],
    ],
    ids=" ".join,
)
def test_we_read_keys_of_ssh_keygen(tmp_path: Path, options: list[str]) -> None:
    if "-N" not in options:
        options = [*options, "-N", ""]
    _run("ssh-keygen", "-q", "-t", "ecdsa", *options, "-f", "key", cwd=tmp_path)
    path = tmp_path / "key"
    asked = (lambda: b"secret") if "secret" in options else _nothing
    signer = load(path, asked)
    assert signer.public_key == read_public(tmp_path / "key.pub")
    commit = _commit("ab" * 20)
    key = signer.public_key
    assert verify_commit(sign_commit(signer, commit), commit, [key]) == key
    if "secret" in options:
        with pytest.raises(GitmodelError) as caught:
            load(path, lambda: b"wrong")
        assert caught.value.code == "E_PASSPHRASE"


def test_a_cipher_that_cannot_be_read_says_so(tmp_path: Path) -> None:
    cipher = "chacha20-poly1305@openssh.com"
    _run(
        "ssh-keygen", "-q", "-t", "ecdsa", "-N", "secret", "-Z", cipher, "-f", "key",
        cwd=tmp_path,
    )  # fmt: skip
    with pytest.raises(InputError, match="chacha20") as caught:
        load(tmp_path / "key", lambda: b"secret")
    assert caught.value.code == "E_KEY_TYPE"


@pytest.mark.parametrize("kind", ["ed25519", "rsa"])
def test_we_refuse_other_keys_of_ssh_keygen(tmp_path: Path, kind: str) -> None:
    _run("ssh-keygen", "-q", "-t", kind, "-N", "", "-f", "key", cwd=tmp_path)
    for path in ("key", "key.pub"):
        with pytest.raises(InputError, match=f"type ssh-{kind}") as caught:
            load(tmp_path / path, _nothing)
        assert caught.value.code == "E_KEY_TYPE"
    with pytest.raises(InputError, match=kind):
        read_public(tmp_path / "key.pub")


def test_we_refuse_certificates(tmp_path: Path) -> None:
    write_new(tmp_path / "key", generate())
    write_new(tmp_path / "ca", generate())
    _run("ssh-keygen", "-q", "-s", "ca", "-I", "x", "-n", "a", "key.pub", cwd=tmp_path)
    with pytest.raises(InputError, match="cert-v01") as caught:
        read_public(tmp_path / "key-cert.pub")
    assert caught.value.code == "E_KEY_TYPE"


# --- git ----------------------------------------------------------------------


def _repository(path: Path, signer: FileSigner, object_format: str) -> str:
    """Make a repository that trusts ``signer``, and return its empty tree."""
    path.mkdir()
    (path / "allowed").write_text(allowed_signers({ALICE: [signer.public_key]}))
    _run(
        "git", "init", "-q", "--template=", f"--object-format={object_format}",
        cwd=path,
    )  # fmt: skip
    _run("git", "config", "gpg.ssh.allowedSignersFile", path / "allowed", cwd=path)
    written = _run("git", "hash-object", "-t", "tree", "-w", "--stdin", cwd=path)
    return written.stdout.decode().strip()


def _store(path: Path, commit: bytes) -> str:
    written = _run(
        "git", "hash-object", "-t", "commit", "-w", "--stdin", cwd=path, stdin=commit
    )
    return written.stdout.decode().strip()


def _status(path: Path, commit: str) -> str:
    done = _run("git", "log", "-1", "--format=%G? %GS", commit, cwd=path)
    return done.stdout.decode().strip()


@pytest.mark.parametrize("object_format", ["sha1", "sha256"])
@pytest.mark.parametrize("curve", ["P-256", "P-384"])
def test_git_verifies_our_commits(
    tmp_path: Path, object_format: str, curve: str
) -> None:
    signer = a_signer(curve)
    repository = tmp_path / "r"
    raw = _commit(_repository(repository, signer, object_format))
    commit = _store(repository, with_signature(raw, sign_commit(signer, raw)))
    done = _run("git", "verify-commit", commit, cwd=repository)
    assert f'Good "git" signature for {ALICE}' in done.stderr.decode()
    assert _status(repository, commit) == f"G {ALICE}"
    _run("git", "fsck", "--strict", cwd=repository)

    stranger = _store(repository, with_signature(raw, sign_commit(a_signer(), raw)))
    assert _status(repository, stranger) == "U"
    changed = raw.replace(b"production", b"staging")
    forged = _store(repository, with_signature(changed, sign_commit(signer, raw)))
    assert _status(repository, forged)[:1] == "B"
    assert _status(repository, _store(repository, raw)) == "N"


@pytest.mark.parametrize("object_format", ["sha1", "sha256"])
def test_we_verify_commits_of_git(tmp_path: Path, object_format: str) -> None:
    path = tmp_path / "key"
    public = write_new(path, generate())
    repository = tmp_path / "r"
    _repository(repository, load(path, _nothing), object_format)
    _run(
        "git", "-c", "gpg.format=ssh", "-c", f"user.signingKey={path}.pub",
        "-c", "user.name=Alice", "-c", f"user.email={ALICE}",
        "commit", "-q", "-S", "--allow-empty", "-m", "Signed by git",
        cwd=repository,
    )  # fmt: skip
    raw = _run("git", "cat-file", "commit", "HEAD", cwd=repository).stdout
    payload, armored = split_signature(raw)
    assert armored is not None
    assert verify_commit(armored, payload, [a_signer().public_key, public]) == public
    assert with_signature(payload, armored) == raw
    with pytest.raises(IntegrityError):
        verify_commit(armored, payload + b"x", [public])


def test_git_accepts_two_signatures_and_we_do_not(tmp_path: Path) -> None:
    signer = a_signer()
    repository = tmp_path / "r"
    raw = _commit(_repository(repository, signer, "sha1"))
    signed = with_signature(raw, sign_commit(signer, raw))
    doubled = signed.replace(
        b"\n\nPromote", b"\ngpgsig-sha256 anything at all\n\nPromote"
    )
    assert _status(repository, _store(repository, doubled)) == f"G {ALICE}"
    with pytest.raises(IntegrityError) as caught:
        split_signature(doubled)
    assert caught.value.code == "E_COMMIT"


# --- model_signing ------------------------------------------------------------

FILES = {
    "manifest.yaml": b"kind: ModelVersion\n",
    "artifacts/model.bin": b"\x00\x01" * 1000,
    "artifacts/a-b": b"1",
    "artifacts/a.txt": b"2",
    "artifacts/a/z": b"3",
    "artifacts/a/-": b"",
    "artifacts/\u6a21\u578b/na\u00efve.json": b"{}",
}


def _model(path: Path) -> Path:
    for name, data in FILES.items():
        file = path / name
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_bytes(data)
    return path


def _digests(path: Path) -> dict[str, Digest]:
    return {
        file.relative_to(path).as_posix(): Digest.of(file.read_bytes())
        for file in path.rglob("*")
        if file.is_file() and file.name != "model.sig"
    }


def _verify(model: Path, key: Path, *, ok: bool) -> subprocess.CompletedProcess[bytes]:
    return _run(
        MODEL_SIGNING, "verify", "key", model,
        "--signature", model / "model.sig", "--public_key", key,
        cwd=model.parent, ok=ok,
    )  # fmt: skip


@pytest.mark.parametrize("curve", ["P-256", "P-384"])
def test_model_signing_verifies_our_models(tmp_path: Path, curve: str) -> None:
    signer = a_signer(curve)
    model, key = _model(tmp_path / "1.0.0"), tmp_path / "key.pem"
    key.write_text(signer.public_key.pem)
    bundle = oms_bundle(signer, model.name, _digests(model).items())
    (model / "model.sig").write_bytes(bundle.to_bytes())
    _verify(model, key, ok=True)

    (model / "artifacts/a/z").write_bytes(b"4")
    assert b"artifacts/a/z" in _verify(model, key, ok=False).stderr
    (model / "artifacts/a/z").write_bytes(b"3")
    (model / "artifacts/more").write_bytes(b"")
    assert b"Extra files" in _verify(model, key, ok=False).stderr


def test_model_signing_refuses_another_key(tmp_path: Path) -> None:
    model, key = _model(tmp_path / "1.0.0"), tmp_path / "key.pem"
    key.write_text(a_signer().public_key.pem)
    bundle = oms_bundle(a_signer(), model.name, _digests(model).items())
    (model / "model.sig").write_bytes(bundle.to_bytes())
    assert b"Key mismatch" in _verify(model, key, ok=False).stderr


@pytest.mark.parametrize("curve", ["P-256", "P-384"])
def test_we_verify_models_of_model_signing(tmp_path: Path, curve: str) -> None:
    private = a_private_key(curve)
    key = FileSigner(private).public_key
    (tmp_path / "key.pem").write_bytes(
        private.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())
    )
    model = _model(tmp_path / "1.0.0")
    _run(
        MODEL_SIGNING, "sign", "key", model,
        "--signature", model / "model.sig", "--private_key", "key.pem",
        cwd=tmp_path,
    )  # fmt: skip
    bundle = Bundle.from_bytes((model / "model.sig").read_bytes(), "model.sig")
    signer, signed = verify_oms(bundle, [a_signer().public_key, key])
    assert signer == key
    assert oms.compare(signed, _digests(model)) == []
    (model / "artifacts/a-b").write_bytes(b"x")
    (found,) = oms.compare(signed, _digests(model))
    assert (found.code, found.path) == ("E_ARTIFACT_DIGEST", "artifacts/a-b")


def test_sigstore_reads_our_bundles() -> None:
    signer = a_signer()
    statement = Statement(
        subject_name="m.yaml",
        subject_digest=Digest.of(b"m"),
        predicate_type=predicate_type("version"),
        predicate={},
    )
    for bundle in (
        sign_statement(signer, statement),
        oms_bundle(signer, "m", [("manifest.yaml", Digest.of(b"m"))]),
    ):
        stock = StockBundle.from_json(bundle.to_bytes())
        assert stock.dsse_envelope is not None
        assert stock.dsse_envelope.payload == bundle.payload
        assert stock.verification_material.public_key is not None
        assert stock.verification_material.public_key.hint == bundle.hint


def test_the_hint_is_that_of_model_signing() -> None:
    key = a_signer().public_key
    assert key.oms_hint == hashlib.sha256(key.pem.encode()).hexdigest()
