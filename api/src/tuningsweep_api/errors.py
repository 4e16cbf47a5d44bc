"""Validation errors as sentences for people: the field's path, what is wrong, what to write instead."""

from pydantic import BaseModel, ValidationError


def explain(error: ValidationError) -> list[str]:
    """One sentence an error, each starting with the field's path as in the manifest, e.g. `spec.limits.memory`."""
    return [_sentence(detail["loc"], detail["msg"], detail["type"], detail.get("input")) for detail in error.errors()]


def unknown_fields(kind: type[BaseModel], content: str | bytes) -> list[str]:
    """Paths of the fields in JSON that a model does not have, which `Model.read` passes over."""
    try:
        kind.model_validate_json(content)
    except ValidationError as error:
        return [_path(detail["loc"]) for detail in error.errors() if detail["type"] == "extra_forbidden"]
    return []


def _sentence(location: tuple[int | str, ...], message: str, kind: str, value: object) -> str:
    path = _path(location)
    if kind == "extra_forbidden":
        return f"{path}: unknown field; `kubectl explain tuningsweep.spec` lists the fields"
    if kind == "missing":
        return f"{path}: required field is missing"
    text = message.removeprefix("Value error, ")
    return f"{path}: {text}" if isinstance(value, dict | list) else f"{path}: {text} (found {value!r})"


def _path(location: tuple[int | str, ...]) -> str:
    path = ""
    for part in location:
        path += f"[{part}]" if isinstance(part, int) else f".{part}"
    return path.removeprefix(".") or "manifest"
