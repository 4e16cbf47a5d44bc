"""The real operator as a process of its own against a control plane without nodes: started, killed, stopped, and asked."""

import json
import os
import signal
import subprocess
import sys
import urllib.error
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from support.control_plane import ControlPlane, free_port, write_kubeconfig
from support.controllers import wait_healthy, wait_served
from support.patience import PATIENCE
from support.rig import rig_file

OPERATOR_PROGRAM = (str(Path(sys.executable).parent / "tuningsweep-operator"),)
ROOT = Path(__file__).parents[2]
SYSTEM = "tuningsweep-system"


def install_definitions(plane: ControlPlane) -> None:
    """The CRDs of sweeps and of KubeRay, as they are installed."""
    ray = rig_file("kuberay", "config") / "crd" / "bases"
    plane.create_crds(ROOT / "manifests" / "crd.yaml", ray / "ray.io_rayjobs.yaml", ray / "ray.io_rayclusters.yaml")
    wait_served(plane, "tuningsweeps", "rayjobs", "rayclusters")


class OperatorProcess:
    """One replica; `settings` are those of the operator in upper case, without their prefix."""

    def __init__(
        self,
        folder: Path,
        kubeconfig: Path,
        name: str = "operator",
        environment: dict[str, str] | None = None,
        **settings: str,
    ) -> None:
        self.name, self.log = name, folder / f"{name}.log"
        self.port = free_port()
        chosen = {"NAMESPACE": "default", "HEALTH_PORT": str(self.port), "RESYNC_SECONDS": "5", **settings}
        self._environment = {
            **os.environ,
            **(environment or {}),
            "KUBECONFIG": str(kubeconfig),
            **{f"TUNINGSWEEP_{key}": value for key, value in chosen.items()},
        }
        self._process: subprocess.Popen[bytes] | None = None

    @property
    def pid(self) -> int:
        """Of the process that runs now."""
        assert self._process is not None
        return self._process.pid

    def start(self) -> "OperatorProcess":
        """Start it, and wait until it is ready."""
        with self.log.open("ab") as log:
            self._process = subprocess.Popen(OPERATOR_PROGRAM, env=self._environment, stdout=log, stderr=log)
        wait_healthy(self._process, self.port, "readyz", self.log)
        return self

    def is_running(self) -> bool:
        """Whether it has not ended."""
        return self._process is not None and self._process.poll() is None

    def send(self, number: signal.Signals) -> None:
        """Send it a signal."""
        os.kill(self.pid, number)

    def kill(self) -> None:
        """SIGKILL, and wait for it."""
        if self._process is not None:
            self._process.kill()
            self._process.wait()

    def stop(self) -> int:
        """SIGTERM as from a kubelet; its exit code."""
        assert self._process is not None
        self._process.terminate()
        return self._process.wait(PATIENCE)

    def status(self, path: str) -> int:
        """HTTP status of one of its paths; 0 if it does not answer."""
        try:
            with urllib.request.urlopen(f"http://127.0.0.1:{self.port}/{path}", timeout=PATIENCE) as answer:
                return int(answer.status)
        except urllib.error.HTTPError as error:
            return error.code
        except OSError:
            return 0

    def metric(self, name: str) -> float:
        """The value of one of its metrics, summed over its labels; 0 if there is none."""
        with urllib.request.urlopen(f"http://127.0.0.1:{self.port}/metrics", timeout=PATIENCE) as answer:
            lines = answer.read().decode().splitlines()
        return sum(float(line.split()[-1]) for line in lines if line.startswith((f"{name} ", f"{name}{{")))

    def leads(self) -> bool:
        """Whether it says that it holds the lease."""
        return self.metric("tuningsweep_operator_leading") == 1.0

    def logged(self, words: str) -> list[dict[str, Any]]:
        """Its log lines whose message has these words."""
        lines = [json.loads(line) for line in self.log.read_text().splitlines() if line.startswith("{")]
        return [line for line in lines if words in line["message"]]


@contextmanager
def running_operator(plane: ControlPlane, **settings: str) -> Iterator[OperatorProcess]:
    """The operator with the rights that its manifest gives it, until the block ends."""
    plane.kubectl("apply", "--server-side", "-f", str(ROOT / "manifests" / "install.yaml"))
    wait_served(plane, "tuningsweeps")
    kubeconfig = plane.folder / "operator.kubeconfig"
    token = plane.kubectl("create", "token", "tuningsweep-operator", "-n", SYSTEM).strip()
    write_kubeconfig(kubeconfig, plane.url, token)
    operator = OperatorProcess(plane.folder, kubeconfig, **{"NAMESPACE": SYSTEM, "RESYNC_SECONDS": "300", **settings})
    try:
        yield operator.start()
        operator.stop()
    finally:
        operator.kill()
