"""The rows a figure is drawn from: averages of its quantities for its workloads, compact. Pure."""

from typing import Any

import pandas as pd

from tuningsweep_trainer.report.figures.figure import Row, compact
from tuningsweep_trainer.reproduce.averages import by_configuration, by_step, label
from tuningsweep_trainer.reproduce.reading import Tidy
from tuningsweep_trainer.reproduce.registry import PlannedFigure


def rows_of(planned: PlannedFigure, tidy: Tidy) -> list[Row]:
    """workload (its label), series (the quantity), batch_size, learning_rate, mean, low, high, runs; over steps also step."""
    source = tidy.samples if planned.within_runs else tidy.trials
    chosen = source[planned.group.holds(source)]
    average = by_step if planned.within_runs else by_configuration
    found = [average(chosen, quantity).assign(series=quantity.title) for quantity in planned.quantities]
    return [_row(record) for record in pd.concat(found).to_dict("records")]


def _row(record: dict[Any, Any]) -> Row:
    values: Row = {key: compact(record[key], 4) for key in ("mean", "low", "high")}
    kept = {key: record[key] for key in ("series", "batch_size", "learning_rate", "step", "runs") if key in record}
    return {"workload": label(str(record["workload"]), stand_in=bool(record["stand_in"])), **kept, **values}
