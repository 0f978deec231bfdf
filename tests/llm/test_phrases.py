from __future__ import annotations

import pytest

from llm.offline.phrases import (
    ABSTENTION,
    ACKNOWLEDGEMENT,
    GREETING,
    GUESSES,
    REMINDER,
    is_abstention,
    is_guess,
    is_own_remark,
)
from llm.text import content_words


@pytest.mark.parametrize(
    "text",
    [
        *ABSTENTION.values(),
        "I don't have any memory of that.",
        "Sorry, I do not have information about your car.",
        "That is not in my memory.",
        "К сожалению, в моей памяти этого нет.",
        "У меня нет сведений об этом.",
    ],
)
def test_is_abstention__says_that_memory_lacks_it__is_recognised(text: str) -> None:
    assert is_abstention(text)


@pytest.mark.parametrize(
    "text",
    [
        "I don't know how to swim.",
        "My sister Anna lives in Hamburg.",
        "I have no car.",
        "У меня нет машины.",
        "Я не помню, где оставил ключи.",
        *ACKNOWLEDGEMENT.values(),
        *[option for kinds in GUESSES.values() for options in kinds.values() for option in options],
    ],
)
def test_is_abstention__a_claim_of_any_kind__is_not_taken_for_one(text: str) -> None:
    assert not is_abstention(text)


@pytest.mark.parametrize("text", [*ACKNOWLEDGEMENT.values(), *GREETING.values(), *REMINDER.values()])
def test_remarks__all__claim_nothing(text: str) -> None:
    assert content_words(text) == []
    assert is_own_remark(text)


def test_is_guess__every_guess__is_recognised_and_an_extract_is_not() -> None:
    assert all(is_guess(option) for kinds in GUESSES.values() for options in kinds.values() for option in options)
    assert not is_guess("My sister Anna lives in Hamburg.")
