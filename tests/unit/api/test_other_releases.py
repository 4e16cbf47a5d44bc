"""What another release wrote is read: fields that it has added are passed over and named, all else is checked as ever."""

import json

import pytest
from pydantic import ValidationError

from support.sweeps import BASE, edited
from tuningsweep_api.errors import unknown_fields
from tuningsweep_api.messages import DesiredState, SweepState, desired_state, told_digest
from tuningsweep_api.spec.limits import Limits
from tuningsweep_api.spec.sweep import TuningSweep
from tuningsweep_api.trials import TrialCounts

SWEEP = TuningSweep.from_manifest(BASE)
ADDED = {
    "spec.addedLater": {"deep": 1},
    "spec.limits.addedLater": "1Gi",
    "spec.parameters.0.addedLater": True,
    "spec.trainable.builtin.addedLater": None,
}


class LaterLimits(Limits):
    """Limits as a later release may have them."""

    disk: str | None = None
    patience: int = 3


class LaterDesired(DesiredState):
    """A DesiredState as a later release may have it."""

    limits: LaterLimits
    note: str | None = None


def later(**limits: str) -> LaterDesired:
    told = desired_state(SWEEP).dump()
    return LaterDesired.model_validate({**told, "limits": {**SWEEP.spec.limits.dump(), **limits}})


def test_a_sweep_that_a_later_crd_let_in_is_read_and_what_is_passed_over_is_named() -> None:
    manifest = edited(BASE, ADDED)
    assert TuningSweep.from_stored(manifest) == SWEEP
    assert set(TuningSweep.passed_over(manifest)) == {path.replace(".0.", "[0].") for path in ADDED}
    assert TuningSweep.passed_over(BASE) == []
    with pytest.raises(ValidationError):
        TuningSweep.from_manifest(manifest)


def test_all_else_of_a_stored_sweep_is_checked_as_strictly_as_ever() -> None:
    for wrong in ({"spec.maxTrialCount": "4"}, {"spec.limits.memory": "much"}, {"spec.objective": {}}):
        with pytest.raises(ValidationError):
            TuningSweep.from_stored(edited(BASE, {**ADDED, **wrong}))


def test_what_a_later_operator_wants_is_taken_in_as_far_as_it_is_known() -> None:
    wanted = later(disk="1Gi")
    content = json.dumps(wanted.dump())
    assert DesiredState.read(content) == desired_state(SWEEP)
    assert sorted(unknown_fields(DesiredState, content)) == ["limits.disk", "limits.patience"]


def test_the_digest_of_a_message_is_its_senders_whatever_the_reader_knows() -> None:
    for wanted in (desired_state(SWEEP), later(), later(disk="1Gi")):
        assert told_digest(json.dumps(wanted.dump())) == wanted.digest()
        assert told_digest(wanted.model_dump_json(by_alias=True)) == wanted.digest()
    assert later(disk="1Gi").digest() != later().digest()


def test_a_later_drivers_state_is_read() -> None:
    state = SweepState(sweep_uid="u", driver_id="d", start_time="", desired_digest="", trials=TrialCounts(total=7))
    said = json.dumps(edited(state.dump(), {"addedLater": [1], "trials.addedLater": 2}))
    assert SweepState.read(said) == state
    with pytest.raises(ValidationError):
        SweepState.read(json.dumps(edited(state.dump(), {"trials.total": "many"})))
