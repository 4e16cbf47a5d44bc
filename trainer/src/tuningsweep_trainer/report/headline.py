"""What the top of the report says: how the sweep ended, its numbers, and the facts of the run. Pure."""

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Final

from tuningsweep_api.optimal import objectives_of, pareto_front
from tuningsweep_api.outcomes import LIMIT_REASONS
from tuningsweep_api.pareto import spread
from tuningsweep_api.spec.limits import LimitAction, Limits
from tuningsweep_api.spec.sweep import TuningSweep
from tuningsweep_trainer.report import words
from tuningsweep_trainer.report.efficiency import inefficiencies
from tuningsweep_trainer.report.figures.theme import OUTCOMES
from tuningsweep_trainer.report.gather import Results
from tuningsweep_trainer.report.rows import TrialRow, best_row, milliseconds
from tuningsweep_trainer.report.savings import METHOD, Savings

FRONT_NAMED: Final = 8
"""Trials of the Pareto front named among the facts; the table has them all."""


@dataclass(frozen=True, slots=True)
class Status:
    """How the sweep stands."""

    word: str
    kind: str
    """good, bad or open, for its colour."""
    message: str


@dataclass(frozen=True, slots=True)
class Card:
    """One number and what it is."""

    title: str
    value: str
    detail: str = ""


def status(results: Results) -> Status:
    """Complete, Failed or not ended, with the reason."""
    ended = results.state.result if results.state is not None else None
    if ended is not None:
        word, kind = ("Complete", "good") if ended.succeeded else ("Failed", "bad")
        return Status(word, kind, f"{ended.reason}: {ended.message}")
    running = sum(1 for trial in results.unfinished.values() if trial.attempts)
    waiting = len(results.unfinished) - running
    if results.unfinished:
        return Status(
            "Not ended", "open", f"{words.counted(running, 'trial')} started and not ended, {waiting} waiting"
        )
    return Status("Not ended", "open", "how the sweep ended is not on record; every trial that is on record has ended")


def cards(results: Results, rows: Sequence[TrialRow], savings: Savings) -> list[Card]:
    """The numbers that matter most."""
    objective = results.sweep.spec.objective
    best = best_row(rows, objective)
    ended = len(results.records)
    over = Counter(record.reason for record in results.records if record.reason in LIMIT_REASONS)
    return [
        Card("trials ended", f"{ended:,}", f"of at most {results.max_trial_count:,}"),
        Card(
            f"best {objective.objective_metric_name}",
            "none" if best is None or best.objective is None else words.number(best.objective),
            "no trial within the limits has reported it" if best is None else best.trial,
        ),
        Card(
            "stopped at a limit",
            f"{sum(over.values()):,}",
            ", ".join(f"{count} {_short(reason)}" for reason, count in over.most_common()),
        ),
        Card("CPU time used", words.span(savings.used), "by all trials that ended"),
        Card("CPU time saved", *saved_words(savings)),
    ]


def saved_words(savings: Savings) -> tuple[str, str]:
    """The estimate with its interval, or 'at least', and what is left out of it."""
    if not savings.by_trial and not savings.uncounted:
        return "none", "no trial was stopped early or skipped"
    if not savings.by_trial:
        stopped = words.counted(savings.uncounted, "trial")
        return (
            "not known",
            f"{stopped} stopped or skipped, of unknown step time or with no trial that finished to compare with",
        )
    low, high = words.span(savings.low), words.span(savings.high)
    value = low if low == high else f"{low} to {high}"
    if savings.uncounted:
        left_out = f"estimate; {words.counted(savings.uncounted, 'more trial')} of unknown step time not counted"
        return f"at least {low}", left_out
    return f"about {value}", "estimate, see below"


def savings_sentence(savings: Savings) -> str:
    """Method and assumption."""
    return METHOD if savings.by_trial else ""


def outcome_counts(rows: Sequence[TrialRow]) -> list[tuple[str, int]]:
    """Trials by outcome, in the order of the palette."""
    counts = Counter(row.outcome for row in rows)
    return [(str(outcome), counts[outcome]) for outcome in OUTCOMES if counts[outcome]]


@dataclass(frozen=True, slots=True)
class Share:
    """A part of the bar of CPU time: that of an outcome's trials, or what was saved."""

    label: str
    kind: str
    """An outcome, or saved."""
    seconds: float
    text: str


