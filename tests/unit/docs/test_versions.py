"""Versions are stated in one place, versions.env; where another file has to repeat one, it is the same."""

import tomllib
from pathlib import Path

from tuningsweep_operator.settings import Settings

ROOT = Path(__file__).parents[3]
VERSIONS = dict(
    line.split("=", 1) for line in (ROOT / "versions.env").read_text().splitlines() if line and not line.startswith("#")
)


def test_ray_is_the_same_in_image_operator_and_lock() -> None:
    trainer = tomllib.loads((ROOT / "trainer" / "pyproject.toml").read_text())["project"]["dependencies"]
    assert f"ray[default,tune]=={VERSIONS['RAY_VERSION']}" in trainer
    assert Settings().ray_version == VERSIONS["RAY_VERSION"]


def test_python_is_the_same_in_every_member() -> None:
    for member in (".", "api", "cli", "operator", "trainer"):
        project = tomllib.loads((ROOT / member / "pyproject.toml").read_text())["project"]
        assert project["requires-python"].startswith(f">={VERSIONS['PYTHON_VERSION']}")
