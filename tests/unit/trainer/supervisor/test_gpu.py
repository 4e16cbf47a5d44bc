"""GPU memory by NVML, with the real pynvml over a stand-in for the driver: see support/nvml.py for what that can't show."""

import ctypes
import os
from collections.abc import Iterator
from typing import Any

import pynvml
import pytest

from support.nvml import FakeDriver, Gpu
from support.sweeps import sweep_manifest
from tuningsweep_api.judge import judge
from tuningsweep_api.outcomes import ConditionReason, Outcome, Reason
from tuningsweep_api.spec.limits import Limits
from tuningsweep_api.spec.sweep import TuningSweep
from tuningsweep_trainer.driver import preflight
from tuningsweep_trainer.driver.context import SweepContext
from tuningsweep_trainer.errors import SweepError
from tuningsweep_trainer.node.step_times import StepTimes, StepTimeTally
from tuningsweep_trainer.supervisor import ending
from tuningsweep_trainer.supervisor.errors import GpuError
from tuningsweep_trainer.supervisor.gpu import FAILURES, READ_SECONDS, GpuMeter, check_gpus
from tuningsweep_trainer.supervisor.launcher import Launched
from tuningsweep_trainer.supervisor.measuring import Measurements
from tuningsweep_trainer.training.clock import StepClock

MIB = 1 << 20
HERE, CHILD, ELSEWHERE, UNSEEN = os.getpid(), os.getppid(), 1, 2**22 + 7
"""PIDs that exist here, and one that can't."""


def meter(*own: str) -> GpuMeter:
    return GpuMeter(0, own, find=lambda _: [HERE, CHILD])


@pytest.fixture
def driver(monkeypatch: pytest.MonkeyPatch) -> FakeDriver:
    return FakeDriver(Gpu("GPU-a"), Gpu("GPU-b")).install(monkeypatch)


def test_memory_is_that_of_the_trials_processes_on_all_gpus(driver: FakeDriver) -> None:
    driver.gpus[0].compute = {HERE: 300 * MIB, ELSEWHERE: 5000 * MIB}
    driver.gpus[1].compute = {CHILD: 200 * MIB}
    driver.gpus[1].graphics = {CHILD: 200 * MIB, UNSEEN: 900 * MIB}
    assert meter().memory() == 500 * MIB
    driver.gpus[0].compute = driver.gpus[1].compute = driver.gpus[1].graphics = {}
    assert meter().memory() == 0


@pytest.mark.parametrize("own", ["1", "GPU-b"])
def test_a_process_that_a_pod_cannot_see_counts_on_the_gpu_it_has_to_itself(driver: FakeDriver, own: str) -> None:
    driver.gpus[0].compute = {UNSEEN: 5000 * MIB}
    driver.gpus[1].compute = {UNSEEN + 1: 70 * MIB, ELSEWHERE: 1000 * MIB}
    assert meter(own).memory() == 70 * MIB


def test_readings_are_apart_but_for_one_that_confirms(driver: FakeDriver) -> None:
    measured = meter()
    driver.gpus[0].compute = {HERE: 100}
    assert measured.read(0.0, limit=100) == 100
    driver.gpus[0].compute = {HERE: 300}
    assert measured.read(READ_SECONDS / 2, limit=100) == 100
    assert measured.read(READ_SECONDS, limit=100) == 300
    driver.gpus[0].compute = {HERE: 50}
    assert measured.read(READ_SECONDS + 0.003, limit=100) == 50, "one over the limit is never taken on trust"


def test_a_driver_that_fails_once_keeps_the_last_reading_and_one_that_goes_on_failing_is_told(
    driver: FakeDriver,
) -> None:
    measured, now = meter(), 0.0
    driver.gpus[0].compute = {HERE: 100}
    assert measured.read(now, limit=200) == 100
    driver.error = pynvml.NVML_ERROR_GPU_IS_LOST
    for _ in range(FAILURES - 1):
        now += 1.0
        assert measured.read(now, limit=200) == 100
    with pytest.raises(GpuError, match="GPU is lost"):
        measured.read(now + 1.0, limit=200)


