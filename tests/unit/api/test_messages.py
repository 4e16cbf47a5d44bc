"""Operator and driver exchange whole states; a digest tells whether there is anything to send."""

from typing import Any

import pytest

from support.sweeps import BASE, edited
from tuningsweep_api.messages import DesiredState, SweepState, desired_state
from tuningsweep_api.outcomes import Reason
from tuningsweep_api.spec.sweep import TuningSweep

SWEEP = TuningSweep.from_manifest(BASE)


def test_digest_is_stable_over_the_wire() -> None:
    sent = desired_state(SWEEP)
    assert DesiredState.model_validate_json(sent.model_dump_json(by_alias=True)).digest() == sent.digest()


def test_every_edit_changes_the_digest() -> None:
    edits = [
        {"spec.limits.memory": "300Mi"},
        {"spec.parallelTrialCount": 1},
        {"spec.maxTrialCount": 9},
        {"spec.maxFailedTrialCount": 9},
        {"metadata.annotations": {"tuningsweep.io/stop": "trial-0001"}},
    ]
    digests = {desired_state(TuningSweep.from_manifest(edited(BASE, edit))).digest() for edit in edits}
    assert len(digests | {desired_state(SWEEP).digest()}) == len(edits) + 1


def test_ending_a_sweep_is_part_of_the_digest_acknowledging_is_not() -> None:
    plain = desired_state(SWEEP)
    assert desired_state(SWEEP, Reason.SWEEP_DEADLINE_EXCEEDED).digest() != plain.digest()
    assert desired_state(SWEEP, acknowledged=True).digest() == plain.digest()


STATE: dict[str, Any] = {
    "sweepUid": "u",
    "driverId": "d",
    "startTime": "2026-01-01T00:00:00Z",
    "desiredDigest": "x",
    "trials": {"total": 7, "running": 1},
    "running": [{"trial": "trial-0006", "parameters": {}, "startTime": ""}],
}


@pytest.mark.parametrize(
    "change",
    [
        {"trials": {"total": 8, "running": 1}},
        {"driverId": "e"},
        {"desiredDigest": "y"},
        {"stopCount": 1},
        {"optimalTrial": {"trial": "trial-0001", "parameters": {}, "objective": 0.5, "metrics": {}}},
        {"result": {"succeeded": True, "reason": "SearchFinished", "message": "done"}},
    ],
)
def test_all_that_a_status_shows_changes_the_tag(change: dict[str, Any]) -> None:
    assert SweepState.model_validate({**STATE, **change}).tag() != SweepState.model_validate(STATE).tag()


def test_numbers_of_running_trials_do_not_change_the_tag() -> None:
    moved = [{**STATE["running"][0], "steps": 5, "memory": 7, "metrics": {"loss": 0.5}}]
    assert SweepState.model_validate({**STATE, "running": moved}).tag() == SweepState.model_validate(STATE).tag()
