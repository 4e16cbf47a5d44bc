"""Expressions that more than one dashboard uses. `chosen` are the label matchers of a dashboard's variables."""

BY_SWEEP = "by (namespace, sweep)"


def trials(chosen: str, outcome: str, by: str = BY_SWEEP) -> str:
    """Ended trials of an outcome (a regular expression)."""
    return f'sum {by} (max by (namespace, sweep, outcome) (tuningsweep_trials{{{chosen}, outcome=~"{outcome}"}}))'


def cpu_seconds(chosen: str, outcome: str) -> str:
    """CPU time of the trials of an outcome (a regular expression)."""
    family = f'tuningsweep_trial_cpu_seconds_total{{{chosen}, outcome=~"{outcome}"}}'
    return f"sum {BY_SWEEP} (max by (namespace, sweep, outcome) ({family}))"


def cpu_saved(chosen: str) -> str:
    """CPU time that trials ended early did not use; see SAVED_HELP."""
    early = "LimitExceeded|Pruned|Skipped"
    mean = f"{cpu_seconds(chosen, 'Succeeded')} / ({trials(chosen, 'Succeeded')} > 0)"
    return f"clamp_min({trials(chosen, early)} * ({mean}) - {cpu_seconds(chosen, early)}, 0)"


SAVED_HELP = (
    "An estimate: trials that were pruned, skipped or ended over a limit, times the mean CPU time of those that succeeded,"
    " less what they did use. None before the first trial succeeds."
)


def share(chosen: str, measure: str, limit: str) -> str:
    """A trial's measure as a share of its limit."""
    return (
        f"max by (namespace, sweep, trial) (tuningsweep_trial_{measure}{{{chosen}}}"
        f" / tuningsweep_trial_{limit}{{{chosen}}})"
    )


def nearness(chosen: str) -> str:
    """How near each running trial is to the limit it is nearest to, as a share of it."""
    memory = share(chosen, "memory_bytes", "memory_limit_bytes")
    mean = share(chosen, "mean_step_time_seconds", "mean_step_time_limit_seconds")
    # The label keeps `or` from dropping one where a trial has both.
    both = f"label_replace({memory}, 'of', 'memory', '', '') or label_replace({mean}, 'of', 'step', '', '')"
    return f"max by (namespace, sweep, trial) ({both})"
