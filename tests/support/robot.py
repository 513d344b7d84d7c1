"""Somebody without a key: signs as an identity that a local Sigstore certifies."""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from gitmodel.adapters.signing.keyless import KeylessSigner
from gitmodel.adapters.signing.tokens import Token
from tests.support.cli import Answer, gitmodel

if TYPE_CHECKING:
    from pathlib import Path

    from tests.support.sigstore_local import LocalSigstore
    from tests.support.workbench import Workbench

ROBOT = "robot@example.com"


@dataclass(frozen=True)
class Robot:
    """An identity, its registry, and the Sigstore that it uses."""

    bench: Workbench
    sigstore: LocalSigstore
    subject: str = ROBOT
    issuer: str = ""
    rekor: int = 1
    tsa: bool = False

    @property
    def config(self) -> Path:
        """Write the trust configuration, and return where."""
        file = self.bench.outside / "trust_config.json"
        config = self.sigstore.trust_config(rekor=self.rekor, tsa=self.tsa)
        file.write_text(json.dumps(config))
        return file

    @property
    def token(self) -> str:
        return self.sigstore.token(self.subject, issuer=self.issuer)

    def run(self, *args: str | Path) -> Answer:
        options = ("--identity-token", self.token, "--trust-config", self.config)
        return gitmodel("--json", *options, *args, cwd=self.bench.path)

    def do(self, *args: str | Path) -> Any:
        answer = self.run(*args)
        assert answer.code == 0, f"{args}: {answer.code}\n{answer.err}"
        return answer.json

    def sign(self, payload: bytes) -> tuple[str, dict[str, Any]]:
        """Sign a statement outside of any registry; return the keyid and the bundle."""
        config = json.dumps(self.sigstore.trust_config(rekor=self.rekor, tsa=self.tsa))
        token = Token.read(self.token)
        signer = KeylessSigner(lambda: token, config.encode())
        signer.bind(json.dumps(self.sigstore.trusted_root()).encode())
        return signer.keyid, json.loads(signer.envelope(payload))


def trust(bench: Workbench, sigstore: LocalSigstore) -> Any:
    """Pin the trusted root of a Sigstore."""
    file = bench.file("trusted_root.json", json.dumps(sigstore.trusted_root()).encode())
    return bench.do("policy", "trust-root", file)


def admit(
    bench: Workbench, name: str, issuer: str, san: str, *roles: str
) -> dict[str, Any]:
    """Make an identity a principal."""
    options = [option for role in roles for option in ("--role", role)]
    identity = f"{issuer}={san}"
    done: dict[str, Any] = bench.do(
        "policy", "add-principal", name, "--identity", identity, *options
    )
    return done