def test_memory_that_the_driver_does_not_tell_is_an_error_not_zero(driver: FakeDriver) -> None:
    driver.gpus[0].compute = {ELSEWHERE: None}
    assert meter().memory() == 0
    driver.gpus[0].compute = {HERE: None}
    with pytest.raises(GpuError, match="does not tell"):
        meter().memory()


def test_the_library_is_let_go(driver: FakeDriver) -> None:
    check_gpus()
    assert driver.users == 0


def context(**edits: Any) -> SweepContext:
    return SweepContext(run_id="t", sweep=TuningSweep.from_manifest(sweep_manifest(**edits)), results="/nowhere")


def test_a_machine_without_a_driver_fails_the_sweep_at_its_start(monkeypatch: pytest.MonkeyPatch) -> None:
    absent = "libnvidia-absent.so.1"
    monkeypatch.setattr(
        pynvml, "CDLL", lambda _: ctypes.CDLL(absent)
    )  # as where there is no driver, also if there is one
    with pytest.raises(GpuError, match="NVML Shared Library Not Found"):
        check_gpus()
    preflight.check_gpu_limit(context())
    with pytest.raises(SweepError, match=r"limits\.gpuMemory is set.*cluster\.resourcesPerTrial\.gpu") as caught:
        preflight.check_gpu_limit(context(spec__limits__gpuMemory="4Gi"))
    assert caught.value.reason is ConditionReason.GPU_UNREADABLE
    FakeDriver().install(monkeypatch)
    with pytest.raises(GpuError, match="finds no GPU"):
        check_gpus()


@pytest.fixture
def measurements() -> Iterator[Measurements]:
    reports, acknowledgements = os.pipe()
    launched = Launched(HERE, 0.0, reports, acknowledgements, StepClock(StepClock.create()))
    made = Measurements(
        launched, os.getppid(), base_step=0, base_metrics={}, step_times=StepTimeTally(StepTimes()), gpus=("0",)
    )
    yield made
    made.close()
    launched.close()


def test_gpu_memory_is_judged_like_memory_and_on_record(driver: FakeDriver, measurements: Measurements) -> None:
    limits = Limits(gpu_memory="1Gi")
    measurements.look(0.0)
    assert (measurements.gpu_memory, driver.queries) == (None, 0), "nobody asks without a limit"
    measurements.follow(limits, 0.1)
    driver.gpus[0].compute = {UNSEEN: 1025 * MIB}
    measurements.look(0.2)
    assert judge(limits, measurements.window, 0.2) is None, "one reading never stops a trial"
    driver.gpus[0].compute = {UNSEEN: 1030 * MIB}
    measurements.report(0.203, 1, 0, None)
    verdict = judge(limits, measurements.window, 0.203)
    assert verdict is not None
    assert verdict.reason is Reason.GPU_MEMORY_LIMIT_EXCEEDED
    assert ending.over_limit(verdict).message == "GPU memory 1025.0Mi is over limits.gpuMemory 1024.0Mi"
    assert measurements.totals.peak_gpu_memory == measurements.totals.metrics["gpu_memory_bytes"] == 1030 * MIB


def test_a_limit_that_cannot_be_kept_is_told_when_it_comes(
    measurements: Measurements, monkeypatch: pytest.MonkeyPatch
) -> None:
    FakeDriver().install(monkeypatch)
    with pytest.raises(GpuError, match="finds no GPU") as caught:
        measurements.follow(Limits(gpu_memory="1Gi"), 0.0)
    ended = ending.gpu_unreadable(str(caught.value))
    assert (ended.outcome, ended.reason) == (Outcome.FAILED, Reason.GPU_UNREADABLE)
