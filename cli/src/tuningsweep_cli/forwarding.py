"""HTTP with a driver over a socket that is there already: port-forward through the API server, TLS with a pinned certificate.

Used by `cluster.py`, the one that knows Kubernetes.
"""

import http.client
import socket
import ssl
from typing import Final

from tuningsweep_operator.access import ControlAccess

ANSWER_SECONDS: Final = 20.0
"""Longest that an answer may take."""


class Forwarded(http.client.HTTPConnection):
    """HTTP over a socket that is there already."""

    def __init__(self, forwarded: socket.socket) -> None:
        super().__init__("localhost", timeout=ANSWER_SECONDS)
        self.sock = forwarded

    def connect(self) -> None:
        """Nothing to do."""


def secured(forwarded: socket.socket, access: ControlAccess) -> socket.socket:
    """The socket, with TLS around it where the driver has a certificate; ssl.SSLError if it shows another."""
    forwarded.settimeout(ANSWER_SECONDS)
    if access.fingerprint is None:
        return forwarded
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    context.check_hostname, context.verify_mode = False, ssl.CERT_NONE  # the whole certificate is compared instead
    wrapped = context.wrap_socket(forwarded)
    if not access.trusts(wrapped.getpeercert(binary_form=True)):
        wrapped.close()
        raise ssl.SSLError("the pod does not have the certificate in the sweep's Secret")
    return wrapped
