"""Watches one training process from its start to its end, in a thread of the supervisor.

One loop does everything: reads reports, measures, judges, obeys the driver's orders, kills. So a trial is held to its
limits whatever Tune or the driver are doing. `Supervisor.step` takes what it needs from `events`.
"""

import contextlib
import logging
import os
import queue
import select
import threading
import time
from dataclasses import dataclass, field

from tuningsweep_api.judge import RULES, Sample, SampleWindow, Verdict, judge, mean_step_time
from tuningsweep_api.outcomes import Outcome, Reason
from tuningsweep_api.spec.limits import LimitAction, Limits
from tuningsweep_trainer.node.runtime import Orders, RuntimeFolder, TrialStatus, Warned
from tuningsweep_trainer.node.step_times import StepTimeTally
from tuningsweep_trainer.supervisor import ending as endings
from tuningsweep_trainer.supervisor.ending import Ending
from tuningsweep_trainer.supervisor.launcher import Launched, Launcher, LaunchError
from tuningsweep_trainer.supervisor.oom import oom_kills
from tuningsweep_trainer.supervisor.sampler import FASTEST, TreeSampler, next_interval
from tuningsweep_trainer.training.job import TrainingJob
from tuningsweep_trainer.training.wire import Message, MessageReader, WireError

PUBLISH_SECONDS = 0.25

log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Report:
    """A report with the objective, or with a checkpoint, and what was measured at the time."""

    metrics: dict[str, float]
    """The last value of every metric reported so far, and the measured ones."""
    step: int
    checkpoint: int | None
    decisive: bool = True
    """Whether it has the objective, so that Tune shall see it."""


@dataclass(frozen=True, slots=True)
class Ended:
    """The training process is gone. Without an ending its trial goes on elsewhere or was given up by the scheduler."""

    ending: Ending | None


@dataclass(slots=True)
class Totals:
    """What a training process used."""

    peak_memory: int = 0
    cpu_seconds: float = 0.0
    duration: float = 0.0
    steps: int = 0
    metrics: dict[str, float] = field(default_factory=dict)
    warnings: list[Warned] = field(default_factory=list)


