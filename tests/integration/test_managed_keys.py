"""Keys in a PKCS#11 token sign documents and commits; the token is SoftHSM's."""

from __future__ import annotations

import os
import subprocess
import sys
from dataclasses import dataclass
from typing import TYPE_CHECKING

import pytest
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

from gitmodel.adapters.signing.managed import ManagedSigner, public_key_at
from gitmodel.adapters.signing.public_key import of_private
from gitmodel.errors import GitmodelError
from tests.support import softhsm
from tests.support.cli import gitmodel
from tests.support.key_service import key_service
from tests.support.signing import a_private_key, a_signer
from tests.support.workbench import Workbench

if TYPE_CHECKING:
    from pathlib import Path

    from gitmodel.adapters.signing.public_key import PublicKey

MODULE = softhsm.module()
needs_token = pytest.mark.skipif(
    MODULE is None, reason="SoftHSM is not installed: apt-get install softhsm2"
)


@dataclass(frozen=True)
class Token:
    """A token, and the public half of the key in it, also as a file."""

    config: Path
    public: PublicKey
    pem: Path


@pytest.fixture(scope="session")
def made(tmp_path_factory: pytest.TempPathFactory) -> Token:
    """Make the one token of this process: the module reads its configuration once."""
    place = tmp_path_factory.mktemp("token")
    key = a_private_key()
    pem = place / "token.pem"
    pem.write_bytes(
        key.public_key().public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo)
    )
    return Token(softhsm.make_token(place, key), of_private(key), pem)


@pytest.fixture
def token(made: Token, monkeypatch: pytest.MonkeyPatch) -> Token:
    monkeypatch.setenv("SOFTHSM2_CONF", str(made.config))
    monkeypatch.setenv("PYKCS11LIB", str(MODULE))
    monkeypatch.setenv("GITMODEL_KEY_PASSPHRASE", softhsm.PIN)
    return made


@pytest.fixture
def shared(stocked: Workbench, token: Token) -> Workbench:
    """Return a registry in which the token is a principal beside ada."""
    roles = ("--role", "publisher", "--role", "promoter")
    stocked.do("policy", "add-principal", "hsm", "--key", token.pem, *roles)
    return stocked


