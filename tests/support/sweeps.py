"""Sweep manifests for tests: one valid base and edits of it by path, so that a test shows only what it is about."""

import copy
from collections.abc import Mapping
from typing import Any

REMOVE = object()
"""As an edit's value: take the field out."""

BASE: dict[str, Any] = {
    "apiVersion": "tuningsweep.io/v1alpha1",
    "kind": "TuningSweep",
    "metadata": {"name": "digits-svm"},
    "spec": {
        "objective": {"type": "minimize", "objectiveMetricName": "validation_loss"},
        "parameters": [
            {
                "name": "batch_size",
                "parameterType": "discrete",
                "feasibleSpace": {"list": ["30", "300"]},
            },
            {
                "name": "learning_rate",
                "parameterType": "double",
                "feasibleSpace": {"min": "0.0001", "max": "0.1", "distribution": "logUniform"},
            },
        ],
        "trainable": {
            "builtin": {
                "model": "linearSVM",
                "task": "classification",
                "dataset": {"bundled": "digits"},
                "steps": 200,
                "evaluateEverySteps": 50,
            }
        },
        "limits": {"memory": "400Mi", "meanStepTime": "50ms", "stepTime": "2s", "trialDuration": "10m"},
        "parallelTrialCount": 2,
        "maxTrialCount": 4,
    },
}


def edited(manifest: Mapping[str, Any], edits: Mapping[str, Any]) -> dict[str, Any]:
    """A deep copy of `manifest` with each `a.b.0.c` path of `edits` set to its value (or taken out with REMOVE)."""
    result = copy.deepcopy(dict(manifest))
    for path, value in edits.items():
        *parents, last = [int(part) if part.isdigit() else part for part in path.split(".")]
        node: Any = result
        for parent in parents:
            node = node.setdefault(parent, {}) if isinstance(node, dict) else node[parent]
        if value is REMOVE:
            del node[last]
        else:
            node[last] = copy.deepcopy(value)
    return result


def sweep_manifest(**edits: Any) -> dict[str, Any]:
    """The base manifest with edits given as `spec__limits__memory="1Gi"`."""
    return edited(BASE, {path.replace("__", "."): value for path, value in edits.items()})


def discrete(name: str, *values: str) -> dict[str, Any]:
    """A parameter with listed values."""
    return {"name": name, "parameterType": "discrete", "feasibleSpace": {"list": list(values)}}
