"""Stored English sentences are shown in Russian; what is not known stays as it was stored."""

from __future__ import annotations

import re
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
    assert shown.startswith(
        "Если retrieval.top_k изменить с 3 на 4, то метрика «полнота поиска (recall)» вырастет, а точность"
    )
    assert shown.endswith("при прочем как в версии 2, потому что выборка полна")


ENGLISH = re.compile(r"\b[a-z]{2,} [a-z]{2,}\b")
STORED = (
    "Hallucination .064 → .006: passes, significant decrease: −.058, p below .0001 at level .05",
    "Retrieval precision .477 → .747: passes, bound +.184 lies inside the margin −.05",
    "Retrieval recall .357 → .356: undecided, the estimate points the wrong way, not significantly: −.001, p 1",
    "retrieval_precision does not apply to 21 % of the examples of baseline and 84 % of variant: only examples with a "
    "value are compared",
    "every guard holds: hallucination +.019 at worst of +.050 allowed; context used −.017 at worst of −.081 allowed; "
    "latency +15.8 % at worst of +100.0 % allowed",
    "retrieval recall +.195, most in factual (+.227) and preference (+.177)",
    "hallucination +.006 of .050 allowed; cost per request +6.5 % of 100 % allowed",
    "with retrieval.strategy at lexical, look at the other factors anew",
    "an effect as small as this would take 187080 examples: try another factor",
    "try retrieval.min_tag_overlap the other way, or another factor",
    "0 of 311 failed in baseline, 0 of 311 failed in variant, p 1",
    "the arms ran interleaved in time: distance .006",
    "Judge offline-3 on hallucination is not calibrated: 0 labels, the policy asks for 50",
    "retrieval.min_tag_overlap 1 → 2 refused: verdict loser: Hallucination −.058 [−.090, −.037]; but retrieval recall: "
    "the whole interval, from −.205 on, lies beyond the margin −.05",
    "Hallucination −.215 [−.264, −.173]; every guard holds. Applied as version 2: inside the automatic range, and the "
    "autonomy level is full_auto; the golden set agrees: hallucination −.176, nothing else got worse",
    "permutation test, exact bound on the share that differs",
    "the step of 2 is larger than 1",
    "golden gate for prompts.responder → v2",
    "arm variant of experiment c1-k10-retrieval-min-tag-overlap-2",
    "version 2 took the place of version 1 before it was tried: screen the step again on the version "
    "that is active then",
    "the campaign was stopped: budget spent: 12,000 of 10,000 tokens",
    "30 dialogues played under version 2, 57 questions with truth",
)


@pytest.mark.parametrize("stored", STORED)
def test_said__sentence_of_a_campaign__leaves_no_english(russian: None, stored: str) -> None:
    assert not ENGLISH.search(said(stored)), said(stored)


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


def test_digits__units_and_thousands__are_as_russians_write_them(russian: None) -> None:
    assert digits("usual ≤ 5,000 ms") == "usual ≤ 5\u00a0000 мс"
    assert digits("nobody has asked for 5 min, 1.5 s and .25") == "nobody has asked for 5 мин, 1,5 с and 0,25"
