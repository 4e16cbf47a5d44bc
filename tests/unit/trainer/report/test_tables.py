"""Tables: a row for each trial and each stop, in the right order, with observed and limit in the limit's unit."""

from datetime import timedelta

from support.example_results import example_sweep
from support.results import MIB, START, record, skipped
from tuningsweep_api.outcomes import Outcome, Reason
from tuningsweep_trainer.report.gather import Results
from tuningsweep_trainer.report.rows import trial_rows
from tuningsweep_trainer.report.savings import Saving
from tuningsweep_trainer.report.tables import Table, parameter_names, stops_table, trials_table

SWEEP = example_sweep()
MEMORY = {"outcome": Outcome.LIMIT_EXCEEDED, "reason": Reason.MEMORY_LIMIT_EXCEEDED}
STEP = {"outcome": Outcome.LIMIT_EXCEEDED, "reason": Reason.MEAN_STEP_TIME_LIMIT_EXCEEDED}


def rows(*records):
    return trial_rows(Results("here", SWEEP, START + timedelta(hours=1), records=list(records)))


def cells(table: Table, title: str) -> list:
    index = [column.title for column in table.columns].index(title)
    return [row[index] for row in table.rows]


def test_stops_are_those_over_a_limit_first_the_newest_first_and_never_a_success() -> None:
    table = stops_table(
        rows(
            record(0),
            record(1, **MEMORY),
            record(2, outcome=Outcome.PRUNED, reason=Reason.PRUNED_BY_SCHEDULER),
            record(3, outcome=Outcome.FAILED, reason=Reason.TRAINABLE_ERROR, message="boom"),
            record(4, **STEP),
        ),
        SWEEP,
        {},
    )
    assert cells(table, "trial") == ["trial-0004", "trial-0001", "trial-0003", "trial-0002"]
    assert cells(table, "message")[2] == "boom"


def test_observed_and_limit_have_the_unit_of_their_reason() -> None:
    table = stops_table(
        rows(
            record(0, **MEMORY, observed=410.0 * MIB, limit=400.0 * MIB), record(1, **STEP, observed=0.061, limit=0.05)
        ),
        SWEEP,
        {},
    )
    assert cells(table, "observed") == [[0.061, "61 ms"], [410.0 * MIB, "410.0 MiB"]]
    assert cells(table, "limit") == [[0.05, "50 ms"], [400.0 * MIB, "400.0 MiB"]]


def test_a_skipped_trial_shows_its_forecast() -> None:
    table = stops_table(rows(skipped(0)), SWEEP, {})
    assert cells(table, "observed") == [[400.0 * MIB, "forecast 350.0 MiB to 450.0 MiB"]]
    assert cells(table, "limit") == [[250.0 * MIB, "250.0 MiB"]]


def test_what_a_stop_saved_is_an_interval_or_one_value() -> None:
    table = stops_table(
        rows(record(0, **STEP), record(1, **STEP)), SWEEP, {"trial-0000": Saving(2, 2), "trial-0001": Saving(2, 4)}
    )
    assert cells(table, "CPU time saved (estimate)") == [[2, "2.00 s to 4.00 s"], [2, "2.00 s"]]


def test_every_trial_has_a_row_with_all_parameters() -> None:
    table = trials_table(rows(record(0, parameters={"width": 3, "extra": "x"}), record(1)), SWEEP)
    assert cells(table, "trial") == ["trial-0000", "trial-0001"]
    assert cells(table, "extra") == ["x", None]
    assert all(len(row) == len(table.columns) for row in table.rows)


def test_parameters_are_in_the_order_of_the_spec_with_others_behind() -> None:
    found = rows(record(0, parameters={"extra": 1, "width": 2}))
    assert parameter_names(found, SWEEP) == ["batch_size", "width", "learning_rate", "optimizer", "extra"]
