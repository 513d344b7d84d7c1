"""The timestamp authority (RFC 3161)."""

from __future__ import annotations

import hashlib
import os
from typing import TYPE_CHECKING

from asn1crypto import cms, tsp
from asn1crypto import x509 as asn1_x509
from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.x509.oid import ExtendedKeyUsageOID

from tests.support.sigstore_local.material import Authority, Key, der

if TYPE_CHECKING:
    from collections.abc import Callable
    from datetime import datetime


class Tsa:
    def __init__(
        self, begin: datetime, end: datetime, now: Callable[[], datetime]
    ) -> None:
        self._now = now
        root = Authority.root("tsa-root", begin, end)
        self._key = Key.new()
        usage = x509.ExtendedKeyUsage([ExtendedKeyUsageOID.TIME_STAMPING])
        public = self._key.private.public_key()
        draft = root.leaf(public, begin, end, [(usage, True)], "tsa")
        self._certificate = draft.sign(root.key.private, hashes.SHA256())
        self.chain = [self._certificate, root.certificate]

    def stamp(self, query: bytes) -> bytes:
        """Answer a request for a timestamp."""
        request = tsp.TimeStampReq.load(query)
        now = self._now().replace(microsecond=0)
        info = tsp.TSTInfo(
            {
                "version": 1,
                "policy": "1.3.6.1.4.1.57264.2",
                "message_imprint": request["message_imprint"],
                "serial_number": int.from_bytes(os.urandom(8), "big") >> 1,
                "gen_time": now,
                "nonce": request["nonce"].native,
            }
        ).dump()
        certificate = asn1_x509.Certificate.load(der(self._certificate))
        with_certificate = request["cert_req"].native
        signed = cms.SignedData(
            {
                "version": "v3",
                "digest_algorithms": [{"algorithm": "sha256"}],
                "encap_content_info": {
                    "content_type": "tst_info",
                    "content": cms.ParsableOctetString(info),
                },
                "certificates": [certificate] if with_certificate else [],
                "signer_infos": [self._signer_info(certificate, info, now)],
            }
        )
        token = {"content_type": "signed_data", "content": signed}
        answer = {"status": {"status": "granted"}, "time_stamp_token": token}
        return bytes(tsp.TimeStampResp(answer).dump())

    def _signer_info(
        self, certificate: asn1_x509.Certificate, info: bytes, now: datetime
    ) -> cms.SignerInfo:
        used = tsp.ESSCertIDv2(
            {
                "hash_algorithm": {"algorithm": "sha256"},
                "cert_hash": hashlib.sha256(certificate.dump()).digest(),
            }
        )
        values = {
            "content_type": "tst_info",
            "signing_time": cms.Time({"utc_time": now}),
            "message_digest": hashlib.sha256(info).digest(),
            "signing_certificate_v2": tsp.SigningCertificateV2({"certs": [used]}),
        }
        attributes = cms.CMSAttributes(
            [
                cms.CMSAttribute({"type": kind, "values": [value]})
                for kind, value in values.items()
            ]
        )
        issuer_and_serial = {
            "issuer": certificate.issuer,
            "serial_number": certificate.serial_number,
        }
        return cms.SignerInfo(
            {
                "version": "v1",
                "sid": cms.SignerIdentifier(
                    {"issuer_and_serial_number": issuer_and_serial}
                ),
                "digest_algorithm": {"algorithm": "sha256"},
                "signed_attrs": attributes,
                "signature_algorithm": {"algorithm": "sha256_ecdsa"},
                "signature": self._key.sign(attributes.dump()),
            }
        )
