"""The three questions that a model is asked of a case: prompt file, what it is shown, and what its answer must be."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import cached_property, lru_cache
from pathlib import Path
from typing import Any, Literal

from pydantic import BaseModel, ConfigDict, ValidationInfo, field_validator, model_validator

from kernel.canonical import stable_hash
from teacher.judges.offline import context_texts
from teacher.judges.protocol import Case

PROMPTS = "v1"
CODE = "1"
"""Raise it when the code that shows a case or reads an answer changes what marks come out."""
_FOLDER = Path(__file__).parent / "prompts"


class Form(BaseModel):
    """What a model must answer. `info.context["memories"]`: how many memories it was shown."""

    model_config = ConfigDict(extra="forbid", frozen=True, strict=True)


def _numbers(value: list[int], info: ValidationInfo) -> list[int]:
    shown = (info.context or {}).get("memories", 0)
    strange = [number for number in value if not 1 <= number <= shown]
    if strange or len(set(value)) != len(value):
        raise ValueError(f"numbers of memories go from 1 to {shown}, each once")
    return value


class Relevance(Form):
    relevant: list[int]
    reason: str

    _known = field_validator("relevant")(_numbers)


class Utilization(Form):
    outcome: Literal["used", "not_used", "abstained"]
    memories_used: list[int]
    answer_was_available: bool
    reason: str

    _known = field_validator("memories_used")(_numbers)

    @model_validator(mode="after")
    def _use_has_its_memory(self) -> Utilization:
        if self.outcome == "used" and not self.memories_used:
            raise ValueError("`used` names at least one memory in `memories_used`")
        return self


class Claim(Form):
    claim: str
    verdict: Literal["supported", "contradicted", "unsupported"]


class Hallucination(Form):
    claims: list[Claim]
    reason: str


@dataclass(frozen=True)
class Question:
    """`shows`: what of a case the model sees; None when the question does not arise."""

    name: str
    prompt: str
    form: type[Form]
    shows: Callable[[Case], dict[str, Any] | None]

    @cached_property
    def schema(self) -> dict[str, Any]:
        return self.form.model_json_schema()

    @cached_property
    def prompt_hash(self) -> str:
        return stable_hash(CODE, self.name, self.prompt, self.schema)

    def read(self, data: Mapping[str, Any], shown: Mapping[str, Any]) -> Form:
        """The model's answer to what it was shown. Raises pydantic's `ValidationError`."""
        return self.form.model_validate_json(json.dumps(dict(data)), context={"memories": len(shown["memories"])})


def payload(shown: Mapping[str, Any]) -> str:
    """The user's message: JSON, so that no text of a case can pass for a part of the prompt."""
    return json.dumps(shown, ensure_ascii=False, indent=1)


def _texts(case: Case) -> tuple[list[str], list[str]]:
    """Memories and exchanges; a context that numbers no memories, as of a foreign MaaS, is all memories."""
    memories, exchanges = context_texts(case.context)
    return (exchanges, []) if case.found and not memories else (memories, exchanges)


def _of_relevance(case: Case) -> dict[str, Any] | None:
    memories, _ = _texts(case)
    if case.ids_known or not case.found or not memories:
        return None
    return {"question": case.query, "memories": memories}


def _of_utilization(case: Case) -> dict[str, Any] | None:
    memories, exchanges = _texts(case)
    if not case.found or not memories or not case.answer.strip():
        return None
    return {"question": case.query, "memories": memories, "recent_exchanges": exchanges, "answer": case.answer}


def _of_hallucination(case: Case) -> dict[str, Any] | None:
    if not case.answer.strip():
        return None
    memories, exchanges = _texts(case)
    return {
        "question": case.query,
        "memories": memories,
        "recent_exchanges": exchanges,
        "answer": case.answer,
        "known_to_be_right": list(case.key_facts),
        "no_longer_true": list(case.forbidden),
    }


_ASKED: tuple[tuple[str, type[Form], Callable[[Case], dict[str, Any] | None]], ...] = (
    ("relevance", Relevance, _of_relevance),
    ("utilization", Utilization, _of_utilization),
    ("hallucination", Hallucination, _of_hallucination),
)


@lru_cache(maxsize=4)
def questions(version: str = PROMPTS) -> tuple[Question, ...]:
    """The questions with the prompts of this version's folder."""
    return tuple(
        Question(name, (_FOLDER / version / f"{name}.md").read_text(encoding="utf-8").strip(), form, shows)
        for name, form, shows in _ASKED
    )


def version_of(model: str, *, prompts: str = PROMPTS) -> str:
    """Code, model and prompts in one name: `llm-1:gpt-4o:v1-0123456789`."""
    text = stable_hash(*(question.prompt_hash for question in questions(prompts)))[:10]
    return f"llm-{CODE}:{model}:{prompts}-{text}"
