"""The operator's own metrics, in Prometheus form on /metrics."""

from prometheus_client import Counter, Gauge, Histogram

RECONCILE_SECONDS = Histogram(
    "tuningsweep_operator_reconcile_duration_seconds",
    "Time one reconcile of a sweep took",
    buckets=(0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0),
)
RECONCILE_ERRORS = Counter("tuningsweep_operator_reconcile_errors_total", "Reconciles that failed and are tried again")
STATUS_WRITES = Counter("tuningsweep_operator_status_writes_total", "Status writes")
STOPS = Counter("tuningsweep_operator_trial_stops_total", "Stops of trials recorded as Events", ["outcome", "reason"])
SWEEPS = Gauge("tuningsweep_operator_sweeps", "Sweeps by phase", ["phase"])