def cpu_shares(results: Results, savings: Savings) -> list[Share]:
    """CPU time by outcome, and beside it the least that stopped trials would still have needed."""
    used: dict[str, float] = {}
    for record in results.records:
        used[record.outcome] = used.get(record.outcome, 0.0) + record.cpu_seconds
    shares = [Share(o, o, used[o], words.span(used[o])) for o in map(str, OUTCOMES) if used.get(o)]
    if savings.low > 0:
        shares.append(Share("saved, at least", "saved", savings.low, words.span(savings.low)))
    return shares


def _at_a_time(count: int | str) -> str:
    return words.counted(count, "trial") if isinstance(count, int) else "as many trials as fit into memory"


def _front(results: Results) -> str:
    """How many trials no other beats in every objective, and the values of some of them, the best first objective first."""
    objective = results.sweep.spec.objective
    front = pareto_front(objective, results.records)
    named = [
        f"{trial.trial} ({', '.join(words.metric(*item) for item in objectives_of(objective, trial).items())})"
        for trial in spread(front, FRONT_NAMED)
    ]
    return f"{words.counted(len(front), 'trial')}: {', '.join(named)}" if front else "no trial within the limits"


def facts(results: Results, version: str) -> list[tuple[str, str]]:
    """What ran, under what limits, where and when."""
    sweep = results.sweep
    spec = sweep.spec
    goal = "" if spec.objective.goal is None else f", goal {spec.objective.goal}"
    found = [
        (
            "Objective",
            ", ".join(f"{each.type} {each.objective_metric_name}" for each in spec.objective.objectives) + goal,
        ),
        ("Limits", limits_words(results.limits)),
        ("Trainable", _trainable(sweep)),
        ("Search", f"{spec.search.algorithm_name}, scheduler {spec.scheduler.type}"),
        ("At a time", _at_a_time(results.parallel_trial_count)),
        ("Time", _time(results)),
    ]
    if spec.objective.additional_objectives:
        found.append(("Pareto front", _front(results)))
    if results.warnings:
        warned = len({warning.trial for warning in results.warnings})
        found.append(("Limit warnings", f"{len(results.warnings)} of {words.counted(warned, 'trial')}"))
    found += [("Not worth its time", case.sentence()) for case in inefficiencies(spec, results.records)]
    identity = f"{sweep.metadata.namespace}/{sweep.metadata.name}, uid {sweep.metadata.uid}"
    return [
        *found,
        ("Sweep", identity),
        ("Results", results.source),
        ("Versions", f"{sweep.api_version}, report by TuningSweep {version}"),
    ]


def limits_words(limits: Limits) -> str:
    """The limits as the spec writes them."""
    each = [
        ("memory", limits.memory),
        ("GPU memory", limits.gpu_memory),
        ("mean step time", limits.mean_step_time),
        ("step time", limits.step_time),
        ("trial duration", limits.trial_duration),
    ]
    text = ", ".join(f"{name} {value}" for name, value in each if value is not None) or "none"
    return f"{text} (only warned of)" if limits.action is LimitAction.WARN else text


def _short(reason: str) -> str:
    return {
        "MemoryLimitExceeded": "memory",
        "GPUMemoryLimitExceeded": "GPU memory",
        "MeanStepTimeLimitExceeded": "mean step time",
        "StepTimeLimitExceeded": "step time",
        "TrialDurationExceeded": "duration",
    }[reason]


def _trainable(sweep: TuningSweep) -> str:
    trainable = sweep.spec.trainable
    if trainable.builtin is not None:
        return f"built-in {trainable.builtin.model}, {trainable.builtin.task}"
    return trainable.function or " ".join(trainable.command or ())


def _time(results: Results) -> str:
    starts = [milliseconds(record.start_time) for record in results.records]
    known = [start for start in starts if start is not None]
    ends = [milliseconds(record.completion_time) for record in results.records]
    driver = None if results.state is None else milliseconds(results.state.start_time)
    begun = min((*known, *(() if driver is None else (driver,))), default=None)  # the driver may not be the first
    if begun is None:
        return "not started"
    if results.state is not None and results.state.result is not None:
        end = max((end for end in ends if end is not None), default=begun)
        return f"{_clock(begun)} to {_clock(end)} UTC, {words.span((end - begun) / 1000)}"
    age = (results.now.timestamp() * 1000 - begun) / 1000
    return f"from {_clock(begun)} UTC on; read {words.span(age)} later"


def _clock(moment: int) -> str:
    return datetime.fromtimestamp(moment / 1000, UTC).strftime("%Y-%m-%d %H:%M:%S")
