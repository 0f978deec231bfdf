"""What every model offers. Callers depend on these protocols, never on an engine."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Literal, Protocol

from contracts.base import Message, Part

Task = Literal["keywords", "answer", "summary", "judge", "text"]
"""What the call is for: logs and budgets name it, and the offline engine chooses its method by it."""


class ChatMessage(Part):
    role: Literal["system", "user", "assistant"]
    content: str


class Usage(Part):
    """Tokens as the model counts them; the offline engine counts words and punctuation."""

    prompt_tokens: int
    completion_tokens: int


class ChatResult(Message):
    """One completion. `data` is the validated JSON object when a schema was given. `cost_usd` by the price table."""

    text: str
    data: dict[str, Any] | None = None
    usage: Usage
    cost_usd: float
    model: str


class ChatModel(Protocol):
    """A chat model. Same messages, temperature and seed give the same text on the offline engine."""

    name: str
    is_offline: bool

    def complete(
        self,
        *,
        messages: Sequence[ChatMessage],
        task: Task,
        temperature: float = 0.0,
        seed: int | None = None,
        max_tokens: int | None = None,
        schema: dict[str, Any] | None = None,
        timeout: float = 30.0,
    ) -> ChatResult:
        """Complete `messages`.

        Raises `llm.errors.ModelUnavailable` (cannot be reached, rate-limited, 5xx after its retries),
        `ModelTimeout`, `MalformedOutput` (schema given and not met), `ModelRefused` (4xx: key, model name, request).
        """
        ...


class Embedder(Protocol):
    """Makes vectors of texts. Vectors of two embedders cannot be compared: store `name` beside each."""

    name: str
    dimensions: int

    def embed(self, texts: Sequence[str]) -> list[list[float]]:
        """Vectors with `dimensions` numbers, unit length, in the order of `texts`. Raises as `ChatModel.complete`.

        A text without any token has no direction: its vector is all zeros, and callers store no embedding for it
        (a cosine with it is not a number).
        """
        ...
