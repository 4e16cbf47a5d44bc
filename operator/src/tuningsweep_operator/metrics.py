"""The operator's own metrics, in Prometheus form on /metrics: what is counted as it happens.

What is read from the store when it is scraped is in state_metrics.py. Names and labels are part of the contract with
dashboards and alerts (charts/tuningsweep).
"""

from prometheus_client import Counter, Gauge, Histogram, disable_created_metrics

disable_created_metrics()  # type: ignore[no-untyped-call]  # else each counter has a second series with a time nobody asks for

_SECONDS = (0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0)

RECONCILE_SECONDS = Histogram(
    "tuningsweep_operator_reconcile_duration_seconds", "Time one reconcile of a sweep took.", buckets=_SECONDS
)
RECONCILE_ERRORS = Counter("tuningsweep_operator_reconcile_errors_total", "Reconciles that failed and are tried again.")
LAST_RECONCILE = Gauge(
    "tuningsweep_operator_last_reconcile_timestamp_seconds", "When a reconcile last succeeded, Unix time; 0 for never."
)
LAST_WATCH_EVENT = Gauge(
    "tuningsweep_operator_last_watch_event_timestamp_seconds",
    "When a watch last showed something, Unix time.",
    ["resource"],
)
WATCH_ERRORS = Counter(
    "tuningsweep_operator_watch_errors_total",
    "Watches that ended with an error or at once, and were begun again.",
    ["resource"],
)
LEADING = Gauge(
    "tuningsweep_operator_leading", "1 while this replica holds the lease and reconciles, 0 while it waits for it."
)
STATUS_WRITES = Counter("tuningsweep_operator_status_writes_total", "Status writes.")
STOPS = Counter("tuningsweep_operator_trial_stops_total", "Stops of trials recorded as Events.", ["outcome", "reason"])
POLL_SECONDS = Histogram(
    "tuningsweep_operator_driver_poll_duration_seconds", "Time a driver took to answer, or not to.", buckets=_SECONDS
)
POLL_ERRORS = Counter(
    "tuningsweep_operator_driver_poll_errors_total", "Questions that a driver left without a useful answer."
)
