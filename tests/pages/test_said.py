"""Stored English sentences are shown in Russian; what is not known stays as it was stored."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from django.utils import translation

from contracts.metric import METRICS
from selflearn_site.pages.said import digits, said, term
from selflearn_site.pages.said_patterns import TERMS
from selflearn_site.templatetags import pages
from tuner.registry import FACTORS

REFUSED = (
    "verdict loser: Hallucination −.058 [−.090, −.037]; but retrieval recall: the whole interval, "
    "from −.205 on, lies beyond the margin −.05"
)


@pytest.fixture
def russian() -> Iterator[None]:
    with translation.override("ru"):
        yield


@pytest.mark.parametrize(
    ("stored", "shown"),
    [
        ("the sample is complete", "выборка полна"),
        ("retrieval.top_k 3 → 4 refused", "retrieval.top_k 3 → 4: отказано"),
        ("all 10 cycles are spent", "все циклы израсходованы (10)"),
        (
            REFUSED,
            "вердикт «проиграл»: Галлюцинации −0,058 [−0,090, −0,037]; но полнота поиска (recall): весь интервал, "
            "начиная с −0,205, за пределом −0,05",
        ),
        (
            "on 56 train questions of 3 families the step moved retrieval recall by +.027 (standard error .020); "
            "80 % power needs 241 of the 311 validation questions",
            "на обучающих вопросах (56, семейств: 3) шаг сдвинул метрику «полнота поиска (recall)» на +0,027 "
            "(стандартная ошибка 0,020); для мощности 80 % нужно 241 проверочных вопросов из 311",
        ),
        ("version 2 is stable: the golden set is not worse after its activation",
         "версия 2 стабильна: после её активации золотой набор не хуже"),
    ],
)  # fmt: skip
def test_said__known_sentence__is_russian_with_its_values(russian: None, stored: str, shown: str) -> None:
    assert said(stored) == shown


def test_said__hypothesis__is_russian_through_all_its_parts(russian: None) -> None:
    shown = said(
        "If retrieval.top_k goes from 3 to 4, then retrieval recall rises while retrieval precision, hallucination "
        "hold, on bundled with all else as in version 2, because the sample is complete"
    )
    assert shown.startswith("Если retrieval.top_k изменить с 3 на 4, то полнота поиска (recall) вырастет, а точность")
    assert shown.endswith("при прочем как в версии 2, потому что выборка полна")


def test_said__unknown_sentence__stays_as_it_is_stored(russian: None) -> None:
    assert said("Somebody wrote this by hand") == "Somebody wrote this by hand"


def test_said__english_reader__sees_the_stored_text() -> None:
    with translation.override("en"):
        assert said(REFUSED) == REFUSED


def test_term__titles_of_metrics_and_factors__are_all_known() -> None:
    titles = [one.title for one in METRICS.values()] + [one.title for one in FACTORS.values()]
    assert not [title for title in titles if title.lower() not in TERMS]


def test_term__keeps_the_capital_that_it_came_with(russian: None) -> None:
    assert (term("Hallucination"), term("hallucination")) == ("Галлюцинации", "галлюцинации")


@pytest.mark.parametrize(
    ("text", "shown"),
    [("+.044", "+0,044"), ("12.5 %", "12,5 %"), ("$0.0178", "$0,0178"), ("1.0.3", "1.0.3"), ("v0.2", "v0.2")],
)
def test_digits__number__gets_its_decimal_comma(russian: None, text: str, shown: str) -> None:
    assert digits(text) == shown


def test_amount__russian__has_the_comma_and_english_the_point() -> None:
    with translation.override("ru"):
        assert pages.amount(0.418, "retrieval_recall") == "0,418"
    with translation.override("en"):
        assert pages.amount(0.418, "retrieval_recall") == ".418"
