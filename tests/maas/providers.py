"""A parameter provider that tests steer."""

from __future__ import annotations

from typing import Any

from contracts.parameters import EffectiveParameters, ParameterContext

current: dict[str, Any] = {}
version = 7
error: Exception | None = None


def provide(context: ParameterContext) -> EffectiveParameters:
    if error is not None:
        raise error
    return EffectiveParameters(version=context.version or version, content_hash="test", values=current)
