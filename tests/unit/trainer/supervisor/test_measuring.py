"""Pure parts of the supervisor: what /proc says, how often to look, why a process died."""

import os

import pytest

from tuningsweep_api.judge import Verdict
from tuningsweep_api.outcomes import Outcome, Reason
from tuningsweep_trainer.supervisor import ending
from tuningsweep_trainer.supervisor.sampler import (
    FASTEST,
    MOVING_BYTES,
    SLOWEST,
    TreeSampler,
    next_interval,
    parse_cpu,
)
from tuningsweep_trainer.training.process_tree import PAGE_BYTES, own_memory, parse_statm


def test_memory_is_resident_less_shared() -> None:
    assert parse_statm(b"5000 300 100 1 0 200 0\n") == 200 * PAGE_BYTES
    assert parse_statm(b"5000 100 300 1 0 200 0\n") == 0
    assert own_memory() > 1 << 20


def test_cpu_time_counts_children_and_survives_odd_names() -> None:
    fields = ["S", *["0"] * 10, "100", "20", "3", "4", *["0"] * 20]
    assert parse_cpu(f"12 (a) b) {' '.join(fields)}") == 127 / os.sysconf("SC_CLK_TCK")


def test_looks_are_close_while_memory_moves_and_spread_while_it_is_level() -> None:
    assert next_interval(SLOWEST, MOVING_BYTES) == FASTEST
    assert next_interval(SLOWEST, -MOVING_BYTES) == FASTEST
    interval = FASTEST
    for _ in range(20):
        interval = next_interval(interval, 0)
    assert interval == SLOWEST <= 0.1


def test_a_process_that_is_gone_counts_as_nothing() -> None:
    pid = os.getpid()
    found = [[pid, 2**22 + 1]]
    sampler = TreeSampler(1, find=lambda _: found[-1])
    assert sampler.memory(0.0) > 0
    found.append([])
    assert sampler.memory(0.01) > 0, "children are looked up again only after a while"
    assert sampler.memory(1.0) == 0
    sampler.close()


@pytest.mark.parametrize(
    ("status", "out_of_memory", "reason", "words"),
    [
        (-9, True, Reason.OOM_KILLED, "resourcesPerTrial.memory"),
        (-9, False, Reason.TRAINING_PROCESS_DIED, "SIGKILL"),
        (-11, True, Reason.TRAINING_PROCESS_DIED, "SIGSEGV"),
        (3, False, Reason.TRAINING_PROCESS_DIED, "status 3"),
        (None, False, Reason.TRAINING_PROCESS_DIED, "unknown"),
    ],
)
def test_why_a_process_died(status: int | None, out_of_memory: bool, reason: Reason, words: str) -> None:
    found = ending.died(status, out_of_memory=out_of_memory)
    assert (found.outcome, found.reason) == (Outcome.FAILED, reason)
    assert words in found.message


def test_a_limit_is_told_with_units() -> None:
    memory = ending.over_limit(Verdict(Reason.MEMORY_LIMIT_EXCEEDED, 3 << 20, 2 << 20))
    assert memory.message == "memory 3.0Mi is over limits.memory 2.0Mi"
    mean = ending.over_limit(Verdict(Reason.MEAN_STEP_TIME_LIMIT_EXCEEDED, 0.0612, 0.05))
    assert mean.message == "mean step time 61.2ms is over limits.meanStepTime 50.0ms"
    assert (memory.outcome, mean.observed) == (Outcome.LIMIT_EXCEEDED, 0.0612)
