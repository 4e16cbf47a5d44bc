"""The supervisor: the Tune trainable that stands for a trial, one reused actor for each concurrent trial.

`step` hands Tune the next report of the training process, or its end as an ordinary last result (`done=True` with
outcome, reason, observed and limit), so that ending a trial needs nothing of Tune but what it always does.
"""

import json
import logging
import shutil
import tempfile
import uuid
from pathlib import Path
from typing import Any

from ray import tune

from tuningsweep_api.outcomes import Outcome
from tuningsweep_trainer.driver.context import SweepContext
from tuningsweep_trainer.logs import configure_logging
from tuningsweep_trainer.node.access import NodeAccess, find_node
from tuningsweep_trainer.results.checkpoints import CheckpointStore
from tuningsweep_trainer.results.traces import TraceWriter
from tuningsweep_trainer.supervisor.admission import Admission
from tuningsweep_trainer.supervisor.ending import Ending, metric_missing
from tuningsweep_trainer.supervisor.launcher import Launcher
from tuningsweep_trainer.supervisor.measuring import Totals
from tuningsweep_trainer.supervisor.monitor import Monitor
from tuningsweep_trainer.supervisor.packing import expected_peak
from tuningsweep_trainer.supervisor.reports import Ended, Report
from tuningsweep_trainer.supervisor.result import RESULT_KEY, TrialResult
from tuningsweep_trainer.supervisor.waiting import Hold, wait_for_data, wait_for_memory
from tuningsweep_trainer.training.session import REPORTS_AHEAD

CHECKPOINT_NOTE = "tuningsweep.json"
"""File in a Tune checkpoint that says whose it is; the trial's own checkpoint lies beside it in CHECKPOINT_DATA."""
CHECKPOINT_DATA = "data"

log = logging.getLogger(__name__)


