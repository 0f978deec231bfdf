"""Which phrasings of a system prompt the offline engine obeys; the decision record lists them."""

from __future__ import annotations

import pytest

from llm.offline.instructions import Grounding, read_instructions


@pytest.mark.parametrize(
    "prompt",
    [
        "You are a helpful assistant.",
        "You have a long memory. Answer briefly and kindly.",
        "Use the memories whenever they help.",
        "Ты доброжелательный помощник с долгой памятью.",
        "Используй воспоминания, когда они помогают.",
    ],
)
def test_read_instructions__no_demand__is_free(prompt: str) -> None:
    assert read_instructions(prompt).grounding is Grounding.FREE


@pytest.mark.parametrize(
    "prompt",
    [
        "Answer only from the memories.",
        "Rely only on the context below.",
        "If the memories do not contain the answer, say so.",
        "Use the memories. Do not invent facts.",
        "Never make things up.",
        "Don't guess.",
        "Say you do not know when it is not there.",
        "Отвечай только из воспоминаний.",
        "Отвечай только по воспоминаниям пользователя.",
        "Не выдумывай.",
        "Ничего не придумывай.",
        "Если в воспоминаниях нет ответа, скажи об этом.",
    ],
)
def test_read_instructions__grounding_demanded__is_grounded(prompt: str) -> None:
    assert read_instructions(prompt).grounding is Grounding.GROUNDED


@pytest.mark.parametrize(
    "prompt",
    [
        "Say you do not know unless a memory clearly answers the question.",
        "Answer only from the memories, and only if you are certain.",
        "If you are not sure, say that you do not know.",
        "State only what is explicitly stated in the memories.",
        "Отвечай, только если воспоминание прямо отвечает на вопрос.",
        "Если не уверен, скажи, что не помнишь.",
        "При малейшем сомнении скажи, что в памяти этого нет.",
    ],
)
def test_read_instructions__certainty_demanded__is_strict(prompt: str) -> None:
    assert read_instructions(prompt).grounding is Grounding.STRICT


@pytest.mark.parametrize(
    "prompt",
    ["Use the memories.", "Refer to your memories when they help.", "Используй воспоминания.", "Опирайся на память."],
)
def test_read_instructions__memories_to_be_used__is_read(prompt: str) -> None:
    assert read_instructions(prompt).uses_memories is True


@pytest.mark.parametrize("prompt", ["Prefer the newest note\nwhere notes disagree.", "Предпочитай более новые записи."])
def test_read_instructions__newest_to_be_preferred__is_read(prompt: str) -> None:
    assert read_instructions(prompt).prefers_newest is True


def test_read_instructions__demand_wrapped_over_lines__is_read() -> None:
    assert read_instructions("Answer only\nfrom the\nmemories.").grounding is Grounding.GROUNDED
