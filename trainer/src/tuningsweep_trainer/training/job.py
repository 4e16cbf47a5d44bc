"""What a supervisor asks a training process to do, as JSON that the fork server hands on."""

from collections.abc import Collection
from typing import Any

from tuningsweep_api.model import Model
from tuningsweep_api.spec.trainable import Trainable
from tuningsweep_api.trials import Metrics, ParameterValue


class TrainingJob(Model):
    """One training process: the trial, what to run, and where its checkpoints and log go."""

    trial: str
    parameters: dict[str, ParameterValue]
    """Hyperparameters and fixed arguments, as the trainable receives them."""
    trainable: Trainable
    objective: str
    """Metric that makes a report decisive: Tune sees it. Other reports are only remembered."""
    objective_is_measured: bool = False
    """The supervisor adds the objective itself (memory, step time, ...), so every report counts."""
    additional_objectives: list[str] = []
    """Metrics that are optimised beside the objective."""
    traced: list[str] = []
    """Metrics that go into the trial's trace beside the objective."""
    checkpoint: str | None = None
    """Local folder of the checkpoint to go on from."""
    scratch: str | None = None
    """Local folder for the temporary files of a command; it goes with the training process."""
    checkpoint_root: str
    """Results folder (path or URI) in which checkpoints are kept."""
    next_checkpoint: int = 0
    """Number of the next checkpoint."""
    base_step: int = 0
    """Steps of the trial done before this process, by its checkpoint."""
    base_metrics: Metrics = {}
    """Metrics reported with the checkpoint that this process goes on from."""
    data: dict[str, Any] | None = None
    """The prepared data set of a built-in workload (a PreparedRef as JSON)."""
    rehearsal: bool = False
    """Load everything and report `ready`, then wait: the driver measures what an empty process needs."""

    def missing_objective(self, reported: Collection[str]) -> str | None:
        """The first metric to optimise that was neither reported nor measured."""
        wanted = [*([] if self.objective_is_measured else [self.objective]), *self.additional_objectives]
        return next((name for name in wanted if name not in reported), None)