@pytest.mark.parametrize("service", ["awskms:alias/models", "hv:models/1#key.pem"])
def test_a_key_service_promotes(
    stocked: Workbench, service: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The services' own clients, against a server on loopback that signs."""
    key = a_private_key()
    monkeypatch.chdir(stocked.outside)
    pem = stocked.file("key.pem", of_private(key).pem.encode())
    stocked.do("policy", "add-principal", "kms", "--key", pem, "--role", "promoter")
    options = ("--key", service, "promote", "fraud@2.0.0")
    with key_service(key) as variables:
        for name, value in variables.items():
            monkeypatch.setenv(name, value)
        stocked.do(*options, "dev")
    before = stocked.snapshot()
    gone = stocked.run("--json", *options, "staging")
    assert (gone.code, gone.json["error"]["code"]) == (5, "E_KMS")
    assert stocked.snapshot() == before
    assert stocked.verify("--history", "--full") == (0, [])
    assert stocked.git("log", "-1", "--format=%G?%GS") == "Gkms"


def _pin() -> bytes:
    return softhsm.PIN.encode()


@needs_token
@pytest.mark.parametrize("given", [False, True])
def test_a_token_publishes_and_promotes(
    shared: Workbench, token: Token, given: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    name = f"{softhsm.URI}#{token.pem}" if given else softhsm.URI
    monkeypatch.setenv("GITMODEL_KEY", name)
    file = shared.file("new.bin", b"by a token")
    shared.do("register", "spam", file, "--version", "1.0.0", "--no-capture")
    assert shared.do("promote", "spam@1.0.0", "dev")["status"] == "promoted"
    assert shared.git("log", "-2", "--format=%G?%GS") == "Ghsm\nGhsm"
    # To verify, neither the token nor its module is needed.
    monkeypatch.delenv("PYKCS11LIB")
    monkeypatch.delenv("GITMODEL_KEY_PASSPHRASE")
    assert shared.verify("--history", "--full") == (0, [])
    pulled = shared.outside / "pulled"
    shared.do("pull", "spam@1.0.0", "-o", pulled)
    done = subprocess.run(
        [
            sys.executable, "-m", "model_signing", "verify", "key", pulled,
            "--signature", pulled / "model.sig", "--public_key", token.pem,
        ],
        capture_output=True, text=True, check=False,
    )  # fmt: skip
    assert done.returncode == 0, done.stdout + done.stderr


@needs_token
def test_a_registry_can_begin_with_a_token(token: Token, tmp_path: Path) -> None:
    made = gitmodel(
        "--json", "--key", softhsm.URI, "init", tmp_path / "r", "--principal", "ada"
    )
    assert made.code == 0, made.err
    assert made.json["keyid"] == token.public.keyid
    (tmp_path / "outside").mkdir()
    bench = Workbench(tmp_path / "r", tmp_path / "outside")
    assert bench.verify("--history") == (0, [])
    # git cannot sign with it, so git is not told of it.
    assert bench.git("config", "user.signingkey", ok=False) == ""


@needs_token
def test_show_list_and_doctor_say_where_a_key_lives(
    shared: Workbench, token: Token
) -> None:
    options = ("--key", f"{softhsm.URI}#{token.pem}")
    shown = shared.do(*options, "key", "show")
    assert (shown["kind"], shown["where"], shown["principal"]) == (
        "kms", softhsm.URI, "hsm",
    )  # fmt: skip
    [row] = [row for row in shared.do(*options, "key", "list")["keys"] if row["signs"]]
    assert (row["kind"], row["where"]) == ("kms", softhsm.URI)
    doctor = {check["name"]: check for check in shared.do(*options, "doctor")["checks"]}
    assert doctor["key"]["found"].endswith(f"in {softhsm.URI} (hsm)")


def _refused(bench: Workbench, exit_code: int, code: str, name: str) -> str:
    before = bench.snapshot()
    answer = bench.run("--json", "--key", name, "promote", "fraud@2.0.0", "dev")
    assert (answer.code, answer.json["error"]["code"]) == (exit_code, code), answer.err
    assert bench.snapshot() == before
    return answer.err


@needs_token
@pytest.mark.parametrize("pin", ["1111", "", None])
def test_the_wrong_pin_signs_nothing(
    shared: Workbench, pin: str | None, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("GITMODEL_KEY_PASSPHRASE")
    if pin is not None:
        monkeypatch.setenv("GITMODEL_KEY_PASSPHRASE", pin)
    said = _refused(shared, 1, "E_PASSPHRASE", softhsm.URI)
    assert "1111" not in said


@needs_token
def test_a_token_or_key_that_is_not_there_is_an_outside_failure(
    shared: Workbench, token: Token, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert "could not find" in _refused(shared, 5, "E_KMS", "hsm:7?label=models")
    assert "No PKCS#11 token" in _refused(shared, 5, "E_KMS", "hsm:2?label=other")
    _refused(shared, 5, "E_KMS", f"hsm:7?label=models#{token.pem}")
    monkeypatch.setenv("PYKCS11LIB", "/nonexistent/module.so")
    assert "PYKCS11LIB" in _refused(shared, 5, "E_KMS", softhsm.URI)
    monkeypatch.delenv("PYKCS11LIB")
    assert "PYKCS11LIB" in _refused(shared, 5, "E_KMS", softhsm.URI)


@needs_token
def test_a_signature_by_another_key_than_was_given_is_not_used(
    shared: Workbench,
) -> None:
    """The file says ada's key, which may promote; the token signs with its own."""
    ada = shared.file("ada.pem", shared.run("key", "show", "--pem").out.encode())
    said = _refused(shared, 5, "E_KMS", f"{softhsm.URI}#{ada}")
    assert "another key" in said


@pytest.mark.parametrize(
    "name",
    ["hsm:x", "hsm:2?name=a", "awskms:", "gcpkms:key", "azurekms:key", "hv:k", "hv:"],
)
def test_a_uri_that_names_no_key_is_malformed(stocked: Workbench, name: str) -> None:
    assert "The form is" in _refused(stocked, 2, "E_KMS_URI", name)


def test_vault_is_given_its_public_key(stocked: Workbench) -> None:
    assert "hv:models/1#" in _refused(stocked, 2, "E_KMS_URI", "hv:models/1")


@pytest.mark.parametrize(
    ("name", "module", "missing", "extra"),
    [
        ("awskms:alias/models", "_aws_signer", "AWS_IMPORT_ERROR", "kms"),
        ("hsm:2", "_hsm_signer", "PKCS11_IMPORT_ERROR", "hsm"),
    ],
)
def test_a_client_that_is_not_installed_is_named_with_its_extra(
    stocked: Workbench,
    name: str,
    module: str,
    missing: str,
    extra: str,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    path = f"securesystemslib.signer.{module}.{missing}"
    monkeypatch.setattr(path, "a library is required")
    said = _refused(stocked, 1, "E_EXTRA", name)
    assert f"pip install 'gitmodel[{extra}]'" in said


def test_only_p256_is_taken(tmp_path: Path) -> None:
    pem = tmp_path / "key.pem"
    pem.write_text(a_signer("P-384").public_key.pem)
    with pytest.raises(GitmodelError) as caught:
        public_key_at(f"hsm:2#{pem}", _pin)
    assert caught.value.code == "E_KEY_TYPE"


@needs_token
def test_the_pin_is_asked_once_for_many_signatures(token: Token) -> None:
    asked = []

    def ask() -> bytes:
        asked.append(os.getpid())
        return _pin()

    signer = ManagedSigner(softhsm.URI, token.public, ask)
    for number in range(3):
        message = b"%d" % number
        assert token.public.verify(signer.sign(message), message)
    assert len(asked) == 1