class Monitor(threading.Thread):
    """The thread; `events` gives its reports in order and at last one Ended."""

    def __init__(
        self, launcher: Launcher, launched: Launched, job: TrainingJob, process: str, runtime: RuntimeFolder
    ) -> None:
        super().__init__(name=f"monitor-{job.trial}", daemon=True)
        self.events: queue.SimpleQueue[Report | Ended] = queue.SimpleQueue()
        self.totals = Totals(metrics=dict(job.base_metrics))
        self._launcher, self._launched, self._job = launcher, launched, job
        self._process, self._runtime = process, runtime
        self._reader = MessageReader(launched.reports)
        self._sampler = TreeSampler(launcher.server_pid)
        self._orders: Orders | None = None
        self._orders_version: tuple[int, int] | None = None
        self._limits = Limits()
        self._window = SampleWindow(launched.started, self._limits.warmup_steps, self._limits.window_steps)
        self._step_times = StepTimeTally(runtime.step_times_of(os.getpid()))
        self._oom_kills = oom_kills()
        self._interval, self._next_look, self._next_publish = FASTEST, 0.0, 0.0
        self._memory = 0
        self._reports = 0
        self._last_step = job.base_step
        self._cpu_at = (launched.started, 0.0)
        self._cpu_percent = 0.0
        self._said: Ending | None = None
        self._withdrawn = threading.Event()
        self._over = False

    def acknowledge(self) -> None:
        """Tell the training process that a report was taken."""
        with contextlib.suppress(BrokenPipeError):
            os.write(self._launched.acknowledgements, b".")

    def withdraw(self) -> None:
        """Kill the training process without an ending and wait until it is gone."""
        self._withdrawn.set()
        self.close()

    def close(self) -> None:
        """Wait for the end of the thread and close the channels."""
        self.join()
        self._launched.close()

    def run(self) -> None:
        """Work until the training process is gone."""
        try:
            self._obey()
            while not self._over:
                self._turn()
        except Exception:
            log.exception("the monitor failed", extra={"trial": self._job.trial})
            self._end(Ending(Outcome.FAILED, Reason.TRAINING_PROCESS_DIED, "its monitor failed; see the log"))
        finally:
            self._sampler.close()
            self._runtime.clear_status(os.getpid())
            with contextlib.suppress(FileNotFoundError):  # the driver has left and taken the folder with it
                self._runtime.write_step_times(os.getpid(), self._step_times.total())

    def _turn(self) -> None:
        timeout = max(0.0, self._next_look - time.monotonic())
        watched: list[int] = [self._launched.reports, self._launcher.socket.fileno()]
        select.select(watched, [], [], timeout)
        self._take_reports()
        now = time.monotonic()
        if not self._over and now >= self._next_look:
            self._look(now)
        if not self._over:
            self._notice_death()

    def _look(self, now: float) -> None:
        """Measure, judge, obey."""
        self._obey()
        self._measure(now)
        # Set by a look alone: reports measure too, and frequent ones would put the next look off for ever.
        self._next_look = now + self._interval
        if self._withdrawn.is_set() or self._unwanted():
            self._end(None)
            return
        stop = self._stop_reason()
        if stop is not None:
            self._end(endings.stopped(stop))
            return
        self._judge(now)
        if not self._over and now >= self._next_publish:
            self._publish(now)

    def _measure(self, now: float) -> None:
        memory = self._sampler.memory(now)
        self._interval = next_interval(self._interval, memory - self._memory)
        self._memory = memory
        self.totals.peak_memory = max(self.totals.peak_memory, memory)
        clock = self._launched.clock.read()
        self._step_times.take(clock.steps, clock.seconds)
        self._window.add(Sample(now, memory, clock.steps, clock.seconds, clock.longest, clock.started))

    def _judge(self, now: float) -> None:
        if self._limits.action is LimitAction.STOP:
            verdict = judge(self._limits, self._window, now)
            if verdict is not None:
                self._end(endings.over_limit(verdict))
            return
        for rule in RULES:
            verdict = rule(self._limits, self._window, now)
            if verdict is not None:
                self._warn(verdict)

    def _warn(self, verdict: Verdict) -> None:
        if any(warned.reason is verdict.reason for warned in self.totals.warnings):
            return
        self.totals.warnings.append(
            Warned(reason=verdict.reason, observed=float(verdict.observed), limit=float(verdict.limit))
        )
        self._next_publish = 0.0
        log.warning("%s (limits.action is Warn)", endings.limit_sentence(verdict), extra={"trial": self._job.trial})

    def _obey(self) -> None:
        """Read the driver's orders if they have changed."""
        version = self._runtime.orders_version()
        if version == self._orders_version:
            return
        self._orders_version, orders = version, self._runtime.read_orders()
        if orders is not None:
            self._orders, self._limits = orders, orders.desired.limits
            self._window.resize(self._limits.warmup_steps, self._limits.window_steps)

    def _unwanted(self) -> bool:
        orders = self._orders
        return orders is not None and (orders.interrupted or self._process in orders.released)

    def _stop_reason(self) -> Reason | None:
        return None if self._orders is None else stop_reason(self._orders, self._job.trial)

    def _take_reports(self) -> None:
        try:
            for message in self._reader.read():
                self._take(message)
        except WireError as error:
            self._end(endings.raised(f"the training process sent nonsense: {error}"))

    def _take(self, message: Message) -> None:
        if message["kind"] == "report":
            self._take_report(message)
        elif message["kind"] == "finished":
            reported = set(self.totals.metrics)
            missing = not self._job.objective_is_measured and self._job.objective not in reported
            self._said = endings.metric_missing(self._job.objective, reported) if missing else endings.finished()
        elif message["kind"] == "failed":
            self._said = endings.raised(message["message"])
            extra = {"trial": self._job.trial, "traceback": message["traceback"]}
            log.error("the trainable raised: %s", message["message"], extra=extra)

    def _take_report(self, message: Message) -> None:
        self._reports += 1
        self._last_step = int(message["step"])
        self.totals.metrics.update(message["metrics"])
        decisive, checkpoint = bool(message["decisive"]), message["checkpoint"]
        if decisive:
            now = time.monotonic()
            self.totals.metrics.update(self._measured(now, int(message["memory"])))
            self.totals.duration, self.totals.steps = now - self._launched.started, self._last_step
        if decisive or checkpoint is not None:
            self.events.put(Report(dict(self.totals.metrics), self._last_step, checkpoint, decisive))

    def _measured(self, now: float, told: int) -> dict[str, float]:
        """The metrics that the supervisor adds to a report; `told` is what the process says of its own memory."""
        self._measure(now)
        self._count_cpu(now)
        self.totals.peak_memory = max(self.totals.peak_memory, told)
        metrics = {
            "memory_bytes": float(max(self._memory, told)),
            "cpu_percent": self._cpu_percent,
            "elapsed_seconds": now - self._launched.started,
        }
        mean = self._mean_step_time(now)
        return metrics if mean is None else {**metrics, "mean_step_time_seconds": mean}

    def _mean_step_time(self, now: float) -> float | None:
        """Over the window of the limits once it is full, over all steps before."""
        mean, newest = mean_step_time(self._window, now), self._window.newest
        if mean is not None or newest is None or newest.steps == 0:
            return mean
        return newest.step_seconds / newest.steps

    def _count_cpu(self, now: float) -> None:
        before, used = self._cpu_at
        total = self._sampler.cpu_seconds()
        self.totals.cpu_seconds = max(self.totals.cpu_seconds, total)
        if now - before > 0.0:
            self._cpu_percent = max(0.0, 100.0 * (total - used) / (now - before))
        self._cpu_at = (now, total)

    def _publish(self, now: float) -> None:
        self._next_publish = now + PUBLISH_SECONDS
        self._count_cpu(now)
        newest = self._window.newest
        assert newest is not None
        self._runtime.write_step_times(os.getpid(), self._step_times.total())
        self._runtime.write_status(
            TrialStatus(
                trial=self._job.trial,
                process=self._process,
                supervisor_pid=os.getpid(),
                pid=self._launched.pid,
                memory=self._memory,
                memory_limit=self._limits.memory_bytes,
                steps=self._steps(newest.steps),
                mean_step_time=self._mean_step_time(now),
                mean_step_time_limit=self._limits.mean_step_seconds,
                step_in_flight=newest.in_flight(now) or None,
                longest_step=newest.longest_step,
                step_time_limit=self._limits.step_seconds,
                duration=now - self._launched.started,
                duration_limit=self._limits.trial_seconds,
                cpu_percent=self._cpu_percent,
                metrics=self.totals.metrics,
                objective=self.totals.metrics.get(self._job.objective),
                warnings=self.totals.warnings,
            )
        )

    def _steps(self, counted: int) -> int:
        return self._job.base_step + (counted or self._reports)

    def _notice_death(self) -> None:
        try:
            status = self._launcher.ended(self._launched.pid)
        except LaunchError:
            log.exception("the fork server died", extra={"trial": self._job.trial})
            self._end(endings.died(None, out_of_memory=False))
            return
        if status is None:
            return
        self._take_reports()
        if not self._over:
            out_of_memory = oom_kills() > self._oom_kills
            self._end(self._said or endings.died(status, out_of_memory=out_of_memory))

    def _end(self, ending: Ending | None) -> None:
        """Kill what is left, tell the supervisor."""
        self._over = True
        now = time.monotonic()
        self._count_cpu(now)
        if not self._launcher.kill_trial():
            log.error("processes of the trial cannot be killed", extra={"trial": self._job.trial})
        self.totals.duration = now - self._launched.started
        clock = self._launched.clock.read()
        self._step_times.take(clock.steps, clock.seconds)
        self.totals.steps = self._steps(clock.steps)
        self.events.put(Ended(ending))


def stop_reason(orders: Orders, trial: str) -> Reason | None:
    """Why a trial must stop by the driver's orders, if it must."""
    if trial in orders.desired.stop_trials:
        return Reason.STOP_REQUESTED
    return orders.desired.end or orders.end
