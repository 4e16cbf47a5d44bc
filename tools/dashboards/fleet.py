"""The dashboard Fleet: all sweeps of the cluster, which are stalled, which trials are near or over limits."""

from grafana_foundation_sdk.builders.dashboard import Dashboard, Row

from dashboards import queries
from dashboards.panels import (
    BLUE,
    GREEN,
    GREY,
    ORANGE,
    OUTCOMES,
    VERMILION,
    YELLOW,
    bars,
    board,
    graph,
    listing,
    number,
    over_time,
    rows,
    stacked,
    variable,
)

CHOSEN = 'namespace=~"$namespace"'
PHASES = {
    "Pending": GREY,
    "Queued": YELLOW,
    "Running": BLUE,
    "Suspended": ORANGE,
    "Complete": GREEN,
    "Failed": VERMILION,
}


def dashboard() -> Dashboard:
    """The dashboard."""
    made = board("TuningSweep / Fleet", "tuningsweep-fleet", "All sweeps of the cluster.").with_variable(
        variable("namespace", "Namespace", "label_values(tuningsweep_trials, namespace)", several=True)
    )
    _overview(made)
    _sweeps(made.with_row(Row("Sweeps")))
    _trials(made.with_row(Row("Trials and limits")))
    return made


def _overview(made: Dashboard) -> None:
    running = f"sum(max by (namespace, sweep) (tuningsweep_trials_running{{{CHOSEN}}}))"
    pending = f"sum(max by (namespace, sweep) (tuningsweep_trials_pending{{{CHOSEN}}}))"
    cpu = f"sum(max by (namespace, sweep, trial) (tuningsweep_trial_cpu_ratio{{{CHOSEN}}}))"
    stalled = "count(tuningsweep_operator_sweep_stalled) or vector(0)"
    near = f"count({queries.nearness(CHOSEN)} > 0.9) or vector(0)"
    made.with_panel(number("Running trials", "Trials that run, over all sweeps.", running))
    made.with_panel(number("Pending trials", "Trials that wait for their start or for their scheduler.", pending))
    made.with_panel(number("CPU", "CPU cores that the running trials use.", cpu, "suffix: cores"))
    made.with_panel(number("Stalled sweeps", "Sweeps that something keeps from going on; listed below.", stalled))
    made.with_panel(number("Trials near a limit", "Running trials above 90 % of limits.memory or meanStepTime.", near))
    saved = f"sum({queries.cpu_saved(CHOSEN)})"
    made.with_panel(number("CPU time saved", queries.SAVED_HELP, saved, "s"))


def _sweeps(made: Dashboard) -> None:
    made.with_panel(
        stacked(
            graph(
                "Sweeps by phase",
                "All sweeps the operator knows, whatever namespace is chosen above.",
                "short",
                over_time("sum by (phase) (max by (namespace, phase) (tuningsweep_operator_sweeps))", "{{phase}}"),
                colours=PHASES,
            )
        )
    )
    made.with_panel(
        listing(
            "Stalled sweeps",
            "Sweeps whose condition Stalled is true, with its reason; see docs/troubleshooting.md for what to do.",
            "short",
            rows("max by (namespace, sweep, reason) (tuningsweep_operator_sweep_stalled)"),
            {"namespace": "Namespace", "sweep": "Sweep", "reason": "Reason"},
        )
    )
    made.with_panel(
        stacked(
            graph(
                "Running trials by sweep",
                "Trials that run.",
                "short",
                over_time(
                    f"max by (namespace, sweep) (tuningsweep_trials_running{{{CHOSEN}}})", "{{namespace}}/{{sweep}}"
                ),
            )
        )
    )
    made.with_panel(
        stacked(
            graph(
                "CPU by sweep",
                "CPU cores that the running trials of each sweep use.",
                "suffix: cores",
                over_time(
                    "sum by (namespace, sweep) (max by (namespace, sweep, trial)"
                    f" (tuningsweep_trial_cpu_ratio{{{CHOSEN}}}))",
                    "{{namespace}}/{{sweep}}",
                ),
            )
        )
    )


def _trials(made: Dashboard) -> None:
    made.with_panel(
        bars(
            "Trials over a limit",
            "Trials that were ended for going over a limit, by sweep; the twenty sweeps with most of them.",
            "short",
            over_time(f"topk(20, {queries.trials(CHOSEN, 'LimitExceeded')})", "{{namespace}}/{{sweep}}"),
        )
    )
    made.with_panel(
        listing(
            "Trials nearest to a limit",
            "Running trials by how near they are to limits.memory or limits.meanStepTime, whichever is nearer.",
            "percentunit",
            rows(f"topk(20, {queries.nearness(CHOSEN)})"),
            {"namespace": "Namespace", "sweep": "Sweep", "trial": "Trial", "Value": "Share of the limit"},
        )
    )
    made.with_panel(
        stacked(
            graph(
                "Ended trials by outcome",
                "Ended trials of the sweeps that are still served.",
                "short",
                over_time(
                    f"sum by (outcome) (max by (namespace, sweep, outcome) (tuningsweep_trials{{{CHOSEN}}}))",
                    "{{outcome}}",
                ),
                colours=OUTCOMES,
            )
        )
    )
    made.with_panel(
        bars(
            "CPU time saved by sweep",
            queries.SAVED_HELP,
            "s",
            over_time(f"topk(20, {queries.cpu_saved(CHOSEN)})", "{{namespace}}/{{sweep}}"),
        )
    )
