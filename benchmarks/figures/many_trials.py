"""Many trials in one sweep: how the driver's memory grows, how fast results come in, how large the sweep's state gets.

Bare Tune runs fewer trials of the same kind with reused actors, since it holds every trial; its figures are per trial.
"""

from dataclasses import dataclass, field
from functools import partial
from typing import Any

import psutil

from benchmarks.figures.trial_overhead import timed
from benchmarks.rows import Goal, Row
from benchmarks.scale import Scale
from benchmarks.systems.bare_tune import tune_trials
from benchmarks.systems.ray_cluster import ray_running
from benchmarks.systems.tuningsweep import manifest, sweep
from benchmarks.workloads import short
from tuningsweep_api.messages import SweepState

REUSED = "bare Tune, reused actors"
KIB = 1024


@dataclass(slots=True)
class Growth:
    """The driver's memory by the number of trials that have ended, and the largest state shown."""

    points: list[tuple[int, int]] = field(default_factory=list)
    """Trials, RSS in bytes."""
    state_bytes: int = 0

    def see(self, state: SweepState) -> None:
        """As `on_state`: called about twice a second."""
        ended = state.trials.total - state.trials.pending - state.trials.running
        self.points.append((ended, psutil.Process().memory_info().rss))
        self.state_bytes = max(self.state_bytes, len(state.model_dump_json(by_alias=True)))


def growth_per_trial(points: list[tuple[int, int]], begin: int) -> float:
    """Bytes per trial from the first point with `begin` trials or more to the last; ValueError without two such points."""
    later = [point for point in points if point[0] >= begin]
    if len(later) < 2 or later[-1][0] == later[0][0]:
        raise ValueError(f"memory was seen too seldom after {begin} trials: {points[-3:]}")
    (first, low), (last, high) = later[0], later[-1]
    return (high - low) / (last - first)


def at(points: list[tuple[int, int]], trials: int) -> int | None:
    """RSS at the first point with so many trials, None if there is none."""
    return next((rss for ended, rss in points if ended >= trials), None)


def measure(scale: Scale) -> list[Row]:
    """Three rows: memory, results, state."""
    trials, of_tune = scale.pick(10_000, 200), scale.pick(300, 20)
    growth = Growth()
    with ray_running(scale.scratch / "ray"):
        tune_seconds, tune_growth = _tune(of_tune, scale)
        seconds = timed(lambda: sweep(manifest(trials), scale.scratch, on_state=growth.see))
    note = (
        f"{trials} trials of {short.REPORTS} reports; bare Tune with {of_tune} trials, and its figures per trial: it slows"
        " down and grows with their number"
    )
    per_trial = growth_per_trial(growth.points, trials // 10) / KIB
    shown = {str(n): at(growth.points, n) for n in (trials // 10, trials // 2, trials - 1)}
    results = short.REPORTS + 1  # the last result of a trial says how it ended
    return [
        Row("driver memory per trial", "KiB", per_trial, {REUSED: tune_growth}, (Goal("<=", 5),), note, {"rss": shown}),
        Row(
            "results per second",
            "1/s",
            trials * results / seconds,
            {REUSED: of_tune * results / tune_seconds},
            (Goal(">=", 1, REUSED),),
            note,
            {"seconds": seconds, "tune_seconds": tune_seconds},
        ),
        Row("state of the sweep", "KiB", growth.state_bytes / KIB, {}, (Goal("<", 64),), note),
    ]


def _tune(trials: int, scale: Scale) -> tuple[float, float]:
    """Seconds, and the driver's growth in KiB per trial from a tenth of the trials on."""
    counter = Counting()
    run = partial(tune_trials, short.make_tune_class(), trials, scale.scratch, fastest=True)
    seconds = timed(lambda: run(callbacks=[counter.callback()]))
    return seconds, growth_per_trial(counter.points, trials // 10) / KIB


class Counting:
    """The same points for bare Tune."""

    def __init__(self) -> None:
        self.points: list[tuple[int, int]] = []

    def callback(self) -> Any:
        """A Tune callback that notes the memory at every trial's end."""
        from ray import tune

        points = self.points

        class AtCompletion(tune.Callback):
            """Counts trials that ended."""

            def on_trial_complete(self, *_: Any, **__: Any) -> None:
                points.append((len(points) + 1, psutil.Process().memory_info().rss))

        return AtCompletion()
