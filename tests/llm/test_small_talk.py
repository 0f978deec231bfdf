"""What the offline archivist keeps, and what it lets pass. Sentences made up for this file."""

from __future__ import annotations

import re

import pytest

from llm.offline import OfflineModel, set_phrases
from llm.offline.speech import is_question, is_small_talk, statements
from tests.llm import cast

MODEL = OfflineModel()

EMPTY = [
    "Hello again, just me.",
    "Good evening, back once more!",
    "Hi Martha, how is everything?",
    "Thanks a lot for your help, that is all for today.",
    "Great, thank you so much. Until next time!",
    "I have to go now, talk to you later.",
    "Sorry about that, my bad.",
    "Wow, that sounds amazing, Peter!",
    "Fair enough. Good point.",
    "It was nice talking to you.",
    "Have a lovely weekend!",
    "What a day!",
    "Good morning! It's raining again, so gloomy.",
    "I am so tired today.",
    "Lovely weather today, warm and sunny!",
    "Здравствуй, я на минутку.",
    "Ещё раз привет, это опять я!",
    "Спасибо за помощь, до связи!",
    "Ну всё, мне пора. Хорошего вечера!",
    "Большое спасибо, очень приятно.",
    "Извини за беспокойство.",
    "Ого, вот это да!",
    "Хорошая идея, так держать.",
    "Сегодня опять дождь, холодно и сыро.",
    "Я сегодня ужасно устала.",
    "Как здорово! Потрясающе.",
]

ASKED = [
    "Tell me about my garden plans.",
    "Describe my ideal holiday: place and length.",
    "Compare the first budget with the last one.",
    "Remind me what the doctor said.",
    "List all the repairs so far.",
    "I forgot when the lease ends.",
    "I would like to know who called.",
    "Напомни, когда у меня поезд.",
    "Перечисли мои покупки за март.",
    "Расскажи-ка про дачу.",
    "Не помню, сколько стоил ремонт.",
    "Хотел бы уточнить, кто приедет.",
    "Сравни два варианта отпуска.",
]

TOLD = [
    "I have a dog.",
    "I have a good dentist.",
    "I enjoy the sea.",
    "I sleep badly.",
    "It is on Saturday.",
    "I always feel tired.",
    "I get cold every night.",
    "My flat is cold.",
    "Our weekend was terrible.",
    "She is lovely.",
    "I am good at chess.",
    "I am tired of my landlord.",
    "Thank you for the trip to Lisbon in May.",
    "Sorry I was away, my son broke his arm.",
    "Hi, I am moving to Leeds.",
    "Sorry about my mother's operation being so late.",
    "Remind me to call the plumber on Friday.",
    "List of allergies: nuts, shellfish.",
    "Keep it up with Dutch lessons twice a week.",
    "Pepperoni of course.",
    "It rained into the cellar.",
    "I like rain.",
    "Я всегда устаю к вечеру.",
    "У меня хорошая память на лица.",
    "Моя комната холодная.",
    "Привет, мы купили дачу.",
    "Спасибо за совет по кухне, заказали белую.",
    "Напомни позвонить сантехнику в пятницу.",
    "Напомни мне, пожалуйста, купить лекарства.",
    "Не люблю холод.",
    "Он очень добрый.",
    "Дождь залил подвал.",
    "Извини, я лежал в больнице.",
    "Ищу хорошего врача.",
    "Нашёл работу.",
]


@pytest.mark.parametrize("said", EMPTY)
def test_summary__talk_for_company__is_not_remembered(said: str) -> None:
    assert cast.summary(MODEL, said)["remember"] is False


@pytest.mark.parametrize("said", ASKED)
def test_summary__request_without_a_question_mark__is_not_remembered(said: str) -> None:
    assert cast.summary(MODEL, said)["remember"] is False
    assert is_question(said)


@pytest.mark.parametrize("said", TOLD)
def test_summary__something_told__is_kept_word_for_word(said: str) -> None:
    assert cast.summary(MODEL, said)["summary"] == said


@pytest.mark.parametrize("said", ["Is it cold?", "Was it great?", "Тепло?", "So, rain or sun?"])
def test_is_small_talk__question_about_weather_or_opinion__is_none(said: str) -> None:
    assert not is_small_talk(said)


def test_statements__reaction_beside_something_told__stays_with_it() -> None:
    assert statements("We went to Rome. It was fascinating!") == ["We went to Rome.", "It was fascinating!"]


def test_statements__weather_and_mood_beside_something_told__are_left_out() -> None:
    assert statements("So cold today! I bought a boat. I am happy.") == ["I bought a boat."]


def test_statements__curly_apostrophe__is_read_as_a_plain_one() -> None:
    assert statements("That’s all for today.") == []


@pytest.mark.parametrize("name", ["GREETINGS", "PARTINGS", "POLITENESS", "ASSENTS"])
def test_set_phrases__groups__repeat_a_bounded_number_of_times(name: str) -> None:
    # Sought at every word of a message, an unbounded one is quadratic in a word that is said again and again.
    assert re.findall(r".{0,30}\)[*+]", getattr(set_phrases, name)) == []


def test_is_small_talk__sentence_of_great_length__is_none() -> None:
    assert is_small_talk("thanks " * 10)
    assert not is_small_talk("thanks " * 100)
