"""Dialogue files of our own, in both formats, small enough to break one thing at a time."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

Json = dict[str, Any]


def sample(name: str = "talk-1", **more: Any) -> Json:
    """One conversation in the shape of a LoCoMo sample: two sessions, five turns, three questions."""
    return {
        "sample_id": name,
        "conversation": {
            "speaker_a": "Mira",
            "speaker_b": "Tom",
            "session_1_date_time": "9:05 am on 4 March, 2024",
            "session_1": [
                {"speaker": "Mira", "dia_id": "D1:1", "text": "My kiln arrived this morning."},
                {"speaker": "Tom", "dia_id": "D1:2", "text": "Wonderful! Mine is still in the crate."},
                {"speaker": "Mira", "dia_id": "D1:3", "text": "", "blip_caption": "a blue kiln in a shed"},
            ],
            "session_2_date_time": "6:30 pm on 20 May, 2024",
            "session_2": [
                {"speaker": "Tom", "dia_id": "D2:1", "text": "I glazed eleven bowls.", "blip_caption": "bowls"},
                {"speaker": "Mira", "dia_id": "D2:2", "text": "I sold two at the harbour market."},
            ],
            "session_3_date_time": "1:00 pm on 1 June, 2024",
        },
        "qa": [
            {"question": "What arrived for Mira?", "answer": "a kiln", "evidence": ["D1:1"], "category": 4},
            {"question": "How many bowls did Tom glaze?", "answer": 11, "evidence": ["D2:1"], "category": 2},
            {"question": "Where did Mira sell bowls?", "answer": "harbour", "evidence": ["D2:2"], "category": 1},
        ],
        **more,
    }


def question(**fields: Any) -> Json:
    return {"question": "What came?", "answer": "a kiln", "evidence": ["D1:1"], "category": 4, **fields}


def asking(*questions: Json, name: str = "talk-1") -> Json:
    return sample(name, qa=list(questions))


def locomo_file(folder: Path, *samples: Json) -> Path:
    path = folder / "talks.json"
    path.write_text(json.dumps(samples), encoding="utf-8")
    return path


def memory_line(conversation: str = "c1", name: str = "m1", **fields: Any) -> Json:
    return {
        "type": "memory", "conversation": conversation, "id": name, "at": "2025-03-01T10:00:00Z", "speaker": "Ann",
        "text": f"The {conversation} boat has {name} sails.", **fields,
    }  # fmt: skip


def question_line(conversation: str = "c1", name: str = "q1", **fields: Any) -> Json:
    return {
        "type": "question", "conversation": conversation, "id": name, "at": "2025-06-01T10:00:00Z",
        "query": "How many sails has the boat?", "evidence": ["m1"], "category": "factual", **fields,
    }  # fmt: skip


def jsonl_file(folder: Path, *lines: Json | str) -> Path:
    path = folder / "talks.jsonl"
    texts = [line if isinstance(line, str) else json.dumps(line, ensure_ascii=False) for line in lines]
    path.write_text("\n".join(texts) + "\n", encoding="utf-8")
    return path


def both(conversation: str) -> tuple[Json, Json]:
    return memory_line(conversation), question_line(conversation)
