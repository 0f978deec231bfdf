"""Small scenarios and plans for tests."""

from __future__ import annotations

import uuid
from datetime import UTC, datetime, timedelta
from typing import Any

from emulator.domain.scenario import Scenario
from emulator.domain.script import DialogueScript, EmulationPlan, QueryTruth, ScriptTurn

START = datetime(2024, 3, 1, 9, tzinfo=UTC)


def scenario(**changes: Any) -> Scenario:
    """One thread: a statement and a question about it."""
    data: dict[str, Any] = {
        "id": "tiny",
        "family": "tiny",
        "language": "en",
        "split": "train",
        "persona": "nora-accountant",
        "goal": "be small",
        "starts_on": "2024-03-01",
        "threads": [
            {
                "id": "t01",
                "day": 0,
                "turns": [
                    {"text": "My cat is called Tiger.", "event": {"id": "cat", "kind": "fact"}},
                    {"text": "Who purrs at home?", "query": query()},
                ],
            }
        ],
    }
    return Scenario.model_validate(data | changes)


def query(**changes: Any) -> dict[str, Any]:
    return {
        "id": "q1",
        "kind": "direct",
        "category": "factual",
        "difficulty": "easy",
        "expects": ["cat"],
        "key_facts": ["Tiger"],
    } | changes


def script(name: str, *turns: ScriptTurn, user: int = 1, ordinal: int = 0) -> DialogueScript:
    return DialogueScript(
        dialogue=name,
        example=name,
        user_id=uuid.UUID(int=user),
        thread_id=uuid.uuid5(uuid.UUID(int=user), name),
        scenario="tiny",
        cluster="tiny",
        split="train",
        ordinal=ordinal,
        turns=turns,
    )


def says(text: str, *events: str, minute: int = 0) -> ScriptTurn:
    return ScriptTurn(text=text, simulated_at=START + timedelta(minutes=minute), event_ids=events)


def asks(text: str, *expects: str, minute: int = 1, **changes: Any) -> ScriptTurn:
    truth = QueryTruth(id=f"q-{text}", expects=expects, **changes)
    return ScriptTurn(text=text, simulated_at=START + timedelta(minutes=minute), query=truth)


def plan(*scripts: DialogueScript, batch: str = "b1", **changes: Any) -> EmulationPlan:
    return EmulationPlan(batch=batch, dialogues=len(scripts) or 1, scripts=scripts or None, parallel=1, **changes)
