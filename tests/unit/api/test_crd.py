"""The generated CRD: structural, documented, defaults that the models also give, rules and immutability."""

import copy
from collections.abc import Iterator
from typing import Any

from support.sweeps import BASE
from tuningsweep_api.crd import custom_resource_definition
from tuningsweep_api.spec.sweep import MUTABLE_FIELDS, TuningSweep, TuningSweepSpec

VERSION = custom_resource_definition()["spec"]["versions"][0]
SPEC = VERSION["schema"]["openAPIV3Schema"]["properties"]["spec"]


def nodes(schema: Any, path: str = "spec") -> Iterator[tuple[str, dict[str, Any]]]:
    yield path, schema
    for name, child in schema.get("properties", {}).items():
        yield from nodes(child, f"{path}.{name}")
    for key in ("items", "additionalProperties"):
        if isinstance(schema.get(key), dict):
            yield from nodes(schema[key], f"{path}[]")


def test_every_node_is_structural() -> None:
    for path, node in nodes(SPEC):
        assert "$ref" not in node, path
        assert "type" in node or node.get("x-kubernetes-int-or-string"), path
        assert node.get("default", "") is not None, path


def test_every_field_is_explained() -> None:
    silent = [
        path for path, node in nodes(SPEC) if not path.endswith("[]") and path != "spec" and not node.get("description")
    ]
    assert silent == []


def test_lists_and_texts_are_bounded_so_that_rules_fit_the_cost_budget() -> None:
    for path, node in nodes(SPEC):
        if node.get("type") == "array":
            assert "maxItems" in node, path


def test_defaults_of_schema_and_models_agree() -> None:
    def apply(schema: dict[str, Any], value: Any) -> Any:
        if schema.get("type") == "object" and isinstance(value, dict):
            for name, child in schema.get("properties", {}).items():
                if name not in value and "default" in child:
                    value[name] = child["default"] if not isinstance(child["default"], dict) else dict(child["default"])
                if name in value:
                    value[name] = apply(child, value[name])
        if schema.get("type") == "array" and "items" in schema:
            return [apply(schema["items"], item) for item in value]
        return value

    defaulted = apply(copy.deepcopy(SPEC), copy.deepcopy(BASE["spec"]))
    assert TuningSweepSpec.model_validate(defaulted).dump() == defaulted
    assert TuningSweep.from_manifest(BASE).spec.dump() == defaulted


def test_every_field_but_the_mutable_ones_has_a_transition_rule() -> None:
    messages = [rule["message"] for rule in SPEC["x-kubernetes-validations"] if "oldSelf" in rule["rule"]]
    guarded = {message.split(" ")[0].removeprefix("spec.") for message in messages}
    assert guarded == set(SPEC["properties"]) - set(MUTABLE_FIELDS) | {"parallelTrialCount"}, "which is half mutable"


def test_printer_columns_are_a_dashboard() -> None:
    names = [column["name"] for column in VERSION["additionalPrinterColumns"]]
    assert names[:7] == ["Phase", "Succeeded", "Exceeded", "Failed", "Total", "Best", "Age"]


def test_a_second_version_has_the_same_schema_and_one_of_them_is_stored() -> None:
    versions = custom_resource_definition(("v1alpha1", "v1beta1"), "v1beta1")["spec"]["versions"]
    assert [(v["name"], v["served"], v["storage"]) for v in versions] == [
        ("v1alpha1", True, False),
        ("v1beta1", True, True),
    ]
    assert versions[0]["schema"] == versions[1]["schema"] == VERSION["schema"]
