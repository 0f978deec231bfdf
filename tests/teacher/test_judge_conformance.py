"""What every judge keeps: run on the offline rules, and on the LLM judge over real HTTP."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, Literal

import pytest

from llm.offline.phrases import ABSTENTION
from llm.openai_engine import OpenAIChat
from teacher.judges.llm import LLMJudge
from teacher.judges.offline import OfflineJudge
from teacher.judges.protocol import Case, Judge, Marks
from tests.llm.conftest import QUICK
from tests.teacher.judge_server import JudgeServer

pytestmark = pytest.mark.django_db

ENGLISH = """## Memories
[1] 2025-03-02 | Anna: I moved to Kazan and work there as a potter.
[2] 2025-01-10 | My brother Oleg bought a green bicycle.

## Recent exchanges
User: The cat is called Murka.
Assistant: Oh, I am with you.

## Question
Where does Anna live?"""
RUSSIAN = """## Memories
[1] 2025-03-02 | Анна: Я переехала в Казань и работаю там гончаром.
[2] 2025-01-10 | Мой брат Олег купил зелёный велосипед.
## Question
Где живёт Анна?"""


@pytest.fixture
def server(monkeypatch: pytest.MonkeyPatch) -> Iterator[JudgeServer]:
    monkeypatch.setenv("NO_PROXY", "127.0.0.1")
    with JudgeServer() as running:
        yield running


@pytest.fixture(params=["offline", "llm"])
def judge(request: pytest.FixtureRequest) -> Judge:
    """Each judge in turn: what is asserted with it holds for every one."""
    if request.param == "offline":
        return OfflineJudge()
    url = request.getfixturevalue("server").url
    return LLMJudge(model=OpenAIChat(model="small-model", api_key="k", base_url=url, backoff=QUICK))


def case(answer: str, **more: Any) -> Case:
    given: dict[str, Any] = {
        "answer": answer, "context": ENGLISH, "found": 2, "hits": 1, "should_retrieve": True, "key_facts": (),
        "forbidden": (), "query": "Where does Anna live?", **more,
    }  # fmt: skip
    return Case(**given)


def marks(judge: Judge, answer: str, **more: Any) -> tuple[bool | None, bool | None]:
    """Context used, hallucination."""
    (found,) = judge.judge([case(answer, **more)])
    return found.context_utilized, found.hallucination


Language = Literal["en", "ru"]
RIGHT = {"en": "Anna moved to Kazan and works there.", "ru": "Анна переехала в Казань и работает там."}
WRONG = {"en": "Anna lives in Lisbon with nine parrots.", "ru": "Анна живёт в Лиссабоне с девятью попугаями."}
CONTEXTS = {"en": ENGLISH, "ru": RUSSIAN}
language = pytest.mark.parametrize("language", ["en", "ru"])


@language
def test_judge__right_ids_with_a_wrong_answer__is_a_hallucination_that_used_nothing(
    judge: Judge, language: Language
) -> None:
    assert marks(judge, WRONG[language], context=CONTEXTS[language], hits=1) == (False, True)


@language
def test_judge__wrong_ids_with_a_right_answer__is_none_and_used_its_context(judge: Judge, language: Language) -> None:
    assert marks(judge, RIGHT[language], context=CONTEXTS[language], hits=0) == (True, False)


@language
def test_judge__stale_fact_that_a_memory_supports__is_a_hallucination_that_used_it(
    judge: Judge, language: Language
) -> None:
    stale = {"en": ("Kazan", "Samara"), "ru": ("Казань", "Самара")}[language]

    found = marks(judge, RIGHT[language], context=CONTEXTS[language], forbidden=(stale[0],), key_facts=(stale[1],))

    assert found == (True, True)


def test_judge__stale_fact_named_as_outdated__is_no_hallucination(judge: Judge) -> None:
    context = "## Memories\n[1] I moved from Kazan to Samara.\n## Question\nWhere?"

    found = marks(judge, "I moved from Kazan to Samara.", context=context, forbidden=("Kazan",), key_facts=("Samara",))

    assert found == (True, False)


@language
def test_judge__abstention_though_the_right_memory_was_found__left_it_unused(judge: Judge, language: Language) -> None:
    assert marks(judge, ABSTENTION[language], context=CONTEXTS[language], hits=1) == (False, False)


@language
def test_judge__abstention_where_nothing_right_was_found__is_right_and_use_does_not_apply(
    judge: Judge, language: Language
) -> None:
    assert marks(judge, ABSTENTION[language], context=CONTEXTS[language], hits=0) == (None, False)


@language
def test_judge__partly_supported_answer__used_its_context_and_made_something_up(
    judge: Judge, language: Language
) -> None:
    assert marks(judge, f"{RIGHT[language]} {WRONG[language]}", context=CONTEXTS[language]) == (True, True)


def test_judge__claim_where_nothing_was_ever_told__is_a_hallucination_even_if_supported(judge: Judge) -> None:
    (found,) = judge.judge([case(RIGHT["en"], should_retrieve=False, hits=0)])

    assert found.hallucination is True
    assert "claims something that was never told" in found.reasons


def test_judge__claim_from_a_recent_exchange__is_supported_but_uses_no_memory(judge: Judge) -> None:
    assert marks(judge, "The cat is called Murka.") == (False, False)


def test_judge__right_fact_that_nobody_gave_it__is_made_up_all_the_same(judge: Judge) -> None:
    assert marks(judge, "Her daughter studies chemistry.", key_facts=("chemistry",))[1] is True


def test_judge__empty_answer__claims_nothing(judge: Judge) -> None:
    assert marks(judge, "", hits=0)[1] is False


def test_judge__several_cases__come_back_in_their_order(judge: Judge) -> None:
    found = judge.judge([case(RIGHT["en"]), case(WRONG["en"]), case(ABSTENTION["en"])])

    assert [one.hallucination for one in found] == [False, True, False]


def test_judge__same_case_again__has_the_same_marks(judge: Judge) -> None:
    def once() -> tuple[Any, ...]:
        (found,) = judge.judge([case(WRONG["en"])])
        return found.context_utilized, found.hallucination, found.reasons

    assert once() == once()


def test_judge__nothing__gives_nothing(judge: Judge) -> None:
    assert judge.judge([]) == []


def test_judge__ids_known__says_nothing_of_relevance(judge: Judge) -> None:
    (found,) = judge.judge([case(RIGHT["en"], ids_known=True)])

    assert isinstance(found, Marks)
    assert found.retrieval_relevant is None


def test_version__of_each_judge__is_its_own() -> None:
    model = OpenAIChat(model="small-model", api_key="k")

    assert LLMJudge(model=model).version.startswith("llm-1:small-model:v1-")
    assert OfflineJudge.version == "offline-3"
