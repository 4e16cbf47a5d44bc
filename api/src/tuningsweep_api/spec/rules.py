"""Rules that the API server and the offline validation share: one message each, a CEL expression and a Python check.

A model lists its rules once, in `RULES`: the CEL form goes into the JSON schema, the Python form runs at validation.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any, ClassVar, Self

from pydantic import GetJsonSchemaHandler, model_validator
from pydantic_core import CoreSchema

from tuningsweep_api.model import Model


@dataclass(frozen=True)
class Rule:
    """One rule: `cel` for the API server, `holds` for Python, the same `message` from both.

    `cel` is None where the schema itself says it (a list of distinct values, say) and CEL would cost too much.
    """

    cel: str | None
    message: str
    holds: Callable[[Any], bool]


class RuledModel(Model):
    """A model with rules across its fields: checked here offline, by the API server as `x-kubernetes-validations`."""

    RULES: ClassVar[tuple[Rule, ...]] = ()

    @model_validator(mode="after")
    def _check_rules(self) -> Self:
        for rule in self.RULES:
            if not rule.holds(self):
                raise ValueError(rule.message)
        return self

    @classmethod
    def __get_pydantic_json_schema__(cls, schema: CoreSchema, handler: GetJsonSchemaHandler) -> dict[str, Any]:
        """Add the CEL form of the rules to the model's schema."""
        json_schema = handler(schema)
        if cls.RULES:
            resolved = handler.resolve_ref_schema(json_schema)
            resolved["x-kubernetes-validations"] = [{"rule": r.cel, "message": r.message} for r in cls.RULES if r.cel]
        return json_schema


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
