"""Stops are seconds from crossing, whoever was told of; a real process that is killed is seen to die."""

import subprocess
import sys
import time
from pathlib import Path

import pytest

from benchmarks.watcher import Watched, mapless, stops, watching
from benchmarks.workloads.hostile import Limits


def test_a_stop_is_counted_from_crossing_and_the_next_trial_from_its_start() -> None:
    watched = [
        Watched("a", 1, started=0.0, crossed=10.0, killed=10.5, freed=10.75),
        Watched("beside", 2, started=9.0),
        Watched("next", 3, started=11.0),
        Watched("later", 4, started=12.0),
    ]
    assert stops(watched) == [{"kill": 0.5, "freed": 0.75, "next": 1.0}]


def test_a_trial_that_never_crossed_or_never_died_is_no_stop() -> None:
    assert stops([Watched("a", 1, started=0.0), Watched("b", 2, started=0.0, crossed=1.0)]) == []


def test_the_last_stop_has_no_next_trial() -> None:
    assert stops([Watched("a", 1, started=0.0, crossed=1.0, killed=2.0, freed=2.0)]) == [{"kill": 1.0, "freed": 1.0}]


def test_a_killed_process_is_seen_to_die(tmp_path: Path) -> None:
    assert not mapless(1)
    with watching(tmp_path) as (socket, watched):
        child = subprocess.Popen([sys.executable, "-c", "import time; time.sleep(600)"])
        limits = Limits(socket, "victim", 0, 0.0, 0.0)
        limits.tell("started", time.monotonic(), child.pid)
        before = time.monotonic()
        limits.tell("crossed", before, child.pid)
        time.sleep(0.2)
        child.kill()
        child.wait()
        time.sleep(0.2)
    (seen,) = watched
    assert (seen.trial, seen.pid) == ("victim", child.pid)
    (stop,) = stops(watched)
    assert 0.2 <= stop["kill"] <= stop["freed"]
    assert seen.started == pytest.approx(before, abs=5)
