"""Writes tracking events to MLflow: a parent run a sweep, a child run a trial, found again by their tags after a restart."""

import logging
from collections import defaultdict
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final

from tuningsweep_api.spec.sweep import TuningSweep
from tuningsweep_trainer.results.desired import DesiredFile
from tuningsweep_trainer.results.store import open_store
from tuningsweep_trainer.secrets import without_secrets
from tuningsweep_trainer.tracking import best_model, dataset_input, losses
from tuningsweep_trainer.tracking.chatter import quieten
from tuningsweep_trainer.tracking.events import TrackingEvent
from tuningsweep_trainer.tracking.sender import Progress, taking_its_time
from tuningsweep_trainer.tracking.translate import (
    TAG_SWEEP,
    TAG_TRIAL,
    TAG_UID,
    limit_tags,
    sweep_parameters,
    sweep_tags,
)

METRICS: Final = 800
"""Metrics in one request; MLflow takes at most 1,000 metrics, parameters and tags together."""
OTHERS: Final = 100
"""Parameters in one request at most, and tags."""
LONGEST_TAG: Final = 5_000
PAGE: Final = 1_000
REFUSALS: Final = ("INVALID_PARAMETER_VALUE", "BAD_REQUEST", "INVALID_STATE", "RESOURCE_DOES_NOT_EXIST")
"""Error codes of MLflow that trying again does not mend, where MLflow itself says so and not a proxy in front of it."""

log = logging.getLogger(__name__)


@dataclass
class Child:
    """A trial's run."""

    run: str
    parameters: dict[str, str] = field(default_factory=dict)
    """As MLflow has them: it takes no other value for a parameter later."""
    limits: dict[str, str] = field(default_factory=dict)
    """Limits as last told."""


def _log_refusal(kind: str, error: Exception, trial: str) -> None:
    message = without_secrets(f"{type(error).__name__}: {error}")[:500]
    log.error("MLflow refuses what %r says: %s", kind, message, extra={"trial": trial})


