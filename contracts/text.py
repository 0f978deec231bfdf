"""JSON or YAML text into a mapping."""

from __future__ import annotations

from typing import Any

import yaml

from kernel.errors import InvalidInput


def parse_mapping(text: str) -> dict[str, Any]:
    """Parse JSON or YAML (JSON is YAML). Raises `InvalidInput` when it is neither or not a mapping."""
    try:
        data = yaml.safe_load(text)
    except yaml.YAMLError as error:
        raise InvalidInput(f"neither JSON nor YAML: {error}") from error
    if not isinstance(data, dict):
        raise InvalidInput("a JSON object or a YAML mapping is expected")
    return data
