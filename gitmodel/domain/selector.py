"""How people point at a version, such as ``fraud@1.2.0`` or ``fraud#production``.

============================  ==============================================
``fraud@1.2.0``               that version
``fraud@1.2``, ``fraud@1``    the newest release that begins so
``fraud@latest``, ``fraud``   the highest release (no pre-release)
``fraud@sha256:<hex>``        the version with that manifest digest
``fraud#production``          what the stage holds now
``fraud@lkg#production``      the stage's last known good
============================  ==============================================
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Literal

from gitmodel.domain.digest import Digest
from gitmodel.domain.names import model_name, stage_name
from gitmodel.domain.semver import Version
from gitmodel.errors import InputError

_PARTIAL = re.compile(r"(0|[1-9][0-9]{0,8})(?:\.(0|[1-9][0-9]{0,8}))?")

Kind = Literal["version", "partial", "latest", "digest", "stage", "lkg"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Selector:
    """A parsed selector; ``Selector.parse(str(s)) == s``.

    Attributes:
        model: The model's name.
        kind: Which of the other fields says the version.
        version: For ``version``.
        prefix: For ``partial``: (major,) or (major, minor).
        digest: For ``digest``: the manifest's.
        stage: For ``stage`` and ``lkg``.
    """

    model: str
    kind: Kind
    version: Version | None = None
    prefix: tuple[int, ...] = ()
    digest: Digest | None = None
    stage: str | None = None

    @classmethod
    def parse(cls, text: str) -> Selector:
        """Read a selector.

        Raises:
            InputError: It is none of the forms above.
        """
        head, hash_sign, stage = text.partition("#")
        name, at_sign, wanted = head.partition("@")
        if hash_sign and (not at_sign or wanted == "lkg"):
            kind: Kind = "lkg" if at_sign else "stage"
            return cls(model=model_name(name), kind=kind, stage=stage_name(stage))
        if hash_sign or (at_sign and not wanted):
            raise _unreadable(text)
        model = model_name(name)
        if not at_sign or wanted == "latest":
            return cls(model=model, kind="latest")
        if wanted.startswith("sha256:"):
            return cls(model=model, kind="digest", digest=Digest.parse(wanted))
        if wanted == "lkg":
            raise InputError(
                "The last known good belongs to a stage.",
                f"Write {model}@lkg#STAGE, such as {model}@lkg#production.",
            )
        if match := _PARTIAL.fullmatch(wanted):
            prefix = tuple(int(part) for part in match.groups() if part is not None)
            return cls(model=model, kind="partial", prefix=prefix)
        return cls(model=model, kind="version", version=Version.parse(wanted))

    def __str__(self) -> str:
        match self.kind:
            case "stage":
                return f"{self.model}#{self.stage}"
            case "lkg":
                return f"{self.model}@lkg#{self.stage}"
            case "latest":
                return f"{self.model}@latest"
            case "digest":
                return f"{self.model}@{self.digest}"
            case "partial":
                return f"{self.model}@{'.'.join(map(str, self.prefix))}"
            case "version":
                return f"{self.model}@{self.version}"


def _unreadable(text: str) -> InputError:
    return InputError(
        f"{text[:100]!a} is not a selector.",
        "Write MODEL@VERSION, MODEL@latest, MODEL#STAGE or MODEL@sha256:DIGEST.",
    )
