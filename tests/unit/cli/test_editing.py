"""Patches of the steering commands: refused offline in the API's own sentences, and made for the object as it was read."""

from typing import Any

import pytest

from support.sweeps import BASE, edited
from tuningsweep_cli.editing import limits_patch, stop_patch
from tuningsweep_cli.exits import CommandError


def test_limits_are_changed_and_taken_out() -> None:
    patch = limits_patch(BASE, {"memory": "300Mi", "warmupSteps": 3}, ["trial-duration"])
    assert patch == {"spec": {"limits": {"memory": "300Mi", "warmupSteps": 3, "trialDuration": None}}}


@pytest.mark.parametrize(
    ("changes", "unset", "says"),
    [
        ({"memory": "4Mi"}, [], "limits.memory must be at least 16Mi"),
        ({"memory": "300MB"}, [], r"spec\.limits\.memory: '300MB' is not a quantity"),
        ({"stepTime": "0s"}, [], "limits.stepTime must be longer than zero"),
        ({"meanStepTime": "fast"}, [], r"spec\.limits\.meanStepTime: 'fast' is not a duration"),
        ({"warmupSteps": -1}, [], r"spec\.limits\.warmupSteps: "),
        ({"action": "Kill"}, [], r"spec\.limits\.action: Input should be 'Stop' or 'Warn'"),
        ({}, ["warmup-steps"], "--unset warmup-steps: not a limit that can be left out; those are memory,"),
        ({"memory": "1Gi"}, ["memory"], "--unset memory and --memory exclude each other"),
    ],
)
def test_bad_limits_are_refused_before_the_server(changes: dict[str, Any], unset: list[str], says: str) -> None:
    with pytest.raises(CommandError, match=says):
        limits_patch(BASE, changes, unset)


def sweep_with(annotation: str | None) -> dict[str, Any]:
    metadata = {"metadata.resourceVersion": "7"}
    if annotation is not None:
        metadata["metadata.annotations"] = {"tuningsweep.io/stop": annotation, "other": "kept"}  # type: ignore[assignment]
    return edited(BASE, metadata)


@pytest.mark.parametrize(
    ("before", "after"),
    [
        (None, "trial-0003,trial-0001"),
        ("trial-0007, trial-0001 ,", "trial-0007,trial-0001,trial-0003"),
    ],
)
def test_stop_requests_are_added_to_those_that_are_there(before: str | None, after: str) -> None:
    patch = stop_patch(sweep_with(before), ["trial-0003", "trial-0001"])
    assert patch == {"metadata": {"resourceVersion": "7", "annotations": {"tuningsweep.io/stop": after}}}


@pytest.mark.parametrize("name", ["3", "trial-3", "trial-0003,trial-0004", "trial-0001/x"])
def test_names_that_no_trial_can_have_are_refused(name: str) -> None:
    with pytest.raises(CommandError, match=r"not the name of a trial; write for example trial-0003"):
        stop_patch(sweep_with(None), ["trial-0001", name])
