"""Chat with any OpenAI-compatible endpoint, through the openai SDK, which is imported only when called.

The caller's timeout is the whole budget: each of at most `attempts` tries gets its share of what is left, and the
SDK's own retries are off, so that tries × timeout never outlasts the task.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from typing import Any

from llm import prices
from llm import schema as schemas
from llm.errors import MalformedOutput, ModelRefused
from llm.openai_client import Endpoint, as_malformed
from llm.openai_retry import Backoff
from llm.protocol import ChatMessage, ChatResult, Task, Usage
from llm.text import count_tokens

_MODES = ("json_schema", "json_object", "prompt")
"""How a server is asked for JSON, from the strictest; one that refuses a mode is asked in the next from then on."""
_NAMES_FORMAT = ("response_format", "json_schema", "json_object", "schema", "structured output", "grammar", "guided")
"""What a refusal says that is about the form of the answer; servers name it in many ways."""
_WANTED = "Answer with one JSON object and nothing else. It must meet this JSON schema:\n"


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
        self._endpoint = Endpoint(api_key=api_key, base_url=base_url, attempts=attempts, backoff=backoff or Backoff())
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
        """Complete `messages`. Errors as in the protocol; `data` is None without a schema.

        The usage is that of all tries that were answered: malformed output is paid for too.
        """
        spent: list[Usage] = []

        def request(client: Any, seconds: float) -> ChatResult:
            arguments = self._arguments(messages, task, temperature, seed, max_tokens, schema)
            completion = self._adapting(client, arguments, schema is not None, seconds)
            if completion is None:  # the server refused a mode or parameter, which is now left out
                return request(client, seconds)
            return self._result(completion, messages, schema, spent)

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
            names_format = any(word in complaint for word in _NAMES_FORMAT)
            if wants_json and names_format and "response_format" in arguments:
                refused = _MODES.index(arguments["response_format"]["type"])
                self._mode = max(self._mode, refused + 1)
                return None
            for name in ("seed", "temperature", "max_tokens"):
                if name in arguments and name in complaint and name not in self._without:
                    self._without = self._without | {name}
                    return None
            raise

    def _result(
        self, completion: Any, messages: Sequence[ChatMessage], schema: dict[str, Any] | None, spent: list[Usage]
    ) -> ChatResult:
        with as_malformed("The endpoint's answer is no chat completion"):
            choices = getattr(completion, "choices", None)
            if not choices or getattr(choices[0], "message", None) is None:
                raise MalformedOutput("The endpoint answered without a choice", details={"model": self.name})
            choice = choices[0]
            refusal = getattr(choice.message, "refusal", None)
            text = (choice.message.content or "").strip() and choice.message.content
            finish_reason = getattr(choice, "finish_reason", None)
            spent.append(self._usage(completion, messages, text))
            model = str(getattr(completion, "model", None) or self.name)
        if refusal or finish_reason == "content_filter":
            raise ModelRefused("The model refused to answer", details={"refusal": refusal or "content filter"})
        if not text:
            raise MalformedOutput("The model answered with nothing", details={"finish_reason": finish_reason})
        usage = Usage(
            prompt_tokens=sum(one.prompt_tokens for one in spent),
            completion_tokens=sum(one.completion_tokens for one in spent),
        )
        cost = prices.cost_usd(
            self.name,
            prompt_tokens=usage.prompt_tokens,
            completion_tokens=usage.completion_tokens,
            prices=self._prices,
        )
        data = None if schema is None else schemas.parse(text, schema)
        return ChatResult(text=text, data=data, usage=usage, cost_usd=cost, model=model)

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