class Supervisor(tune.Trainable):
    """Owns one training process at a time."""

    def setup(self, config: dict[str, Any], context_json: str = "") -> None:
        """Called once an actor, with the first trial's config."""
        self._context = SweepContext.model_validate_json(context_json)
        metadata = self._context.sweep.metadata
        configure_logging(sweep=metadata.name, namespace=metadata.namespace)
        self._launcher = Launcher(self._context.preload)
        self._traces = TraceWriter(self._context.results)
        self._admission = Admission()
        self._node: NodeAccess | None = None
        self._training: Monitor | None = None
        self._temporary: list[Path] = []
        self._adopt(config)

    def reset_config(self, new_config: dict[str, Any]) -> bool:
        """Take on another trial, or the same with other parameters."""
        self._rewind()
        self._adopt(new_config)
        return True

    def _adopt(self, config: dict[str, Any]) -> None:
        self._trial = str(config["trial"])
        self._parameters = dict(config["parameters"])
        self._expected_memory: int | None = config.get("expected_memory")
        self._process = ""
        self._delivered_checkpoint = -1
        self._first_checkpoint = 0
        self._resumed = False
        self._last_report: Report | None = None

    def step(self) -> dict[str, Any]:
        """Tune's next result: waits for the training process to report or to end."""
        node = self._node = self._node or find_node(self._context)
        if self._training is None:
            ended = self._wait(node)
            if ended is not None:
                return self._last_result_of(ended.ending)
            self._training = self._launch(node)
        while True:
            event = self._training.events.get()
            if isinstance(event, Ended):
                return self._end(event.ending)
            self._training.acknowledge()
            if event.checkpoint is not None:
                self._delivered_checkpoint = event.checkpoint
            if event.decisive:
                self._last_report = event
                return self._result(event)

    def _wait(self, node: NodeAccess) -> Ended | None:
        """Hold the trial until a training process can be started; its end if it is to end meanwhile."""
        hold = Hold(self._context.sweep, node.runtime, self._trial)
        try:
            ended = None
            if self._context.sweep.spec.trainable.builtin is not None:
                ended = wait_for_data(hold, node)
            return ended or wait_for_memory(hold, self._admission, self._launcher, self._expected_memory)
        finally:
            hold.over()

    def _launch(self, node: NodeAccess) -> Monitor:
        """Start a training process from the trial's newest checkpoint."""
        store = CheckpointStore(self._context.results, self._trial)
        checkpoint = store.latest()
        folder: Path | None = None
        if checkpoint is not None and not checkpoint.empty:
            folder = self._temporary_folder()
            store.fetch(checkpoint.number, folder)
        self._delivered_checkpoint = -1 if checkpoint is None else checkpoint.number
        self._first_checkpoint = self._next_number(store, resumed=self._resumed or checkpoint is not None)
        job = self._context.job(
            self._trial,
            self._parameters,
            checkpoint=None if folder is None else str(folder),
            next_checkpoint=self._first_checkpoint,
            base_step=0 if checkpoint is None else checkpoint.step,
            base_metrics={} if checkpoint is None else checkpoint.metrics,
            scratch=str(self._temporary_folder()) if self._context.sweep.spec.trainable.command else None,
            data=node.data,
        )
        launched = self._launcher.launch(job, self._context.log_file(self._trial))
        self._process = uuid.uuid4().hex
        if checkpoint is not None and job.objective in checkpoint.metrics:
            # The trial may end without another report: what it reported with the checkpoint is its last.
            self._last_report = Report(checkpoint.metrics, checkpoint.step, None)
        monitor = Monitor(
            self._launcher,
            launched,
            job,
            self._process,
            node.runtime,
            node.gpus,
            on_limits=lambda limits: self._admission.expect(expected_peak(self._expected_memory, limits)),
            on_gone=lambda: self._gone(monitor),
        )
        monitor.start()
        log.info("training process %d started", launched.pid, extra={"trial": self._trial})
        return monitor

    def _temporary_folder(self) -> Path:
        """A folder that goes with the training process."""
        self._temporary.append(Path(tempfile.mkdtemp(prefix=f"tuningsweep-{self._trial}-")))
        return self._temporary[-1]

    @staticmethod
    def _next_number(store: CheckpointStore, *, resumed: bool) -> int:
        """Number of a process's first checkpoint.

        That of a trial which goes on is past those that its process before, which Tune may end only later on an actor that
        is free, can save still and drops then (`_drop_unseen`).
        """
        return store.next_number() + (REPORTS_AHEAD + 1 if resumed else 0)

    def _result(self, report: Report, ending: Ending | None = None, *, done: bool = False) -> dict[str, Any]:
        totals = None if self._training is None else self._training.totals
        checkpoint = None if self._delivered_checkpoint < 0 else self._delivered_checkpoint
        result = TrialResult.of(self._process, ending, totals, report, checkpoint)
        return {**report.metrics, "step": report.step, RESULT_KEY: result.model_dump_json(by_alias=True), "done": done}

    def _last_result_of(self, ending: Ending | None) -> dict[str, Any]:
        """The result that ends a trial in Tune.

        It repeats the last report: Tune's median rule looks for the objective in every result of a trial past its first
        report. A trial that never reported has no objective here, and step 0.
        """
        report = self._last_report or Report({}, 0, None)
        return self._result(report, ending, done=True)

    def _gone(self, monitor: Monitor) -> None:
        """A training process is gone, said by its monitor: Tune may let the actor lie for hours after that."""
        self._admission.leave()
        if monitor.released:
            self._drop_unseen()
        elif monitor.cut_off:  # not later: the trial may go on elsewhere, and save
            CheckpointStore(self._context.results, self._trial).drop_incomplete()

    def _end(self, ending: Ending | None) -> dict[str, Any]:
        assert self._training is not None
        if ending is not None:
            log.info("%s: %s", ending.outcome, ending.message, extra={"trial": self._trial, "reason": ending.reason})
            if ending.outcome is Outcome.SUCCEEDED and self._last_report is None:
                ending = self._unreported(ending, self._training.totals)
        result = self._last_result_of(ending)
        self._let_go()
        return result

    def _unreported(self, ending: Ending, totals: Totals) -> Ending:
        """The ending of a trial that trained to its end without a report of the objective.

        If it is measured all the same, the trial went on from its last report, and what is known now stands for that.
        """
        objective = self._context.sweep.spec.objective.objective_metric_name
        if objective not in totals.metrics:
            return metric_missing(objective, set(totals.metrics))
        self._last_report = Report(dict(totals.metrics), totals.steps, None)
        return ending

    def save_checkpoint(self, checkpoint_dir: str) -> str:  # type: ignore[override]  # Ray's annotation is out of date
        """Give Tune the checkpoint of the last report it has seen: it pauses the trial, or clones it (PBT)."""
        folder = Path(checkpoint_dir)
        store = CheckpointStore(self._context.results, self._trial)
        held = store.describe(self._delivered_checkpoint)
        note: dict[str, Any] = {"trial": self._trial, "step": 0, "metrics": {}}
        if held is not None and not held.empty:
            store.fetch(held.number, folder / CHECKPOINT_DATA)
            note |= {"step": held.step, "metrics": held.metrics}
        (folder / CHECKPOINT_NOTE).write_text(json.dumps(note))
        return checkpoint_dir

    def load_checkpoint(self, checkpoint_dir: str) -> None:  # type: ignore[override]  # see save_checkpoint
        """Go on from a Tune checkpoint: the trial's own after a pause, or another trial's that it clones (PBT)."""
        self._rewind()
        self._resumed = True
        folder = Path(checkpoint_dir)
        note = json.loads((folder / CHECKPOINT_NOTE).read_text())
        store = CheckpointStore(self._context.results, self._trial)
        if note["trial"] == self._trial:
            # Its own store has this one or, after a crash, a newer one.
            return
        data = folder / CHECKPOINT_DATA
        source = data if data.is_dir() else None
        store.save(self._next_number(store, resumed=True), source, step=note["step"], metrics=note["metrics"])

    def cleanup(self) -> None:
        """End everything: the actor is going away."""
        self._let_go()
        self._launcher.stop()
        self._traces.close()

    def _rewind(self) -> None:
        """End the training process of a trial that was paused, unless it has been released and is gone."""
        monitor = self._training
        self._let_go()
        if monitor is not None and not monitor.released:
            self._drop_unseen()

    def _drop_unseen(self) -> None:
        """Drop checkpoints made after the last report that Tune has seen: the scheduler decided by that report.

        There are a few at most, for then the process waits. Newer ones are of a process elsewhere.
        """
        store = CheckpointStore(self._context.results, self._trial)
        first = max(self._delivered_checkpoint + 1, self._first_checkpoint)
        for unseen in range(first, first + REPORTS_AHEAD + 1):
            store.drop(unseen)

    def _let_go(self) -> None:
        """End the training process if there is one."""
        monitor, self._training = self._training, None
        if monitor is None:
            return
        monitor.withdraw()
        self._traces.put(monitor.trace())
        while self._temporary:
            shutil.rmtree(self._temporary.pop(), ignore_errors=True)
