"""The two controllers as processes: how long they compute, how much memory they hold, what their metrics say."""

import re
import subprocess
import time
import urllib.request
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Final

import psutil

from support.control_plane import ControlPlane, free_port
from support.controllers import answers, running
from support.operator_process import OPERATOR_PROGRAM
from support.rig import rig_file

READY_SECONDS: Final = 600.0


@dataclass(frozen=True, slots=True)
class Program:
    """A running controller."""

    process: "subprocess.Popen[bytes]"
    metrics_url: str

    def cpu_seconds(self) -> float:
        """CPU time so far."""
        times = psutil.Process(self.process.pid).cpu_times()
        return float(times.user + times.system)

    def cpu_share(self, seconds: float) -> float:
        """Share of a core over the next seconds."""
        before, started = self.cpu_seconds(), time.monotonic()
        time.sleep(seconds)
        return (self.cpu_seconds() - before) / (time.monotonic() - started)

    def peak_memory(self) -> int:
        """The most resident memory so far, bytes."""
        found = re.search(r"^VmHWM:\s+(\d+) kB", Path(f"/proc/{self.process.pid}/status").read_text(), re.MULTILINE)
        assert found is not None
        return 1024 * int(found[1])

    def metric(self, name: str) -> float:
        """Sum of a metric's series by its own account."""
        with urllib.request.urlopen(self.metrics_url, timeout=30) as response:  # noqa: S310 - http on loopback
            text = response.read().decode()
        return sum(float(value) for value in re.findall(rf"^{name}(?:\{{.*\}})? (\S+)$", text, re.MULTILINE))

    def wait_until(self, what: Callable[[], bool], seconds: float) -> float:
        """Wait until something holds; how long it took. TimeoutError if it does not, RuntimeError if the process ended."""
        started = time.monotonic()
        while not what():
            if self.process.poll() is not None:
                raise RuntimeError(f"{self.process.args!r} ended with {self.process.returncode}")
            if time.monotonic() - started > seconds:
                raise TimeoutError(f"not within {seconds:g} s")
            time.sleep(0.2)
        return time.monotonic() - started


@contextmanager
def running_operator(folder: Path, kubeconfig: Path, environment: Mapping[str, str]) -> Iterator[Program]:
    """Our operator with its default settings, ready to see sweeps."""
    port = free_port()
    settings = {"KUBECONFIG": str(kubeconfig), "TUNINGSWEEP_HEALTH_PORT": str(port), **environment}
    with running(OPERATOR_PROGRAM, folder / "operator.log", settings) as process:
        operator = Program(process, f"http://127.0.0.1:{port}/metrics")
        operator.wait_until(lambda: answers(f"http://127.0.0.1:{port}/healthz"), READY_SECONDS)
        time.sleep(3.0)  # its watches are not told of by /healthz
        yield operator


@contextmanager
def running_kuberay(plane: ControlPlane) -> Iterator[Program]:
    """KubeRay's operator with its default options, as the administrator."""
    metrics, health = free_port(), free_port()
    program = (
        str(rig_file("kuberay", "kuberay-operator")),
        f"--kubeconfig={plane.kubeconfig}",
        "--enable-leader-election=false",
        f"--metrics-addr=127.0.0.1:{metrics}",
        f"--health-probe-bind-address=127.0.0.1:{health}",
    )
    with running(program, plane.folder / "kuberay.log") as process:
        kuberay = Program(process, f"http://127.0.0.1:{metrics}/metrics")
        kuberay.wait_until(lambda: answers(f"http://127.0.0.1:{health}/readyz"), READY_SECONDS)
        time.sleep(3.0)
        yield kuberay
