"""The OpenAPI document as it is stored in the repository."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from selflearn_site.api.assembly import api
from selflearn_site.environment import BASE_DIR


def schema_path() -> Path:
    return BASE_DIR / "docs" / "openapi.json"


def schema_now() -> dict[str, Any]:
    """Of the code as it is, through JSON, so that it compares with what was read from a file."""
    found: dict[str, Any] = json.loads(json.dumps(api.get_openapi_schema(path_prefix="/api/v1/"), default=str))
    return found


def schema_text(schema: dict[str, Any]) -> str:
    return json.dumps(schema, indent=1, ensure_ascii=False, sort_keys=True) + "\n"
