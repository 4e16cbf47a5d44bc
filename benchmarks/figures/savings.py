"""CPU time saved on the thesis grid (7 workloads of 16 trials) at limits that lose no best trial, and the regret beside it.

The limits of a workload come from one run without any: what its best trial needed, and headroom on top. The same arms as
`tuningsweep reproduce` measures, with fewer steps: limits, with a forecast, with ASHA alone, and with ASHA and limits.
"""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Final

from benchmarks import data
from benchmarks.rows import Goal, Row
from benchmarks.scale import Scale
from benchmarks.systems.ray_cluster import ray_running
from benchmarks.systems.tuningsweep import sweep
from benchmarks.workloads.grid import thesis_sweeps
from tuningsweep_api.optimal import optimal_trial
from tuningsweep_api.outcomes import Outcome
from tuningsweep_api.spec.dataset import Dataset
from tuningsweep_api.spec.objective import Objective
from tuningsweep_api.spec.sweep import TuningSweep
from tuningsweep_api.trials import TrialRecord
from tuningsweep_trainer.reproduce.arms import HEADROOM, Arm, falsely_skipped, limits_for, regret, sweep_of
from tuningsweep_trainer.reproduce.workloads import MNIST, WAVE_ENERGY, labels, of_run, openml_id, with_builtin

EVALUATIONS: Final = 8
STEPS: Final = {MNIST: 24, WAVE_ENERGY: 104}
OTHER_STEPS: Final = 200
ARMS: Final = (Arm.LIMITS, Arm.FORECAST, Arm.ASHA, Arm.BOTH)
_SOURCES: Final[dict[str, Callable[[Scale], data.Source]]] = {
    "mnist_784": data.mnist,
    "diabetes": data.pima_diabetes,
    "red_wine": data.red_wine,
    "wave_energy": data.wave_energy,
}


@dataclass(frozen=True, slots=True)
class Ran:
    """A workload's sweep."""

    records: list[TrialRecord]
    objective: float
    """Of the best trial."""

    @property
    def cpu(self) -> float:
        """Seconds over all trials."""
        return sum(record.cpu_seconds for record in self.records)


def ran(objective: Objective, records: list[TrialRecord]) -> Ran:
    """From a ledger's records; ValueError if no trial was trained."""
    best = optimal_trial(objective, records)
    if best is None:
        raise ValueError("no trial of the grid was trained")
    return Ran(records, best.objective)


def measure(scale: Scale) -> list[Row]:
    """A row for the CPU time saved and one for the regret; the best of our arms is ours."""
    saved: dict[Arm, list[float]] = {}
    regrets: dict[Arm, list[float]] = {}
    cpu: dict[Arm, float] = {}
    detail: dict[str, Any] = {}
    skipped, falsely = 0, 0
    with ray_running(scale.scratch / "ray"):
        for name, described in workloads(scale).items():
            objective = described.spec.objective
            full = _run(described, scale)
            cpu[Arm.NONE] = cpu.get(Arm.NONE, 0.0) + full.cpu
            limits = limits_for(Arm.LIMITS, objective, full.records, described.spec.limits)
            detail[name] = {"cpu_seconds": full.cpu, "limits": limits.dump()}
            for arm in ARMS:
                found = _run(sweep_of(arm, described, limits), scale)
                cpu[arm] = cpu.get(arm, 0.0) + found.cpu
                saved.setdefault(arm, []).append(1 - found.cpu / full.cpu)
                if arm is Arm.FORECAST:
                    skipped += sum(record.outcome is Outcome.SKIPPED for record in found.records)
                    falsely += len(falsely_skipped(found.records, full.records, limits))
                regrets.setdefault(arm, []).append(regret(objective, full.objective, found.objective))
                detail[name] |= {f"{arm}: saved": saved[arm][-1], f"{arm}: regret": regrets[arm][-1]}
    return [*_rows(cpu, regrets, detail), _skips(skipped, falsely)]


def _skips(skipped: int, falsely: int) -> Row:
    note = (
        f"of {skipped} skipped; false is a skip of a configuration that, in the run without limits, stayed within them"
    )
    return Row("trials that the forecast skipped falsely", "trials", falsely, goals=(Goal("<=", 0),), note=note)


def _rows(cpu: dict[Arm, float], regrets: dict[Arm, list[float]], detail: dict[str, Any]) -> list[Row]:
    parts = {arm: 1 - seconds / cpu[Arm.NONE] for arm, seconds in cpu.items() if arm is not Arm.NONE}
    means = {arm: sum(values) / len(values) for arm, values in regrets.items()}
    ours = max((arm for arm in parts if arm is not Arm.ASHA), key=lambda arm: (-round(means[arm], 6), parts[arm]))
    note = (
        f"{len(detail)} workloads of 16 trials, {cpu[Arm.NONE]:.0f} CPU s without limits; limits are what the best trial"
        f" without limits needed and {HEADROOM:g} times that; ours is {ours}; regret is the best objective"
        " lost, as a part of it"
    )
    other = {str(arm): part for arm, part in parts.items() if arm is not ours}
    lost = {str(arm): mean for arm, mean in means.items() if arm is not ours}
    goals = (Goal(">=", 1, str(Arm.ASHA)),)
    return [
        Row("CPU time saved on the thesis grid", "part", parts[ours], other, goals, note, detail),
        Row("regret on the thesis grid", "part", means[ours], lost, (Goal("<=", 0),), note),
    ]


def _run(described: TuningSweep, scale: Scale) -> Ran:
    records = sweep(described.dump(), scale.scratch).records
    return ran(described.spec.objective, [TrialRecord.model_validate(record) for record in records])


def workloads(scale: Scale) -> dict[str, TuningSweep]:
    """The thesis' workloads on this machine's copy of their data, or made-up rows of their shape, by workload and data."""
    found = {}
    for described in thesis_sweeps():
        source = _SOURCES[labels(described).dataset](scale)
        steps = STEPS.get(openml_id(described) or 0, OTHER_STEPS)
        dataset = Dataset.model_validate(source.dataset)
        short = with_builtin(described, dataset=dataset, steps=steps, evaluate_every_steps=steps // EVALUATIONS)
        found[f"{described.metadata.name}, {source.name}"] = of_run(short, 1)
    return dict(list(found.items())[-1:]) if scale.quick else found
