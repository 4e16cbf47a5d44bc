"""A stand-in for NVIDIA's driver library below the real pynvml, for machines without a GPU: this one had none.

It answers the C functions that pynvml calls, in the shapes of pynvml's own structures and by the protocol of the NVML
documentation (a call without room for the list returns NVML_ERROR_INSUFFICIENT_SIZE and the count; memory that is not known
is NVML_VALUE_NOT_AVAILABLE). What was never seen here is a real driver: how long its calls take, and which PIDs it names
inside a container, follow NVIDIA's documentation and issue threads (nvidia-docker #1483, open-gpu-kernel-modules #614).
"""

from dataclasses import dataclass, field
from typing import Any

import pynvml
import pytest

Processes = dict[int, int | None]
"""Bytes by PID; None where the driver does not tell."""


@dataclass
class Gpu:
    """What the driver says of a GPU."""

    uuid: str
    compute: Processes = field(default_factory=dict)
    graphics: Processes = field(default_factory=dict)


class FakeDriver:
    """Install it with `install`; change `gpus` and `error` as a test goes on."""

    def __init__(self, *gpus: Gpu) -> None:
        self.gpus = list(gpus)
        self.error = pynvml.NVML_SUCCESS
        """What every query returns from now on."""
        self.queries = 0
        self.users = 0
        """Of the library: nvmlInit less nvmlShutdown."""
        self._devices: dict[int, int] = {}

    def install(self, monkeypatch: pytest.MonkeyPatch) -> "FakeDriver":
        """Put it where pynvml looks the library's functions up."""
        monkeypatch.setattr(pynvml, "_LoadNvmlLibrary", lambda: None)
        monkeypatch.setattr(pynvml, "_nvmlGetFunctionPointer", self._function)
        return self

    def _function(self, name: str) -> Any:
        return {
            "nvmlInitWithFlags": self._init,
            "nvmlShutdown": self._shutdown,
            "nvmlDeviceGetCount_v2": self._count,
            "nvmlDeviceGetHandleByIndex_v2": self._handle,
            "nvmlDeviceGetUUID": self._uuid,
            "nvmlDeviceGetComputeRunningProcesses_v3": lambda *call: self._processes("compute", *call),
            "nvmlDeviceGetGraphicsRunningProcesses_v3": lambda *call: self._processes("graphics", *call),
        }[name]

    def _init(self, flags: Any) -> int:
        self.users += 1
        return pynvml.NVML_SUCCESS

    def _shutdown(self) -> int:
        self.users -= 1
        return pynvml.NVML_SUCCESS

    def _count(self, count: Any) -> int:
        count._obj.value = len(self.gpus)
        return self.error

    def _handle(self, index: Any, device: Any) -> int:
        self._devices[id(device._obj)] = index.value
        return self.error

    def _gpu(self, device: Any) -> Gpu:
        return self.gpus[self._devices[id(device)]]

    def _uuid(self, device: Any, buffer: Any, size: Any) -> int:
        buffer.value = self._gpu(device).uuid.encode()
        return self.error

    def _processes(self, kind: str, device: Any, count: Any, room: Any) -> int:
        self.queries += 1
        listed: Processes = getattr(self._gpu(device), kind)
        space, count._obj.value = count._obj.value, len(listed)
        if self.error != pynvml.NVML_SUCCESS or not listed:
            return self.error
        if room is None or space < len(listed):
            return pynvml.NVML_ERROR_INSUFFICIENT_SIZE
        unknown = pynvml.NVML_VALUE_NOT_AVAILABLE_ulonglong.value
        for entry, (pid, used) in zip(room, listed.items(), strict=False):
            entry.pid, entry.usedGpuMemory = pid, unknown if used is None else used
        return pynvml.NVML_SUCCESS
