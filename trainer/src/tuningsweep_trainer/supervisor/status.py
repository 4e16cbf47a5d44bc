"""What a supervisor says of its trial while it trains: the metrics exporter and the driver read it from the node."""

import os

from tuningsweep_api.judge import mean_step_time as judged_mean
from tuningsweep_api.spec.limits import Limits
from tuningsweep_trainer.node.runtime import TrialStatus
from tuningsweep_trainer.supervisor.launcher import Launched
from tuningsweep_trainer.supervisor.measuring import Measurements
from tuningsweep_trainer.training.job import TrainingJob


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
