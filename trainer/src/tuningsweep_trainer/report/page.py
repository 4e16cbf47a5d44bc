"""Puts the report's page together: what a sweep's results say in words, numbers, figures and tables."""

from dataclasses import dataclass
from typing import Any

from tuningsweep_trainer.report import headline, standalone, words
from tuningsweep_trainer.report.figures.figure import Figure
from tuningsweep_trainer.report.gather import Results
from tuningsweep_trainer.report.rows import TrialRow, best_row
from tuningsweep_trainer.report.savings import Savings
from tuningsweep_trainer.report.tables import parameter_names, stops_table, trials_table


@dataclass(frozen=True)
class Content:
    """All that the page shows."""

    results: Results
    rows: list[TrialRow]
    savings: Savings
    figures: list[Figure]
    facts: list[tuple[str, str]]
    version: str


def render(content: Content) -> str:
    """The page."""
    results = content.results
    trials = trials_table(content.rows, results.sweep)
    stops = stops_table(content.rows, results.sweep, content.savings.by_trial)
    return standalone.render(
        standalone.REPORT,
        content.figures,
        {"trials": trials, "stops": stops},
        name=results.sweep.metadata.name,
        status=headline.status(results),
        notes=results.notes,
        cards=headline.cards(results, content.rows, content.savings),
        counts=headline.outcome_counts(content.rows),
        shares=headline.cpu_shares(results, content.savings),
        facts=content.facts,
        best=_best(content),
        method=headline.savings_sentence(content.savings),
        stops=bool(stops.rows),
        any_trial=bool(trials.rows),
        written=results.now.strftime("%Y-%m-%d %H:%M:%S"),
        version=content.version,
    )


def _best(content: Content) -> dict[str, Any] | None:
    sweep = content.results.sweep
    best = best_row(content.rows, sweep.spec.objective)
    if best is None or best.objective is None:
        return None
    parts = [f"{sweep.spec.objective.objective_metric_name} {words.number(best.objective)}"]
    if best.memory is not None:
        parts.append(f"highest memory {words.memory(best.memory)}")
    if best.step is not None:
        parts.append(f"mean step time {words.seconds(best.step)}")
    names = [name for name in parameter_names([best], sweep) if name in best.parameters]
    return {
        "trial": best.trial,
        "words": ", ".join(parts),
        "parameters": [(name, words.parameter(best.parameters[name])) for name in names],
    }
