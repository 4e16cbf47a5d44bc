"""What it takes to talk to a sweep's driver: token and pinned certificate, as in its Secret.

Read by the operator and by the command line, which hand it to their clients.
"""

import hashlib
import ssl
from base64 import b64decode
from dataclasses import dataclass, field
from typing import Self

from tuningsweep_api import names
from tuningsweep_operator.resources import Manifest


@dataclass(frozen=True, slots=True)
class ControlAccess:
    """Bearer token, and SHA-256 of the one certificate (DER) that the driver may show."""

    token: str = field(repr=False)
    fingerprint: bytes | None
    """None for a sweep that an operator made that knew no TLS: its driver speaks plain HTTP as long as it lives."""

    @property
    def scheme(self) -> str:
        """The scheme of the control API's URLs."""
        return "http" if self.fingerprint is None else "https"

    def trusts(self, certificate: bytes | None) -> bool:
        """Whether a certificate (DER) that a server has shown is the pinned one."""
        return certificate is not None and hashlib.sha256(certificate).digest() == self.fingerprint

    @classmethod
    def from_secret(cls, secret: Manifest) -> Self | None:
        """What a Secret holds; None if someone has emptied it or made it unreadable."""
        data = secret.get("data") or {}
        try:
            token = b64decode(data[names.TOKEN_KEY]).decode()
            if names.CERTIFICATE_KEY not in data:
                return cls(token, None)
            certificate = ssl.PEM_cert_to_DER_cert(b64decode(data[names.CERTIFICATE_KEY]).decode())
        except (KeyError, ValueError):
            return None
        return cls(token, hashlib.sha256(certificate).digest())
