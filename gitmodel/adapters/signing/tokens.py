"""Identity tokens: given, found in a CI job's surroundings, or asked of a person.

A token is a secret for a few minutes. It goes to Sigstore's certificate authority
and nowhere else: no message here quotes it.
"""

from __future__ import annotations

import base64
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from gitmodel.adapters.signing.trust_config import read_trust_config
from gitmodel.domain.policy import Identity
from gitmodel.errors import GitmodelError, InputError, NotFoundError, OutsideError
from gitmodel.formats.canonical_json import loads

if TYPE_CHECKING:
    from sigstore.oidc import IdentityToken

#: Claims of CI systems, and the name that Sigstore's authority makes of each.
_WORKFLOWS = (
    ("job_workflow_ref", "https://github.com/"),  # GitHub Actions
    ("ci_config_ref_uri", "https://"),  # GitLab CI
)


@dataclass(frozen=True, slots=True)
class Token:
    """A token, and whom a certificate for it will name."""

    credential: IdentityToken
    identity: Identity

    @classmethod
    def read(cls, text: str) -> Token:
        """Read a token without verifying it, which is the authority's business.

        Raises:
            InputError: It is no token for Sigstore, or has expired (``E_TOKEN``).
        """
        from sigstore.oidc import IdentityError, IdentityToken  # noqa: PLC0415 slow

        try:
            found = IdentityToken(text.strip())
        except IdentityError as error:
            raise _bad(str(error)) from error
        return cls(found, _foresee(found))


def obtain(text: str | None, trust_config: bytes | None, *, interactive: bool) -> Token:
    """Return the token that was given, or else look for one as ``ambient_or_asked``.

    Raises:
        GitmodelError: As :meth:`Token.read` and :func:`ambient_or_asked`.
    """
    if text is not None:
        return Token.read(text)
    return ambient_or_asked(trust_config, interactive=interactive)


def ambient_or_asked(trust_config: bytes | None, *, interactive: bool) -> Token:
    """Return the token of the CI job that this runs in, or else ask a person for one.

    Args:
        trust_config: Of the Sigstore whose page people log in at; None for the public.
        interactive: Whether there is a person to ask, in a browser.

    Raises:
        NotFoundError: There is none, and nobody to ask (``E_NO_IDENTITY``).
        OutsideError: The CI system, or the login, failed (``E_SIGSTORE``).
    """
    from sigstore.oidc import Issuer, detect_credential  # noqa: PLC0415 slow

    try:
        found = detect_credential()
    except Exception as error:
        raise OutsideError(
            f"This CI system gave no identity token: {error}",
            "On GitHub the job needs  permissions: id-token: write;  on GitLab "
            "id_tokens: SIGSTORE_ID_TOKEN: aud: sigstore",
            code="E_SIGSTORE",
        ) from error
    if found is not None:
        return Token.read(found)
    if not interactive:
        raise NotFoundError(
            "There is no identity to sign as: this is no CI job that gives tokens, and "
            "no terminal to log in from.",
            "--identity-token TOKEN  or  GITMODEL_IDENTITY_TOKEN  gives one.",
            code="E_NO_IDENTITY",
        )
    try:
        config = read_trust_config(trust_config).signing_config
        return Token.read(str(Issuer(config.get_oidc_url()).identity_token()))
    except GitmodelError:
        raise
    except Exception as error:
        raise OutsideError(f"The login failed: {error}", code="E_SIGSTORE") from error


def _foresee(token: IdentityToken) -> Identity:
    """Return whom the certificate will name, by the rules of Sigstore's authority."""
    claims = _claims(str(token))
    for claim, prefix in _WORKFLOWS:
        if isinstance(claims.get(claim), str):
            return Identity(token.federated_issuer, f"{prefix}{claims[claim]}")
    return Identity(token.federated_issuer, token.identity)


def _claims(text: str) -> dict[str, Any]:
    try:
        body = text.split(".")[1]
        found = loads(base64.urlsafe_b64decode(body + "=" * (-len(body) % 4)))
    except (ValueError, IndexError, InputError) as error:
        raise _bad("its claims cannot be read") from error
    return found if isinstance(found, dict) else {}


def _bad(why: str) -> InputError:
    return InputError(
        f"The identity token cannot be used: {why}.",
        "It must be fresh, and made for the audience  sigstore",
        code="E_TOKEN",
    )
