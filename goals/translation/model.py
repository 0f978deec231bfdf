"""What a language model says of the fragments that no rule could read. What it says is checked elsewhere."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from typing import Any, Literal

from pydantic import BaseModel, ConfigDict

from contracts.goal import GoalTranslation
from contracts.metric import MetricDefinition
from contracts.parameters import FactorDefinition
from llm.protocol import ChatMessage, ChatModel

CATEGORIES = ("factual", "preference", "temporal", "multi-hop", "negative")
TIMEOUT_SECONDS = 20.0

_SYSTEM = """\
You read goals for tuning a memory service. Rules have read part of the goal; you read the fragments that they could
not. Answer with JSON of the given shape. Use only metrics, categories and factors of the lists. Shares are fractions
(3 % is 0.03), latency is in ms, cost in USD. A target has "value" (absolute) or "delta" (a change; "relative" when it
is a share of the current value) or neither. Say nothing that the fragments do not say: what is absent is null or an
empty list. "read" holds, word for word, those fragments that your answer covers."""


class _Shape(BaseModel):
    model_config = ConfigDict(extra="forbid")


class SaidTarget(_Shape):
    metric: str
    direction: Literal["increase", "decrease"]
    value: float | None
    delta: float | None
    relative: bool
    category: str | None


class SaidConstraint(_Shape):
    metric: str
    kind: Literal["no_large_drop", "no_large_rise", "max", "min"]
    value: float | None


class SaidBudget(_Shape):
    tokens: int | None
    usd: float | None
    hours: float | None
    cycles: int | None


class Said(_Shape):
    """A model's reading, in shape but not checked against the registries."""

    targets: list[SaidTarget]
    constraints: list[SaidConstraint]
    forbidden_impacts: list[str]
    autonomy: Literal["full_auto", "semi_auto", "manual"] | None
    budget: SaidBudget
    read: list[str]


def ask(
    model: ChatModel,
    read: GoalTranslation,
    unread: Sequence[str],
    *,
    metrics: Mapping[str, MetricDefinition],
    factors: Mapping[str, FactorDefinition],
) -> Said:
    """Ask for the meaning of `unread`. Raises what `ChatModel.complete` raises, and `ValueError` for a wrong shape."""
    known = {
        "goal": read.text,
        "read_by_rules": read.to_json() | {"allowed_impacts": None, "assumptions": None},
        "fragments": list(unread),
        "metrics": {item.name: f"{item.title}, {item.unit}" for item in metrics.values()},
        "categories": list(CATEGORIES),
        "factors": {item.key: item.title for item in factors.values()},
    }
    result = model.complete(
        messages=[
            ChatMessage(role="system", content=_SYSTEM),
            ChatMessage(role="user", content=json.dumps(known, ensure_ascii=False)),
        ],
        task="text",
        temperature=0.0,
        schema=schema(),
        timeout=TIMEOUT_SECONDS,
    )
    return Said.model_validate(result.data)


def schema() -> dict[str, Any]:
    """The shape as JSON schema, without references: every engine reads that."""
    whole = Said.model_json_schema()
    parts = whole.pop("$defs")

    def plain(node: Any) -> Any:
        if isinstance(node, dict):
            if "$ref" in node:
                return plain(parts[node["$ref"].rsplit("/", 1)[-1]])
            return {key: plain(value) for key, value in node.items() if key not in ("title", "description")}
        return [plain(item) for item in node] if isinstance(node, list) else node

    shape: dict[str, Any] = plain(whole)
    return shape
