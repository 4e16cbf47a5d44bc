"""Data sets of the built-in workloads: the real rows where this machine has them, generated ones of the same shape elsewhere.

Quick runs take sets that come with scikit-learn.
"""

from dataclasses import dataclass
from pathlib import Path
from typing import Any

from benchmarks.scale import Scale
from tuningsweep_api.spec.dataset import Dataset
from tuningsweep_api.spec.trainable import Task
from tuningsweep_trainer.datasets.store import PreparedData, PreparedRef, attach, prepare

REAL = Path("/work/shared/data")


@dataclass(frozen=True, slots=True)
class Source:
    """A data set as a sweep's manifest names it."""

    name: str
    """Says so if the rows are generated."""
    dataset: dict[str, Any]

    def prepared(self, task: Task, root: Path) -> PreparedRef:
        """Loaded, split, scaled and written under `root`, as the node agent does it."""
        return prepare(Dataset.model_validate(self.dataset), task, 0, root)

    def mapped(self, task: Task, root: Path) -> PreparedData:
        """The same, mapped."""
        return attach(self.prepared(task, root))


def mnist(scale: Scale) -> Source:
    """70,000 rows of 784 pixels in 10 classes."""
    if scale.quick:
        return Source("digits", {"bundled": "digits"})
    return _file("mnist", "mnist_784.parquet", "class", {"rows": 70_000, "features": 784, "classes": 10})


def red_wine(scale: Scale) -> Source:
    """1,599 rows of 11 features, to predict a number."""
    if scale.quick:
        return Source("diabetes", {"bundled": "diabetes"})
    return _file("red wine", "wine_quality_red.parquet", "quality", {"rows": 1599, "features": 11})


def pima_diabetes(scale: Scale) -> Source:
    """768 rows of 8 features in 2 classes."""
    if scale.quick:
        return Source("breast cancer", {"bundled": "breast_cancer"})
    return _file("pima diabetes", "diabetes.parquet", "class", {"rows": 768, "features": 8, "classes": 2})


def wave_energy(scale: Scale) -> Source:
    """72,000 rows of 32 features, to predict a number; always generated, the real rows are not to be had offline."""
    rows = scale.pick(72_000, 500)
    return Source("wave energy (generated)", {"generated": {"rows": rows, "features": 32}})


def _file(name: str, file: str, target: str, generated: dict[str, int]) -> Source:
    if (REAL / file).is_file():
        return Source(name, {"file": {"location": str(REAL / file)}, "target": target})
    return Source(f"{name} (generated)", {"generated": generated})
