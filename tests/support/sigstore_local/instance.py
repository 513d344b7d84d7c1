"""The whole Sigstore: its server, its tokens, and what clients are told about it."""

from __future__ import annotations

import json
import threading
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import TYPE_CHECKING, Any, Self
from urllib.parse import parse_qs, urlsplit

import jwt

from tests.support.sigstore_local.fulcio import Fulcio
from tests.support.sigstore_local.material import Key, b64, der
from tests.support.sigstore_local.rekor import RekorV1, RekorV2
from tests.support.sigstore_local.tsa import Tsa

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from cryptography.x509 import Certificate

GITHUB = "https://token.actions.githubusercontent.com"
_JOB_SECRET = "only-this-job-knows-it"  # noqa: S105 nobody's
_SIGSTORE = "application/vnd.dev.sigstore"


class LocalSigstore:
    """A Sigstore; ``start`` it, or use it as a context manager.

    Attributes:
        issuer: Who vouches for people unless a token says otherwise.
        certified: How many certificates were issued.
    """

    issuer = "https://login.example.com"

    def __init__(self) -> None:
        begin = datetime.now(UTC).replace(microsecond=0) - timedelta(days=1)
        end = begin + timedelta(days=3650)
        self._begin = begin
        self._oidc = Key.new()
        self.fulcio = Fulcio(self._oidc, begin, end, self.now)
        self.rekor1, self.rekor2 = RekorV1(self.now), RekorV2()
        self.tsa = Tsa(begin, end, self.now)
        self.certified = 0
        self._port = 0
        self._server: ThreadingHTTPServer | None = None

    @staticmethod
    def now() -> datetime:
        return datetime.now(UTC)

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self._port}"

    def __enter__(self) -> Self:
        self.start()
        return self

    def __exit__(self, *_: object) -> None:
        self.stop()

    def start(self) -> None:
        """Listen, on the same port as before if it was stopped."""
        self._server = ThreadingHTTPServer(
            ("127.0.0.1", self._port), _handler_for(self)
        )
        self._port = self._server.server_port
        serve = self._server.serve_forever
        threading.Thread(target=serve, args=(0.01,), daemon=True).start()

    def stop(self) -> None:
        """Stop listening; nothing answers any more."""
        if self._server is not None:
            self._server.shutdown()
            self._server.server_close()
            self._server = None

    @contextmanager
    def down(self) -> Iterator[None]:
        """Be gone for a while."""
        self.stop()
        try:
            yield
        finally:
            self.start()

    def token(
        self, subject: str, *, issuer: str = "", life: int = 600, **claims: str
    ) -> str:
        """Return a token for any identity, by any issuer."""
        now = int(self.now().timestamp())
        return jwt.encode(
            {
                "iss": issuer or self.issuer,
                "sub": subject,
                "aud": "sigstore",
                "iat": now + min(life, 0) * 2,
                "nbf": now + min(life, 0) * 2,
                "exp": now + life,
                **claims,
            },
            self._oidc.private,
            algorithm="ES256",
            headers={"kid": "1"},
        )

    def workflow_token(self, workflow: str) -> str:
        """Return a token as GitHub gives to a job of a workflow."""
        repository, _, ref = workflow.partition("/.github/")
        branch = ref.rpartition("@")[2]
        return self.token(
            f"repo:{repository}:ref:{branch}", issuer=GITHUB, job_workflow_ref=workflow
        )

    def github_environment(self, workflow: str) -> dict[str, str]:
        """Return the variables of a job that may ask for its token."""
        return {
            "GITHUB_ACTIONS": "true",
            "ACTIONS_ID_TOKEN_REQUEST_URL": f"{self.url}/github?workflow={workflow}",
            "ACTIONS_ID_TOKEN_REQUEST_TOKEN": _JOB_SECRET,
        }

    def trusted_root(self) -> dict[str, Any]:
        """Return what verifiers must know, for every kind of bundle."""
        logs = [self.rekor1.log.key, self.rekor2.log.key]
        return {
            "mediaType": f"{_SIGSTORE}.trustedroot+json;version=0.1",
            "tlogs": [self._log(key) for key in logs],
            "ctlogs": [self._log(self.fulcio.ct_key)],
            "certificateAuthorities": [self._authority(self.fulcio.chain)],
            "timestampAuthorities": [self._authority(self.tsa.chain)],
        }

    def trust_config(self, *, rekor: int = 1, tsa: bool = False) -> dict[str, Any]:
        """Return what signers must know to use one version of the log."""
        stamps = [self._service("/api/v1/timestamp")] if tsa else []
        return {
            "mediaType": f"{_SIGSTORE}.clienttrustconfig.v0.1+json",
            "trustedRoot": self.trusted_root(),
            "signingConfig": {
                "mediaType": f"{_SIGSTORE}.signingconfig.v0.2+json",
                "caUrls": [self._service()],
                "oidcUrls": [self._service()],
                "rekorTlogUrls": [self._service(version=rekor)],
                "rekorTlogConfig": {"selector": "ANY"},
                "tsaUrls": stamps,
                "tsaConfig": {"selector": "ANY"},
            },
        }

    @property
    def _valid(self) -> dict[str, str]:
        return {"start": self._begin.strftime("%Y-%m-%dT%H:%M:%SZ")}

    def _service(self, path: str = "", version: int = 1) -> dict[str, Any]:
        return {
            "url": self.url + path,
            "majorApiVersion": version,
            "validFor": self._valid,
            "operator": "local",
        }

    def _log(self, key: Key) -> dict[str, Any]:
        return {
            "baseUrl": self.url,
            "hashAlgorithm": "SHA2_256",
            "publicKey": {
                "rawBytes": b64(key.spki),
                "keyDetails": "PKIX_ECDSA_P256_SHA_256",
                "validFor": self._valid,
            },
            "logId": {"keyId": b64(key.id)},
        }

    def _authority(self, chain: Sequence[Certificate]) -> dict[str, Any]:
        return {
            "subject": {"organization": "gitmodel-test", "commonName": "local"},
            "uri": self.url,
            "certChain": {"certificates": [{"rawBytes": b64(der(c))} for c in chain]},
            "validFor": self._valid,
        }

    def answer_get(self, path: str, bearer: str) -> Any:
        """Answer a GET; None for what is not here."""
        parts = urlsplit(path)
        if parts.path == "/.well-known/openid-configuration":
            return {
                "issuer": self.url,
                "authorization_endpoint": f"{self.url}/auth",
                "token_endpoint": f"{self.url}/token",
            }
        asked = parse_qs(parts.query)
        if parts.path == "/github" and bearer == _JOB_SECRET:
            assert asked["audience"] == ["sigstore"]
            return {"value": self.workflow_token(asked["workflow"][0])}
        return None

    def answer_post(self, path: str, body: bytes, bearer: str) -> Any:
        """Answer a POST; None for what is not here."""
        match path:
            case "/api/v2/signingCert":
                self.certified += 1
                return self.fulcio.certify(json.loads(body), bearer)
            case "/api/v1/log/entries":
                return self.rekor1.add(json.loads(body))
            case "/api/v2/log/entries":
                return self.rekor2.add(json.loads(body))
            case "/api/v1/timestamp":
                return self.tsa.stamp(body)
            case _:
                return None


