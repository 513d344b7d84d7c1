"""Signing as an identity: what the options and the environment ask for."""

from __future__ import annotations

import sys
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import click
from click.core import ParameterSource

if TYPE_CHECKING:
    from gitmodel.adapters.signing.keyless import KeylessSigner
    from gitmodel.adapters.signing.tokens import Token
    from gitmodel.domain.policy import Identity

_STDIN = "-"
_EXCLUDED = "--key excludes --identity-token and --keyless."
_GIVEN = {ParameterSource.COMMANDLINE, ParameterSource.PROMPT}


@dataclass(frozen=True, slots=True)
class Keyless:
    """Which identity signs, and which Sigstore certifies it.

    Attributes:
        token: As given; "-" is read from stdin; None asks the surroundings.
        config: The file of a private Sigstore; None for the public one.
    """

    token: str | None
    config: Path | None

    @classmethod
    def chosen(
        cls, ctx: click.Context, token: str | None, keyless: bool, config: str | None
    ) -> Keyless | None:
        """Return what was asked for; None where a key signs.

        An option beats a variable, so that one command can differ from the rest.
        """
        by_option = {
            name: ctx.get_parameter_source(name) in _GIVEN
            for name in ("key", "identity_token", "keyless")
        }
        if by_option["key"]:
            if by_option["identity_token"] or by_option["keyless"]:
                raise click.UsageError(_EXCLUDED)
            return None
        if token and keyless and by_option["keyless"]:
            if by_option["identity_token"]:
                raise click.UsageError(
                    "--keyless and --identity-token exclude each other."
                )
            token = None
        if not token and not keyless:
            return None
        return cls(token or None, Path(config) if config else None)

    @staticmethod
    def require_unasked(ctx: click.Context) -> None:
        """Say that a command was given a key, which excludes an identity.

        Raises:
            click.UsageError: An identity was asked for by an option.
        """
        root = ctx.find_root()
        for name in ("identity_token", "keyless"):
            if root.get_parameter_source(name) in _GIVEN:
                raise click.UsageError(_EXCLUDED)

    def signer(self) -> KeylessSigner:
        """Return what signs; it asks for its token when it is first needed."""
        from gitmodel.adapters.signing.keyless import KeylessSigner
        from gitmodel.adapters.signing.trust_config import read_config_file

        config = read_config_file(self.config)

        def token() -> Token:
            from gitmodel.adapters.signing.tokens import obtain

            text = sys.stdin.readline() if self.token == _STDIN else self.token
            people = sys.stdin.isatty() and sys.stderr.isatty()
            return obtain(text, config, interactive=people)

        return KeylessSigner(token, config)


def read_identity(text: str) -> Identity:
    """Return the identity that ``ISSUER=SAN`` names.

    Raises:
        click.BadParameter: It is not of that form.
    """
    from gitmodel.domain.policy import Identity

    issuer, equals, san = text.partition("=")
    if not equals:
        raise click.BadParameter(f"{text!r} is not ISSUER=SAN.")
    return Identity(issuer, san)
