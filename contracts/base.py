"""What every message has in common."""

from __future__ import annotations

from typing import Any

from pydantic import BaseModel, ConfigDict

Json = Any
"""A JSON value: None, bool, int, float, str, list or dict of these."""


class Message(BaseModel):
    """Frozen, closed to unknown fields, and versioned."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    schema_version: int = 1


class Part(BaseModel):
    """A piece of a message: frozen and closed, versioned by the message that holds it."""

    model_config = ConfigDict(frozen=True, extra="forbid")
