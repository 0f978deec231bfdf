"""Keywords and summaries of the offline engine."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from llm.errors import MalformedOutput
from llm.offline import OfflineModel
from llm.text import stem
from tests.llm import cast

MODEL = OfflineModel()


@pytest.mark.parametrize(
    ("query", "first"),
    [
        ("What did Rosalind say about the choir rehearsal?", "Rosalind"),
        ("Remind me what we decided about the greenhouse", "greenhouse"),
        ("Сколько я плачу за квартиру на Ленина?", "Ленина"),
        ("Что я говорил про теплицу?", "теплицу"),
    ],
)
def test_keywords__query__most_informative_comes_first(query: str, first: str) -> None:
    assert cast.keywords(MODEL, query)["keywords"][0] == first


@given(st.text(max_size=120), st.integers(min_value=0, max_value=15))
def test_keywords__any_query__are_few_distinct_and_from_the_query(query: str, count: int) -> None:
    found = cast.keywords(MODEL, query + " x", count)["keywords"]
    assert len(found) <= count
    assert len({stem(word) for word in found}) == len(found)
    assert all(word in query + " x" for word in found)


@pytest.mark.parametrize(
    ("query", "shares", "expected"),
    [
        ("garden fence paint", {"garden": 0.9, "fence": 0.01, "paint": 0.0}, ["fence", "garden", "paint"]),
        # Words are told as the query writes them, and stemmed here once: "university" is stemmed to "univers".
        ("parties, universities", {"parties": 0.0, "universities": 0.2}, ["universities", "parties"]),
        ("теплицу красили соседи", {"теплицу": 0.5, "красили": 0.02, "соседи": 0.1}, ["красили", "соседи", "теплицу"]),
        # A name that every memory holds tells less than a rare plain word.
        ("Did Rosalind mention the boiler?", {"Rosalind": 1.0, "mention": 0.3, "boiler": 0.01}, ["boiler", "Rosalind"]),
        # A long name that no memory holds finds nothing, not even beside the most common word.
        ("Konstantinopel today", {"Konstantinopel": 0, "today": 1}, ["today", "Konstantinopel"]),
        # One word in two forms has the share of the more frequent.
        ("cats, my cat, dogs", {"cats": 0.0, "cat": 0.2, "dogs": 0.1}, ["dogs", "cats"]),
    ],
)
def test_keywords__document_frequency_told__rare_goes_first_and_absent_last(
    query: str, shares: dict[str, float], expected: list[str]
) -> None:
    assert cast.keywords(MODEL, query, document_frequency=shares)["keywords"][: len(expected)] == expected


@pytest.mark.parametrize(
    "hint", [{}, {"garden": None, "fence": "rare"}, {"fence": True}, {"fence": float("nan")}, ["garden"], "garden"]
)
def test_keywords__document_frequency_that_says_nothing__changes_nothing(hint: object) -> None:
    query = "garden fence paint"
    assert cast.keywords(MODEL, query, document_frequency=hint) == cast.keywords(MODEL, query)


def test_keywords__share_out_of_range__is_read_as_all_or_none() -> None:
    assert cast.keywords(MODEL, "garden fence", document_frequency={"garden": 7, "fence": -1})["keywords"] == [
        "garden",
        "fence",
    ]


@pytest.mark.parametrize("text", ["Hi! How are you?", "ok", "Спасибо большое, до завтра!", "Доброе утро", "Hey Anna!"])
def test_keywords__small_talk__is_known_as_such(text: str) -> None:
    assert cast.keywords(MODEL, text)["is_small_talk"] is True


@pytest.mark.parametrize(
    "text", ["Where was I?", "Hi, my flight is on Monday", "Как дела у моей сестры?", "Thanks, and why?"]
)
def test_keywords__more_than_small_talk__is_not_taken_for_it(text: str) -> None:
    assert cast.keywords(MODEL, text)["is_small_talk"] is False


def test_keywords__plain_text_instead_of_json__is_the_query() -> None:
    found = MODEL.complete(messages=cast.user("my sister Anna"), task="keywords").data
    assert found is not None
    assert found["keywords"][0] == "Anna"


def test_keywords__max_tokens_cuts_the_json__is_malformed() -> None:
    with pytest.raises(MalformedOutput):
        MODEL.complete(messages=cast.user("my sister Anna"), task="keywords", max_tokens=3)


SAID = "Hi! I moved to Oslo in May. What should I visit? I sing. I am allergic to peanuts. My cat is grey. I run daily."


@pytest.mark.parametrize(("length", "kept"), [("short", 1), ("medium", 3), ("long", 5)])
def test_summary__length__decides_how_many_statements_stay(length: str, kept: int) -> None:
    assert cast.summary(MODEL, SAID, length=length)["summary"].count(".") == kept


def test_summary__statements__stay_word_for_word_in_their_order() -> None:
    assert cast.summary(MODEL, SAID, length="long")["summary"] == (
        "I moved to Oslo in May. I sing. I am allergic to peanuts. My cat is grey. I run daily."
    )


@pytest.mark.parametrize(
    "said",
    ["Thanks!", "What is my name?", "Расскажи про мой проект", "Remind me about the trip.", "Привет, как дела?", ""],
)
def test_summary__nothing_told__is_not_remembered(said: str) -> None:
    request = said or " "
    assert cast.summary(MODEL, request) == {"remember": False, "summary": "", "tags": []}


@pytest.mark.parametrize("said", ["When I was a kid, I lived in Oslo.", "Когда я учился, мы жили в Омске."])
def test_summary__statement_that_opens_like_a_question__is_remembered(said: str) -> None:
    assert cast.summary(MODEL, said)["summary"] == said


def test_summary__reply_of_the_assistant__is_not_remembered_as_the_users() -> None:
    assert "Rome" not in cast.summary(MODEL, "I like tea.", reply="You live in Rome.")["summary"]


def test_summary__tags__meet_inflected_keywords_by_stem() -> None:
    tags = cast.summary(MODEL, "Моя сестра Анна переехала в Казань.")["tags"]
    keywords = cast.keywords(MODEL, "Что в Казани делает Анна с сестрой?")["keywords"]
    assert {"казан", "сестр"} <= {stem(tag) for tag in tags} & {stem(word) for word in keywords}


def test_summary__max_tags__bounds_the_tags() -> None:
    assert len(cast.summary(MODEL, SAID, tags=2, length="long")["tags"]) == 2
