"""JSON or YAML text into a mapping."""

from __future__ import annotations

import json
from typing import Any

from kernel.errors import InvalidInput


def parse_mapping(text: str) -> dict[str, Any]:
    """Parse JSON or YAML. Raises `InvalidInput` when it is neither or not a mapping.

    JSON is tried first: it is nearly YAML, but YAML 1.1 would read a JSON number such as 1e-05 as text.
    """
    try:
        data = json.loads(text)
    except json.JSONDecodeError:
        import yaml

        try:
            data = yaml.safe_load(text)
        except yaml.YAMLError as error:
            raise InvalidInput(f"neither JSON nor YAML: {' '.join(str(error).split())}") from error
    if not isinstance(data, dict):
        raise InvalidInput("a JSON object or a YAML mapping is expected")
    return data
