"""What every process of a sweep needs to know, made by the driver at its start and handed to Ray actors and tasks."""

from pathlib import Path

from tuningsweep_api.model import Model
from tuningsweep_api.spec.sweep import TuningSweep
from tuningsweep_api.spec.trainable import SYSTEM_METRICS
from tuningsweep_api.trials import ParameterValue
from tuningsweep_trainer.driver.values import number_or_text
from tuningsweep_trainer.training.job import TrainingJob
from tuningsweep_trainer.training.preload import Preload

ACTOR_NAMESPACE = "tuningsweep"
"""Ray namespace of the node agents."""

BUILTIN_PRELOAD = ("numpy", "sklearn.linear_model", "tuningsweep_trainer.workloads.builtin")
COMMON_PRELOAD = ("tuningsweep_trainer.training.process", "tuningsweep")


class SweepContext(Model):
    """The sweep, where its results go, and how its processes find each other."""

    run_id: str
    """Id of this start of the driver."""
    sweep: TuningSweep
    results: str
    """Folder (path or URI) of the sweep's results."""
    python_path: list[str] = []
    """Folders put in front of sys.path of training processes."""
    metrics_port: int | None = None
    """Port of the Prometheus endpoint on every node; 0 takes a free one, None serves none."""

    def agent_name(self, node_id: str) -> str:
        """Name of the node agent of a node."""
        return f"tuningsweep-{self.run_id}-{node_id}"

    @property
    def preload(self) -> Preload:
        """What the fork server imports for the training processes."""
        trainable = self.sweep.spec.trainable
        return Preload(
            modules=[*COMMON_PRELOAD, *(BUILTIN_PRELOAD if trainable.builtin else ())],
            python_path=self.python_path,
            user_modules=trainable.preload,
        )

    def log_file(self, trial: str) -> Path:
        """The file that a trial's output goes to: in the results, or beside Ray's files where those are objects."""
        location = self.results.removeprefix("file://")
        base = Path(location) if "://" not in location else Path("/tmp") / f"tuningsweep-{self.run_id}"  # noqa: S108
        return base / "logs" / f"{trial}.log"

    def job(self, trial: str, parameters: dict[str, ParameterValue], **more: object) -> TrainingJob:
        """The job of a training process for a trial; `more` are further fields of TrainingJob."""
        spec = self.sweep.spec
        objective = spec.objective.objective_metric_name
        arguments = {name: number_or_text(text) for name, text in spec.trainable.arguments.items()}
        return TrainingJob.model_validate(
            {
                "trial": trial,
                "parameters": {**arguments, **parameters},
                "trainable": spec.trainable,
                "objective": objective,
                "objective_is_measured": objective in SYSTEM_METRICS,
                "additional_objectives": [each.objective_metric_name for each in spec.objective.additional_objectives],
                "traced": spec.objective.shown_metric_names,
                "checkpoint_root": self.results,
                **more,
            }
        )
