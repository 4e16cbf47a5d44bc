"""Bad manifests and edits, one row each, held against both the offline validation and the real API server.

`says` is text that the refusal must contain: the field, and where a rule of ours speaks, what to write instead.
"""

from dataclasses import dataclass, field
from typing import Any

from support.sweeps import REMOVE
from tuningsweep_api.spec.trainable import SYSTEM_METRICS

DISCRETE = {"name": "alpha", "parameterType": "discrete"}


@dataclass(frozen=True)
class BadInput:
    """A manifest made bad by `edits`; `says` must be in the API server's refusal, `offline` in ours if worded otherwise."""

    name: str
    edits: dict[str, Any]
    says: str
    offline: str | None = None


@dataclass(frozen=True)
class BadEdit:
    """An edit that the API server must refuse on an existing sweep."""

    name: str
    edits: dict[str, Any] = field(default_factory=dict)
    says: str = "can not be changed after creation"


def parameter(name: str, kind: str, **space: Any) -> dict[str, Any]:
    """A parameter as in a manifest."""
    return {"name": name, "parameterType": kind, "feasibleSpace": space}


def points(**values: str) -> dict[str, Any]:
    """Edits that try one configuration first."""
    return {"spec.search.pointsToEvaluate": [values]}


def several(*metrics: str) -> dict[str, Any]:
    """Edits that minimize metrics beside the objective."""
    further = [{"type": "minimize", "objectiveMetricName": metric} for metric in metrics]
    return {"spec.objective.additionalObjectives": further}


FIRST = "spec.parameters.0"
BUILTIN = "spec.trainable.builtin"
DATASET = f"{BUILTIN}.dataset"
PRIVILEGES: dict[str, Any] = {
    "hostNetwork": True,
    "hostPID": True,
    "hostIPC": True,
    "hostUsers": True,
    "hostAliases": [{"ip": "10.0.0.1", "hostnames": ["kubernetes.default"]}],
    "securityContext": {"runAsUser": 0},
    "containers": [{"name": "ray-head", "securityContext": {"privileged": True}}],
    "initContainers": [{"name": "x", "image": "x"}],
    "automountServiceAccountToken": True,
    "runtimeClassName": "none",
    "shareProcessNamespace": True,
    "capabilities": {"add": ["SYS_ADMIN"]},
    "nodeName": "control-plane",
}
"""Fields of a pod that an override must not reach; the resource has no such fields."""

