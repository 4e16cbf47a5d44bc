"""Rules that the API server and the offline validation share: one message each, a CEL expression and a Python check.

A model lists its rules once; `with_rules` puts the CEL form into the JSON schema, `check_rules` runs the Python form.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any


@dataclass(frozen=True)
class Rule:
    """One rule: `cel` for the API server, `holds` for Python, the same `message` from both."""

    cel: str
    message: str
    holds: Callable[[Any], bool]


def with_rules(rules: Sequence[Rule]) -> dict[str, Any]:
    """Return the `json_schema_extra` of a model: its rules as `x-kubernetes-validations`."""
    return {"x-kubernetes-validations": [{"rule": rule.cel, "message": rule.message} for rule in rules]}


def check_rules(model: object, rules: Sequence[Rule]) -> None:
    """Raise ValueError with the message of the first rule that `model` breaks."""
    for rule in rules:
        if not rule.holds(model):
            raise ValueError(rule.message)


def _escaped(name: str) -> str:
    """CEL's form of a field name that is one of its reserved words."""
    return f"__{name}__" if name in ("function", "namespace", "import", "package") else name


def exactly_one(fields: Sequence[str], names: Sequence[str], owner: str) -> Rule:
    """A rule that exactly one of `fields` is set; `names` are their camelCase forms, `owner` the path users see."""
    cel = " + ".join(f"(has(self.{_escaped(name)}) ? 1 : 0)" for name in names) + " == 1"
    listed = ", ".join(names)
    return Rule(
        cel=cel,
        message=f"{owner}: write exactly one of {listed}",
        holds=lambda model: sum(getattr(model, field) is not None for field in fields) == 1,
    )
