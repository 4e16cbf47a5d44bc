"""Where the benchmark's source is, and of which state it is; printed with every result beside the machine and versions."""

import subprocess
from pathlib import Path

from tuningsweep_trainer import machine

ROOT = Path(__file__).parent.parent


def versions() -> dict[str, str]:
    """Versions of what takes part, and the commit."""
    asked = subprocess.run(
        ["git", "-C", str(ROOT), "describe", "--always", "--dirty"], capture_output=True, text=True, check=False
    )
    return {**machine.versions(), "commit": asked.stdout.strip() or "unknown"}
