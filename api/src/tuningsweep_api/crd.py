"""The CustomResourceDefinition, generated from the pydantic models; `python -m tuningsweep_api.crd` prints it as JSON.

Called by `make generate` and by the check that the committed CRD is what the models say.
"""

import json
import sys
from typing import Any, Final

from tuningsweep_api import names
from tuningsweep_api.spec.sweep import MUTABLE_FIELDS, NAME_MAX_LENGTH, TuningSweepSpec
from tuningsweep_api.spec.sweep_rules import AUTO
from tuningsweep_api.status import TuningSweepStatus

Schema = dict[str, Any]


def custom_resource_definition(
    versions: tuple[str, ...] = (names.VERSION,), storage: str = names.VERSION
) -> dict[str, Any]:
    """The CRD as a plain manifest: structural schema, status subresource, printer columns.

    All `versions` are served with one and the same schema, so that the API server converts between them by their name alone
    and a write through either loses nothing (docs/upgrades.md); `storage` is the one that objects are kept in.
    """
    return {
        "apiVersion": "apiextensions.k8s.io/v1",
        "kind": "CustomResourceDefinition",
        "metadata": {"name": f"{names.PLURAL}.{names.GROUP}"},
        "spec": {
            "group": names.GROUP,
            "scope": "Namespaced",
            "names": {
                "kind": names.KIND,
                "listKind": f"{names.KIND}List",
                "plural": names.PLURAL,
                "singular": names.SINGULAR,
                "shortNames": list(names.SHORT_NAMES),
                "categories": ["all"],
            },
            "versions": [_version(name, storage=name == storage) for name in versions],
        },
    }


def _version(name: str, *, storage: bool) -> dict[str, Any]:
    return {
        "name": name,
        "served": True,
        "storage": storage,
        "subresources": {"status": {}},
        "additionalPrinterColumns": _printer_columns(),
        "schema": {"openAPIV3Schema": _object_schema()},
    }


def _printer_columns() -> list[dict[str, Any]]:
    counts = ".status.trials"
    return [
        {"name": "Phase", "type": "string", "jsonPath": ".status.phase"},
        {"name": "Succeeded", "type": "integer", "jsonPath": f"{counts}.succeeded"},
        {"name": "Exceeded", "type": "integer", "jsonPath": f"{counts}.limitExceeded"},
        {"name": "Failed", "type": "integer", "jsonPath": f"{counts}.failed"},
        {"name": "Total", "type": "integer", "jsonPath": f"{counts}.total"},
        {"name": "Best", "type": "string", "jsonPath": ".status.currentOptimalTrial.objective"},
        {"name": "Age", "type": "date", "jsonPath": ".metadata.creationTimestamp"},
        {"name": "Running", "type": "integer", "jsonPath": f"{counts}.running", "priority": 1},
        {"name": "Pruned", "type": "integer", "jsonPath": f"{counts}.pruned", "priority": 1},
        {
            "name": "Best trial",
            "type": "string",
            "jsonPath": ".status.currentOptimalTrial.trial",
            "priority": 1,
        },
    ]


def _object_schema() -> Schema:
    spec = structural_schema(TuningSweepSpec.model_json_schema(by_alias=True))
    spec["x-kubernetes-validations"] = [*spec.get("x-kubernetes-validations", []), *_immutable(spec)]
    return {
        "type": "object",
        "description": "A hyperparameter sweep whose trials are held to limits on memory and step time.",
        "required": ["spec"],
        "properties": {
            "apiVersion": {"type": "string"},
            "kind": {"type": "string"},
            "metadata": {"type": "object"},
            "spec": spec,
            "status": structural_schema(TuningSweepStatus.model_json_schema(by_alias=True)),
        },
        "x-kubernetes-validations": [
            {
                "rule": f"self.metadata.name.size() <= {NAME_MAX_LENGTH}"
                " && self.metadata.name.matches('^[a-z][-a-z0-9]*$')",
                "message": "metadata.name must start with a letter, without dots, and have at most"
                f" {NAME_MAX_LENGTH} characters: names of the Ray cluster's pods and services are made from it",
            }
        ],
    }


PACKING_STAYS: Final = {
    "rule": f"self.suspend || (self.parallelTrialCount == '{AUTO}') == (oldSelf.parallelTrialCount == '{AUTO}')",
    "message": f"spec.parallelTrialCount can not be changed between {AUTO} and a number while the sweep runs, for its trials"
    " ask Ray for other shares of a core; set spec.suspend to true first",
}


def _immutable(spec: Schema) -> list[dict[str, str]]:
    """Transition rules, on the spec, that refuse edits of every field but the mutable ones."""
    editable = ", ".join(MUTABLE_FIELDS)
    rules = []
    for name, schema in spec["properties"].items():
        if name in MUTABLE_FIELDS:
            continue
        present = name in spec.get("required", []) or "default" in schema
        same = f"self.{name} == oldSelf.{name}"
        if not present:
            same = f"has(self.{name}) == has(oldSelf.{name}) && (!has(self.{name}) || {same})"
        message = f"spec.{name} can not be changed after creation (only {editable}); make a new sweep for it"
        rules.append({"rule": same, "message": message})
    return [*rules, PACKING_STAYS]


def structural_schema(schema: Schema) -> Schema:
    """Turn pydantic's JSON schema into Kubernetes' structural form: no references, no null unions, no titles."""
    result: Schema = _convert(schema, schema.get("$defs", {}))
    return result


def _convert(node: Any, definitions: dict[str, Schema]) -> Any:
    if isinstance(node, list):
        return [_convert(item, definitions) for item in node]
    if not isinstance(node, dict):
        return node
    merged = _inline(_without_null(_inline(node, definitions)), definitions)
    result: Schema = {}
    for key, value in merged.items():
        if key in ("title", "$defs") or (key == "additionalProperties" and value is False):
            continue
        if key == "default":
            if value is not None:
                result[key] = _dropped_none(value)
        elif key == "properties":
            result[key] = {name: _convert(child, definitions) for name, child in value.items()}
        else:
            result[key] = _convert(value, definitions)
    return result


def _inline(node: Schema, definitions: dict[str, Schema]) -> Schema:
    if "$ref" not in node:
        return node
    target = definitions[node["$ref"].rsplit("/", 1)[1]]
    outer = {key: value for key, value in node.items() if key != "$ref"}
    return _inline({**target, **outer}, definitions)


def _without_null(node: Schema) -> Schema:
    """`X | None` becomes X: a field left out is how Kubernetes says none."""
    choices = node.get("anyOf", [])
    kept = [choice for choice in choices if choice.get("type") != "null"]
    if len(kept) == len(choices):
        return node
    outer = {key: value for key, value in node.items() if key != "anyOf"}
    if len(kept) == 1:
        return {**kept[0], **outer}
    return {**outer, "anyOf": kept}


def _dropped_none(value: Any) -> Any:
    if isinstance(value, dict):
        return {key: _dropped_none(item) for key, item in value.items() if item is not None}
    return value


if __name__ == "__main__":
    json.dump(custom_resource_definition(), sys.stdout, indent=2)
    sys.stdout.write("\n")
