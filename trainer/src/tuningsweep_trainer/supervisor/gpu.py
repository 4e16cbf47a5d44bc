"""GPU memory of a trial's processes, by NVML through NVIDIA's own bindings (nvidia-ml-py, module pynvml).

Used by `measuring` for trials with limits.gpuMemory, and by the preflight, so that a machine where it can't be measured
fails the sweep at its start. NVML: https://docs.nvidia.com/deploy/nvml-api/
"""

import contextlib
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import Any, Final

import pynvml

from tuningsweep_trainer.supervisor.errors import GpuError
from tuningsweep_trainer.training.process_tree import descendants

READ_SECONDS: Final = 0.1
"""Between two readings; one that is over the limit is confirmed at the next look."""
FAILURES: Final = 3
"""Readings that may fail in a row (the driver is busy, a GPU resets) before the limit counts as one nobody can keep."""


NVML_ERRORS: Final = (pynvml.NVMLError, pynvml.NVMLLibraryMismatchError)


def check_gpus() -> None:
    """GpuError if NVML can't tell what processes hold on this machine."""
    meter = GpuMeter(root=0, own=(), find=lambda _: [])
    try:
        meter.memory()
    finally:
        meter.close()


class GpuMeter:
    """Measures the processes below `root`.

    NVML names processes as the kernel's first PID namespace does or, with newer drivers, as the caller's does. In a pod with
    an older one no process that it lists can be found. So what is listed on a GPU that belongs to this trial alone, `own`
    (indexes or UUIDs as in CUDA_VISIBLE_DEVICES, assigned by Ray), and can't be found here counts as this trial's.
    """

    def __init__(self, root: int, own: Sequence[str], find: Callable[[int], list[int]] = descendants) -> None:
        self._root, self._find = root, find
        try:
            pynvml.nvmlInit()
            devices = [pynvml.nvmlDeviceGetHandleByIndex(index) for index in range(pynvml.nvmlDeviceGetCount())]
            self._devices = [(device, _is_own(index, device, own)) for index, device in enumerate(devices)]
        except NVML_ERRORS as error:
            raise GpuError(f"NVML says: {error}") from error
        if not self._devices:
            raise GpuError("NVML finds no GPU")
        self._last, self._read_at, self._failed = 0, float("-inf"), 0

    def read(self, now: float, limit: int) -> int:
        """Bytes held at `now`, from a reading at most READ_SECONDS old, a fresh one if the last was over the limit."""
        if now - self._read_at >= READ_SECONDS or self._last > limit:
            self._read_at = now
            try:
                self._last, self._failed = self.memory(), 0
            except GpuError:
                self._failed += 1
                if self._failed >= FAILURES:
                    raise
        return self._last

    def memory(self) -> int:
        """Bytes that the processes hold now, on all GPUs together."""
        ours = set(self._find(self._root))
        try:
            return sum(self._held(device, ours, own=own) for device, own in self._devices)
        except NVML_ERRORS as error:
            raise GpuError(f"NVML says: {error}") from error

    def close(self) -> None:
        """Let go of NVML."""
        pynvml.nvmlShutdown()

    def _held(self, device: Any, ours: set[int], *, own: bool) -> int:
        total = 0
        for pid, used in _processes(device):
            if pid in ours or (own and not Path(f"/proc/{pid}").exists()):
                if used is None:
                    raise GpuError("the driver does not tell how much memory a process holds")
                total += used
        return total


def _is_own(index: int, device: Any, own: Sequence[str]) -> bool:
    return str(index) in own or pynvml.nvmlDeviceGetUUID(device) in own


def _processes(device: Any) -> Iterator[tuple[int, int | None]]:
    """PID and bytes of each process; one that computes and draws is in both lists with the same memory."""
    processes = list(pynvml.nvmlDeviceGetComputeRunningProcesses(device))
    with contextlib.suppress(pynvml.NVMLError_NotSupported):  # a GPU that can't draw
        processes += pynvml.nvmlDeviceGetGraphicsRunningProcesses(device)
    yield from {process.pid: process.usedGpuMemory for process in processes}.items()
