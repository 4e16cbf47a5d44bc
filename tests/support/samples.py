"""The samples, by where they are run."""

from pathlib import Path
from typing import Final

FOLDER: Final = Path(__file__).parents[2] / "manifests" / "samples"
ALL: Final = sorted(FOLDER.glob("*.yaml"))
RUN_LOCALLY: Final = [FOLDER / f"{name}.yaml" for name in ("diabetes-asha", "digits-pareto", "digits-tpe")]
"""The image has the searchers that they need: tests/cluster/test_footprint.py."""
RUN_ON_CLUSTER: Final = [sample for sample in ALL if sample not in RUN_LOCALLY]
