"""The translator's promises that no single phrase shows."""

from __future__ import annotations

import json
import re

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from contracts.goal import GoalTranslation
from contracts.metric import METRICS
from goals.translation import translate
from goals.translation.lexer import normalise
from kernel.errors import InvalidInput
from tuner.registry import FACTORS

PIECES = st.sampled_from(
    re.findall(
        r"\S+",
        """
        raise lower recall precision cost latency hallucinations quality to by below above at most not without keep the
        and , ; . 60 % 60% -5% $5 2 s 10 cycles halve x2 only model prompts top_k first then main поднять снизить
        полноту точность стоимость задержку галлюцинаций до на ниже не выше без потери вдвое треть 5 п.п. качество
        кроме трогать главное сначала автоматически вручную по предпочтениям 0 ( ) - —
        """,
    )
)


def read(text: str) -> GoalTranslation:
    return translate(text, metrics=METRICS, factors=FACTORS)


@settings(max_examples=150, deadline=None)
@given(st.one_of(st.text(max_size=120), st.lists(PIECES, max_size=14).map(" ".join)))
def test_translate__any_text__is_read_or_refused_as_invalid_input(text: str) -> None:
    try:
        found = read(text)
    except InvalidInput as error:
        assert error.details["field"] == "text"
        return
    assert found.text == text
    assert {target.metric for target in found.targets} <= set(METRICS)
    assert not set(found.allowed_impacts) & set(found.forbidden_impacts)
    assert all(fragment in text for fragment in found.unread)
    json.dumps(found.to_json(), allow_nan=False)


@given(st.text(max_size=200))
def test_normalise__any_text__keeps_every_offset(text: str) -> None:
    assert len(normalise(text)) == len(text)


@pytest.mark.parametrize("text", ["", "   ", "Hello there", "Привет, как дела?", "не трогать модель", "10 cycles"])
def test_translate__nothing_to_measure__says_so_with_examples(text: str) -> None:
    with pytest.raises(InvalidInput) as refused:
        read(text)
    assert len(refused.value.details["examples"]) == 2
    assert refused.value.details["examples"][0] in refused.value.message


@pytest.mark.parametrize("language", ["ru", "en"])
def test_translate__its_own_examples__are_understood(language: str) -> None:
    with pytest.raises(InvalidInput) as refused:
        read("Сделай ровно наоборот" if language == "ru" else "Do the opposite")
    for example in refused.value.details["examples"]:
        assert read(example).targets


def test_translate__too_long_a_text__is_refused() -> None:
    with pytest.raises(InvalidInput):
        read("raise recall " * 1000)


def test_translate__percentage_on_a_share__says_that_points_are_assumed() -> None:
    assert any("percentage points" in sentence for sentence in read("Raise recall by 10 %").assumptions)
    assert not any("percentage points" in sentence for sentence in read("Raise recall by 10 pp").assumptions)


def test_translate__default_margin__is_stated_in_the_language_of_the_goal() -> None:
    assert any("п.п." in sentence for sentence in read("Поднять полноту, не теряя точности").assumptions)


@pytest.mark.parametrize(
    ("text", "conflict"),
    [
        ("raise recall to 140 %", "cannot be"),
        ("raise recall to 60 %, recall at most 50 %, cut cost", "contradict"),
        ("raise recall to 60 % and recall to 70 %", "two different targets"),
        ("lower precision to 20 %", "worse"),
        ("cut cost by 20 %, cost unchanged", "contradict"),
        ("raise satisfaction to 7", "cannot be"),
        ("raise recall, change only the model, don't touch the model", "both allowed and forbidden"),
        ("raise recall fully automatic, manual", "full autonomy"),
    ],
)
def test_translate__contradiction__is_named(text: str, conflict: str) -> None:
    assert any(conflict in sentence for sentence in read(text).conflicts)


def test_translate__registry_without_a_metric__does_not_know_its_words() -> None:
    without = {name: metric for name, metric in METRICS.items() if name != "retrieval_recall"}
    with pytest.raises(InvalidInput):
        translate("raise recall to 60 %", metrics=without, factors=FACTORS)


@pytest.mark.parametrize("metric", list(METRICS))
def test_translate__every_name_of_a_metric__is_known(metric: str) -> None:
    definition = METRICS[metric]
    for name in (definition.name, definition.title, *definition.aliases):
        if name == "Latency":
            continue  # what people call latency is watched as P95
        found = read(f"improve {name}")
        assert [target.metric for target in found.targets] == [metric], name


@pytest.mark.parametrize("key", list(FACTORS))
def test_translate__every_factor_by_its_key__can_be_forbidden(key: str) -> None:
    found = read(f"raise recall, do not touch {key}")
    assert found.forbidden_impacts == (key,)
    assert found.allowed_impacts == tuple(other for other in FACTORS if other != key)
