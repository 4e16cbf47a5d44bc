"""Renders templates of the chart with the pinned helm of the test rig, or one on PATH."""

import shutil
import subprocess
from pathlib import Path

ROOT = Path(__file__).parents[2]


def rendered(template: str, *settings: str, namespace: str = "tuningsweep-system") -> str:
    """What `helm template` makes of one template; `settings` are helm's --set. Empty if the template makes nothing."""
    rig = ROOT / "tests" / "cluster" / "rig" / "helm-program"
    helm = shutil.which("helm") or subprocess.run([rig], capture_output=True, text=True, check=True).stdout.strip()
    sets = [argument for setting in settings for argument in ("--set", setting)]
    command = [helm, "template", "tuningsweep", ROOT / "charts" / "tuningsweep", "--namespace", namespace, *sets]
    done = subprocess.run(
        [*command, "--kube-version", "1.33.0", "--show-only", f"templates/{template}"],
        capture_output=True,
        text=True,
        check=False,
    )
    if "could not find template" in done.stderr:
        return ""
    assert done.returncode == 0, done.stderr
    return done.stdout
