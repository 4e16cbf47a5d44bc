"""CPU time saved on the thesis grid (7 workloads of 16 trials) at limits that lose no best trial, and the regret beside it.

The limits of a workload come from one run without any: what its best trial needed, and HEADROOM on top. The same limits
are then used with our limits, with a forecast where the resource has one, with ASHA alone, and with ASHA and limits.
"""

from dataclasses import dataclass
from typing import Any

from benchmarks import data
from benchmarks.rows import Goal, Row
from benchmarks.scale import Scale
from benchmarks.systems.ray_cluster import ray_running
from benchmarks.systems.tuningsweep import manifest, sweep
from benchmarks.workloads.grid import GRID, builtin, grid_parameters
from tuningsweep_api.spec.limits import Limits

HEADROOM = 1.25
EVALUATIONS = 8
OBJECTIVE = "validation_loss"
TRAINED = ("Succeeded", "Pruned")
ASHA = {"type": "ASHA", "gracePeriodSteps": 10, "reductionFactor": 4}
NONE, LIMITED, FORECAST, PRUNED, BOTH = "no limits", "limits", "limits + forecast", "ASHA", "ASHA + limits"


@dataclass(frozen=True, slots=True)
class Ran:
    """A workload's sweep."""

    cpu: float
    """Seconds over all trials."""
    best: dict[str, Any]
    """Record of its best trial."""

    @property
    def objective(self) -> float:
        """Of the best trial."""
        return float(self.best["metrics"][OBJECTIVE])


def ran(records: list[dict[str, Any]]) -> Ran:
    """From a ledger's records; ValueError if no trial was trained."""
    trained = [record for record in records if record["outcome"] in TRAINED and OBJECTIVE in record["metrics"]]
    if not trained:
        raise ValueError("no trial of the grid was trained")
    cpu = sum(float(record["cpuSeconds"]) for record in records)
    return Ran(cpu, min(trained, key=lambda record: float(record["metrics"][OBJECTIVE])))


def limits_for(best: dict[str, Any]) -> dict[str, Any]:
    """`spec.limits` that the best trial keeps, with HEADROOM."""
    memory = int(HEADROOM * int(best["peakMemory"])) >> 20
    # Never below what a scheduler's hiccup costs a step of a tiny batch.
    step = max(2.0, HEADROOM * 1000 * float(best["metrics"]["mean_step_time_seconds"]))
    return {"memory": f"{memory + 1}Mi", "meanStepTime": f"{step:.0f}ms", "warmupSteps": 3, "windowSteps": 10}


def regret(without: Ran, with_: Ran) -> float:
    """How much worse the best objective got, as a part of the best without limits; 0 if it did not."""
    return max(0.0, with_.objective - without.objective) / max(abs(without.objective), 1e-12)


def forecast_field() -> bool:
    """Whether `limits.forecast` is in the resource."""
    return "forecast" in Limits.model_fields


def modes(limits: dict[str, Any], steps: int) -> dict[str, dict[str, Any]]:
    """Fields of the spec by mode."""
    asha = {"scheduler": {**ASHA, "maxSteps": steps}}
    found = {LIMITED: {"limits": limits}, PRUNED: asha, BOTH: {"limits": limits, **asha}}
    if forecast_field():
        found[FORECAST] = {"limits": {**limits, "forecast": "Skip"}}
    return found


def measure(scale: Scale) -> list[Row]:
    """A row for the CPU time saved and one for the regret; the best of our modes is ours."""
    saved: dict[str, list[float]] = {}
    regrets: dict[str, list[float]] = {}
    cpu: dict[str, float] = {}
    detail: dict[str, Any] = {}
    with ray_running(scale.scratch / "ray"):
        for name, spec in _workloads(scale).items():
            full = _run(spec, {}, scale)
            cpu[NONE] = cpu.get(NONE, 0.0) + full.cpu
            limits = limits_for(full.best)
            detail[name] = {"cpu_seconds": full.cpu, "limits": limits}
            for mode, fields in modes(limits, spec["steps"]).items():
                found = _run(spec, fields, scale)
                cpu[mode] = cpu.get(mode, 0.0) + found.cpu
                saved.setdefault(mode, []).append(1 - found.cpu / full.cpu)
                regrets.setdefault(mode, []).append(regret(full, found))
                detail[name] |= {f"{mode}: saved": saved[mode][-1], f"{mode}: regret": regrets[mode][-1]}
    return _rows(cpu, regrets, detail)


def _rows(cpu: dict[str, float], regrets: dict[str, list[float]], detail: dict[str, Any]) -> list[Row]:
    parts = {mode: 1 - seconds / cpu[NONE] for mode, seconds in cpu.items() if mode != NONE}
    means = {mode: sum(values) / len(values) for mode, values in regrets.items()}
    ours = max((mode for mode in parts if mode != PRUNED), key=lambda mode: (-round(means[mode], 6), parts[mode]))
    note = (
        f"{len(detail)} workloads of {len(GRID)} trials, {cpu[NONE]:.0f} CPU s without limits; limits are what the best trial"
        f" without limits needed and {HEADROOM:g} times that; ours is {ours}; regret is the best objective"
        " lost, as a part of it"
    )
    other = {mode: part for mode, part in parts.items() if mode != ours}
    lost = {mode: mean for mode, mean in means.items() if mode != ours}
    goals = (Goal(">=", 1, PRUNED),)
    return [
        Row("CPU time saved on the thesis grid", "part", parts[ours], other, goals, note, detail),
        Row("regret on the thesis grid", "part", means[ours], lost, (Goal("<=", 0),), note),
    ]


def _run(spec: dict[str, Any], fields: dict[str, Any], scale: Scale) -> Ran:
    described = manifest(
        len(GRID),
        objective={"type": "minimize", "objectiveMetricName": OBJECTIVE},
        parameters=grid_parameters(),
        search={"algorithmName": "grid"},
        trainable={"builtin": spec},
        **fields,
    )
    return ran(sweep(described, scale.scratch).records)


def _workloads(scale: Scale) -> dict[str, dict[str, Any]]:
    mnist, wine, pima, wave = (
        source(scale) for source in (data.mnist, data.red_wine, data.pima_diabetes, data.wave_energy)
    )
    chosen = [
        ("linearSVM", "classification", mnist, 24),
        ("perceptron", "classification", mnist, 24),
        ("logisticRegression", "classification", mnist, 24),
        ("logisticRegression", "classification", pima, 200),
        ("linearRegression", "regression", wine, 200),
        ("linearRegression", "regression", wave, 100),
        ("linearSVM", "regression", wave, 100),
    ]
    if scale.quick:
        chosen = [("linearSVM", "classification", mnist, 24)]
    return {
        f"{model}, {source.name}": builtin(model, task, source.dataset, steps, evaluations=EVALUATIONS)
        for model, task, source, steps in chosen
    }
