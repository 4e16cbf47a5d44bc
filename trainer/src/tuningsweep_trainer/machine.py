"""What was measured on: hardware, kernel, versions. Written beside results of benchmarks and of the reproduction."""

import os
import platform
import re
from importlib.metadata import version
from pathlib import Path
from typing import Final

PACKAGES: Final = ("ray", "scikit-learn", "numpy", "scipy", "optuna", "joblib", "psutil", "pydantic")


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
    """Versions of Python and the packages that take part."""
    return {"python": platform.python_version(), **{package: version(package) for package in PACKAGES}}
