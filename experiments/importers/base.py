"""What every importer gives: histories as memories, questions with ground truth, and an account of it."""

from __future__ import annotations

import json
import re
import uuid
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path
from typing import Any

from contracts.maas import NewMemory
from kernel.errors import InvalidInput

_UNSTORABLE = re.compile(r"\\u0000|[\ud800-\udfff]")


@dataclass(frozen=True, slots=True)
class Question:
    external_id: str
    query: str
    asked_at: datetime
    evidence: tuple[str, ...]
    category: str
    key_facts: tuple[str, ...] = ()
    forbidden: tuple[str, ...] = ()
    should_retrieve: bool = True
    difficulty: str = "medium"


@dataclass(frozen=True, slots=True)
class Conversation:
    """One long history of one synthetic user. `memories` maps the file's own turn id to the memory made of it."""

    conversation_id: str
    user_id: uuid.UUID
    memories: dict[str, NewMemory]
    questions: tuple[Question, ...]


@dataclass(slots=True)
class Account:
    """What an import took, and what it skipped with the reason, by reason."""

    conversations: int = 0
    memories: int = 0
    questions: int = 0
    skipped: dict[str, int] = field(default_factory=dict)
    examples_of_skipped: dict[str, str] = field(default_factory=dict)

    def skip(self, reason: str, what: str) -> None:
        self.skipped[reason] = self.skipped.get(reason, 0) + 1
        self.examples_of_skipped.setdefault(reason, what)

    def to_json(self) -> dict[str, Any]:
        return {
            "conversations": self.conversations,
            "memories": self.memories,
            "questions": self.questions,
            "skipped": [
                {"reason": reason, "count": count, "first": self.examples_of_skipped[reason]}
                for reason, count in sorted(self.skipped.items())
            ],
        }


def read_text(path: Path) -> str:
    """Raise `InvalidInput` that names the file when it cannot be read."""
    try:
        return path.read_text(encoding="utf-8-sig")
    except FileNotFoundError as error:
        raise InvalidInput(f"there is no file {path}") from error
    except (OSError, UnicodeDecodeError) as error:
        raise InvalidInput(f"{path} cannot be read as UTF-8 text: {error}") from error


def parse_json(text: str, *, where: str) -> Any:
    """Raise `InvalidInput` with line and column when `text` is not JSON, or holds what a database cannot store."""
    try:
        value = json.loads(text)
    except json.JSONDecodeError as error:
        raise InvalidInput(
            f"{where} is not valid JSON: {error.msg} at line {error.lineno}, column {error.colno}",
            details={"file": where, "line": error.lineno, "column": error.colno},
        ) from error
    except RecursionError as error:
        raise InvalidInput(f"{where} is nested too deeply") from error
    except ValueError as error:  # Python reads no number of more than 4300 digits
        raise InvalidInput(f"{where} holds a number that is too long") from error
    if _UNSTORABLE.search(json.dumps(value, ensure_ascii=False).replace("\\\\", "")):
        raise InvalidInput(f"{where} holds a NUL character or half a surrogate pair, which is no text")
    return value
