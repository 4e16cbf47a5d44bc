"""What a supervisor says of its trial while it trains: the metrics exporter and the driver read it from the node."""

import contextlib
import logging
import os
from collections.abc import Iterator

from tuningsweep_api.judge import mean_step_time as judged_mean
from tuningsweep_api.spec.limits import Limits
from tuningsweep_trainer.node.runtime import RuntimeFolder, TrialStatus
from tuningsweep_trainer.node.step_times import StepTimes
from tuningsweep_trainer.supervisor.launcher import Launched
from tuningsweep_trainer.supervisor.measuring import Measurements
from tuningsweep_trainer.training.job import TrainingJob

log = logging.getLogger(__name__)


def status_of(
    job: TrainingJob, process: str, launched: Launched, limits: Limits, measured: Measurements, now: float
) -> TrialStatus:
    """The status of a training process, as measured so far and beside the limits it is held to."""
    window, newest = measured.window, measured.window.newest
    metrics = measured.totals.metrics
    return TrialStatus(
        trial=job.trial,
        process=process,
        supervisor_pid=os.getpid(),
        pid=launched.pid,
        memory=measured.memory,
        memory_limit=limits.memory_bytes,
        gpu_memory=measured.gpu_memory,
        gpu_memory_limit=limits.gpu_memory_bytes,
        steps=measured.steps,
        # Beside a limit as the limit takes it: warm-up steps are slow, and are not held against the trial.
        mean_step_time=measured.mean_step_time(now) if limits.mean_step_seconds is None else judged_mean(window, now),
        mean_step_time_limit=limits.mean_step_seconds,
        step_in_flight=None if newest is None else newest.in_flight(now) or None,
        longest_step=0.0 if newest is None else newest.longest_step,
        step_time_limit=limits.step_seconds,
        duration=now - launched.started,
        duration_limit=limits.trial_seconds,
        cpu_percent=measured.cpu_percent,
        metrics=metrics,
        objective=metrics.get(job.objective),
        warnings=measured.totals.warnings,
    )


class Publisher:
    """Puts what is said of a trial into the runtime folder.

    Where that fails (another trial has filled the shared memory), no trial ends for it: what was said before stands until
    there is room. It is logged once an outage.
    """

    def __init__(self, runtime: RuntimeFolder, trial: str) -> None:
        self._runtime, self._trial = runtime, trial
        self._failing = False

    def put(self, status: TrialStatus, times: StepTimes | None = None) -> None:
        """Replace the trial's status, and the step times of the supervisor if there are any."""
        with self._endured():
            if times is not None:
                self._runtime.write_step_times(os.getpid(), times)
            self._runtime.write_status(status)

    def end(self, times: StepTimes) -> None:
        """The trial trains no more: its status goes, the step times stay."""
        with (
            self._endured(),
            contextlib.suppress(FileNotFoundError),
        ):  # the driver has left and taken the folder with it
            self._runtime.clear_status(os.getpid())
            self._runtime.write_step_times(os.getpid(), times)

    @contextlib.contextmanager
    def _endured(self) -> Iterator[None]:
        try:
            yield
        except OSError as error:
            if not self._failing:
                extra = {"trial": self._trial}
                log.warning("metrics are out of date, for they cannot be published: %s", error, extra=extra)
            self._failing = True
        else:
            if self._failing:
                log.info("metrics are published again", extra={"trial": self._trial})
            self._failing = False