BAD_MANIFESTS = [
    BadInput("unknown field in spec", {"spec.paralelTrialCount": 2}, "paralelTrialCount"),
    BadInput("unknown field in limits", {"spec.limits.memry": "1Gi"}, "memry"),
    BadInput("unknown field in a parameter", {f"{FIRST}.feasibleSpace.lst": ["1"]}, "lst"),
    BadInput("no objective", {"spec.objective": REMOVE}, "objective"),
    BadInput("no parameters", {"spec.parameters": REMOVE}, "parameters"),
    BadInput("empty search space", {"spec.parameters": []}, "spec.parameters"),
    BadInput("no trainable", {"spec.trainable": REMOVE}, "trainable"),
    BadInput("objective type", {"spec.objective.type": "minimise"}, "minimize"),
    BadInput("empty objective metric", {"spec.objective.objectiveMetricName": ""}, "objectiveMetricName"),
    BadInput("goal is not a number", {"spec.objective.goal": "low"}, "goal"),
    BadInput("unknown metric", {"spec.objective.objectiveMetricName": "f1"}, "does not report"),
    BadInput("metric of the other task", {"spec.objective.objectiveMetricName": "rmse"}, "does not report"),
    BadInput("unknown additional metric", {"spec.objective.additionalMetricNames": ["auc"]}, "does not report"),
    BadInput("unknown additional objective", several("auc"), "does not report"),
    BadInput("objective twice", several("validation_loss"), "must name metrics that differ"),
    BadInput("additional objective twice", several("accuracy", "accuracy"), "must name metrics that differ"),
    BadInput("too many objectives", several(*SYSTEM_METRICS), "additionalObjectives"),
    BadInput(
        "additional objective without type",
        {"spec.objective.additionalObjectives": [{"objectiveMetricName": "accuracy"}]},
        "type",
    ),
    *(
        BadInput(f"several objectives with {kind}", several("accuracy") | {"spec.scheduler": {"type": kind}}, says)
        for kind, says in (("ASHA", "scheduler.type must be None"), ("PBT", "scheduler.type must be None"))
    ),
    *(
        BadInput(
            f"several objectives with {name}",
            several("accuracy") | {"spec.search": {"algorithmName": name}},
            "with objective.additionalObjectives write tpe",
        )
        for name in ("cmaes", "hyperopt")
    ),
    BadInput("memory in a wrong unit", {"spec.limits.memory": "400MB"}, "memory"),
    BadInput("negative memory", {"spec.limits.memory": "-1Gi"}, "memory"),
    BadInput("memory below any process", {"spec.limits.memory": "1Mi"}, "limits.memory must be at least 16Mi"),
    BadInput("step time without a unit", {"spec.limits.stepTime": "5"}, "stepTime"),
    BadInput("step time in a wrong unit", {"spec.limits.stepTime": "5 sec"}, "stepTime"),
    BadInput("mean step time in microseconds", {"spec.limits.meanStepTime": "500us"}, "meanStepTime"),
    BadInput("mean step time as a number", {"spec.limits.meanStepTime": 50}, "meanStepTime"),
    BadInput("zero step time", {"spec.limits.stepTime": "0s"}, "limits.stepTime must be longer than zero"),
    BadInput(
        "zero trial duration", {"spec.limits.trialDuration": "0m"}, "limits.trialDuration must be longer than zero"
    ),
    BadInput("negative warm-up", {"spec.limits.warmupSteps": -1}, "warmupSteps"),
    BadInput("zero window", {"spec.limits.windowSteps": 0}, "windowSteps"),
    BadInput("unknown limit action", {"spec.limits.action": "Kill"}, "Stop"),
    BadInput(
        "duplicate parameter names", {"spec.parameters.1.name": "batch_size"}, "parameters must have different names"
    ),
    BadInput("parameter name with a space", {f"{FIRST}.name": "batch size"}, "name"),
    BadInput("unknown parameter type", {f"{FIRST}.parameterType": "float"}, "double"),
    BadInput("discrete without list", {f"{FIRST}.feasibleSpace": {}}, "needs list"),
    BadInput("discrete with text", {f"{FIRST}.feasibleSpace.list": ["30", "many"]}, "use parameterType categorical"),
    BadInput(
        "repeated value", {f"{FIRST}.feasibleSpace.list": ["30", "30"]}, "Duplicate value", "must not repeat a value"
    ),
    BadInput("empty list", {f"{FIRST}.feasibleSpace.list": []}, "list"),
    BadInput("range without max", {"spec.parameters.1.feasibleSpace.max": REMOVE}, "needs min and max"),
    BadInput("range with list", {"spec.parameters.1.feasibleSpace.list": ["1"]}, "and no list"),
    BadInput("range upside down", {"spec.parameters.1.feasibleSpace.min": "1"}, "min must not be above"),
    BadInput(
        "log scale with zero",
        {"spec.parameters.1.feasibleSpace.min": "0"},
        "must be above zero with distribution logUniform",
    ),
    BadInput("int with a fraction", {FIRST: parameter("batch_size", "int", min="1.5", max="3")}, "takes whole numbers"),
    BadInput(
        "int as a power of ten", {FIRST: parameter("batch_size", "int", min="1", max="1e3")}, "as 1000 and not 1e3"
    ),
    *(
        BadInput(
            f"int of more than 64 bits: {number}",
            {FIRST: parameter("batch_size", "int", **{"min": "0", **space})},
            says,
        )
        for number, space, says in (
            ("max", {"max": "18446744073709551615"}, "must be numbers of 64 bits for an int"),
            ("min", {"min": "-9300000000000000000", "max": "0"}, "must be numbers of 64 bits for an int"),
            ("values", {"min": "-9223372036854775807", "max": "9223372036854775807"}, "fewer than 2^64 steps"),
        )
    ),
    BadInput("double without bounds", {"spec.parameters.1.feasibleSpace.max": "1e101"}, "from -1e100 to 1e100"),
    BadInput(
        "steps beyond counting", {FIRST: parameter("alpha", "double", min="0", max="1", step="1e-40")}, "2^64 steps"
    ),
    BadInput(
        "log scale from next to nothing",
        {"spec.parameters.1.feasibleSpace.min": "1e-999"},
        "must be above zero with distribution logUniform",
    ),
    *(
        BadInput(f"discrete with {name}", {f"{FIRST}.feasibleSpace.list": ["30", text]}, "takes numbers")
        for name, text in (
            ("a grouped number", "1_000"),
            ("a number of thousands of digits", "3e4567"),
            ("a number beyond all bounds", "1e101"),
        )
    ),
    BadInput(
        "zero step of a range",
        {FIRST: parameter("alpha", "double", min="1", max="3", step="0")},
        "step must be above zero",
    ),
    BadInput("grid over a range without step", {"spec.search": {"algorithmName": "grid"}}, "needs feasibleSpace.step"),
    BadInput("number where text is due", {"spec.parameters.1.feasibleSpace.min": 0.001}, "min"),
    BadInput(
        "PBT with grid",
        {"spec.scheduler": {"type": "PBT"}, "spec.search": {"algorithmName": "tpe"}},
        "scheduler.type PBT",
    ),
    BadInput("unknown search", {"spec.search": {"algorithmName": "bayes"}}, "tpe"),
    BadInput("unknown scheduler", {"spec.scheduler": {"type": "asha"}}, "ASHA"),
    BadInput(
        "grace above max",
        {"spec.scheduler": {"maxSteps": 10, "gracePeriodSteps": 20}},
        "gracePeriodSteps must not be above",
    ),
    BadInput("tiny GPU memory", {"spec.limits.gpuMemory": "1Mi"}, "limits.gpuMemory must be at least 64Mi"),
    BadInput("zero parallel trials", {"spec.parallelTrialCount": 0}, "parallelTrialCount"),
    BadInput(
        "more parallel than all", {"spec.parallelTrialCount": 5}, "parallelTrialCount must not be above maxTrialCount"
    ),
    BadInput("parallel trials in words", {"spec.parallelTrialCount": "auto"}, "parallelTrialCount"),
    BadInput(
        "Auto with an autoscaler",
        {"spec.parallelTrialCount": "Auto", "spec.cluster.workers": {"minReplicas": 1, "maxReplicas": 3}},
        "write the same number for cluster.workers.minReplicas and maxReplicas",
    ),
    BadInput("negative backoff", {"spec.backoffLimit": -1}, "backoffLimit"),
    BadInput(
        "two trainables", {"spec.trainable.function": "train:main"}, "write exactly one of builtin, function, command"
    ),
    BadInput("function without module", {"spec.trainable": {"function": "main"}}, "function"),
    BadInput("point with a parameter missing", points(batch_size="30"), "every point needs a value of every parameter"),
    BadInput(
        "point with something else",
        points(batch_size="30", learning_rate="0.01", momentum="0.9"),
        "every point needs a value of every parameter, and of nothing else",
    ),
    BadInput(
        "point off the list", points(batch_size="31", learning_rate="0.01"), "must be in its parameter's feasibleSpace"
    ),
    BadInput(
        "point above max", points(batch_size="30", learning_rate="0.2"), "must be in its parameter's feasibleSpace"
    ),
    BadInput(
        "point in words", points(batch_size="30", learning_rate="small"), "must be in its parameter's feasibleSpace"
    ),
    BadInput("preload without function", {"spec.trainable.preload": ["torch"]}, "trainable.preload is for"),
    BadInput("preload of a file", {"spec.trainable": {"function": "a:b", "preload": ["torch.py/"]}}, "preload"),
    BadInput("empty command", {"spec.trainable": {"command": []}}, "command"),
    BadInput("unknown hyperparameter", {f"{FIRST}.name": "momentum"}, "of a built-in workload may be"),
    BadInput("model of the other task", {f"{BUILTIN}.model": "linearRegression"}, "trainable.builtin.model"),
    BadInput(
        "evaluation after the end", {f"{BUILTIN}.evaluateEverySteps": 500}, "evaluateEverySteps must not be above"
    ),
    BadInput("two data sources", {f"{DATASET}.openml": {"id": 37}}, "write exactly one of openml"),
    BadInput(
        "OpenML by id and name", {DATASET: {"openml": {"id": 37, "name": "diabetes"}}}, "write exactly one of id, name"
    ),
    BadInput("unknown bundled set", {DATASET: {"bundled": "mnist"}}, "digits"),
    BadInput("file without target", {DATASET: {"file": {"location": "/data/rows.csv"}}}, "dataset.target must name"),
    BadInput("file of an unknown kind", {DATASET: {"file": {"location": "/data/rows.xls"}, "target": "y"}}, "location"),
    BadInput("target of a bundled set", {f"{DATASET}.target": "y"}, "dataset.target is fixed"),
    BadInput("workers upside down", {"spec.cluster": {"workers": {"minReplicas": 3}}}, "minReplicas must not be above"),
    BadInput(
        "hostPath volume",
        {"spec.cluster": {"podTemplate": {"volumes": [{"name": "x", "hostPath": {"path": "/"}}]}}},
        "must not use hostPath",
    ),
    *(
        BadInput(
            f"{source} volume",
            {"spec.cluster": {"podTemplate": {"volumes": [{"name": "x", source: {}}]}}},
            source,
        )
        for source in ("nfs", "iscsi", "flexVolume", "gitRepo", "glusterfs", "awsElasticBlockStore")
    ),
    BadInput(
        "volume with two sources",
        {"spec.cluster": {"podTemplate": {"volumes": [{"name": "x", "emptyDir": {}, "secret": {}}]}}},
        "volumes: write exactly one of configMap",
    ),
    *(
        BadInput(f"override of {field}", {"spec.cluster": {"podTemplate": {field: value}}}, field)
        for field, value in PRIVILEGES.items()
    ),
    BadInput(
        "service account of an autoscaled cluster",
        {
            "spec.cluster": {
                "podTemplate": {"serviceAccountName": "x"},
                "workers": {"minReplicas": 1, "maxReplicas": 2},
            }
        },
        "serviceAccountName needs workers.minReplicas equal to maxReplicas",
    ),
    BadInput(
        "reserved volume",
        {"spec.cluster": {"podTemplate": {"volumes": [{"name": "results", "emptyDir": {}}]}}},
        "must not be named control, ray-logs, results",
    ),
    BadInput(
        "claim of no size", {"spec.storage": {"volumeClaim": {"size": "0Gi"}}}, "volumeClaim.size must be above zero"
    ),
    BadInput("claim of size 0", {"spec.storage": {"volumeClaim": {"size": 0}}}, "volumeClaim.size must be above zero"),
    BadInput("two storages", {"spec.storage": {"uri": "s3://b/p", "ephemeral": {}}}, "storage: write exactly one of"),
    BadInput("ephemeral storage with workers", {"spec.storage": {"ephemeral": {}}}, "storage.ephemeral needs"),
    BadInput(
        "credentials in the storage's address",
        {"spec.storage": {"uri": "s3://key:secret@b/p"}},
        "storage.uri must hold no credentials",
    ),
    BadInput(
        "an endpoint without object storage",
        {"spec.storage": {"volumeClaim": {}, "endpoint": "https://minio:9000"}},
        "storage.endpoint and storage.credentialsSecret go with storage.uri",
    ),
    BadInput("storage of an unknown scheme", {"spec.storage": {"uri": "ftp://b/p"}}, "uri"),
    BadInput("name with a dot", {"metadata.name": "a.b"}, "metadata.name", "metadata.name"),
    BadInput(
        "name that starts with a digit",
        {"metadata.name": "4a"},
        "metadata.name must start with a letter",
        "metadata.name",
    ),
    BadInput("name too long", {"metadata.name": "a" * 41}, "metadata.name", "metadata.name"),
]

BAD_EDITS = [
    BadEdit("search space", {"spec.parameters.0.feasibleSpace.list": ["30"]}),
    BadEdit("objective", {"spec.objective.type": "maximize"}),
    BadEdit("additional objectives", several("accuracy")),
    BadEdit("trainable", {"spec.trainable.builtin.steps": 100}),
    BadEdit("search", {"spec.search": {"algorithmName": "tpe"}}),
    BadEdit("scheduler", {"spec.scheduler": {"type": "ASHA"}}),
    BadEdit("cluster", {"spec.cluster": {"image": "other:1"}}),
    BadEdit("storage", {"spec.storage": {"uri": "s3://b/p"}}),
    BadEdit("tracking", {"spec.tracking": {"enabled": False}}),
    BadEdit("backoff limit", {"spec.backoffLimit": 9}),
    BadEdit(
        "a number for Auto",
        {"spec.parallelTrialCount": "Auto", "spec.suspend": False},
        "can not be changed between Auto and a number",
    ),
]
