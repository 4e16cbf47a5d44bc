"""The reproduction's data: whether it can be had, and the stand-in for the one set that often can't.

Called before any sweep.
"""

from collections.abc import Iterable
from pathlib import Path
from typing import Final

import numpy as np
import pandas as pd

from tuningsweep_api.spec.sweep import TuningSweep
from tuningsweep_trainer.datasets import openml_source
from tuningsweep_trainer.errors import DatasetError
from tuningsweep_trainer.reproduce.workloads import WAVE_ENERGY_STAND_IN, builtin_of, openml_id

STAND_IN_ROWS: Final = 72_000
CONVERTERS: Final = 16
SIDE_METRES: Final = 566.0
"""Edge of the square that the converters lie in."""
TARGET_MEDIAN: Final = 3_755_820.0
TARGET_DEVIATION: Final = (3_830_819.0 - 3_685_857.0) / 1.349
"""The real target's quartiles as a normal distribution's standard deviation, watts."""
EXPLAINED: Final = 0.8
"""Correlation of the made-up target with a linear function of the coordinates."""


def missing(sweeps: Iterable[TuningSweep]) -> dict[int, str]:
    """OpenML ids of data sets that can be had neither from the server nor from the client's cache, and why."""
    found: dict[int, str] = {}
    asked: set[int] = set()
    for sweep in sweeps:
        openml, number = builtin_of(sweep).dataset.openml, openml_id(sweep)
        if openml is None or number is None or number in asked:
            continue
        asked.add(number)
        try:
            openml_source.download(openml)
        except DatasetError as error:
            found[number] = error.message
    return found


def write_stand_in(folder: Path) -> Path:
    """The stand-in for wave energy as a Parquet file, made once; its name is how results made with it are labelled."""
    path = folder / f"{WAVE_ENERGY_STAND_IN}.parquet"
    if not path.is_file():
        folder.mkdir(parents=True, exist_ok=True)
        beside = path.with_suffix(".unfinished")
        wave_energy_stand_in(STAND_IN_ROWS).to_parquet(beside, index=False)
        beside.replace(path)
    return path


def wave_energy_stand_in(rows: int) -> pd.DataFrame:
    """Rows of wave energy's shape and ranges: 32 coordinates in metres and a target in watts that partly follows them."""
    random = np.random.default_rng(0)
    coordinates = random.uniform(0.0, SIDE_METRES, (rows, 2 * CONVERTERS))
    names = [f"{axis}{number}" for axis in "xy" for number in range(1, CONVERTERS + 1)]
    weights = random.normal(size=2 * CONVERTERS)
    scaled = (coordinates - SIDE_METRES / 2) * np.sqrt(12.0) / SIDE_METRES
    signal = scaled @ weights / np.linalg.norm(weights)
    noise = random.normal(size=rows) * np.sqrt(1.0 - EXPLAINED**2)
    target = TARGET_MEDIAN + TARGET_DEVIATION * (EXPLAINED * signal + noise)
    return pd.DataFrame(coordinates, columns=names).assign(energy_total=target)
