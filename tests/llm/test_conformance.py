"""What every ChatModel keeps: run on the offline engine, and on the openai one over real HTTP."""

from __future__ import annotations

import threading

import pytest

from llm.errors import MalformedOutput
from llm.protocol import ChatModel
from tests.llm import cast


def test_complete__plain_answer__comes_with_text_usage_price_and_model(model: ChatModel) -> None:
    result = cast.ask(model, "Where does my sister live?")
    assert "Hamburg" in result.text
    assert result.usage.prompt_tokens > result.usage.completion_tokens > 0
    assert 0 < result.cost_usd < 0.01
    assert result.model


def test_complete__longer_prompt__costs_more(model: ChatModel) -> None:
    short = cast.ask(model, "Where does my sister live?", context=cast.NOTHING)
    assert cast.ask(model, "Where does my sister live?").cost_usd > short.cost_usd


def test_complete__schema_given__data_meets_it(model: ChatModel) -> None:
    found = cast.keywords(model, "Where does my sister Anna live?", 2)
    assert set(found) == {"keywords", "is_small_talk", "language"}
    assert found["keywords"][0] == "Anna"
    assert len(found["keywords"]) <= 2


def test_complete__schema_of_summary__data_meets_it(model: ChatModel) -> None:
    found = cast.summary(model, "I moved to Oslo in May.")
    assert found["remember"] is True
    assert "oslo" in found["tags"]


def test_complete__schema_that_output_cannot_meet__is_malformed_output(model: ChatModel) -> None:
    impossible = {"type": "object", "required": ["colour"], "properties": {"colour": {"type": "string"}}}
    with pytest.raises(MalformedOutput):
        model.complete(messages=cast.user('{"query": "red"}'), task="keywords", schema=impossible, timeout=5)


def test_complete__same_messages_temperature_and_seed__gives_same_text(model: ChatModel) -> None:
    texts = {cast.ask(model, "Where do I work?", temperature=0.9, seed=7).text for _ in range(3)}
    assert len(texts) == 1


def test_complete__russian__is_answered_in_russian(model: ChatModel) -> None:
    assert "Твери" in cast.ask(model, "Где живёт моя сестра?", context=cast.RUSSIAN).text


def test_complete__max_tokens__shortens_a_plain_answer(model: ChatModel) -> None:
    whole = cast.ask(model, "Where does my sister live?")
    short = cast.ask(model, "Where does my sister live?", max_tokens=3)
    assert 0 < short.usage.completion_tokens <= 3 < whole.usage.completion_tokens


def test_complete__many_threads__each_gets_its_own_answer(model: ChatModel) -> None:
    expected = {"Where does my sister live?": "Hamburg", "What am I allergic to?": "peanuts"}
    wrong: list[str] = []

    def run(question: str, word: str) -> None:
        for _ in range(5):
            text = cast.ask(model, question).text
            if word not in text:
                wrong.append(text)

    threads = [threading.Thread(target=run, args=pair) for pair in list(expected.items()) * 4]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert wrong == []
