"""What a Tune result says about a trial beside its metrics: one JSON text under RESULT_KEY, read by the driver."""

import os
import socket
from typing import Final, Self

from tuningsweep_api.model import Model
from tuningsweep_api.outcomes import Outcome, Reason
from tuningsweep_api.trials import Metrics
from tuningsweep_trainer.node.runtime import Warned
from tuningsweep_trainer.supervisor.ending import Ending
from tuningsweep_trainer.supervisor.measuring import Totals
from tuningsweep_trainer.supervisor.reports import Report

RESULT_KEY: Final = "tuningsweep"


class TrialResult(Model):
    """The trial's ending, if this is its last result, and what its training process used so far."""

    process: str
    """Id of the training process; empty for a trial that was ended before it had one."""
    worker: str = ""
    """Host and PID of the supervisor, as TrialRecord has it; empty with `process`."""
    outcome: Outcome | None = None
    reason: Reason | None = None
    message: str = ""
    observed: float | None = None
    limit: float | None = None
    steps: int = 0
    """Without an outcome those of the report, by which the scheduler decides."""
    duration_seconds: float = 0.0
    cpu_seconds: float = 0.0
    peak_memory: int = 0
    peak_gpu_memory: int | None = None
    warnings: list[Warned] = []
    metrics: Metrics = {}
    """Last value of every metric."""
    checkpoint: int | None = None
    """Number of the newest checkpoint that goes with a result; the trial may have newer ones, which may be dropped again."""

    @classmethod
    def of(
        cls, process: str, ending: Ending | None, totals: Totals | None, report: Report, checkpoint: int | None
    ) -> Self:
        """Put together what the monitor knows; called in the supervisor."""
        worker = f"{socket.gethostname()}/{os.getpid()}" if process else ""
        fields: dict[str, object] = {
            "process": process,
            "worker": worker,
            "metrics": report.metrics,
            "checkpoint": checkpoint,
        }
        if totals is not None:
            fields |= {
                # A scheduler decides by the report, and the next one may be here already.
                "steps": report.step if ending is None else totals.steps,
                "duration_seconds": totals.duration,
                "cpu_seconds": totals.cpu_seconds,
                "peak_memory": totals.peak_memory,
                "peak_gpu_memory": totals.peak_gpu_memory,
                "warnings": totals.warnings,
                "metrics": totals.metrics,
            }
        if ending is not None:
            fields |= {
                "outcome": ending.outcome,
                "reason": ending.reason,
                "message": ending.message,
                "observed": ending.observed,
                "limit": ending.limit,
            }
        return cls.model_validate(fields)
