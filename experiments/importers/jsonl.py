"""Selflearn's own format: one JSON object a line, memories and questions. Documented in docs/DATASETS.md.

{"type": "memory", "conversation": "c1", "id": "m1", "at": "2025-03-01T10:00:00Z", "speaker": "Ann", "text": "…"}
{"type": "question", "conversation": "c1", "id": "q1", "at": "2025-06-01T10:00:00Z", "query": "…",
 "evidence": ["m1"], "category": "factual", "key_facts": ["…"], "forbidden": ["…"], "difficulty": "easy"}
"""

from __future__ import annotations

import uuid
from pathlib import Path
from typing import Annotated, Literal

from pydantic import AwareDatetime, Field, StringConstraints, TypeAdapter, ValidationError

from contracts.base import Part
from contracts.dialogue import Category, Difficulty
from contracts.maas import NewMemory
from experiments.importers.base import Account, Conversation, Question, parse_json, read_text
from kernel.canonical import derive_uuid
from kernel.errors import InvalidInput

Name = Annotated[str, StringConstraints(min_length=1, max_length=70)]
"""Two of them and the data set's name make the name of a cluster, which holds 200 characters."""

Text = Annotated[str, StringConstraints(strip_whitespace=True, min_length=1)]


class MemoryLine(Part):
    type: Literal["memory"]
    conversation: Name
    id: Name
    at: AwareDatetime
    text: Text
    speaker: str | None = None


class QuestionLine(Part):
    type: Literal["question"]
    conversation: Name
    id: Name
    at: AwareDatetime
    query: Text
    evidence: tuple[str, ...]
    category: Category
    difficulty: Difficulty = "medium"
    key_facts: tuple[str, ...] = ()
    forbidden: tuple[str, ...] = ()


_LINE: TypeAdapter[MemoryLine | QuestionLine] = TypeAdapter(
    Annotated[MemoryLine | QuestionLine, Field(discriminator="type")]
)


def read(path: Path, *, dataset: str) -> tuple[list[Conversation], Account]:
    """Parse a whole file; nothing is stored. Raises `InvalidInput` naming line and field."""
    memories: dict[str, dict[str, MemoryLine]] = {}
    questions: dict[str, dict[str, QuestionLine]] = {}
    for number, line in enumerate(read_text(path).split("\n"), start=1):
        if not line.strip():
            continue
        where = f"{path}, line {number}"
        item = _parsed(parse_json(line, where=where), where)
        shelf = (memories if isinstance(item, MemoryLine) else questions).setdefault(item.conversation, {})
        if item.id in shelf:
            raise InvalidInput(f"{where}: the {item.type} id {item.id!r} occurs twice in {item.conversation!r}")
        shelf[item.id] = item  # type: ignore[assignment]  # the shelf was chosen by the item's own type
    if not memories:
        raise InvalidInput(f"{path} holds no memory lines")
    strangers = sorted(set(questions) - set(memories))
    if strangers:
        raise InvalidInput(f"{path}: questions of {strangers[0]!r}, a conversation without memories")
    account = Account()
    return [
        _conversation(name, memories[name], questions.get(name, {}), path, dataset, account) for name in memories
    ], account


def _parsed(data: object, where: str) -> MemoryLine | QuestionLine:
    try:
        return _LINE.validate_python(data)
    except ValidationError as error:
        first = error.errors()[0]
        field = ".".join(str(part) for part in first["loc"]) or "type"
        raise InvalidInput(f"{where}: {field}: {first['msg']}", details={"where": where, "field": field}) from error


def _conversation(
    name: str,
    memories: dict[str, MemoryLine],
    questions: dict[str, QuestionLine],
    path: Path,
    dataset: str,
    account: Account,
) -> Conversation:
    user_id = derive_uuid("dataset-user", dataset, name)
    made = {item.id: _memory(item, dataset, user_id) for item in memories.values()}
    asked = [_question(item, made, path) for item in questions.values()]
    account.conversations += 1
    account.memories += len(made)
    account.questions += len(asked)
    return Conversation(name, user_id, made, tuple(asked))


def _memory(item: MemoryLine, dataset: str, user_id: uuid.UUID) -> NewMemory:
    return NewMemory(
        memory_id=derive_uuid("dataset-memory", dataset, item.conversation, item.id),
        user_id=user_id,
        text=item.text,
        simulated_at=item.at,
        speaker=item.speaker,
        metadata={"source": item.id},
    )


def _question(item: QuestionLine, memories: dict[str, NewMemory], path: Path) -> Question:
    unknown = [name for name in item.evidence if name not in memories]
    if unknown:
        raise InvalidInput(
            f"{path}: question {item.id!r} of {item.conversation!r} names evidence {unknown[0]!r}, unknown"
        )
    early = [name for name in item.evidence if memories[name].simulated_at > item.at]
    if early:
        raise InvalidInput(f"{path}: question {item.id!r} is asked before its evidence {early[0]!r} was said")
    return Question(
        external_id=f"{item.conversation}/{item.id}",
        query=item.query,
        asked_at=item.at,
        evidence=tuple(dict.fromkeys(item.evidence)),
        category=item.category,
        key_facts=item.key_facts,
        forbidden=item.forbidden,
        should_retrieve=bool(item.evidence),
        difficulty=item.difficulty,
    )
