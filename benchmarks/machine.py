"""What was measured on: hardware, kernel, versions, source. Printed with every result, since figures mean nothing without."""

import os
import platform
import re
import subprocess
from importlib.metadata import version
from pathlib import Path

PACKAGES = ("ray", "scikit-learn", "numpy", "scipy", "optuna", "joblib", "psutil", "pydantic")
ROOT = Path(__file__).parent.parent


def machine() -> dict[str, str | int | float]:
    """The machine now."""
    return {
        "processor": processor(Path("/proc/cpuinfo").read_text()),
        "cores": len(os.sched_getaffinity(0)),
        "memory_bytes": os.sysconf("SC_PHYS_PAGES") * os.sysconf("SC_PAGE_SIZE"),
        "kernel": platform.release(),
        "load_at_start": round(os.getloadavg()[0], 2),
    }


def processor(cpuinfo: str) -> str:
    """Name of the processor by a /proc/cpuinfo."""
    found = re.search(r"^model name\s*:\s*(.+)$", cpuinfo, re.MULTILINE)
    return found[1] if found else platform.machine()


def versions() -> dict[str, str]:
    """Versions of what takes part, and the commit."""
    found = {"python": platform.python_version(), **{package: version(package) for package in PACKAGES}}
    asked = subprocess.run(
        ["git", "-C", str(ROOT), "describe", "--always", "--dirty"], capture_output=True, text=True, check=False
    )
    return {**found, "commit": asked.stdout.strip() or "unknown"}
