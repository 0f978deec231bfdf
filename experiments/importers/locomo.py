"""The LoCoMo format (Maharana et al., 2024): long dialogues in sessions, questions with the turns that prove them.

One memory is one dialogue turn; a question is asked after the last session and searches its own dialogue.
Quirks that are handled: several evidence ids in one string (`"D8:6; D9:17"`), stray colons (`"D:11:26"`), leading
zeros (`"D30:05"`), integer answers, dates of sessions that do not exist, image captions in `blip_caption`.
"""

from __future__ import annotations

import re
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

from contracts.maas import NewMemory
from experiments.importers.base import Account, Conversation, Question, parse_json, read_text
from kernel.canonical import derive_uuid
from kernel.errors import InvalidInput

CATEGORIES = {1: "multi-hop", 2: "temporal", 3: "open-domain", 4: "factual"}
ADVERSARIAL = 5
_LONGEST_ID = 100
_SESSION = re.compile(r"session_(\d+)$")
_EVIDENCE = re.compile(r"D:?(\d+):(\d+)")
_DATE_FORMATS = ("%I:%M %p on %d %B, %Y", "%I:%M %p on %B %d, %Y", "%d %B, %Y", "%Y-%m-%d %H:%M:%S")


def read(path: Path, *, dataset: str) -> tuple[list[Conversation], Account]:
    """Parse a whole file; nothing is stored. Raises `InvalidInput` that says where the file is wrong."""
    data = parse_json(read_text(path), where=str(path))
    if not isinstance(data, list) or not data:
        raise InvalidInput(f"{path}: a LoCoMo file is a non-empty JSON list of samples")
    account = Account()
    conversations = [
        _conversation(item, f"{path}: sample {index}", dataset, account) for index, item in enumerate(data)
    ]
    ids = [item.conversation_id for item in conversations]
    if len(set(ids)) != len(ids):
        raise InvalidInput(f"{path}: a sample_id occurs twice")
    return conversations, account


def _conversation(item: Any, where: str, dataset: str, account: Account) -> Conversation:
    if not isinstance(item, dict):
        raise InvalidInput(f"{where} is not an object")
    for name, kind in (("sample_id", str), ("conversation", dict), ("qa", list)):
        if not isinstance(item.get(name), kind):
            raise InvalidInput(f"{where}: {name!r} is missing or not a {kind.__name__}")
    conversation_id = item["sample_id"]
    if not 0 < len(conversation_id) <= _LONGEST_ID:
        raise InvalidInput(f"{where}: 'sample_id' needs 1 to {_LONGEST_ID} characters")
    where = f"{where} ({conversation_id})"
    user_id = derive_uuid("dataset-user", dataset, conversation_id)
    memories: dict[str, NewMemory] = {}
    last = datetime(1970, 1, 1, tzinfo=UTC)
    for number, turns in _sessions(item["conversation"], where):
        at = _session_time(item["conversation"], number, where)
        for position, turn in enumerate(turns):
            turn_id, text, speaker = _turn(turn, f"{where}, session {number}, turn {position + 1}")
            said_at = at + timedelta(seconds=30 * position)
            last = max(last, said_at)
            if turn_id in memories:
                raise InvalidInput(f"{where}: the turn id {turn_id!r} occurs twice")
            memories[turn_id] = NewMemory(
                memory_id=derive_uuid("dataset-memory", dataset, conversation_id, turn_id),
                user_id=user_id,
                text=text,
                simulated_at=said_at,
                speaker=speaker,
                metadata={"source": turn_id, "session": number},
            )
    if not memories:
        raise InvalidInput(f"{where}: the conversation has no turns")
    questions = _questions(item["qa"], where, conversation_id, memories, last + timedelta(days=1), account)
    account.conversations += 1
    account.memories += len(memories)
    account.questions += len(questions)
    return Conversation(conversation_id, user_id, memories, tuple(questions))


def _sessions(conversation: dict[str, Any], where: str) -> list[tuple[int, list[Any]]]:
    found = []
    for key, value in conversation.items():
        match = _SESSION.match(key)
        if match:
            if not isinstance(value, list):
                raise InvalidInput(f"{where}: {key} is not a list of turns")
            found.append((int(match[1]), value))
    return sorted(found)


def _session_time(conversation: dict[str, Any], number: int, where: str) -> datetime:
    text = conversation.get(f"session_{number}_date_time")
    if isinstance(text, str):
        for pattern in _DATE_FORMATS:
            try:
                return datetime.strptime(text.strip(), pattern).replace(tzinfo=UTC)
            except ValueError:
                continue
    raise InvalidInput(f"{where}: session_{number}_date_time is missing or unreadable: {text!r}")


def _turn(turn: Any, where: str) -> tuple[str, str, str]:
    if (
        not isinstance(turn, dict)
        or not isinstance(turn.get("dia_id"), str)
        or not isinstance(turn.get("speaker"), str)
    ):
        raise InvalidInput(f"{where}: a turn needs 'dia_id', 'speaker' and 'text'")
    parts = [str(turn.get("text") or "").strip()]
    if turn.get("blip_caption"):
        parts.append(f"[shares an image: {turn['blip_caption']}]")
    text = " ".join(part for part in parts if part)
    if not text:
        raise InvalidInput(f"{where} ({turn['dia_id']}): the turn has no text")
    return _normal_id(turn["dia_id"]) or turn["dia_id"], text, turn["speaker"]


def _normal_id(text: str) -> str | None:
    match = _EVIDENCE.search(text)
    return f"D{int(match[1])}:{int(match[2])}" if match else None


def _questions(
    items: list[Any],
    where: str,
    conversation_id: str,
    memories: dict[str, NewMemory],
    asked_at: datetime,
    account: Account,
) -> list[Question]:
    questions = []
    for index, item in enumerate(items):
        place = f"{where}, question {index + 1}"
        if not isinstance(item, dict) or not isinstance(item.get("question"), str):
            raise InvalidInput(f"{place}: a question needs the text 'question'")
        if "evidence" not in item or not isinstance(item["evidence"], list):
            raise InvalidInput(f"{place}: 'evidence' is missing or not a list of turn ids")
        if not item["question"].strip():
            account.skip("a question without text", place)
            continue
        category = item.get("category")
        if category == ADVERSARIAL:
            account.skip("adversarial: it has no true answer", place)
            continue
        if not isinstance(category, int) or category not in CATEGORIES:
            raise InvalidInput(f"{place}: category {category!r} is not one of 1 to 5")
        named = [f"D{int(a)}:{int(b)}" for text in item["evidence"] for a, b in _EVIDENCE.findall(str(text))]
        evidence = tuple(dict.fromkeys(name for name in named if name in memories))
        if not evidence:
            account.skip("no evidence that is a turn of the dialogue", place)
            continue
        if len(evidence) < len(set(named)):
            account.skip("an evidence id that is no turn (the question is kept)", place)
        questions.append(
            Question(
                external_id=f"{conversation_id}/q{index + 1:03d}",
                query=item["question"].strip(),
                asked_at=asked_at,
                evidence=evidence,
                category=CATEGORIES[category],
                key_facts=(str(item["answer"]),) if item.get("answer") not in (None, "") else (),
            )
        )
    return questions
