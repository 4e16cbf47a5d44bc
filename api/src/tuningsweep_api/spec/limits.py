"""`spec.limits`: what a trial may use, after which warm-up, and what happens when it uses more."""

from enum import StrEnum

from pydantic import Field

from tuningsweep_api.quantities import Duration, Quantity, duration_seconds, quantity_bytes
from tuningsweep_api.spec.rules import Rule, RuledModel

MINIMUM_MEMORY = "16Mi"
MINIMUM_GPU_MEMORY = "64Mi"


class LimitAction(StrEnum):
    """What happens to a trial over a limit."""

    STOP = "Stop"
    WARN = "Warn"


class Forecasting(StrEnum):
    """What happens to a trial that is predicted to exceed a limit."""

    OFF = "Off"
    WARN = "Warn"
    SKIP = "Skip"


def _positive(field: str, name: str) -> Rule:
    return Rule(
        cel=f"!has(self.{name}) || duration(self.{name}) > duration('0s')",
        message=f"limits.{name} must be longer than zero; leave the field out for no limit",
        holds=lambda limits: getattr(limits, field) is None or duration_seconds(getattr(limits, field)) > 0,
    )


_RULES = (
    Rule(
        cel=f"!has(self.memory) || quantity(string(self.memory)).compareTo(quantity('{MINIMUM_MEMORY}')) >= 0",
        message=f"limits.memory must be at least {MINIMUM_MEMORY} (an empty Python process needs more);"
        " write for example 400Mi",
        holds=lambda limits: limits.memory is None or quantity_bytes(limits.memory) >= quantity_bytes(MINIMUM_MEMORY),
    ),
    Rule(
        cel=f"!has(self.gpuMemory) || quantity(string(self.gpuMemory)).compareTo(quantity('{MINIMUM_GPU_MEMORY}')) >= 0",
        message=f"limits.gpuMemory must be at least {MINIMUM_GPU_MEMORY} (an empty CUDA context needs more);"
        " write for example 4Gi",
        holds=lambda limits: (
            limits.gpu_memory is None or quantity_bytes(limits.gpu_memory) >= quantity_bytes(MINIMUM_GPU_MEMORY)
        ),
    ),
    _positive("mean_step_time", "meanStepTime"),
    _positive("step_time", "stepTime"),
    _positive("trial_duration", "trialDuration"),
)


class Limits(RuledModel):
    """Limits on what one trial may use. A field left out is not limited. May be edited while trials run."""

    RULES = _RULES

    memory: Quantity | None = None
    """Most memory (RSS - SHR of the training process and its children) a trial may hold, e.g. 400Mi."""
    gpu_memory: Quantity | None = None
    """Most memory of NVIDIA GPUs that a trial's processes may hold, all its GPUs together, e.g. 4Gi. Needs NVIDIA's driver
    where trials run."""
    mean_step_time: Duration | None = None
    """Longest mean wall time of a step over the last windowSteps steps, after warmupSteps, e.g. 50ms."""
    step_time: Duration | None = None
    """Longest wall time of any single step, judged while the step is still running, e.g. 2s."""
    trial_duration: Duration | None = None
    """Longest wall time of a trial's training process, e.g. 10m."""
    # Both defaults: docs/reproduction.md, "Defaults". Step times were level after 5 steps in 95 of 100 trials; of the means
    # over 10 steps 0.7 % were over 1.25 times the level, of those over 5 steps 1.0 %, of single steps 2.9 %.
    warmup_steps: int = Field(default=10, ge=0, le=1_000_000)
    """Steps at the start of a trial that do not count for meanStepTime (caches fill, pages are touched first)."""
    window_steps: int = Field(default=10, ge=1, le=100_000)
    """Number of steps over which meanStepTime is taken."""
    action: LimitAction = LimitAction.STOP
    """Stop ends a trial over a limit; Warn only records it."""
    forecast: Forecasting = Forecasting.OFF
    """Skip ends a trial before its start if those that ran predict, with 95 % confidence, that it exceeds memory or
    meanStepTime; Warn only logs and records the prediction; Off predicts nothing."""

    @property
    def memory_bytes(self) -> int | None:
        """The memory limit in bytes."""
        return None if self.memory is None else quantity_bytes(self.memory)

    @property
    def gpu_memory_bytes(self) -> int | None:
        """The limit on GPU memory in bytes."""
        return None if self.gpu_memory is None else quantity_bytes(self.gpu_memory)

    @property
    def mean_step_seconds(self) -> float | None:
        """The mean-step-time limit in seconds."""
        return None if self.mean_step_time is None else duration_seconds(self.mean_step_time)

    @property
    def step_seconds(self) -> float | None:
        """The step-time limit in seconds."""
        return None if self.step_time is None else duration_seconds(self.step_time)

    @property
    def trial_seconds(self) -> float | None:
        """The trial-duration limit in seconds."""
        return None if self.trial_duration is None else duration_seconds(self.trial_duration)
