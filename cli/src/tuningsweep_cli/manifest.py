"""Reads the one TuningSweep of a manifest file; what is wrong becomes sentences that name the field."""

from pathlib import Path
from typing import Any

import yaml
from pydantic import ValidationError

from tuningsweep_api import names
from tuningsweep_api.errors import explain
from tuningsweep_api.spec.sweep import TuningSweep
from tuningsweep_cli.exits import CommandError


class BadManifestError(CommandError):
    """The manifest can't be used; the message says why, a line a fault."""


def load_sweep(path: Path) -> TuningSweep:
    """The sweep in a file; BadManifestError if there is none, more than one, or it breaks a rule."""
    try:
        documents = [document for document in yaml.safe_load_all(path.read_text()) if document is not None]
    except OSError as error:
        raise BadManifestError(f"{path}: {error.strerror}") from error
    except (yaml.YAMLError, UnicodeDecodeError) as error:
        raise BadManifestError(f"{path} is not YAML: {error}") from error
    sweeps = [document for document in documents if _is_sweep(document)]
    if len(sweeps) != 1:
        raise BadManifestError(f"{path} holds {len(sweeps)} objects of kind {names.KIND}; give a file with exactly one")
    try:
        return TuningSweep.from_manifest(sweeps[0])
    except ValidationError as error:
        raise BadManifestError("\n".join(f"{path}: {sentence}" for sentence in explain(error))) from error
    except (TypeError, ValueError, RecursionError) as error:  # YAML can say more than JSON: loops, lists as keys
        raise BadManifestError(f"{path} can't be written as JSON, as Kubernetes does: {error}") from error


def _is_sweep(document: Any) -> bool:
    return isinstance(document, dict) and document.get("kind") == names.KIND
