"""Versions of the responder's prompt that a model writes. Words come from it; whether they help, an experiment says.

The model is shown prompts and two rates, never a question, an answer or a memory.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import Any

from kernel.errors import DomainError
from llm.protocol import ChatMessage, ChatModel
from teacher.domain.prompt_check import LONGEST, copies_example, prompt_problems

PROMPTS = "v1"
_FOLDER = Path(__file__).parent / "prompts"
_ATTEMPTS = 2
_SHOWN_AT_MOST = 8
_TEMPERATURE = 0.7
_SECONDS = 60.0
SCHEMA: dict[str, Any] = {
    "title": "WrittenPrompt",
    "type": "object",
    "properties": {
        "prompt": {"type": "string", "minLength": 1, "maxLength": 4 * LONGEST},
        "idea": {"type": "string", "minLength": 1, "maxLength": 400},
    },
    "required": ["prompt", "idea"],
    "additionalProperties": False,
}


@dataclass(frozen=True, slots=True)
class Bill:
    """What asking took, whatever came of it."""

    tokens: int = 0
    cost_usd: float = 0.0


@dataclass(frozen=True, slots=True)
class WrittenPrompt:
    text: str
    idea: str
    model: str
    bill: Bill


@dataclass(frozen=True, slots=True)
class NotWritten:
    """Why there is none; the bundled library is what is left."""

    reason: str
    bill: Bill


def prompt_write(
    *,
    model: ChatModel,
    present: str,
    others: Sequence[str],
    invented: float,
    allowed: float,
    private: Iterable[str],
    seed: int,
) -> WrittenPrompt | NotWritten:
    """Ask for one new version, and once more with what was wrong. Raises nothing of the model's.

    `invented`, `allowed`: shares of answers that make something up, measured and as many as may. `private`: texts of
    examples that must not stand in it; they are not shown to the model.
    """
    held = tuple(private)
    shown: dict[str, Any] = {
        "present": present,
        "others": list(others)[-_SHOWN_AT_MOST:],
        "measured": {"invents": round(invented, 3), "may_invent": round(allowed, 3)},
    }
    bill, wrong = Bill(), ""
    messages = [
        ChatMessage(role="system", content=_asking()),
        ChatMessage(role="user", content=json.dumps(shown, ensure_ascii=False)),
    ]
    for attempt in range(_ATTEMPTS):
        try:
            result = model.complete(
                messages=messages,
                task="text",
                temperature=_TEMPERATURE,
                seed=(seed + attempt) % 2**31,
                schema=SCHEMA,
                timeout=_SECONDS,
            )
        except DomainError as error:
            return NotWritten(f"{model.name} could not be asked: {error.message}", bill)
        usage = result.usage
        bill = Bill(bill.tokens + usage.prompt_tokens + usage.completion_tokens, bill.cost_usd + result.cost_usd)
        said = result.data or {}
        text, idea = str(said.get("prompt", "")).strip(), " ".join(str(said.get("idea", "")).split())
        problems = prompt_problems(text, known=[present, *others], private=held)
        if copies_example(idea, private=held):
            problems.append("its idea repeats words of an example")
        if not problems:
            return WrittenPrompt(text, idea, result.model, bill)
        wrong = "; ".join(problems)
        messages = [
            *messages,
            ChatMessage(role="assistant", content=result.text),
            ChatMessage(role="user", content=f"This cannot be used: {wrong}. Answer again, with the whole object."),
        ]
    return NotWritten(f"what {model.name} wrote cannot be used: {wrong}", bill)


@lru_cache(maxsize=1)
def _asking() -> str:
    return (_FOLDER / PROMPTS / "responder.md").read_text(encoding="utf-8").strip()
