"""What is read from /proc, and the growth of memory over trials."""

import os

import pytest

from benchmarks.figures.many_trials import at, growth_per_trial
from benchmarks.processes import is_idle_worker, mapped_pss, parse_pss, pss

SMAPS = """7f00-7f10 r--s 00000000 00:1a 5 /dev/shm/run/data/x/training_features.npy
Rss:  100 kB
Pss:   50 kB
7f10-7f20 rw-p 00000000 00:00 0
Pss:   7 kB
7f20-7f30 r--s 00000000 00:1a 5 /dev/shm/run/data/x/training_features.npy
Pss:   10 kB
"""


def test_pss_of_the_mappings_of_a_file() -> None:
    assert mapped_pss(SMAPS, "training_features.npy") == 60 * 1024
    assert mapped_pss(SMAPS, "another") == 0


def test_pss_of_a_rollup() -> None:
    assert parse_pss("Rss:  9 kB\nPss:     1234 kB\nPss_Dirty: 7 kB\n") == 1234 * 1024
    assert parse_pss("") == 0


def test_this_process_has_some_and_one_that_is_gone_has_none() -> None:
    assert pss([os.getpid()]) > 1 << 20
    assert pss([2**22 + 1]) == 0


def test_workers_that_ray_keeps_in_store_are_told_apart() -> None:
    assert is_idle_worker("ray::IDLE")
    assert is_idle_worker("/usr/bin/python\0/x/ray/_private/workers/default_worker.py\0--node-ip")
    assert not is_idle_worker("ray::Supervisor.train")


def test_growth_begins_once_the_driver_is_warm() -> None:
    points = [(0, 100), (50, 5000), (100, 6000), (150, 6100), (200, 6200)]
    assert growth_per_trial(points, 100) == pytest.approx(2.0)
    assert at(points, 140) == 6100
    assert at(points, 1000) is None


def test_too_few_points_are_an_error() -> None:
    with pytest.raises(ValueError, match="too seldom"):
        growth_per_trial([(0, 1), (100, 2)], 100)
