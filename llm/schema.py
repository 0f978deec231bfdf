"""The part of JSON schema that this project's schemas use, and nothing that would need another dependency."""

from __future__ import annotations

import json
import re
from typing import Any

from llm.errors import MalformedOutput

_TYPES: dict[str, tuple[type, ...]] = {
    "object": (dict,),
    "array": (list,),
    "string": (str,),
    "boolean": (bool,),
    "integer": (int,),
    "number": (int, float),
    "null": (type(None),),
}
_FENCE = re.compile(r"^\s*```(?:json)?\s*(.*?)\s*```\s*$", re.DOTALL)


def _is_type(value: object, name: str) -> bool:
    if isinstance(value, bool) and name in ("integer", "number"):
        return False
    return isinstance(value, _TYPES.get(name, ()))


def _of_object(value: dict[str, Any], schema: dict[str, Any], path: str, root: dict[str, Any]) -> list[str]:
    properties, others = schema.get("properties", {}), schema.get("additionalProperties")
    found = [f"{path}.{name}: missing" for name in schema.get("required", []) if name not in value]
    for name, item in value.items():
        if name in properties:
            found += problems(item, properties[name], f"{path}.{name}", root)
        elif others is False:
            found.append(f"{path}.{name}: not allowed")
        elif isinstance(others, dict):
            found += problems(item, others, f"{path}.{name}", root)
    return found


def _of_array(value: list[Any], schema: dict[str, Any], path: str, root: dict[str, Any]) -> list[str]:
    too_few, too_many = len(value) < schema.get("minItems", 0), len(value) > schema.get("maxItems", len(value))
    found = [f"{path}: {len(value)} items"] if too_few or too_many else []
    items = schema.get("items")
    if isinstance(items, dict):
        for position, item in enumerate(value):
            found += problems(item, items, f"{path}[{position}]", root)
    return found


def _of_scalar(value: Any, schema: dict[str, Any], path: str) -> list[str]:
    if isinstance(value, str):
        if len(value) < schema.get("minLength", 0) or len(value) > schema.get("maxLength", len(value)):
            return [f"{path}: {len(value)} characters"]
    elif isinstance(value, int | float) and not isinstance(value, bool):
        low, high = schema.get("minimum"), schema.get("maximum")
        if (low is not None and value < low) or (high is not None and value > high):
            return [f"{path}: {value} out of range"]
    return []


def problems(value: Any, schema: dict[str, Any], path: str = "$", root: dict[str, Any] | None = None) -> list[str]:
    """What keeps `value` from meeting `schema`; empty when it does.

    Knows type, enum, const, required, properties, additionalProperties, items, minItems, maxItems, minLength,
    maxLength, minimum, maximum, anyOf, and $ref to $defs, which is what pydantic writes for plain models.
    """
    root = schema if root is None else root
    found = _of_shape(value, schema, path, root)
    if found is not None:
        return found
    if isinstance(value, dict):
        return _of_object(value, schema, path, root)
    if isinstance(value, list):
        return _of_array(value, schema, path, root)
    return _of_scalar(value, schema, path)


def _of_shape(value: Any, schema: dict[str, Any], path: str, root: dict[str, Any]) -> list[str] | None:
    """Problems that make looking inside pointless; None when there are none."""
    if "$ref" in schema:
        return problems(value, root.get("$defs", {}).get(schema["$ref"].rsplit("/", 1)[-1], {}), path, root)
    if "anyOf" in schema and all(problems(value, option, path, root) for option in schema["anyOf"]):
        return [f"{path}: fits none of the alternatives"]
    names = schema.get("type", [])
    names = [names] if isinstance(names, str) else names
    if names and not any(_is_type(value, name) for name in names):
        return [f"{path}: is {type(value).__name__}, not {' or '.join(names)}"]
    allowed = [schema["const"]] if "const" in schema else schema.get("enum")
    if allowed is not None and value not in allowed:
        return [f"{path}: {value!r} is none of {allowed}"]
    return None


def check(value: Any, schema: dict[str, Any]) -> dict[str, Any]:
    """The value, if it is an object that meets the schema. Raises `MalformedOutput`."""
    found = problems(value, schema)
    if not isinstance(value, dict):
        found = found or ["$: not an object"]
    if found:
        raise MalformedOutput("The model's output does not meet the schema", details={"problems": found[:10]})
    return dict(value)


def _first_value(body: str) -> Any:
    try:
        return json.loads(body)
    except ValueError:  # words before or after the object
        return json.JSONDecoder().raw_decode(body[max(body.find("{"), 0) :])[0]


def parse(text: str, schema: dict[str, Any]) -> dict[str, Any]:
    """The object in a model's text, with or without a code fence or words around it. Raises `MalformedOutput`."""
    body = fenced.group(1) if (fenced := _FENCE.match(text)) else text.strip()
    try:
        value = _first_value(body)
    except (ValueError, RecursionError) as error:
        raise MalformedOutput("The model's output is not JSON", details={"text": text[:200]}) from error
    return check(value, schema)
