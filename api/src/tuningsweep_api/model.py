"""The base of every resource and message model: camelCase on the wire, unknown fields refused, immutable values."""

from typing import Any, Final, Self

from pydantic import BaseModel, ConfigDict, model_validator
from pydantic.alias_generators import to_camel

LARGEST_WHOLE: Final = 2.0**53
"""Up to here a float tells every whole number from its neighbours."""


def whole_numbers(value: Any) -> Any:
    """A manifest with 1.0 as 1, as the API server reads and stores it; also within lists and maps."""
    if isinstance(value, float):
        return int(value) if value.is_integer() and abs(value) <= LARGEST_WHOLE else value
    if isinstance(value, dict):
        return {key: whole_numbers(entry) for key, entry in value.items()}
    return [whole_numbers(entry) for entry in value] if isinstance(value, list) else value


class Model(BaseModel):
    """A frozen pydantic model with camelCase aliases; `dump()` gives the JSON form that Kubernetes stores."""

    model_config = ConfigDict(
        alias_generator=to_camel,
        populate_by_name=True,
        extra="forbid",
        frozen=True,
        use_attribute_docstrings=True,
    )

    @model_validator(mode="before")
    @classmethod
    def _null_is_left_out(cls, data: Any) -> Any:
        """As the API server has it: a known field that is null is not there, and has its default."""
        if not isinstance(data, dict) or None not in data.values():
            return data
        known = {field.alias for field in cls.model_fields.values()}
        return {key: value for key, value in data.items() if value is not None or key not in known}

    @classmethod
    def read(cls, content: str | bytes) -> Self:
        """The model of JSON that another release may have written: fields that it has added are passed over.

        pydantic's ValidationError for anything else that is wrong.
        """
        return cls.model_validate_json(content, extra="ignore")

    def dump(self) -> dict[str, object]:
        """Return the JSON-ready form with camelCase keys, leaving out what is not set."""
        return self.model_dump(mode="json", by_alias=True, exclude_none=True)
