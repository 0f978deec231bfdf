"""Any OpenAI-compatible endpoint, through the openai SDK. The only module that imports it, and only when called.

The caller's timeout is the whole budget: each of at most `attempts` tries gets its share of what is left, and the
SDK's own retries are off, so that tries × timeout never outlasts the task.
"""

from __future__ import annotations

import json
import math
import threading
from collections.abc import Callable, Mapping, Sequence
from functools import partial
from typing import Any, TypeVar

from llm import prices
from llm import schema as schemas
from llm.errors import MalformedOutput, ModelRefused
from llm.openai_retry import Attempts, Backoff
from llm.protocol import ChatMessage, ChatResult, Task, Usage
from llm.text import count_tokens

Returned = TypeVar("Returned")

_MODES = ("json_schema", "json_object", "prompt")
"""How a server is asked for JSON, from the strictest; one that refuses a mode is asked in the next from then on."""
_WANTED = "Answer with one JSON object and nothing else. It must meet this JSON schema:\n"

EMBEDDING_BATCH = 128


class _Endpoint:
    """One client for one endpoint: made at the first call, shared by threads, and told what the server refuses."""

    def __init__(self, *, api_key: str, base_url: str | None, attempts: int, backoff: Backoff):
        self._api_key = api_key
        self._base_url = base_url
        self._attempts = attempts
        self._backoff = backoff
        self._client: Any = None
        self._lock = threading.Lock()

    def client(self) -> Any:
        with self._lock:
            if self._client is None:
                import openai

                self._client = openai.OpenAI(
                    api_key=self._api_key, base_url=self._base_url or None, max_retries=0, timeout=30.0
                )
            return self._client

    def call(self, request: Callable[[Any, float], Returned], *, timeout: float) -> Returned:
        """`request(client, seconds for this try)`, tried again on 408, 409, 429, 5xx, broken and late connections."""
        return Attempts(limit=self._attempts, timeout=timeout, backoff=self._backoff).run(
            lambda seconds: request(self.client(), seconds)
        )


class OpenAIChat:
    """Implements `llm.protocol.ChatModel`."""

    is_offline = False

    def __init__(
        self,
        *,
        model: str,
        api_key: str,
        base_url: str | None = None,
        attempts: int = 3,
        backoff: Backoff | None = None,
        price_table: Mapping[str, prices.Price] = prices.PRICES,
    ):
        self.name = model
        self._prices = price_table
        self._endpoint = _Endpoint(api_key=api_key, base_url=base_url, attempts=attempts, backoff=backoff or Backoff())
        self._mode = 0  # index into _MODES; only ever raised, to just beyond what was refused
        self._without: frozenset[str] = frozenset()  # parameters that this server refuses

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
        """Complete `messages`. Errors as in the protocol; `data` is None without a schema."""

        def request(client: Any, seconds: float) -> ChatResult:
            arguments = self._arguments(messages, task, temperature, seed, max_tokens, schema)
            completion = self._adapting(client, arguments, schema is not None, seconds)
            if completion is None:  # the server refused a mode or parameter, which is now left out
                return request(client, seconds)
            return self._result(completion, messages, schema)

        return self._endpoint.call(request, timeout=timeout)

    def _arguments(
        self,
        messages: Sequence[ChatMessage],
        task: Task,
        temperature: float,
        seed: int | None,
        max_tokens: int | None,
        schema: dict[str, Any] | None,
    ) -> dict[str, Any]:
        said = [{"role": message.role, "content": message.content} for message in messages]
        arguments: dict[str, Any] = {"model": self.name, "messages": said, "temperature": temperature}
        if seed is not None:
            arguments["seed"] = seed
        if max_tokens is not None:
            cap = "max_completion_tokens" if "max_tokens" in self._without else "max_tokens"
            arguments[cap] = max_tokens
        if schema is not None:
            mode = _MODES[self._mode]
            if mode == "json_schema":
                form = {"name": task, "schema": schema, "strict": _is_strict(schema)}
                arguments["response_format"] = {"type": "json_schema", "json_schema": form}
            else:
                arguments["messages"] = [{"role": "system", "content": _WANTED + json.dumps(schema)}, *said]
                if mode == "json_object":
                    arguments["response_format"] = {"type": "json_object"}
        return {name: value for name, value in arguments.items() if name not in self._without}

    def _adapting(self, client: Any, arguments: dict[str, Any], wants_json: bool, seconds: float) -> Any:
        """The completion, or None when the server refused something that can be asked in another way."""
        import openai

        try:
            return client.chat.completions.create(**arguments, timeout=seconds)
        except (openai.BadRequestError, openai.UnprocessableEntityError) as error:
            complaint = f"{getattr(error, 'param', '') or ''} {error}".lower()
            names_format = any(word in complaint for word in ("response_format", "json_schema", "json_object"))
            if wants_json and names_format and "response_format" in arguments:
                refused = _MODES.index(arguments["response_format"]["type"])
                self._mode = max(self._mode, refused + 1)
                return None
            for name in ("seed", "temperature", "max_tokens"):
                if name in arguments and name in complaint and name not in self._without:
                    self._without = self._without | {name}
                    return None
            raise

    def _result(self, completion: Any, messages: Sequence[ChatMessage], schema: dict[str, Any] | None) -> ChatResult:
        choices = getattr(completion, "choices", None)  # a server may send any JSON, which the SDK lets through
        if not choices or getattr(choices[0], "message", None) is None:
            raise MalformedOutput("The endpoint answered without a choice", details={"model": self.name})
        choice = choices[0]
        refusal = getattr(choice.message, "refusal", None)
        if refusal or choice.finish_reason == "content_filter":
            raise ModelRefused("The model refused to answer", details={"refusal": refusal or "content filter"})
        text = choice.message.content or ""
        if not text.strip():
            raise MalformedOutput("The model answered with nothing", details={"finish_reason": choice.finish_reason})
        usage = self._usage(completion, messages, text)
        cost = prices.cost_usd(
            self.name,
            prompt_tokens=usage.prompt_tokens,
            completion_tokens=usage.completion_tokens,
            prices=self._prices,
        )
        data = None if schema is None else schemas.parse(text, schema)
        return ChatResult(text=text, data=data, usage=usage, cost_usd=cost, model=completion.model or self.name)

    @staticmethod
    def _usage(completion: Any, messages: Sequence[ChatMessage], text: str) -> Usage:
        told = getattr(completion, "usage", None)
        if told is None:  # some servers do not count; a budget must not read that as free
            prompt = sum(count_tokens(message.content) for message in messages)
            return Usage(prompt_tokens=prompt, completion_tokens=count_tokens(text))
        return Usage(prompt_tokens=told.prompt_tokens or 0, completion_tokens=told.completion_tokens or 0)