def _handler_for(sigstore: LocalSigstore) -> type[BaseHTTPRequestHandler]:
    class Handler(BaseHTTPRequestHandler):
        def log_message(self, format: str, *args: object) -> None:  # noqa: A002
            pass

        @property
        def bearer(self) -> str:
            return self.headers.get("Authorization", "").partition(" ")[2]

        def do_GET(self) -> None:
            self._answer(200, sigstore.answer_get(self.path, self.bearer))

        def do_POST(self) -> None:
            body = self.rfile.read(int(self.headers["Content-Length"]))
            try:
                answer = sigstore.answer_post(self.path, body, self.bearer)
            except Exception as error:  # noqa: BLE001 a client's mistake, of any kind
                self._answer(400, {"code": 400, "message": repr(error)})
                return
            self._answer(201, answer)

        def _answer(self, status: int, answer: Any) -> None:
            if answer is None:
                status, answer = 404, {"code": 404, "message": "not found"}
            kind = "application/json"
            if isinstance(answer, bytes):
                kind = "application/timestamp-reply"
            else:
                answer = json.dumps(answer).encode()
            self.send_response(status)
            self.send_header("Content-Type", kind)
            self.send_header("Content-Length", str(len(answer)))
            self.end_headers()
            self.wfile.write(answer)

    return Handler
