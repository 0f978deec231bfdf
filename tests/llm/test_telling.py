"""Small talk that no list holds: told from what lasts by signs. Sentences made up for these tests; see also
`small_talk/`, lines that the weights were not fitted on."""

from __future__ import annotations

from pathlib import Path

import pytest

from benchmarks.small_talk import FOR_PASSING, FOR_TELLING, Turn, fit
from llm.offline import OfflineModel
from llm.offline.speech import is_small_talk, statements
from llm.offline.telling import telling_score
from tests.llm import cast

MODEL = OfflineModel()
LINES = Path(__file__).parent / "small_talk"
LANGUAGES = ("en", "ru")

PASSING = [
    "The kettle is whistling, I must run.",
    "Yawning away here on the sofa.",
    "You are such a treasure, honestly.",
    "Ugh, my head is thick and my tea is cold.",
    "Typing with one thumb, the cat is asleep on my arm.",
    "Чайник свистит, бегу на кухню.",
    "Сижу зеваю на диване под пледом.",
    "Ох, голова гудит, и кофе остыл.",
    "Печатаю одним пальцем, на коленях спит кот.",
    "Ну ты и умница, честное слово!",
]
LASTING = [
    "The kettle cost 40 pounds at Aldo's.",
    "I never drink tea after six.",
    "My sister sleeps on our sofa until March.",
    "On Mondays I walk the neighbour's dog.",
    "Since the operation my head hurts every morning.",
    "Чайник стоил сорок рублей на рынке.",
    "После шести кофе не пью.",
    "Сестра спит у нас на диване до марта.",
    "По понедельникам гуляю с собакой соседа.",
    "После операции голова болит каждое утро.",
]


def _lines(kind: str, language: str) -> list[str]:
    return (LINES / f"{kind}_{language}.txt").read_text(encoding="utf-8").splitlines()


def _remembered(text: str) -> bool:
    return bool(cast.summary(MODEL, text)["remember"])


@pytest.mark.parametrize("said", PASSING)
def test_summary__remark_of_the_moment__is_not_remembered(said: str) -> None:
    assert not _remembered(said)


@pytest.mark.parametrize("said", LASTING)
def test_summary__same_words_in_what_lasts__are_remembered(said: str) -> None:
    assert cast.summary(MODEL, said)["summary"] == said


@pytest.mark.parametrize("language", LANGUAGES)
def test_summary__small_talk_not_fitted_on__is_mostly_skipped(language: str) -> None:
    lines = _lines("chat", language)

    assert sum(_remembered(line) for line in lines) <= 0.35 * len(lines)


@pytest.mark.parametrize("language", LANGUAGES)
def test_summary__statements_not_fitted_on__are_hardly_ever_lost(language: str) -> None:
    lines = _lines("told", language)

    assert sum(not _remembered(line) for line in lines) <= 0.05 * len(lines)


@pytest.mark.parametrize("said", PASSING)
def test_keywords__remark_of_the_moment__is_small_talk(said: str) -> None:
    assert cast.keywords(MODEL, said)["is_small_talk"] is True


@pytest.mark.parametrize("said", LASTING)
def test_keywords__what_lasts__is_none(said: str) -> None:
    assert cast.keywords(MODEL, said)["is_small_talk"] is False


@pytest.mark.parametrize("said", [*PASSING, *LASTING])
def test_is_small_talk__statement__is_what_is_not_archived(said: str) -> None:
    assert is_small_talk(said) is (statements(said) == [])


@pytest.mark.parametrize("query", ["dentist", "Lisbon today", "cats, dogs", "запись к врачу", "Лиссабон"])
def test_is_small_talk__bare_words_of_a_query__are_none(query: str) -> None:
    assert not is_small_talk(query)


def test_statements__chatter_around_a_fact__is_left_out() -> None:
    said = "Phew, I am yawning like a hippo here. I moved to Leeds in May. Right, off to bed now, you lovely machine!"

    assert statements(said) == ["I moved to Leeds in May."]


def test_statements__question_beside_chatter__is_no_small_talk() -> None:
    assert not is_small_talk("My tea is cold again, ugh. Where do I work?")
    assert statements("My tea is cold again, ugh. Where do I work?") == []


@pytest.mark.parametrize("said", ["J'habite à Lyon depuis trois ans.", "我住在上海。", "Ich wohne in Köln."])
def test_telling_score__another_language__is_in_doubt_and_kept(said: str) -> None:
    assert telling_score(said) > 0
    assert _remembered(said)


def test_telling_score__long_sentence__tells_something() -> None:
    assert telling_score("yawning " * 50) == float("inf")


def test_fit__same_turns__same_weights_and_no_class_against_its_name() -> None:
    turns = [Turn(said, False, 1.0) for said in PASSING] + [Turn(said, True, 1.0) for said in LASTING]
    weights = fit(turns)

    assert fit(turns) == weights
    assert min(weights[name] for name in weights if name in FOR_TELLING) >= 0
    assert max(weights[name] for name in weights if name in FOR_PASSING) <= 0
