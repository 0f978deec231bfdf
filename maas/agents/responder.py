"""FINAL RESPONDER: from the payload to the answer, and which memories the answer rests on."""

from __future__ import annotations

import uuid
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from kernel.errors import DomainError
from llm.text import stems
from maas.agents.asking import Cost, ask
from maas.claims import Run
from maas.parameters import RunParameters

USED_FROM = 0.5
"""Share of the rarer text's words (answer or memory) that both must hold for the memory to count as used."""


class EmptyAnswer(DomainError):
    """The model answered with nothing."""

    code = "EMPTY_ANSWER"


@dataclass(frozen=True, slots=True)
class Reply:
    answer: str
    used: list[uuid.UUID]
    model: str
    cost: Cost


def respond(
    run: Run, parameters: RunParameters, *, shown: Sequence[uuid.UUID], texts: Mapping[uuid.UUID, str]
) -> Reply:
    """Answer `run.payload`. `shown`: memories in the order of their numbers; `texts`: theirs.

    Raises what `ChatModel.complete` raises, and `EmptyAnswer`.
    """
    assert run.payload is not None  # noqa: S101  a run that is RESPONDING has been assembled
    result = ask(
        run=run,
        parameters=parameters,
        role="responder",
        version=parameters.prompts_responder,
        task="answer",
        content=run.payload,
        temperature=parameters.llm_temperature,
    )
    answer = result.text.strip()
    if not answer:
        raise EmptyAnswer("the model gave an empty answer")
    named = (result.data or {}).get("used")
    if isinstance(named, list):
        used = [shown[number - 1] for number in named if isinstance(number, int) and 1 <= number <= len(shown)]
    else:
        used = [memory_id for memory_id in shown if overlaps(answer, texts.get(memory_id, ""))]
    return Reply(answer=answer, used=used, model=result.model, cost=Cost.of(result))


def overlaps(answer: str, memory: str) -> bool:
    """Whether the shorter of the two shares at least `USED_FROM` of its content words with the other."""
    said, remembered = set(stems(answer)), set(stems(memory))
    shorter = min(len(said), len(remembered))
    return shorter > 0 and len(said & remembered) / shorter >= USED_FROM
