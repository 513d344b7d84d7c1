"""What signs for an identity in a dry run: nothing, in the form of a signature."""

from __future__ import annotations

import base64
import json
from typing import TYPE_CHECKING

from gitmodel.adapters.signing.keyless import require_pinned
from gitmodel.formats.bundle import MEDIA_TYPE
from gitmodel.formats.statement import PAYLOAD_TYPE

if TYPE_CHECKING:
    from gitmodel.domain.policy import Identity


class Rehearsal:
    """Stands in for an identity in a dry run, which must tell no log anything."""

    def __init__(self, identity: Identity) -> None:
        self.identity = identity
        self.keyid = identity.keyid

    def bind(self, trusted_root: bytes | None) -> None:
        """Do as the signer whose place this takes."""
        require_pinned(trusted_root)

    def envelope(self, payload: bytes) -> bytes:
        """Return what has the form of a signature, and is none."""
        nothing = base64.b64encode(b"rehearsal").decode()
        document = {
            "mediaType": MEDIA_TYPE,
            "verificationMaterial": {
                "certificate": {"rawBytes": nothing},
                "tlogEntries": [{}],
            },
            "dsseEnvelope": {
                "payload": base64.b64encode(payload).decode(),
                "payloadType": PAYLOAD_TYPE,
                "signatures": [{"sig": nothing}],
            },
        }
        return json.dumps(document).encode()
