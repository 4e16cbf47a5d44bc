"""Texts of the spec as values: numbers come as numbers, and what merely looks like one stays the text it is."""

import pytest

from support.sweeps import sweep_manifest
from tuningsweep_api.spec.sweep import TuningSweep
from tuningsweep_trainer.driver.context import SweepContext
from tuningsweep_trainer.training.job import TrainingJob


def handed_over(text: str) -> object:
    """What a training process has as the argument that is written as `text`."""
    trainable = {"command": ["program"], "arguments": {"given": text}}
    sweep = TuningSweep.from_manifest(sweep_manifest(spec__trainable=trainable))
    job = SweepContext(run_id="r", sweep=sweep, results="/r").job("trial-0000", {})
    return TrainingJob.model_validate_json(job.model_dump_json(by_alias=True)).parameters["given"]


@pytest.mark.parametrize(
    ("text", "value"), [("12", 12), ("-1", -1), ("1e3", 1000), ("0.5", 0.5), (".5", 0.5), ("+2.0", 2), ("1e-5", 1e-5)]
)
def test_numbers_come_as_numbers(text: str, value: float) -> None:
    given = handed_over(text)
    assert (given, type(given)) == (value, type(value))


@pytest.mark.parametrize(
    "text",
    [
        "2024_06_01",
        "1_2",
        "3e4567",
        "1e3000000",
        "1e999",
        "9" * 400,
        "NaN",
        "Infinity",
        " 1",
        "0x10",
        "\u0663",
        "e5",
        "",
    ],
)
def test_what_only_looks_like_a_number_stays_text(text: str) -> None:
    assert handed_over(text) == text
