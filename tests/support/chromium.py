"""Chromium for tests that look at a page: the one on PATH, or as root on Debian the package, installed when first wanted."""

import os
import shutil
import subprocess
from functools import cache
from pathlib import Path

PROGRAMS = ("chromium", "chromium-browser", "google-chrome", "google-chrome-stable")
CACHE = Path(os.environ.get("TUNINGSWEEP_CACHE") or Path.home() / ".cache" / "tuningsweep")
APT = "apt-get -o DPkg::Lock::Timeout=300"
INSTALL = f"{APT} update -qq && {APT} install -qq -y --no-install-recommends chromium"


@cache
def find_chromium() -> tuple[str | None, str]:
    """Path of a Chromium and an empty string, or None and in one line why there is none."""
    if path := _on_path():
        return path, ""
    if shutil.which("apt-get") is None:
        return None, "no chromium or google-chrome on PATH, and no apt-get to install it with"
    if os.geteuid() != 0:
        return None, "no chromium or google-chrome on PATH, and only root can install it"
    CACHE.mkdir(parents=True, exist_ok=True)
    done = subprocess.run(
        ["flock", "--close", str(CACHE / "apt.lock"), "/bin/sh", "-c", INSTALL],  # the rig installs packages too
        env={**os.environ, "DEBIAN_FRONTEND": "noninteractive"},
        capture_output=True,
        text=True,
        timeout=900,
        check=False,
    )
    if path := _on_path():
        return path, ""
    last = (done.stderr.strip().splitlines() or [f"status {done.returncode}"])[-1]
    return None, f"apt-get could not install chromium: {last}"


def _on_path() -> str | None:
    return next((path for program in PROGRAMS if (path := shutil.which(program))), None)