def _is_strict(schema: Any) -> bool:
    """Whether a schema meets what strict mode demands: closed objects whose properties are all required."""
    if isinstance(schema, list):
        return all(_is_strict(item) for item in schema)
    if not isinstance(schema, dict):
        return True
    if schema.get("type") == "object":
        closed = schema.get("additionalProperties") is False
        if not closed or set(schema.get("required", [])) != set(schema.get("properties", {})):
            return False
    return all(_is_strict(value) for value in schema.values())


class OpenAIEmbedder:
    """Implements `llm.protocol.Embedder`."""

    def __init__(
        self,
        *,
        model: str,
        api_key: str,
        base_url: str | None = None,
        dimensions: int = 256,
        timeout: float = 30.0,
        attempts: int = 3,
        backoff: Backoff | None = None,
    ):
        self.name = model
        self.dimensions = dimensions
        self._timeout = timeout
        self._sends_dimensions = True
        self._endpoint = _Endpoint(api_key=api_key, base_url=base_url, attempts=attempts, backoff=backoff or Backoff())

    def embed(self, texts: Sequence[str]) -> list[list[float]]:
        """Vectors in the order of `texts`. `MalformedOutput` when the endpoint's vectors have another length."""
        found: list[list[float]] = []
        for start in range(0, len(texts), EMBEDDING_BATCH):
            # An empty input is refused by the endpoint, and would fail the whole batch.
            batch = [text if text.strip() else "-" for text in texts[start : start + EMBEDDING_BATCH]]
            found += self._endpoint.call(partial(self._batch, batch), timeout=self._timeout)
        return found

    def _batch(self, batch: list[str], client: Any, seconds: float) -> list[list[float]]:
        import openai

        arguments: dict[str, Any] = {"model": self.name, "input": batch, "encoding_format": "float"}
        if self._sends_dimensions:
            arguments["dimensions"] = self.dimensions
        try:
            answer = client.embeddings.create(**arguments, timeout=seconds)
        except (openai.BadRequestError, openai.UnprocessableEntityError) as error:
            if not self._sends_dimensions or "dimensions" not in str(error):
                raise
            self._sends_dimensions = False
            return self._batch(batch, client, seconds)
        rows = sorted(getattr(answer, "data", None) or [], key=lambda row: row.index)
        if len(rows) != len(batch) or any(len(row.embedding) != self.dimensions for row in rows):
            raise MalformedOutput(
                "The endpoint's vectors are not as asked",
                details={"wanted": [len(batch), self.dimensions], "got": [len(rows)]},
            )
        return [_unit_length(row.embedding) for row in rows]


def _unit_length(vector: Sequence[float]) -> list[float]:
    length = math.sqrt(sum(value * value for value in vector))
    if not length or not math.isfinite(length):
        raise MalformedOutput("The endpoint gave a vector without a direction")
    return [value / length for value in vector]
