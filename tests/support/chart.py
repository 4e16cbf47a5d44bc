"""Renders the chart with the helm on PATH, or with the pinned one of the test rig."""

import shutil
import subprocess
from pathlib import Path

from support.rig import rig_file

CHART = Path(__file__).parents[2] / "charts" / "tuningsweep"


def templated(*options: str, namespace: str = "tuningsweep-system") -> str:
    """What `helm template` with these options makes of the chart; AssertionError with its words if it fails."""
    helm = shutil.which("helm") or str(rig_file("helm", "helm"))
    command = [helm, "template", "tuningsweep", str(CHART), "--namespace", namespace, "--kube-version", "1.33.0"]
    done = subprocess.run([*command, *options], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    return done.stdout


def rendered(template: str, *settings: str, namespace: str = "tuningsweep-system") -> str:
    """What `helm template` makes of one template; `settings` are helm's --set. Empty if the template makes nothing."""
    sets = [argument for setting in settings for argument in ("--set", setting)]
    try:
        return templated(*sets, "--show-only", f"templates/{template}", namespace=namespace)
    except AssertionError as error:
        if "could not find template" in str(error):
            return ""
        raise
