"""A process that drives Ray still learns how the programs it starts have ended."""

import subprocess


def test_exit_statuses_are_read_as_they_are(embedded_ray: None) -> None:
    assert subprocess.run(["false"], check=False).returncode == 1
