"""Keys in a key management service or a PKCS#11 token, through ``securesystemslib``.

A key is named by its URI, as that library has them: ``awskms:``, ``azurekms:``,
``gcpkms:``, ``hv:`` (HashiCorp Vault) and ``hsm:`` (PKCS#11). Who may use it is for
the service to know: credentials, and ``PYKCS11LIB``, are read by the service's own
client, from where people of that service keep them.

The public key is asked of the service, or read from the file that stands after ``#``
in the URI. What the service signs is verified by it before anyone uses it. Only
P-256 is taken, the one curve on which all these services agree.

The library and its clients are slow to import, so only functions here do.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple, TypeVar
from urllib.parse import parse_qs, urlsplit

from gitmodel.adapters.signing.keys import read_public
from gitmodel.adapters.signing.public_key import public_key, unusable
from gitmodel.errors import GitmodelError, InputError, NotFoundError, OutsideError

if TYPE_CHECKING:
    from collections.abc import Callable

    from securesystemslib.signer import Signer

    from gitmodel.adapters.signing.public_key import PublicKey

_SCHEME = "ecdsa-sha2-nistp256"
_BAD_PINS = {"PinIncorrect", "PinInvalid", "PinLenRange", "PinLocked", "PinExpired"}
T = TypeVar("T")


class _Service(NamedTuple):
    """How a service's keys are named, and which extra of gitmodel its client is in."""

    form: str
    pattern: str
    extra: str = "kms"


_SERVICES = {
    "awskms": _Service("awskms:KEY", r"[^#?]+"),
    "azurekms": _Service(
        "azurekms://VAULT.vault.azure.net/keys/KEY/VERSION",
        r"//[^/]+/keys/[^/]+/[^/]+",
    ),
    "gcpkms": _Service(
        "gcpkms:projects/…/cryptoKeyVersions/VERSION",
        r"projects/.+/cryptoKeyVersions/[^/]+",
    ),
    "hsm": _Service("hsm:[ID][?label=TOKEN]", r"\d*(\?label=[^&]+)?", "hsm"),
    "hv": _Service("hv:KEY/VERSION", r"[^/]+/\d+"),
}


def is_managed(name: str) -> bool:
    """Say whether a key's name is the URI of a service rather than a file."""
    scheme, colon, _ = name.partition(":")
    return bool(colon) and scheme in _SERVICES


def public_key_at(uri: str, secret: Callable[[], bytes | None]) -> PublicKey:
    """Return the public key behind a URI.

    Raises:
        InputError: The URI is malformed (``E_KMS_URI``), or the key is of another
            kind than P-256 (``E_KEY_TYPE``).
        NotFoundError: The service's client is not installed (``E_EXTRA``).
        OutsideError: The service fails or refuses (``E_KMS``).
    """
    place, _, file = uri.partition("#")
    _require_form(place)
    if file:
        found = read_public(Path(file).expanduser())
    else:
        found = public_key(_calling(place, lambda: _import(place, secret)))
    if found.curve != "P-256":
        raise unusable(f"The key {place}", found.curve)
    return found


@dataclass(slots=True)
class ManagedSigner:
    """A ``domain.ports.Signer`` whose key never leaves its service.

    Attributes:
        uri: Which key; what follows ``#`` names the file of its public half.
        public_key: That half.
        secret: Asked for the PIN of a token, once.
    """

    uri: str
    public_key: PublicKey
    secret: Callable[[], bytes | None]
    _signer: Signer | None = field(default=None, init=False)

    @property
    def keyid(self) -> str:
        """SHA-256 hex of the public key's SubjectPublicKeyInfo DER."""
        return self.public_key.keyid

    @property
    def public(self) -> str:
        """The public key as one OpenSSH line without comment."""
        return self.public_key.ssh

    def sign(self, message: bytes) -> bytes:
        """Return the DER ECDSA signature of ``message``.

        Raises:
            NotFoundError: The service's client is not installed (``E_EXTRA``).
            OutsideError: The service fails, refuses, or signs with another key
                (``E_KMS``).
        """
        place = self.uri.partition("#")[0]
        signature = _calling(place, lambda: self._sign(place, message))
        if not self._is_ours(signature, message):
            raise OutsideError(
                f"{place} signed with another key than {self.public_key.keyid[:8]}",
                "The public key that you gave must be that of the URI, version and "
                "all.",
                code="E_KMS",
            )
        return signature

    def _sign(self, place: str, message: bytes) -> bytes:
        if self._signer is None:
            self._signer = _signer(place, self.public_key, self.secret)
        return bytes.fromhex(self._signer.sign(message).signature)

    def _is_ours(self, signature: bytes, message: bytes) -> bool:
        try:
            return self.public_key.verify(signature, message)
        except ValueError:  # not even DER
            return False


