"""The key pair of a sweep's control API: self-signed, of this sweep alone, trusted because its Secret holds it.

Made by `owned` on first need. Clients compare the whole certificate (its SHA-256), so its names and dates decide nothing.
"""

from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Final

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

VALIDITY: Final = timedelta(days=10 * 365)
"""Longer than any sweep. A person who wants another key earlier deletes the Secret while the sweep is suspended."""
CLOCK_SKEW: Final = timedelta(days=1)


@dataclass(frozen=True, slots=True)
class KeyPair:
    """A certificate and its private key (PKCS#8), both PEM."""

    certificate: str
    private_key: str = field(repr=False)


def make_key_pair(server_name: str, now: datetime) -> KeyPair:
    """A new P-256 key and a self-signed server certificate for `server_name`; takes less than a millisecond."""
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name(
        [x509.NameAttribute(NameOID.ORGANIZATION_NAME, "TuningSweep")]
    )  # a common name ends at 64 characters
    certificate = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - CLOCK_SKEW)
        .not_valid_after(now + VALIDITY)
        .add_extension(x509.SubjectAlternativeName([x509.DNSName(server_name)]), critical=True)
        .add_extension(x509.BasicConstraints(ca=False, path_length=None), critical=True)
        .add_extension(x509.ExtendedKeyUsage([x509.oid.ExtendedKeyUsageOID.SERVER_AUTH]), critical=False)
        .sign(key, hashes.SHA256())
    )
    private_key = key.private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    )
    return KeyPair(certificate.public_bytes(serialization.Encoding.PEM).decode(), private_key.decode())
