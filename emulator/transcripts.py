"""A dialogue as it was held: what was said and answered, and for each question what it should have found and did."""

from __future__ import annotations

import uuid
from dataclasses import dataclass
from datetime import datetime

from contracts.maas import FoundMemory, RunAnswer
from emulator.models import EmulationDialogue, EmulationTurn
from kernel.errors import DomainError, NotFound
from maas.client import MaasClient


@dataclass(frozen=True, slots=True)
class Expected:
    """A memory that a question should find. `text`: what was said then; empty when it was not said in this batch."""

    memory_id: uuid.UUID
    text: str
    found: bool


@dataclass(frozen=True, slots=True)
class Found:
    memory_id: uuid.UUID
    text: str
    score: float
    expected: bool


@dataclass(frozen=True, slots=True)
class KeyFact:
    text: str
    said: bool


@dataclass(frozen=True, slots=True)
class Exchange:
    """One turn. `heard`: what the user made of the answer. `truth_excluded`: why a question counts for nothing.

    `recall`: share of the expected memories that were found; None where nothing was expected or nothing is known.
    """

    position: int
    run_id: uuid.UUID
    text: str
    said_at: datetime
    act: str
    reason: str
    status: str
    answer: str
    error: str
    memory_id: uuid.UUID | None
    event_ids: tuple[str, ...]
    query_id: str
    asked_again: str
    category: str
    difficulty: str
    should_retrieve: bool | None
    truth_excluded: str
    heard: str
    stale: bool
    expected: tuple[Expected, ...]
    found: tuple[Found, ...]
    key_facts: tuple[KeyFact, ...]
    recall: float | None

    @property
    def is_question(self) -> bool:
        return bool(self.query_id)


def dialogue_get(*, batch_id: uuid.UUID, dialogue_id: uuid.UUID) -> EmulationDialogue:
    """Raises `NotFound`."""
    try:
        return EmulationDialogue.objects.select_related("batch").get(pk=dialogue_id, batch_id=batch_id)
    except EmulationDialogue.DoesNotExist as error:
        raise NotFound("there is no such dialogue in this emulation", details={"id": str(dialogue_id)}) from error


def transcript(*, dialogue: EmulationDialogue, client: MaasClient) -> list[Exchange]:
    """Its turns in order. What was found is asked of the student; a run that it no longer has shows as much as we kept.

    A turn that is not said yet is left out.
    """
    turns = list(dialogue.turns.filter(finished_at__isnull=False).order_by("position"))
    wanted = {memory for turn in turns for memory in turn.expected_memory_ids}
    said = EmulationTurn.objects.filter(batch_id=dialogue.batch_id, memory_id__in=wanted)
    texts = {memory: text for memory, text in said.values_list("memory_id", "text") if memory is not None}
    return [_exchange(turn, _answer(turn, dialogue.user_id, client), texts) for turn in turns]


def _answer(turn: EmulationTurn, user_id: uuid.UUID, client: MaasClient) -> RunAnswer | None:
    if not turn.query_id:
        return None
    try:
        return client.wait(turn.id, user_id=user_id, timeout=0)
    except DomainError:  # purged, or the student is not to be reached: what the row says is shown without it
        return None


def _exchange(turn: EmulationTurn, answer: RunAnswer | None, texts: dict[uuid.UUID, str]) -> Exchange:
    found: tuple[FoundMemory, ...] = answer.found if answer else ()
    expected, ids = set(turn.expected_memory_ids), {item.memory_id for item in found}
    heard = turn.heard or {}
    text = (answer.answer if answer and answer.answer else turn.answer_excerpt) or ""
    missing = set(heard.get("missing", ()))
    plain = text.casefold()
    facts = tuple(KeyFact(fact, fact not in missing if heard else fact.casefold() in plain) for fact in turn.key_facts)
    return Exchange(
        position=turn.position,
        run_id=turn.id,
        text=turn.text,
        said_at=turn.simulated_at,
        act=turn.act,
        reason=turn.reason,
        status=turn.run_status,
        answer=text,
        error=turn.error,
        memory_id=turn.memory_id,
        event_ids=tuple(turn.event_ids),
        query_id=turn.query_id,
        asked_again=turn.asked_again,
        category=turn.category,
        difficulty=turn.difficulty,
        should_retrieve=turn.should_retrieve,
        truth_excluded=turn.truth_excluded,
        heard=str(heard.get("kind", "")),
        stale=bool(heard.get("stale", False)),
        expected=tuple(Expected(name, texts.get(name, ""), name in ids) for name in turn.expected_memory_ids),
        found=tuple(Found(item.memory_id, item.text, item.score, item.memory_id in expected) for item in found),
        key_facts=facts,
        recall=len(expected & ids) / len(expected) if expected and answer else None,
    )
