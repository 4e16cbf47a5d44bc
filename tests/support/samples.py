"""The samples, by where they are run."""

from pathlib import Path
from typing import Final

FOLDER: Final = Path(__file__).parents[2] / "manifests" / "samples"
ALL: Final = sorted(FOLDER.glob("*.yaml"))
RUN_LOCALLY: Final = [FOLDER / "diabetes-asha.yaml", FOLDER / "digits-pareto.yaml"]
"""Of their pods, images and searchers digits-tpe.yaml, which runs on the cluster, has all."""
RUN_ON_CLUSTER: Final = [sample for sample in ALL if sample not in RUN_LOCALLY]
