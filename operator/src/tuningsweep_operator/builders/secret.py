"""The Secret with token and key pair of a sweep's control API; created once, never rewritten."""

from base64 import b64encode

from tuningsweep_api import names
from tuningsweep_api.spec.sweep import TuningSweep
from tuningsweep_operator.builders.common import owned_metadata, secret_name
from tuningsweep_operator.certificates import KeyPair
from tuningsweep_operator.resources import Manifest


def build_secret(sweep: TuningSweep, token: str, key_pair: KeyPair) -> Manifest:
    """The manifest, with its values in base64. The head pod mounts it, its driver serves with what it finds there."""
    values = {
        names.TOKEN_KEY: token,
        names.CERTIFICATE_KEY: key_pair.certificate,
        names.PRIVATE_KEY_KEY: key_pair.private_key,
    }
    return {
        "apiVersion": "v1",
        "kind": "Secret",
        "metadata": owned_metadata(sweep, secret_name(sweep.metadata.name), "control"),
        "type": "Opaque",
        "data": {key: b64encode(value.encode()).decode() for key, value in values.items()},
    }
