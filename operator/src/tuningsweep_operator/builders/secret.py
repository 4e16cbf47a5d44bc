"""The Secret with the bearer token of a sweep's control API; created once, never rewritten."""

import base64

from tuningsweep_api import names
from tuningsweep_api.spec.sweep import TuningSweep
from tuningsweep_operator.builders.common import owned_metadata, secret_name
from tuningsweep_operator.resources import Manifest


def build_secret(sweep: TuningSweep, token: str) -> Manifest:
    """The manifest, with the token in base64."""
    return {
        "apiVersion": "v1",
        "kind": "Secret",
        "metadata": owned_metadata(sweep, secret_name(sweep.metadata.name), "control"),
        "type": "Opaque",
        "data": {names.TOKEN_KEY: base64.b64encode(token.encode()).decode()},
    }


def token_of(secret: Manifest) -> str | None:
    """The token in a Secret; None if someone has emptied it."""
    encoded = secret.get("data", {}).get(names.TOKEN_KEY)
    return None if encoded is None else base64.b64decode(encoded).decode()
