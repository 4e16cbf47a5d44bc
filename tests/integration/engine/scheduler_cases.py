"""Every scheduler with settings that decide within the forty steps of the engine's functions, and sweeps of several
objectives."""

from typing import Any

SCHEDULERS: dict[str, dict[str, Any]] = {
    "ASHA": {"maxSteps": 40, "gracePeriodSteps": 4, "reductionFactor": 2},
    "MedianStopping": {"maxSteps": 40, "gracePeriodSteps": 4},
    "HyperBand": {"maxSteps": 36, "gracePeriodSteps": 4, "reductionFactor": 3},
    "BOHB": {"maxSteps": 36, "gracePeriodSteps": 4, "reductionFactor": 3},
    "PBT": {"perturbationIntervalSteps": 8},
    "PB2": {"perturbationIntervalSteps": 8},
}
UNIT: dict[str, Any] = {"name": "x", "parameterType": "double", "feasibleSpace": {"min": "0", "max": "1"}}
BEHAVIOURS: dict[str, Any] = {
    "name": "behaviour",
    "parameterType": "categorical",
    "feasibleSpace": {"list": ["stepping", "forgetful", "greedy"]},
}
TWO_OBJECTIVES: dict[str, Any] = {
    "objective.additionalObjectives": [{"type": "minimize", "objectiveMetricName": "cost"}],
    "parameters": [UNIT, BEHAVIOURS],
    "search": {"algorithmName": "tpe"},
    "trainable.function": "functions_of_engine:costly",
}
