"""Conversations made up for these tests, in the layouts that the engines read."""

from __future__ import annotations

import json
from typing import Any

from llm.protocol import ChatMessage, ChatModel, ChatResult

FREE = "You are a helpful assistant with a long memory."
GROUNDED = "Answer only from the memories. If the memories do not contain the answer, say that you do not know."
STRICT = "Say that you do not know unless a memory clearly answers the question."

ENGLISH = """## Memories
[1] 2025-01-10 | My sister Anna lives in Hamburg. She has a dog called Bella.
[2] 2025-02-14 | I started learning Spanish with a tutor, twice a week.
[3] 2025-03-02 | I moved to Berlin for a new job at a hospital.
[4] 2025-05-20 | I changed jobs and now work at a small clinic in Potsdam.
[5] 2025-06-01 | I am allergic to peanuts and avoid Thai restaurants.
## Recent exchanges
User: I booked a table for Friday.
Assistant: Noted.
## Question
"""

RUSSIAN = """## Memories
[1] 2025-01-10 | Моя сестра Анна живёт в Твери. У неё есть собака по кличке Белла.
[2] 2025-02-14 | Я начал учить испанский с репетитором, два раза в неделю.
[3] 2025-03-02 | Я переехал в Казань и устроился инженером на завод.
[4] 2025-05-20 | Я сменил работу и теперь тружусь в небольшой клинике.
[5] 2025-06-01 | У меня аллергия на арахис.
## Recent exchanges
User: Я заказал столик на пятницу.
Assistant: Понятно.
## Question
"""

NOTHING = "## Memories\n## Recent exchanges\n## Question\n"

KEYWORDS_SCHEMA: dict[str, Any] = {
    "type": "object",
    "additionalProperties": False,
    "required": ["keywords", "is_small_talk", "language"],
    "properties": {
        "keywords": {"type": "array", "items": {"type": "string"}},
        "is_small_talk": {"type": "boolean"},
        "language": {"enum": ["ru", "en"]},
    },
}

SUMMARY_SCHEMA: dict[str, Any] = {
    "type": "object",
    "additionalProperties": False,
    "required": ["remember", "summary", "tags"],
    "properties": {
        "remember": {"type": "boolean"},
        "summary": {"type": "string"},
        "tags": {"type": "array", "items": {"type": "string"}},
    },
}


def user(content: str) -> list[ChatMessage]:
    return [ChatMessage(role="user", content=content)]


def ask(
    model: ChatModel, question: str, *, system: str = GROUNDED, context: str = ENGLISH, **options: Any
) -> ChatResult:
    messages = [ChatMessage(role="system", content=system), *user(context + question)]
    return model.complete(messages=messages, task="answer", **options)


def keywords(
    model: ChatModel, query: str, count: int = 5, *, schema: Any = KEYWORDS_SCHEMA, **hint: Any
) -> dict[str, Any]:
    request = json.dumps({"query": query, "keyword_count": count, **hint})
    found = model.complete(messages=user(request), task="keywords", schema=schema).data
    assert found is not None
    return found


def summary(model: ChatModel, said: str, *, length: str = "medium", tags: int = 5, reply: str = "") -> dict[str, Any]:
    request = json.dumps({"user": said, "assistant": reply, "max_tags": tags, "summary_length": length})
    found = model.complete(messages=user(request), task="summary", schema=SUMMARY_SCHEMA).data
    assert found is not None
    return found
