"""What the steering commands change on a sweep, as merge patches: pure, so that every refusal comes before the server."""

import re
from typing import Any, Final

from pydantic import ValidationError

from tuningsweep_api import names
from tuningsweep_api.errors import explain
from tuningsweep_api.spec.sweep import TuningSweep
from tuningsweep_cli.exits import CommandError

Manifest = dict[str, Any]
UNSETTABLE: Final = {
    "memory": "memory",
    "gpu-memory": "gpuMemory",
    "mean-step-time": "meanStepTime",
    "step-time": "stepTime",
    "trial-duration": "trialDuration",
}
"""Limits that may be left out, as options spell them."""


def limits_patch(manifest: Manifest, changes: dict[str, Any], unset: list[str]) -> Manifest:
    """The patch that changes limits (camelCase names) and takes out others; CommandError in the API's own sentences."""
    for option in unset:
        if option not in UNSETTABLE:
            raise CommandError(f"--unset {option}: not a limit that can be left out; those are {', '.join(UNSETTABLE)}")
        if UNSETTABLE[option] in changes:
            raise CommandError(f"--unset {option} and --{option} exclude each other; give one of them")
    patched = {**changes, **{UNSETTABLE[option]: None for option in unset}}
    limits = {**manifest["spec"].get("limits", {}), **patched}
    kept = {name: value for name, value in limits.items() if value is not None}
    try:
        TuningSweep.from_stored({**manifest, "spec": {**manifest["spec"], "limits": kept}})
    except ValidationError as error:
        raise CommandError("\n".join(explain(error))) from error
    return {"spec": {"limits": patched}}


def stop_patch(manifest: Manifest, trials: list[str]) -> Manifest:
    """The patch that adds trials to those a person wants stopped; it holds only for the object as it was read."""
    wrong = [trial for trial in trials if re.fullmatch(names.TRIAL_NAME_PATTERN, trial) is None]
    if wrong:
        raise CommandError(f"{wrong[0]!r} is not the name of a trial; write for example {names.trial_name(3)}")
    metadata = manifest["metadata"]
    before = metadata.get("annotations", {}).get(names.ANNOTATION_STOP, "")
    kept = [name.strip() for name in before.split(",") if name.strip()]
    wanted = ",".join(dict.fromkeys([*kept, *trials]))
    return {
        "metadata": {
            "resourceVersion": metadata["resourceVersion"],
            "annotations": {names.ANNOTATION_STOP: wanted},
        }
    }
