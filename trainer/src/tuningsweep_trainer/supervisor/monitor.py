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
from collections.abc import Callable, Iterator, Sequence

from tuningsweep_api.judge import RULES, Verdict, judge, judged_again_at
from tuningsweep_api.outcomes import Outcome, Reason
from tuningsweep_api.spec.limits import LimitAction, Limits
from tuningsweep_trainer.clocks import timestamp
from tuningsweep_trainer.container import oom_kills
from tuningsweep_trainer.node.runtime import RuntimeFolder, Warned
from tuningsweep_trainer.node.step_times import StepTimeTally
from tuningsweep_trainer.results.traces import TrialTrace
from tuningsweep_trainer.supervisor import ending as endings
from tuningsweep_trainer.supervisor.ending import Ending
from tuningsweep_trainer.supervisor.errors import GpuError
from tuningsweep_trainer.supervisor.launcher import Launched, Launcher, LaunchError
from tuningsweep_trainer.supervisor.measuring import Measurements, Totals
from tuningsweep_trainer.supervisor.reports import Ended, Report, ReportTaker
from tuningsweep_trainer.supervisor.sampler import GLANCE_SECONDS
from tuningsweep_trainer.supervisor.standing_orders import StandingOrders
from tuningsweep_trainer.supervisor.status import Publisher, status_of
from tuningsweep_trainer.training.job import TrainingJob

PUBLISH_SECONDS = 0.5

log = logging.getLogger(__name__)