class MlflowSink:
    """One sweep's runs in MLflow; made and used by the sender alone. Errors are MLflow's own exceptions.

    A run starts when what it tells of did, `first_ms` for the sweep's own: what is sent may be seconds old, or days.
    """

    def __init__(
        self, sweep: TuningSweep, results: str, uri: str, artifacts: str | None, first_ms: int, progress: Progress
    ) -> None:
        from mlflow.tracking import MlflowClient

        quieten()
        self._sweep, self._results, self._store = sweep, results, open_store(results)
        self._desired = DesiredFile(self._store)
        self._progress = progress
        self._by_http = uri.startswith("http")
        self._client = MlflowClient(tracking_uri=uri)
        metadata = sweep.metadata
        name = sweep.spec.tracking.mlflow.experiment_name or f"{metadata.namespace}/{metadata.name}"
        found = self._client.get_experiment_by_name(name)
        self._experiment = found.experiment_id if found else self._client.create_experiment(name, artifacts)
        self._children: dict[str, Child] = {}
        self._unsure: set[str] = set()
        parent = next(self._runs(trial=""), None)
        if parent is None:
            self._parent = self._client.create_run(
                self._experiment, start_time=first_ms, tags=sweep_tags(sweep), run_name=metadata.name
            ).info.run_id
        else:
            self._parent = parent.info.run_id
            for run in self._runs():
                self._remember(run)
        self._tell_of_the_search()

    def send(self, events: Sequence[TrackingEvent]) -> None:
        """Send events, in order for each run, gathered into few requests."""
        by_trial: dict[str, list[TrackingEvent]] = defaultdict(list)
        for event in events:
            # What the parent is told of the best trial lies in the results, not in the trial's run.
            by_trial["" if event.kind == "best" else event.trial].append(event)
        limits = limit_tags(self._limits())
        for trial, of_trial in by_trial.items():
            self._send_what_is_taken(trial, of_trial, limits)
            self._progress(False)

    def _limits(self) -> Any:
        """The limits in force: they may be edited while the sweep runs."""
        desired = self._desired.read()
        return self._sweep.spec.limits if desired is None else desired.limits

    def _send_what_is_taken(self, trial: str, events: Sequence[TrackingEvent], limits: dict[str, str]) -> None:
        """Send; an event that MLflow will never take is logged and left out, so that it can't hold up the others."""
        try:
            self._send_to(trial, events, limits)
        except Exception as error:
            if not self._is_refusal(error):
                raise
            if len(events) == 1:
                _log_refusal(events[0].kind, error, trial)
                return
            for event in events:
                self._send_what_is_taken(trial, [event], limits)

    def _tell_of_the_search(self) -> None:
        try:
            self._tell(self._parent, parameters=sweep_parameters(self._sweep.spec))
        except Exception as error:
            if not self._is_refusal(error):
                raise
            _log_refusal("parameters", error, "")

    def _is_refusal(self, error: Exception) -> bool:
        """Whether trying again can't help; the fault is in the event (or in what it points at), not in the server."""
        from mlflow.exceptions import MlflowException, RestException

        if isinstance(error, MlflowException):
            return error.error_code in REFUSALS and (isinstance(error, RestException) or not self._by_http)
        return isinstance(error, (ValueError, TypeError, LookupError, AttributeError)) and not isinstance(
            error, OSError
        )

    def _send_to(self, trial: str, events: Sequence[TrackingEvent], limits: dict[str, str]) -> None:
        child = self._child(trial, limits, min(event.first_ms for event in events)) if trial else None
        run = self._parent if child is None else child.run
        tags: dict[str, str] = {}
        parameters: dict[str, str] = {}
        for event in events:
            tags |= event.tags
            if event.kind in ("started", "ended", "sweep") and (child is None or child.limits != limits):
                tags |= limits
            if child is not None:
                parameters |= event.parameters
        if child is not None:
            tags |= {
                f"tuningsweep.parameters.{name}": value  # PBT changes parameters; the newest values are told by tags
                for name, value in parameters.items()
                if child.parameters.get(name, value) != value
            }
            parameters = {name: value for name, value in parameters.items() if name not in child.parameters}
        self._tell(run, metrics=self._metrics(events), parameters=parameters, tags=tags)
        if child is not None:
            child.parameters |= parameters
            child.limits = limits
        for event in events:
            if event.status:
                self._client.set_terminated(run, status=event.status, end_time=event.time_ms)
        self._tell_of_what_lies_ready(run, events)  # last, for a model may be large

    def _metrics(self, events: Sequence[TrackingEvent]) -> list[Any]:
        from mlflow.entities import Metric

        told = [Metric(name, value, e.time_ms, e.step) for e in events for name, value in e.metrics.items()]
        for event in events:
            if event.kind == "losses":
                log_file = Path(self._results) / "logs" / f"{event.trial}.log"
                points = losses.step_losses(log_file, event.step or losses.MOST_POINTS)
                told += [Metric(losses.METRIC, value, event.time_ms, step) for step, value in points]
        return told

    def _tell(
        self, run: str, *, metrics: Sequence[Any] = (), parameters: dict[str, str], tags: dict[str, str] | None = None
    ) -> None:
        """Log in as few requests as MLflow allows."""
        from mlflow.entities import Param, RunTag

        params = [Param(name, value) for name, value in parameters.items()]
        marks = [RunTag(name, value[:LONGEST_TAG]) for name, value in (tags or {}).items()]
        while metrics or params or marks:
            self._client.log_batch(run, metrics=metrics[:METRICS], params=params[:OTHERS], tags=marks[:OTHERS])
            metrics, params, marks = metrics[METRICS:], params[OTHERS:], marks[OTHERS:]

    def _tell_of_what_lies_ready(self, run: str, events: Sequence[TrackingEvent]) -> None:
        for event in events:
            if event.kind == "dataset":
                dataset_input.log_dataset(self._client, run, self._sweep, self._store)
            elif event.kind == "best":
                with taking_its_time(self._progress):
                    best_model.log_best(self._client, run, self._sweep, self._results, event)

    def _child(self, trial: str, limits: dict[str, str], first_ms: int) -> Child:
        """The trial's run, made if it has none."""
        if trial not in self._children:
            if trial in self._unsure:  # a request to make it failed, and may have made it
                for run in self._runs(trial=trial):
                    self._remember(run)
            if trial not in self._children:
                self._unsure.add(trial)
                tags = {
                    TAG_UID: self._sweep.metadata.uid,
                    TAG_TRIAL: trial,
                    TAG_SWEEP: self._sweep.metadata.name,
                    "mlflow.parentRunId": self._parent,
                    **limits,
                }
                made = self._client.create_run(self._experiment, start_time=first_ms, tags=tags, run_name=trial)
                self._children[trial] = Child(made.info.run_id, limits=limits)
            self._unsure.discard(trial)
        return self._children[trial]

    def _remember(self, run: Any) -> None:
        trial = run.data.tags.get(TAG_TRIAL)
        if trial:
            self._children[trial] = Child(run.info.run_id, dict(run.data.params))

    def _runs(self, trial: str | None = None) -> Iterator[Any]:
        """Runs of the sweep, page by page: of one trial (empty: the parent), or all."""
        query = f"tags.`{TAG_UID}` = '{self._sweep.metadata.uid}'"
        if trial is not None:
            query += f" and tags.`{TAG_TRIAL}` = '{trial}'"
        token: str | None = None
        while True:
            page = self._client.search_runs([self._experiment], query, max_results=PAGE, page_token=token)
            yield from page
            token = page.token
            if not token:
                return
