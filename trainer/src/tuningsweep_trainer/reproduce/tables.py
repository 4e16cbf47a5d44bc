"""The tables behind the reproduction's page: effects, savings and all trials. Pure."""

from collections.abc import Sequence
from typing import Any

import pandas as pd

from tuningsweep_trainer.report.figures.figure import Column, compact
from tuningsweep_trainer.report.tables import Table
from tuningsweep_trainer.reproduce.averages import label
from tuningsweep_trainer.reproduce.effects import FactorEffect
from tuningsweep_trainer.reproduce.quantities import (
    ACCURACY,
    CPU,
    MEAN_STEP_TIME,
    MEMORY,
    RMSE,
    TRAINING_LOSS,
    TRAINING_TIME,
    VALIDATION_LOSS,
)
from tuningsweep_trainer.reproduce.savings import Outcome

_OF_TRIALS = (TRAINING_LOSS, VALIDATION_LOSS, ACCURACY, RMSE, MEAN_STEP_TIME, TRAINING_TIME, MEMORY, CPU)


def effects_table(effects: Sequence[FactorEffect]) -> Table:
    """What batch size and learning rate do to each system metric."""
    columns = [
        Column("workload", "workload"),
        Column("metric", "metric"),
        Column("factor", "factor"),
        Column("share", "partial eta squared", "number"),
        Column("low", "from", "number"),
        Column("high", "to", "number"),
        Column("ratio", "ratio between levels", "number"),
        Column("ratio_low", "from", "number"),
        Column("ratio_high", "to", "number"),
        Column("trials", "trials", "number"),
    ]
    return Table(columns, [_effect_cells(effect) for effect in effects])


def savings_table(outcomes: Sequence[Outcome]) -> Table:
    """What each arm saved and cost."""
    columns = [
        Column("workload", "workload"),
        Column("arm", "arm"),
        Column("saved", "CPU time saved (%)", "number"),
        Column("seconds", "CPU time saved", "seconds"),
        Column("worse", "best objective worse by (%)", "number"),
        Column("objective", "objective"),
        Column("stopped", "stopped", "number"),
        Column("pruned", "pruned", "number"),
        Column("skipped", "skipped", "number"),
        Column("falsely_skipped", "falsely skipped", "number"),
        Column("trials", "trials", "number"),
        Column("runs", "runs", "number"),
    ]
    return Table(columns, [_saving_cells(outcome) for outcome in outcomes])


def trials_table(trials: pd.DataFrame) -> Table:
    """Every trial of the runs without limits."""
    columns = [
        Column("trial", "trial"),
        Column("outcome", "outcome", "outcome"),
        Column("workload", "workload"),
        Column("run", "run", "number"),
        Column("batch_size", "batch size", "number"),
        Column("learning_rate", "learning rate", "parameter"),
        Column("steps", "steps", "number"),
        *(Column(quantity.column, quantity.axis, "number") for quantity in _OF_TRIALS),
    ]
    return Table(columns, [_trial_cells(row) for row in trials.to_dict("records")])


def _effect_cells(effect: FactorEffect) -> list[Any]:
    share, ratio = effect.effect, effect.ratio_interval
    return [
        label(effect.workload, stand_in=effect.stand_in),
        effect.quantity.title,
        effect.factor.replace("_", " "),
        *((compact(share.partial_eta_squared, 3), *map(_three, share.interval)) if share else (None,) * 3),
        compact(effect.ratio, 4),
        *(map(_three, ratio) if ratio else (None,) * 2),
        effect.trials,
    ]


def _three(value: float) -> float | None:
    return compact(value, 3)


def _saving_cells(outcome: Outcome) -> list[Any]:
    return [
        outcome.workload,
        outcome.arm,
        compact(outcome.saved_percent, 4),
        compact(outcome.saved_seconds, 4),
        compact(outcome.worse_percent, 4),
        outcome.objective,
        outcome.stopped,
        outcome.pruned,
        outcome.skipped,
        outcome.falsely_skipped,
        outcome.trials,
        outcome.runs,
    ]


def _trial_cells(row: dict[Any, Any]) -> list[Any]:
    return [
        f"{row['workload']}/{row['run']}/{row['trial']}",
        row["outcome"],
        label(row["workload"], stand_in=row["stand_in"]),
        row["run"],
        row["batch_size"],
        row["learning_rate"],
        row["steps"],
        *(
            None if pd.isna(row[quantity.column]) else compact(row[quantity.column] * quantity.factor)
            for quantity in _OF_TRIALS
        ),
    ]
