"""What the preflight says of a trainable that takes long to load."""

import pytest

from tuningsweep_api.spec.trainable import Trainable
from tuningsweep_trainer.driver.preflight import SLOW_LOAD_SECONDS, advice_on_loading

FUNCTION = Trainable(function="team.digits:train")
COMMAND = Trainable(command=["./train"])


def test_a_function_that_loads_slowly_is_named_with_the_field_that_helps() -> None:
    advice = advice_on_loading(FUNCTION, 4.23)
    assert advice is not None
    assert "trainable.function 'team.digits:train' takes 4.2 s, in every trial" in advice
    assert "trainable.preload: [team.digits]" in advice


@pytest.mark.parametrize(("trainable", "seconds"), [(FUNCTION, SLOW_LOAD_SECONDS / 2), (COMMAND, 60.0)])
def test_what_loads_fast_or_is_no_function_is_not_spoken_of(trainable: Trainable, seconds: float) -> None:
    assert advice_on_loading(trainable, seconds) is None
