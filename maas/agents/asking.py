"""How an agent asks the model: prompt of its role, message, and what the call cost."""

from __future__ import annotations

import uuid
from typing import Any, NamedTuple

from kernel.canonical import derive_seed
from llm.factory import get_chat_model
from llm.protocol import ChatMessage, ChatResult, Task
from maas.claims import Run
from maas.parameters import RunParameters
from maas.prompts import template

TIME_LIMIT_SECONDS = 30.0


class Cost(NamedTuple):
    """Tokens and price of model calls, as columns of the run."""

    prompt_tokens: int = 0
    completion_tokens: int = 0
    cost_usd: float = 0.0

    @classmethod
    def of(cls, result: ChatResult) -> Cost:
        return cls(result.usage.prompt_tokens, result.usage.completion_tokens, result.cost_usd)


def ask(
    *,
    run: Run,
    parameters: RunParameters,
    role: str,
    version: str,
    task: Task,
    content: str,
    temperature: float = 0.0,
    schema: dict[str, Any] | None = None,
    **values: object,
) -> ChatResult:
    """One call. `values` fill the template's `{names}`. The seed is the run's, or follows from its id."""
    system = template(role, version)
    for name, value in values.items():
        system = system.replace("{" + name + "}", str(value))
    return get_chat_model(parameters.llm_model or None).complete(
        messages=(ChatMessage(role="system", content=system), ChatMessage(role="user", content=content)),
        task=task,
        temperature=temperature,
        seed=seed_of(run.seed, run.id),
        schema=schema,
        timeout=TIME_LIMIT_SECONDS,
    )


def seed_of(seed: int | None, run_id: uuid.UUID) -> int:
    return derive_seed("maas.run", str(run_id)) if seed is None else seed
