"""The dashboard Sweep: one sweep, its trials against their limits, what was stopped and what that saved."""

from grafana_foundation_sdk.builders import statetimeline
from grafana_foundation_sdk.builders.dashboard import Dashboard, Row

from dashboards import queries
from dashboards.panels import (
    BLUE,
    GREEN,
    GREY,
    ORANGE,
    OUTCOMES,
    PURPLE,
    bars,
    board,
    graph,
    limited,
    number,
    over_time,
    scatter,
    stacked,
    timeline,
    variable,
)

CHOSEN = 'namespace="$namespace", sweep="$sweep"'


def dashboard() -> Dashboard:
    """The dashboard."""
    made = (
        board(
            "TuningSweep / Sweep",
            "tuningsweep-sweep",
            "One sweep: its trials, their limits, what was stopped and saved.",
        )
        .with_variable(variable("namespace", "Namespace", "label_values(tuningsweep_trials, namespace)"))
        .with_variable(variable("sweep", "Sweep", 'label_values(tuningsweep_trials{namespace="$namespace"}, sweep)'))
    )
    _overview(made)
    _limits(made.with_row(Row("Trials against their limits")))
    _endings(made.with_row(Row("How trials ended")))
    _objective(made.with_row(Row("Objective")))
    return made.with_row(Row("Timeline")).with_panel(_timeline())


def _of_trials(measure: str) -> str:
    return f"max by (trial) (tuningsweep_trial_{measure}{{{CHOSEN}}})"


def _of_limit(measure: str) -> str:
    return f"max(tuningsweep_trial_{measure}{{{CHOSEN}}})"


def _overview(made: Dashboard) -> None:
    made.with_panel(number("Running", "Trials that run now.", f"max(tuningsweep_trials_running{{{CHOSEN}}})"))
    made.with_panel(
        number(
            "Pending",
            "Trials that wait for their start or for their scheduler.",
            f"max(tuningsweep_trials_pending{{{CHOSEN}}})",
        )
    )
    made.with_panel(number("Ended", "Trials that have ended, whatever their outcome.", queries.trials(CHOSEN, ".*")))
    made.with_panel(
        number(
            "Best objective",
            "Objective of the best trial so far that kept its limits.",
            f"max(tuningsweep_best_objective{{{CHOSEN}}})",
        )
    )
    made.with_panel(
        number("CPU", "CPU cores that the running trials use.", f"sum({_of_trials('cpu_ratio')})", "suffix: cores")
    )
    made.with_panel(number("CPU time saved", queries.SAVED_HELP, queries.cpu_saved(CHOSEN), "s"))


def _limits(made: Dashboard) -> None:
    made.with_panel(
        limited(
            "Memory",
            "Memory (RSS - SHR) of each running trial; dashed: limits.memory. A trial over it is ended.",
            "bytes",
            over_time(_of_trials("memory_bytes"), "{{trial}}"),
            over_time(_of_limit("memory_limit_bytes"), "limit", "limit"),
        )
    )
    made.with_panel(
        limited(
            "Mean step time",
            "Mean wall time of a step over the window of the limits; dashed: limits.meanStepTime.",
            "s",
            over_time(_of_trials("mean_step_time_seconds"), "{{trial}}"),
            over_time(_of_limit("mean_step_time_limit_seconds"), "limit", "limit"),
        )
    )
    longest = f"max by (trial) (tuningsweep_trial_longest_step_time_seconds{{{CHOSEN}}})"
    in_flight = f"max by (trial) (tuningsweep_trial_step_in_flight_seconds{{{CHOSEN}}})"
    made.with_panel(
        limited(
            "Longest step",
            "Longest step of each running trial, the one in flight included; dashed: limits.stepTime.",
            "s",
            over_time(f"{longest} > {in_flight} or {in_flight}", "{{trial}}"),
            over_time(_of_limit("step_time_limit_seconds"), "limit", "limit"),
        )
    )
    made.with_panel(
        limited(
            "Duration",
            "Wall time of each running trial so far; dashed: limits.trialDuration.",
            "s",
            over_time(_of_trials("duration_seconds"), "{{trial}}"),
            over_time(_of_limit("duration_limit_seconds"), "limit", "limit"),
        )
    )
    made.with_panel(
        graph(
            "Step time of all trials",
            "Quantiles of the wall time of steps. Steps under 0.1 s count by their mean over up to 0.1 s.",
            "s",
            *(over_time(_quantile(q), f"p{q * 100:g}", f"p{q * 100:g}") for q in (0.5, 0.9, 0.99)),
            colours={"p50": GREEN, "p90": ORANGE, "p99": PURPLE},
        )
    )
    made.with_panel(
        graph(
            "CPU of each trial",
            "CPU cores that each running trial uses.",
            "suffix: cores",
            over_time(_of_trials("cpu_ratio"), "{{trial}}"),
        )
    )


