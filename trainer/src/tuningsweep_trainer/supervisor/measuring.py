"""What is measured of one training process, and what it has used so far; the monitor asks for it at every look.

Samples go to the window that limits are judged by, to the totals that become the trial's record, and to its trace.
"""

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Final

from tuningsweep_api.judge import Sample, SampleWindow, mean_step_time
from tuningsweep_api.outcomes import Reason
from tuningsweep_api.spec.limits import Limits
from tuningsweep_trainer.node.runtime import Warned
from tuningsweep_trainer.node.step_times import StepTimeTally
from tuningsweep_trainer.results.traces import TracedReport, TracePoint, TraceRecorder
from tuningsweep_trainer.supervisor.launcher import Launched
from tuningsweep_trainer.supervisor.sampler import FASTEST, MOVING_BYTES, TreeSampler, next_interval

if TYPE_CHECKING:
    from tuningsweep_trainer.supervisor.gpu import GpuMeter

PEAK_MEMORY: Final = "peak_memory_bytes"
"""Metric that, unlike the others, is brought up to date once the process has ended."""


@dataclass(slots=True)
class Totals:
    """What a training process used."""

    peak_memory: int = 0
    peak_gpu_memory: int | None = None
    cpu_seconds: float = 0.0
    duration: float = 0.0
    steps: int = 0
    metrics: dict[str, float] = field(default_factory=dict)
    warnings: list[Warned] = field(default_factory=list)

    def warned_of(self, reason: Reason) -> bool:
        """Whether a warning of this reason is there."""
        return any(warned.reason is reason for warned in self.warnings)


class Measurements:
    """Of one training process; times are CLOCK_MONOTONIC."""

    def __init__(
        self,
        launched: Launched,
        root: int,
        *,
        base_step: int,
        base_metrics: dict[str, float],
        step_times: StepTimeTally,
        traced: Sequence[str] = (),
        gpus: Sequence[str] = (),
    ) -> None:
        self._limits = limits = Limits()
        self.started = launched.started
        self.window = SampleWindow(launched.started, limits.warmup_steps, limits.window_steps)
        self.totals = Totals(metrics=dict(base_metrics))
        self.trace = TraceRecorder()
        self.step_times = step_times
        self.interval = FASTEST
        """Seconds until the next look, as far as memory goes."""
        self.memory = 0
        self.cpu_percent = 0.0
        self._clock = launched.clock
        self._sampler = TreeSampler(root)
        self._root, self._gpus = root, gpus
        self._gpu_meter: GpuMeter | None = None
        self.gpu_memory: int | None = None
        """Measured where it is limited."""
        self._base_step = base_step
        self._traced = traced
        self.reports = 0
        """Reports of any kind; they are the steps of a trainable that counts none."""
        self._cpu_at = (launched.started, 0.0)

    def follow(self, limits: Limits, now: float) -> None:
        """Judge by these limits from now on; GpuError if one can't be measured here."""
        self._limits = limits
        if limits.gpu_memory_bytes is not None and self._gpu_meter is None:
            from tuningsweep_trainer.supervisor.gpu import GpuMeter  # NVML, for a limit that few sweeps have

            self._gpu_meter = GpuMeter(self._root, self._gpus)
        self.window.resize(limits.warmup_steps, limits.window_steps)
        self.trace.limits(round(now - self.started, 4), limits)

    def stirs(self, now: float, limit: int | None) -> bool:
        """A glance: whether memory moves, or is over the limit (bytes), so that a look is due.

        It does next to nothing else, because a process that wakes up often pays for all the code that it touches.
        """
        memory = self._sampler.memory(now)
        return abs(memory - self.memory) >= MOVING_BYTES or (limit is not None and memory > limit)

    def look(self, now: float) -> None:
        """Measure memory and read the step clock; GpuError once GPU memory can't be read any more."""
        memory = self._sampler.memory(now)
        self.interval = next_interval(self.interval, memory - self.memory)
        self.memory = memory
        self.totals.peak_memory = max(self.totals.peak_memory, memory)
        clock = self._clock.read()
        self.step_times.take(clock.steps, clock.seconds)
        self._look_at_gpus(now)
        sample = Sample(now, memory, clock.steps, clock.seconds, clock.longest, clock.started, self.gpu_memory)
        self.window.add(sample)
        self.trace.look(
            TracePoint(
                now - self.started,
                memory,
                self._steps(clock.steps),
                self.mean_step_time(now),
                sample.in_flight(now),
                self.cpu_percent,
                clock.seconds,
            )
        )

    def _look_at_gpus(self, now: float) -> None:
        limit = self._limits.gpu_memory_bytes
        self.gpu_memory = None
        if self._gpu_meter is not None and limit is not None:
            self.gpu_memory = self._gpu_meter.read(now, limit)
            self.totals.peak_gpu_memory = max(self.totals.peak_gpu_memory or 0, self.gpu_memory)

    def report(self, now: float, step: int, told_memory: int, objective: float | None) -> None:
        """A report came at a step: measure, and put the metrics that every report gets into the totals.

        `told_memory` is what the process says of its own memory, bytes.
        """
        self.look(now)
        self.count_cpu(now)
        self.totals.peak_memory = max(self.totals.peak_memory, told_memory)
        elapsed, mean = now - self.started, self.mean_step_time(now)
        self.totals.duration, self.totals.steps = elapsed, step
        self.totals.metrics |= {
            "memory_bytes": float(max(self.memory, told_memory)),
            PEAK_MEMORY: float(self.totals.peak_memory),
            "cpu_percent": self.cpu_percent,
            "elapsed_seconds": elapsed,
        }
        if self.gpu_memory is not None:
            self.totals.metrics["gpu_memory_bytes"] = float(self.gpu_memory)
        if mean is not None:
            self.totals.metrics["mean_step_time_seconds"] = mean
        if objective is not None:
            metrics = self.totals.metrics
            additional = {name: metrics[name] for name in self._traced if name in metrics}
            self.trace.report(TracedReport(round(elapsed, 4), step, objective, additional))

    def mean_step_time(self, now: float) -> float | None:
        """Seconds, over the window of the limits once it is full, over all steps before."""
        mean, newest = mean_step_time(self.window, now), self.window.newest
        if mean is not None or newest is None or newest.steps == 0:
            return mean
        return newest.step_seconds / newest.steps

    def count_cpu(self, now: float) -> None:
        """Read the CPU time used; the percentage is over the time since the last reading."""
        before, used = self._cpu_at
        total = self._sampler.cpu_seconds()
        self.totals.cpu_seconds = max(self.totals.cpu_seconds, total)
        if now - before > 0.0:
            self.cpu_percent = max(0.0, 100.0 * (total - used) / (now - before))
        self._cpu_at = (now, total)

    def finish(self, now: float) -> None:
        """The process is gone: the last numbers."""
        self.totals.duration = now - self.started
        clock = self._clock.read()
        self.step_times.take(clock.steps, clock.seconds)
        self.totals.steps = self._steps(clock.steps)
        if PEAK_MEMORY in self.totals.metrics:
            self.totals.metrics[PEAK_MEMORY] = float(self.totals.peak_memory)

    @property
    def steps(self) -> int:
        """Steps done by the trial, earlier processes included."""
        newest = self.window.newest
        return self._steps(0 if newest is None else newest.steps)

    def _steps(self, counted: int) -> int:
        return self._base_step + (counted or self.reports)

    def close(self) -> None:
        """Close descriptors and NVML."""
        self._sampler.close()
        if self._gpu_meter is not None:
            self._gpu_meter.close()
