"""The base of every resource and message model: camelCase on the wire, unknown fields refused, immutable values."""

from pydantic import BaseModel, ConfigDict
from pydantic.alias_generators import to_camel


class Model(BaseModel):
    """A frozen pydantic model with camelCase aliases; `dump()` gives the JSON form that Kubernetes stores."""

    model_config = ConfigDict(
        alias_generator=to_camel,
        populate_by_name=True,
        extra="forbid",
        frozen=True,
        use_attribute_docstrings=True,
    )

    def dump(self) -> dict[str, object]:
        """Return the JSON-ready form with camelCase keys, leaving out what is not set."""
        return self.model_dump(mode="json", by_alias=True, exclude_none=True)
