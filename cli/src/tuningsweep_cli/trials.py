"""`tuningsweep trials` and `best`: choose, order and write the trials of a source."""

from collections.abc import Sequence
from dataclasses import dataclass

import typer
from rich.table import Table

from tuningsweep_api.optimal import pareto_front
from tuningsweep_api.outcomes import Outcome, Reason
from tuningsweep_api.spec.search_space import Parameter, text_of
from tuningsweep_api.trials import OptimalTrial, RunningTrial, TrialRecord
from tuningsweep_cli import text
from tuningsweep_cli.consoles import console
from tuningsweep_cli.exits import CommandError, Exit
from tuningsweep_cli.filters import Term, check_names, ordered, parse
from tuningsweep_cli.options import BestFormat, TrialsFormat
from tuningsweep_cli.output import as_arguments, as_csv, as_json, as_yaml
from tuningsweep_cli.source.base import Source
from tuningsweep_cli.tables import new_table, trials_table

WIDE_WIDTH = 500
"""Columns of the wide table where there is no terminal."""


@dataclass(frozen=True, slots=True)
class Choice:
    """Which trials, in which order."""

    outcomes: frozenset[Outcome]
    reasons: frozenset[Reason]
    terms: tuple[Term, ...]
    sort: str | None

    @classmethod
    def of(cls, outcomes: list[Outcome], reasons: list[Reason], where: list[str], sort: str | None) -> "Choice":
        """From the options; CommandError for a --where that can't be read."""
        terms = tuple(term for text in where for term in parse(text))
        return cls(frozenset(outcomes), frozenset(reasons), terms, sort)

    @property
    def everything(self) -> bool:
        """Whether nothing is left out."""
        return not (self.outcomes or self.reasons or self.terms)

    def apply(self, records: Sequence[TrialRecord]) -> list[TrialRecord]:
        """The chosen records in order; CommandError for a name that no trial has."""
        check_names((term.name for term in self.terms), records)
        chosen = [record for record in records if self._wants(record)]
        return chosen if self.sort is None else ordered(chosen, self.sort)

    def _wants(self, record: TrialRecord) -> bool:
        return (
            (not self.outcomes or record.outcome in self.outcomes)
            and (not self.reasons or record.reason in self.reasons)
            and all(term.holds(record) for term in self.terms)
        )


def show(source: Source, choice: Choice, output: TrialsFormat) -> None:
    """Print the chosen trials."""
    records = choice.apply(source.records())
    if output in (TrialsFormat.TABLE, TrialsFormat.WIDE):
        running: Sequence[RunningTrial] = source.progress().running if choice.everything else ()
        wide = output is TrialsFormat.WIDE
        screen = console(WIDE_WIDTH) if wide else console()
        screen.print(trials_table(source.sweep, running, records, wide=wide) if records or running else "no trials")
        return
    content = [record.dump() for record in records]
    written = {TrialsFormat.CSV: lambda: as_csv(records), TrialsFormat.JSON: lambda: as_json(content)}
    typer.echo(written.get(output, lambda: as_yaml(content))(), nl=False)


def show_best(source: Source, output: BestFormat) -> None:
    """Print the best trial, and with several objectives the whole Pareto front, that trial first."""
    objective = source.sweep.spec.objective
    front = pareto_front(objective, source.records())
    if not front:
        raise CommandError(
            f"no trial of {source.sweep.metadata.name} has kept the limits and reported the objective yet",
            Exit.NOT_FOUND,
        )
    best = front[0]
    if output is BestFormat.ARGS:
        typer.echo(as_arguments(best.parameters), nl=False)
    elif output is BestFormat.POINTS:
        typer.echo(as_yaml({"pointsToEvaluate": _points(source.sweep.spec.parameters, front)}), nl=False)
    elif output is BestFormat.TABLE:
        console().print(_best_table(front, objective.objective_metric_name))
    else:
        more = {"paretoFront": [trial.dump() for trial in front]} if objective.additional_objectives else {}
        content = best.dump() | more
        typer.echo(as_json(content) if output is BestFormat.JSON else as_yaml(content), nl=False)


def _points(parameters: Sequence[Parameter], front: Sequence[OptimalTrial]) -> list[dict[str, str]]:
    """Configurations as `search.pointsToEvaluate` of another sweep takes them."""
    return [{each.name: text_of(each, trial.parameters[each.name]) for each in parameters} for trial in front]


def _best_table(front: Sequence[OptimalTrial], metric: str) -> Table:
    best = front[0]
    table = new_table("trial", metric, *best.metrics, *best.parameters)
    for trial in front:
        measured = [text.metric(name, trial.metrics[name]) if name in trial.metrics else "" for name in best.metrics]
        chosen = [text.number(trial.parameters.get(name)) for name in best.parameters]
        table.add_row(trial.trial, text.metric(metric, trial.objective), *measured, *chosen)
    return table