def _signer(
    place: str, public: PublicKey, secret: Callable[[], bytes | None]
) -> Signer:
    from securesystemslib.signer import Signer, SSlibKey  # noqa: PLC0415 slow

    key = SSlibKey(public.keyid, "ecdsa", _SCHEME, {"public": public.pem})
    return Signer.from_priv_key_uri(place, key, _Pin(place, secret))


def _import(place: str, secret: Callable[[], bytes | None]) -> str:
    """Ask the service for the public key, as PEM."""
    from securesystemslib import signer  # noqa: PLC0415 slow

    parts = urlsplit(place)
    match parts.scheme:
        case "awskms":
            _, key = signer.AWSSigner.import_(parts.path, _SCHEME)
        case "gcpkms":
            _, key = signer.GCPSigner.import_(parts.path)
        case "azurekms":
            key = _from_azure(place, parts.netloc, parts.path)
        case "hsm":
            label = parse_qs(parts.query).get("label", [None])[0]
            number = int(parts.path) if parts.path else None
            _, key = signer.HSMSigner.import_(number, label, _Pin(place, secret))
        case _:
            raise InputError(
                f"Vault is not asked for the public key of {place}",
                f"--key '{place}#FILE.pem'  names the file that holds it.",
                code="E_KMS_URI",
            )
    pem: str = key.keyval["public"]
    return pem


def _from_azure(place: str, host: str, path: str) -> Any:
    from securesystemslib.signer import AzureSigner  # noqa: PLC0415 slow

    found, key = AzureSigner.import_(host.partition(".")[0], path.split("/")[2])
    if found != place:
        raise InputError(
            f"{place} is not the newest version of that key, which is {found}",
            f"--key '{place}#FILE.pem'  names the public key of another version.",
            code="E_KMS_URI",
        )
    return key


class _Pin:
    """Asks for a secret once; tokens want it for every signature."""

    def __init__(self, place: str, secret: Callable[[], bytes | None]) -> None:
        self._place = place
        self._secret = secret
        self._known: str | None = None

    def __call__(self, name: str) -> str:
        if self._known is None:
            given = self._secret()
            if not given:
                raise GitmodelError(
                    f"{self._place} asks for its {name}, and none was given.",
                    "Run the command in a terminal, or set GITMODEL_KEY_PASSPHRASE.",
                    code="E_PASSPHRASE",
                )
            self._known = given.decode()
        return self._known


def _calling(place: str, call: Callable[[], T]) -> T:
    """Call the library; its errors, and those of the clients below it, become ours."""
    from securesystemslib.exceptions import UnsupportedLibraryError  # noqa: PLC0415

    try:
        return call()
    except GitmodelError:
        raise
    except UnsupportedLibraryError as error:
        raise NotFoundError(
            f"Signing with {place} needs more than is installed: {error}",
            f"pip install 'gitmodel[{_service(place).extra}]'",
            code="E_EXTRA",
        ) from error
    except Exception as error:
        # Half a dozen clients, each with its own errors.
        kind, said = type(error).__name__, " ".join(str(error).split())[:300]
        if kind in _BAD_PINS:
            raise GitmodelError(
                f"The PIN does not open {place} ({kind})",
                "After a few wrong ones a token locks itself.",
                code="E_PASSPHRASE",
            ) from error
        raise OutsideError(
            f"{place} cannot be used: {said or kind}", _advice(place), code="E_KMS"
        ) from error


def _advice(place: str) -> str:
    if place.startswith("hsm:"):
        return (
            "PYKCS11LIB=MODULE.so  names the token's PKCS#11 module,  "
            "hsm:ID?label=TOKEN  the key."
        )
    return "The service's own client must be able to use this key from here."


def _service(place: str) -> _Service:
    return _SERVICES[place.partition(":")[0]]


def _require_form(place: str) -> None:
    service = _service(place)
    if not re.fullmatch(service.pattern, place.partition(":")[2]):
        raise InputError(
            f"{place!r:.200} does not name a key as its service does.",
            f"The form is  {service.form}",
            code="E_KMS_URI",
        )
