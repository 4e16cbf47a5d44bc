"""Random sweep manifests for hypothesis: parts of the base replaced by what their schema allows, or by nonsense.

Used on models and builders (tests/unit/operator) and against a real API server (tests/integration/control_plane).
`make fuzz` sets how many are made.
"""

import copy
import itertools
import os
from collections.abc import Iterator
from typing import Any

from hypothesis import HealthCheck, settings
from hypothesis import strategies as st

from support.sweeps import BASE
from tuningsweep_api.crd import custom_resource_definition

Schema = dict[str, Any]
FieldPath = tuple[str | int, ...]
SPEC: Schema = custom_resource_definition()["spec"]["versions"][0]["schema"]["openAPIV3Schema"]["properties"]["spec"]
EXAMPLES = int(os.environ.get("TUNINGSWEEP_FUZZ_EXAMPLES", "500"))
FEW = 4
"""Longest list and largest map that is made."""

NONSENSE: st.SearchStrategy[Any] = st.one_of(
    st.none(),
    st.booleans(),
    st.integers(-(2**63), 2**63 - 1),
    st.sampled_from([-1, 0, 1, 0.5, 1.0, 1e300, 2**31, 2**40]),
    st.sampled_from(
        ["", " ", "0", "-1", "1e400", "NaN", "Infinity", "1" * 300, "a" * 5000, "$(id)", "../..", "\x00", "é", "٣"]
    ),
    st.sampled_from(["1us", "1.5h", "-1s", "5e-1s", "1Ei", "1e3", "+1Gi", ".5Gi"]),
    st.text(max_size=8),
    st.sampled_from([{}, [], [None], [[]], {"a": None}, {"": 1}, [{"name": "x"}]]),
)


def spec_part(schema: Schema) -> st.SearchStrategy[Any]:
    """Values that a part of the structural schema allows; its rules across fields may refuse them all the same."""
    if "enum" in schema:
        return st.sampled_from(schema["enum"])
    if schema.get("x-kubernetes-int-or-string"):
        return st.integers(0, 1 << 40) | _texts(schema)
    made = {"object": _objects, "array": _lists, "string": _texts, "integer": _integers}.get(schema.get("type", ""))
    return st.booleans() if made is None else made(schema)


def _objects(schema: Schema) -> st.SearchStrategy[Any]:
    if "properties" in schema:
        fields = {name: spec_part(child) for name, child in schema["properties"].items()}
        required = {name: fields.pop(name) for name in schema.get("required", [])}
        return st.fixed_dictionaries(required, optional=fields)
    if isinstance(schema.get("additionalProperties"), dict):
        return st.dictionaries(
            st.text("abcXYZ019_-./", max_size=12), spec_part(schema["additionalProperties"]), max_size=FEW
        )
    return st.sampled_from([{}, {"x": 1}, {"name": "x"}, {"x": {"y": [None, {}]}}])


def _lists(schema: Schema) -> st.SearchStrategy[Any]:
    least = schema.get("minItems", 0)
    return st.lists(spec_part(schema["items"]), min_size=least, max_size=least + FEW)


def _texts(schema: Schema) -> st.SearchStrategy[Any]:
    most = schema.get("maxLength", 40)
    if "pattern" in schema:
        return st.from_regex(schema["pattern"], fullmatch=True, alphabet=st.characters(codec="utf-8")).filter(
            lambda text: len(text) <= most
        )
    return st.text(min_size=schema.get("minLength", 0), max_size=min(most, 40))


def _integers(schema: Schema) -> st.SearchStrategy[Any]:
    least, most = schema.get("minimum", -(2**31)), schema.get("maximum", 2**31)
    return st.sampled_from([least, most]) | st.integers(least, most)


def _paths(schema: Schema, path: FieldPath = ()) -> Iterator[tuple[FieldPath, Schema]]:
    """Every field of the spec; of lists their first entry."""
    for name, child in schema.get("properties", {}).items():
        yield (*path, name), child
        yield from _paths(child, (*path, name))
    if schema.get("type") == "array":
        yield (*path, 0), schema["items"]
        yield from _paths(schema["items"], (*path, 0))


FIELDS = [(path, spec_part(schema)) for path, schema in _paths(SPEC)]
"""Made once: hypothesis takes its time over a new strategy."""


def _put(node: Any, path: FieldPath, value: Any) -> None:
    """Set a value, making what is missing on the way; nothing where something else stands in the way."""
    value = copy.deepcopy(value)  # hypothesis hands out the same lists and maps again
    for part, following in itertools.pairwise(path):
        if isinstance(part, int) and isinstance(node, list):
            if not node:
                node.append({})
            node = node[0]
        elif isinstance(node, dict):
            node = node.setdefault(part, [] if isinstance(following, int) else {})
        else:
            return
    last = path[-1]
    if isinstance(last, int) and isinstance(node, list):
        node[:1] = [value]
    elif isinstance(node, dict) and isinstance(last, str):
        node[last] = value


@st.composite
def sweep_manifests(draw: st.DrawFn) -> dict[str, Any]:
    """A manifest that may be good or bad: some fields replaced, rarely a field that does not exist."""
    manifest = copy.deepcopy(BASE)
    for path, fitting in draw(st.lists(st.sampled_from(FIELDS), max_size=3)):
        value = draw(NONSENSE) if draw(st.integers(0, 5)) == 0 else draw(fitting)
        _put(manifest["spec"], path, value)
    if draw(st.integers(0, 19)) == 0:
        _put(manifest["spec"], (*draw(st.sampled_from(FIELDS))[0][:-1], "noSuchField"), draw(NONSENSE))
    return manifest


def fuzzed(examples: int) -> settings:
    """Settings of a fuzz test: always other examples, none of them too slow on a busy machine."""
    return settings(max_examples=examples, deadline=None, database=None, suppress_health_check=list(HealthCheck))