class Monitor(threading.Thread):
    """The thread; `events` gives its reports in order and at last one Ended."""

    def __init__(
        self,
        launcher: Launcher,
        launched: Launched,
        job: TrainingJob,
        process: str,
        runtime: RuntimeFolder,
        gpus: Sequence[str] = (),
        on_limits: Callable[[Limits], None] = lambda _: None,
        on_gone: Callable[[], None] = lambda: None,
    ) -> None:
        """Both are called in the thread: `on_limits` with edited limits, `on_gone` once the training process is gone.

        What they raise is logged.
        """
        super().__init__(name=f"monitor-{job.trial}", daemon=True)
        self.events: queue.SimpleQueue[Report | Ended] = queue.SimpleQueue()
        self.measurements = Measurements(
            launched,
            launcher.server_pid,
            base_step=job.base_step,
            base_metrics=job.base_metrics,
            step_times=StepTimeTally(runtime.step_times_of(os.getpid())),
            traced=job.traced,
            gpus=gpus,
        )
        self._launcher, self._launched, self._job = launcher, launched, job
        self._process, self._on_limits, self._on_gone = process, on_limits, on_gone
        self._publisher = Publisher(runtime, job.trial)
        self._reports = ReportTaker(launched, job, self.measurements, self.events)
        self._orders = StandingOrders(runtime, job.trial, process)
        self._oom_kills = oom_kills()
        self._next_look, self._next_glance, self._next_publish = 0.0, 0.0, 0.0
        self._started_at = timestamp()
        self._ending: Ending | None = None
        self._withdrawn = threading.Event()
        self._over = False

    @property
    def totals(self) -> Totals:
        """What the training process used so far."""
        return self.measurements.totals

    @property
    def released(self) -> bool:
        """Whether the driver lets the training process go: Tune has paused its trial, which may go on elsewhere by now."""
        return self._orders.released

    @property
    def cut_off(self) -> bool:
        """Whether the training process ended in the middle of its work, of saving a checkpoint perhaps."""
        return self._reports.said is None

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

    def trace(self) -> TrialTrace:
        """What was seen of the training process, after its end."""
        ending = self._ending
        return self.measurements.trace.trace(
            trial=self._job.trial,
            parameters=self._job.parameters,
            start_time=self._started_at,
            duration=self.totals.duration,
            outcome=None if ending is None else ending.outcome,
            reason=None if ending is None else ending.reason,
        )

    def run(self) -> None:
        """Work until the training process is gone."""
        try:
            self._obey(time.monotonic())
            while not self._over:
                self._turn()
        except GpuError as error:
            self._end(endings.gpu_unreadable(str(error)))
        except Exception:
            log.exception("the monitor failed", extra={"trial": self._job.trial})
            self._end(Ending(Outcome.FAILED, Reason.TRAINING_PROCESS_DIED, "its monitor failed; see the log"))
        finally:
            # Here, for the supervisor waits for it whatever has failed.
            self.events.put(Ended(self._ending))
            with self._logged("what follows the end of a training process failed"):
                self._on_gone()
            self.measurements.close()
            self._publisher.end(self.measurements.step_times.total())

    @contextlib.contextmanager
    def _logged(self, what: str) -> Iterator[None]:
        """Log what fails inside, and go on."""
        try:
            yield
        except Exception:
            log.exception(what, extra={"trial": self._job.trial})

    def _turn(self) -> None:
        timeout = max(0.0, min(self._next_look, self._next_glance) - time.monotonic())
        reports, endings_told = self._launched.reports, self._launcher.socket.fileno()
        watched = [endings_told] if self._reports.closed else [reports, endings_told]
        ready, _, _ = select.select(watched, [], [], timeout)
        if reports in ready:
            self._take_reports()
        now = time.monotonic()
        if not self._over and (now >= self._next_look or self._glance(now)):
            self._look(now)
        if not self._over and endings_told in ready:
            self._notice_death()

    def _glance(self, now: float) -> bool:
        if now < self._next_glance:
            return False
        self._next_glance = now + GLANCE_SECONDS
        return self.measurements.stirs(now, self._orders.memory_limit)

    def _look(self, now: float) -> None:
        """Measure, judge, obey."""
        self._obey(now)
        self.measurements.look(now)
        self._next_glance = now + GLANCE_SECONDS
        # Set by a look alone: reports measure too, and frequent ones would put the next look off for ever.
        self._next_look = now + self.measurements.interval
        limits = self._orders.limits
        if limits.action is LimitAction.STOP:
            self._next_look = judged_again_at(limits, self.measurements.window, now, self._next_look)
        if self._withdrawn.is_set() or self._orders.unwanted:
            self._end(None)
            return
        stop = self._orders.stop_reason
        if stop is not None:
            self._end(endings.stopped(stop))
            return
        self._judge(now)
        if not self._over and now >= self._next_publish:
            self._publish(now)

    def _judge(self, now: float) -> None:
        limits = self._orders.limits
        if limits.action is LimitAction.STOP:
            verdict = judge(limits, self.measurements.window, now)
            if verdict is not None:
                self._end(endings.over_limit(verdict))
            return
        for rule in RULES:
            verdict = rule(limits, self.measurements.window, now)
            if verdict is not None:
                self._warn(verdict)

    def _warn(self, verdict: Verdict) -> None:
        if self.totals.warned_of(verdict.reason):
            return
        self.totals.warnings.append(
            Warned(reason=verdict.reason, observed=float(verdict.observed), limit=float(verdict.limit))
        )
        self._next_publish = 0.0
        log.warning("%s (limits.action is Warn)", endings.limit_sentence(verdict), extra={"trial": self._job.trial})

    def _obey(self, now: float) -> None:
        if self._orders.renew():
            self.measurements.follow(self._orders.limits, now)
            with self._logged("edited limits are not known to others"):
                self._on_limits(self._orders.limits)

    def _take_reports(self) -> None:
        nonsense = self._reports.take()
        if nonsense is not None:
            self._end(nonsense)

    def _publish(self, now: float) -> None:
        self._next_publish = now + PUBLISH_SECONDS
        self.measurements.count_cpu(now)
        status = status_of(self._job, self._process, self._launched, self._orders.limits, self.measurements, now)
        self._publisher.put(status, self.measurements.step_times.total())

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
            self._end(self._reports.said or endings.died(status, out_of_memory=out_of_memory))

    def _end(self, ending: Ending | None) -> None:
        """Kill what is left; the trial ends so whatever fails in that."""
        self._over, self._ending = True, ending
        now = time.monotonic()
        with self._logged("the CPU time at the end is not known"):
            self.measurements.count_cpu(now)
        with self._logged("killing the trial failed"):
            if not self._launcher.kill_trial():
                log.error("processes of the trial cannot be killed", extra={"trial": self._job.trial})
        with self._logged("the last numbers are not known"):
            self.measurements.finish(now)
