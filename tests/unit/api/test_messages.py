"""Operator and driver exchange whole states; a digest tells whether there is anything to send."""

from support.sweeps import BASE, edited
from tuningsweep_api.messages import DesiredState, desired_state
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
