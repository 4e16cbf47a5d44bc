"""Writes tracking events to MLflow: a parent run a sweep, a child run a trial, found again by their tags after a restart."""

import logging
from collections import defaultdict
from collections.abc import Sequence
from typing import Any, Final

from tuningsweep_api.spec.sweep import TuningSweep
from tuningsweep_trainer.tracking.events import TrackingEvent

TAG_UID: Final = "tuningsweep.uid"
TAG_TRIAL: Final = "tuningsweep.trial"
BATCH: Final = 900
"""Metrics in one request; MLflow takes at most 1,000."""
REFUSALS: Final = ("INVALID_PARAMETER_VALUE", "BAD_REQUEST", "INVALID_STATE", "RESOURCE_DOES_NOT_EXIST")
"""Error codes of MLflow that trying again does not mend."""

log = logging.getLogger(__name__)


class MlflowSink:
    """One sweep's runs in MLflow; made and used in the tracking thread alone. Errors are MLflow's own exceptions."""

    def __init__(self, sweep: TuningSweep, uri: str, artifacts: str | None) -> None:
        from mlflow.tracking import MlflowClient

        logging.getLogger("mlflow").setLevel(logging.WARNING)
        self._sweep = sweep
        self._client = MlflowClient(tracking_uri=uri)
        metadata = sweep.metadata
        name = sweep.spec.tracking.mlflow.experiment_name or f"{metadata.namespace}/{metadata.name}"
        found = self._client.get_experiment_by_name(name)
        self._experiment = found.experiment_id if found else self._client.create_experiment(name, artifacts)
        self._parent = self._find({TAG_UID: metadata.uid, TAG_TRIAL: ""}) or self._make("", metadata.name)
        self._children: dict[str, str] = {}

    def send(self, events: Sequence[TrackingEvent]) -> None:
        """Send events in order, gathered into one request a run where possible."""
        by_run: dict[str, list[TrackingEvent]] = defaultdict(list)
        for event in events:
            by_run[event.trial].append(event)
        for trial, of_trial in by_run.items():
            self._send_what_is_taken(self._run_of(trial), of_trial)

    def _send_what_is_taken(self, run: str, events: Sequence[TrackingEvent]) -> None:
        """Send; an event that MLflow will never take is logged and left out, so that it can't hold up the others."""
        from mlflow.exceptions import MlflowException

        try:
            self._send_to(run, events)
        except MlflowException as error:
            if error.error_code not in REFUSALS:
                raise
            if len(events) == 1:
                log.error("MLflow refuses %s: %s", events[0].model_dump_json(), str(error)[:500])
                return
            for event in events:
                self._send_what_is_taken(run, [event])

    def _send_to(self, run: str, events: Sequence[TrackingEvent]) -> None:
        from mlflow.entities import Metric, Param, RunTag

        metrics = [
            Metric(name, value, event.time_ms, event.step) for event in events for name, value in event.metrics.items()
        ]
        params = {n: v for event in events if event.kind == "started" for n, v in event.values.items()}
        tags = {n: v for event in events if event.kind != "started" for n, v in event.values.items()}
        self._client.log_batch(
            run,
            metrics=metrics[:BATCH],
            params=[Param(name, value) for name, value in params.items()],
            tags=[RunTag(name, value[:5000]) for name, value in tags.items()],
        )
        for start in range(BATCH, len(metrics), BATCH):
            self._client.log_batch(run, metrics=metrics[start : start + BATCH])
        for event in events:
            if event.kind in ("ended", "sweep"):
                status = "FAILED" if event.failed else "FINISHED"
                self._client.set_terminated(run, status=status, end_time=event.time_ms)

    def _run_of(self, trial: str) -> str:
        if not trial:
            return self._parent
        if trial not in self._children:
            wanted = {TAG_UID: self._sweep.metadata.uid, TAG_TRIAL: trial}
            self._children[trial] = self._find(wanted) or self._make(trial, trial)
        return self._children[trial]

    def _find(self, tags: dict[str, str]) -> str | None:
        query = " and ".join(f"tags.`{name}` = '{value}'" for name, value in tags.items())
        found: list[Any] = self._client.search_runs([self._experiment], query, max_results=1)
        return found[0].info.run_id if found else None

    def _make(self, trial: str, name: str) -> str:
        spec = self._sweep.spec
        tags = {
            TAG_UID: self._sweep.metadata.uid,
            TAG_TRIAL: trial,
            "tuningsweep.sweep": self._sweep.metadata.name,
            **{f"tuningsweep.limits.{key}": str(value) for key, value in spec.limits.dump().items()},
        }
        if trial:
            tags["mlflow.parentRunId"] = self._parent
        run: str = self._client.create_run(self._experiment, tags=tags, run_name=name).info.run_id
        return run
