"""The chart as the rig installed it in the test cluster: upgraded and rolled back with the commands of docs/upgrades.md."""

import json
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, Final

from support.kubectl import Kubectl

NAME: Final = "tuningsweep"
SYSTEM: Final = Kubectl("tuningsweep-system")
OPERATOR_PODS: Final = "app.kubernetes.io/component=operator"
WAIT: Final = ("--wait", "--timeout=900s")


def _helm(*arguments: str) -> str:
    """What helm prints about the release; AssertionError with its words if it fails."""
    command = ["helm", *arguments, "--namespace", SYSTEM.namespace]
    done = subprocess.run(command, check=False, capture_output=True, text=True)
    assert done.returncode == 0, f"{' '.join(command)}\n{done.stderr}"
    return done.stdout


def revision() -> str:
    """The revision of the release that is installed."""
    (release,) = json.loads(_helm("list", "--filter", f"^{NAME}$", "--output", "json"))
    return str(release["revision"])


def upgrade(chart: Path, *options: str) -> None:
    """Bring in a chart with the values given so far; `options` are more of helm's."""
    _helm("upgrade", NAME, str(chart), "--reset-then-reuse-values", *options, *WAIT)


def roll_back(to: str) -> None:
    """Go back to a revision."""
    _helm("rollback", NAME, to, *WAIT)


@contextmanager
def rolled_back_after() -> Iterator[str]:
    """Gives the revision that is installed, and goes back to it afterwards whatever happened."""
    before = revision()
    try:
        yield before
    finally:
        roll_back(before)


def operator_pods() -> dict[str, dict[str, Any]]:
    """The operator's pods that are to stay, by name."""
    pods = SYSTEM.items("pods", OPERATOR_PODS)
    return {pod["metadata"]["name"]: pod for pod in pods if "deletionTimestamp" not in pod["metadata"]}


def writer() -> str:
    """Name of the operator's pod that holds the Lease; empty if none does."""
    holder = SYSTEM.get("lease", "tuningsweep-operator")["spec"].get("holderIdentity") or ""
    return str(holder.partition("_")[0])
