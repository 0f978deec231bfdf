"""The offline chat model: chooses its method by `task`. Deterministic by messages, temperature and seed."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from typing import Any

from kernel.canonical import derive_seed
from llm import prices
from llm import schema as schemas
from llm.errors import MalformedOutput, ModelRefused
from llm.offline.answer import answer
from llm.offline.keywords import DEFAULT_COUNT, keywords
from llm.offline.summary import summarise
from llm.protocol import ChatMessage, ChatResult, Task, Usage
from llm.text import count_tokens

NAME = "offline"


def _last(messages: Sequence[ChatMessage], role: str) -> str:
    return next((message.content for message in reversed(messages) if message.role == role), "")


def _object(text: str) -> dict[str, Any]:
    try:
        value = json.loads(text)
    except ValueError:
        return {}
    return value if isinstance(value, dict) else {}


def _whole(value: Any, default: int) -> int:
    return value if isinstance(value, int) and not isinstance(value, bool) else default


def _shortened(text: str, max_tokens: int | None) -> str:
    if max_tokens is None or count_tokens(text) <= max_tokens:
        return text
    kept: list[str] = []
    for piece in text.split():
        if count_tokens(" ".join([*kept, piece])) > max_tokens:
            break
        kept.append(piece)
    return " ".join(kept)


def _fitted(data: dict[str, Any], schema: dict[str, Any] | None) -> dict[str, Any]:
    """What of `data` the schema asks for, checked."""
    if schema is None:
        return data
    if schema.get("additionalProperties") is False:
        data = {name: value for name, value in data.items() if name in schema.get("properties", {})}
    return schemas.check(data, schema)


class OfflineModel:
    """Implements `llm.protocol.ChatModel` without a network. Stateless, so threads may share it."""

    name = NAME
    is_offline = True

    def __init__(self, price_table: Mapping[str, prices.Price] = prices.PRICES):
        self._prices = price_table

    def complete(
        self,
        *,
        messages: Sequence[ChatMessage],
        task: Task,
        temperature: float = 0.0,
        seed: int | None = None,
        max_tokens: int | None = None,
        schema: dict[str, Any] | None = None,
        timeout: float = 30.0,  # noqa: ARG002 - the protocol's; nothing here can wait
    ) -> ChatResult:
        """Complete `messages` (their layout per task: docs/decisions/0004-offline-engine.md).

        Without a schema, `data` of an answer is {"used": [numbers of the memories used]}. Without a seed, the draw at
        a temperature above 0 depends on the messages alone. Raises `ModelRefused` for tasks "judge" and "text",
        `MalformedOutput` when the schema asks for what the task does not give or `max_tokens` cuts its JSON.
        """
        user = _last(messages, "user")
        if not user.strip():
            raise ModelRefused("A completion needs a user message", details={"task": task})
        if task == "answer":
            text, data = self._answer(messages, user, temperature, seed, schema)
        elif task in ("keywords", "summary"):
            data = _fitted(self._keywords(user) if task == "keywords" else self._summary(user), schema)
            text = json.dumps(data, ensure_ascii=False)
        elif task == "judge":
            raise ModelRefused("The offline engine does not judge; use the offline judge", details={"task": task})
        else:
            raise ModelRefused("The offline engine does not write free text", details={"task": task})
        is_json = schema is not None or task != "answer"
        short = _shortened(text, max_tokens)
        if is_json and short != text:
            raise MalformedOutput("The output is longer than max_tokens", details={"max_tokens": max_tokens})
        return self._result(messages, short, data)

    def _answer(
        self,
        messages: Sequence[ChatMessage],
        user: str,
        temperature: float,
        seed: int | None,
        schema: dict[str, Any] | None,
    ) -> tuple[str, dict[str, Any]]:
        system = "\n".join(message.content for message in messages if message.role == "system")
        drawn = seed if seed is not None else derive_seed("offline", system, user)
        found = answer(system_prompt=system, message=user, temperature=temperature, seed=drawn)
        if schema is None:
            return found.text, {"used": list(found.used)}
        data = _fitted({"answer": found.text, "used": list(found.used)}, schema)
        return json.dumps(data, ensure_ascii=False), data

    @staticmethod
    def _keywords(user: str) -> dict[str, Any]:
        request = _object(user)
        hint = request.get("document_frequency")
        return keywords(
            query=str(request.get("query", user)),
            count=_whole(request.get("keyword_count"), DEFAULT_COUNT),
            document_frequency=hint if isinstance(hint, dict) else None,
        )

    @staticmethod
    def _summary(user: str) -> dict[str, Any]:
        request = _object(user)
        return summarise(
            user=str(request.get("user", user)),
            max_tags=_whole(request.get("max_tags"), 5),
            summary_length=str(request.get("summary_length", "medium")),
            language=request.get("language"),
        )

    def _result(self, messages: Sequence[ChatMessage], text: str, data: dict[str, Any]) -> ChatResult:
        usage = Usage(
            prompt_tokens=sum(count_tokens(message.content) for message in messages),
            completion_tokens=count_tokens(text),
        )
        cost = prices.cost_usd(
            self.name,
            prompt_tokens=usage.prompt_tokens,
            completion_tokens=usage.completion_tokens,
            prices=self._prices,
        )
        return ChatResult(text=text, data=data, usage=usage, cost_usd=cost, model=self.name)
