"""ARCHIVIST: what is worth remembering of an exchange."""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import Any

from kernel.errors import DomainError
from llm.text import detect_language
from maas.agents.asking import Cost, ask
from maas.claims import Run
from maas.parameters import RunParameters
from maas.retrieval.strategies import stemmed

_SCHEMA: dict[str, Any] = {
    "type": "object",
    "properties": {
        "remember": {"type": "boolean"},
        "summary": {"type": "string"},
        "tags": {"type": "array", "items": {"type": "string"}},
    },
    "required": ["remember", "summary", "tags"],
    "additionalProperties": False,
}


class NoSummary(DomainError):
    """The model said that something is worth remembering, and did not say what."""

    code = "NO_SUMMARY"


@dataclass(frozen=True, slots=True)
class Note:
    """`summary` None: nothing worth remembering (small talk, a mere question)."""

    summary: str | None
    tags: list[str]
    language: str
    cost: Cost


def take_note(run: Run, parameters: RunParameters) -> Note:
    """Raises what `ChatModel.complete` raises, and `NoSummary`."""
    result = ask(
        run=run,
        parameters=parameters,
        role="archivist",
        version=parameters.prompts_archivist,
        task="summary",
        content=json.dumps(
            {
                "user": run.query,
                "assistant": run.answer,
                "max_tags": parameters.archivist_max_tags,
                "summary_length": parameters.archivist_summary_length,
            },
            ensure_ascii=False,
        ),
        schema=_SCHEMA,
    )
    data = result.data or {}
    if not data.get("remember"):
        return Note(None, [], "en", Cost.of(result))
    summary = str(data.get("summary") or "").replace("\x00", "").strip()
    if not summary:
        raise NoSummary("the archivist's model gave no summary")
    tags = stemmed([tag for tag in data.get("tags") or [] if isinstance(tag, str)])
    return Note(summary, tags[: parameters.archivist_max_tags], detect_language(summary), Cost.of(result))
