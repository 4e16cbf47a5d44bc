"""Controllers as processes of their own against a control plane without nodes: how to run and ask one, and KubeRay."""

import os
import subprocess
import time
import urllib.request
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path

from support.control_plane import ControlPlane, free_port
from support.patience import PATIENCE
from support.rig import rig_file

END_SECONDS = 30


@contextmanager
def running_kuberay(plane: ControlPlane) -> Iterator[None]:
    """KubeRay's operator, as the administrator."""
    health = free_port()
    plane.create_crds(rig_file("kuberay", "config") / "crd" / "bases")
    wait_served(plane, "rayjobs", "rayclusters")
    command = [
        str(rig_file("kuberay", "kuberay-operator")),
        f"--kubeconfig={plane.kubeconfig}",
        "--enable-leader-election=false",
        "--metrics-addr=0",
        f"--health-probe-bind-address=127.0.0.1:{health}",
    ]
    with running(command, plane.folder / "kuberay.log") as process:
        wait_healthy(process, health, "readyz", plane.folder / "kuberay.log")
        yield


def wait_served(plane: ControlPlane, *resources: str) -> None:
    """Wait until the API server serves resources whose definitions were just applied."""
    deadline = time.monotonic() + PATIENCE
    while True:
        try:
            plane.kubectl("get", ",".join(resources), "--all-namespaces")
        except AssertionError:
            if time.monotonic() > deadline:
                raise
            time.sleep(0.2)
        else:
            return


@contextmanager
def running(
    command: Sequence[str], log: Path, environment: Mapping[str, str] | None = None
) -> Iterator["subprocess.Popen[bytes]"]:
    """A process that writes into `log`, ended after the block."""
    with log.open("ab") as output:
        process = subprocess.Popen(command, env={**os.environ, **(environment or {})}, stdout=output, stderr=output)
    try:
        yield process
    finally:
        process.terminate()
        try:
            process.wait(END_SECONDS)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()


def wait_healthy(process: "subprocess.Popen[bytes]", port: int, path: str, log: Path) -> None:
    """Wait until a process answers on its port; AssertionError with the end of its log if it does not."""
    deadline = time.monotonic() + PATIENCE
    while not answers(f"http://127.0.0.1:{port}/{path}"):
        assert process.poll() is None, log.read_text()[-3000:]
        assert time.monotonic() < deadline, log.read_text()[-3000:]
        time.sleep(0.2)


def answers(url: str) -> bool:
    """Whether a URL answers with 200."""
    try:
        with urllib.request.urlopen(url, timeout=5) as response:
            return bool(response.status == 200)
    except OSError:
        return False
