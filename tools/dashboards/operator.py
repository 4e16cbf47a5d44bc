"""The dashboard Operator: whether it reconciles, how fast, what fails, and what it costs."""

from grafana_foundation_sdk.builders.dashboard import Dashboard, Row
from grafana_foundation_sdk.builders.prometheus import Dataquery

from dashboards.panels import BLUE, GREEN, ORANGE, PURPLE, VERMILION, board, graph, number, over_time

PREFIX = "tuningsweep_operator_"
OF_OPERATOR = f"and on (job, instance) {PREFIX}queue_depth"
QUANTILES = {"p50": GREEN, "p90": ORANGE, "p99": PURPLE}


def dashboard() -> Dashboard:
    """The dashboard."""
    made = board("TuningSweep / Operator", "tuningsweep-operator", "The operator: reconciles, queue, watches, drivers.")
    _overview(made)
    _work(made.with_row(Row("Reconciles")))
    _surroundings(made.with_row(Row("API server and drivers")))
    return made


def _rate(counter: str) -> str:
    return f"sum(rate({PREFIX}{counter}[$__rate_interval]))"


def _quantiles(histogram: str) -> list[Dataquery]:
    rate = f"sum by (le) (rate({PREFIX}{histogram}_bucket[$__rate_interval]))"
    shares = (("p50", 0.5), ("p90", 0.9), ("p99", 0.99))
    return [over_time(f"histogram_quantile({quantile}, {rate})", name, name) for name, quantile in shares]


def _overview(made: Dashboard) -> None:
    made.with_panel(
        number("KubeRay", "1: available; 0: a sweep waits for it in vain.", f"min({PREFIX}kuberay_available)")
    )
    made.with_panel(
        number(
            "Last reconcile",
            "Seconds since a reconcile last succeeded. May be a minute when no sweep runs, more when there are none.",
            f"time() - max({PREFIX}last_reconcile_timestamp_seconds)",
            "s",
        )
    )
    made.with_panel(number("Sweeps", "Sweeps the operator knows.", f"sum(max by (namespace, phase) ({PREFIX}sweeps))"))
    made.with_panel(number("Queue", "Sweeps that wait for a worker.", f"max({PREFIX}queue_depth)"))
    made.with_panel(
        number(
            "Memory", "Resident memory of the operator.", f"max(process_resident_memory_bytes {OF_OPERATOR})", "bytes"
        )
    )
    cpu = f"max(rate(process_cpu_seconds_total[$__rate_interval]) {OF_OPERATOR})"
    made.with_panel(number("CPU", "CPU cores that the operator uses.", cpu, "suffix: cores"))


def _work(made: Dashboard) -> None:
    made.with_panel(
        graph(
            "Reconciles",
            "Reconciles a second, and those that failed and are tried again.",
            "ops",
            over_time(_rate("reconcile_duration_seconds_count"), "all", "A"),
            over_time(_rate("reconcile_errors_total"), "failed", "B"),
            colours={"all": BLUE, "failed": VERMILION},
        )
    )
    made.with_panel(
        graph(
            "Reconcile time",
            "Quantiles of the time of one reconcile.",
            "s",
            *_quantiles("reconcile_duration_seconds"),
            colours=QUANTILES,
        )
    )
    made.with_panel(
        graph(
            "Work queue",
            "Sweeps that are due and wait for a worker, and those being reconciled.",
            "short",
            over_time(f"max({PREFIX}queue_depth)", "waiting", "A"),
            over_time(f"max({PREFIX}queue_working)", "working", "B"),
            colours={"waiting": ORANGE, "working": BLUE},
        )
    )
    made.with_panel(
        graph(
            "Trials stopped, by reason",
            "Stops that the operator has recorded as Events, a second.",
            "ops",
            over_time(f"sum by (reason) (rate({PREFIX}trial_stops_total[$__rate_interval]))", "{{reason}}"),
        )
    )


def _surroundings(made: Dashboard) -> None:
    made.with_panel(
        graph(
            "Age of the last watch event",
            "Time since a watch last showed something. Grows while nothing happens; alarming only with the lag beside it.",
            "s",
            over_time(f"time() - max by (resource) ({PREFIX}last_watch_event_timestamp_seconds)", "{{resource}}"),
        )
    )
    made.with_panel(
        graph(
            "Watch lag",
            "How long a watch has not shown what the operator wrote; a watch that lags a minute fails the liveness probe.",
            "s",
            over_time(f"max by (resource) ({PREFIX}watch_lag_seconds)", "{{resource}}"),
        )
    )
    made.with_panel(
        graph(
            "Polls of drivers",
            "Questions to drivers a second, and those without a useful answer; status writes beside them.",
            "ops",
            over_time(_rate("driver_poll_duration_seconds_count"), "polls", "A"),
            over_time(_rate("driver_poll_errors_total"), "failed", "B"),
            over_time(_rate("status_writes_total"), "status writes", "C"),
            colours={"polls": BLUE, "failed": VERMILION, "status writes": GREEN},
        )
    )
    made.with_panel(
        graph(
            "Answer time of drivers",
            "Quantiles of the time drivers take to answer, or not to.",
            "s",
            *_quantiles("driver_poll_duration_seconds"),
            colours=QUANTILES,
        )
    )