def _quantile(quantile: float) -> str:
    buckets = f"rate(tuningsweep_step_duration_seconds_bucket{{{CHOSEN}}}[$__rate_interval])"
    return f"histogram_quantile({quantile}, sum by (le) ({buckets}))"


def _endings(made: Dashboard) -> None:
    made.with_panel(
        bars(
            "Ended by reason",
            "Ended trials by outcome and reason.",
            "short",
            over_time(
                f"max by (outcome, reason) (tuningsweep_trials_by_reason{{{CHOSEN}}})",
                "{{outcome}}: {{reason}}",
            ),
        )
    )
    ended = f"max by (outcome) (tuningsweep_trials{{{CHOSEN}}})"
    made.with_panel(
        stacked(
            graph(
                "Ended by outcome",
                "Ended trials by outcome, as the sweep went on.",
                "short",
                over_time(ended, "{{outcome}}"),
                colours=OUTCOMES,
            )
        )
    )
    made.with_panel(
        graph(
            "Running and pending",
            "Trials that run, and that wait for their start or for their scheduler.",
            "short",
            over_time(f"max(tuningsweep_trials_running{{{CHOSEN}}})", "running", "A"),
            over_time(f"max(tuningsweep_trials_pending{{{CHOSEN}}})", "pending", "B"),
            colours={"running": BLUE, "pending": GREY},
        )
    )
    spent = f"sum(max by (outcome) (tuningsweep_trial_cpu_seconds_total{{{CHOSEN}}}))"
    made.with_panel(
        graph(
            "CPU time spent and saved",
            queries.SAVED_HELP,
            "s",
            over_time(spent, "spent", "A"),
            over_time(f"sum({queries.cpu_saved(CHOSEN)})", "saved", "B"),
            colours={"spent": GREY, "saved": GREEN},
        )
    )


def _objective(made: Dashboard) -> None:
    made.with_panel(
        graph(
            "Objective over time",
            "Last reported objective of each running trial, and that of the best trial so far that kept its limits.",
            "short",
            over_time(_of_trials("objective"), "{{trial}}", "A"),
            over_time(f"max(tuningsweep_best_objective{{{CHOSEN}}})", "best", "B"),
            colours={"best": ORANGE},
        )
    )
    made.with_panel(
        scatter(
            "Objective against memory",
            "A point for each trial that ran in the time range: its highest memory, its last objective.",
            "trial",
            (
                "Highest memory",
                f"max by (trial) (max_over_time(tuningsweep_trial_memory_bytes{{{CHOSEN}}}[$__range]))",
                "bytes",
            ),
            ("Objective", f"max by (trial) (last_over_time(tuningsweep_trial_objective{{{CHOSEN}}}[$__range]))"),
        )
    )


def _timeline() -> statetimeline.Panel:
    near = f"(1 + ({queries.nearness(CHOSEN)} > bool 0.9))"
    unlimited = f"0 * max by (namespace, sweep, trial) (tuningsweep_trial_memory_bytes{{{CHOSEN}}}) + 1"
    return timeline(
        "Trials",
        "When each trial ran, and when it used more than 90 % of limits.memory or limits.meanStepTime.",
        over_time(f"{near} or {unlimited}", "{{trial}}"),
        {1: ("running", BLUE), 2: ("near a limit", ORANGE)},
    )
