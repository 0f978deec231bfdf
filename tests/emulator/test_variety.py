"""What makes 1,000 dialogues differ: walks that repeat nothing soon, and phrases; the student still hears them all."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from benchmarks.variety import variety
from emulator.check import leaks
from emulator.domain.rules import scenario_problems
from emulator.domain.scenario import Scenario
from emulator.generator import scenario_variant
from emulator.library import bundled_scenarios
from kernel.errors import InvalidInput
from llm.offline.speech import statements
from tests.emulator.makers import scenario

TRAIN = bundled_scenarios("train")
CLOSE = 8
"""Variants in a row that are looked at: about as many as 1,000 dialogues hold of one family (10 or 11)."""


def asking(text: str, **changes: object) -> Scenario:
    """A train story of two turns; the second asks `text`."""
    told = scenario().model_dump(mode="json")["threads"][0]["turns"][:2]
    told[1]["text"] = text
    return scenario(split="train", threads=[{"id": "t01", "day": 0, "turns": told}], **changes)


def said(story: Scenario, number: int) -> str:
    return scenario_variant(story, number=number).threads[0].turns[1].text


@pytest.mark.parametrize("seed", [0, 3, 4])
def test_variety__150_dialogues__repeat_hardly_a_message(seed: int) -> None:
    found = variety(dialogues=150, seed=seed)
    assert found["dialogues"].share == 1
    assert found["statements"].share >= 0.99
    assert found["messages"].share >= 0.97
    assert found["messages"].most <= 2


def test_variety__every_train_family_ten_times_over__repeats_hardly_a_message() -> None:
    dialogues = 10 * sum(len(family.threads) for family in TRAIN)
    found = variety(dialogues=dialogues, seed=11)
    assert found["statements"].share >= 0.97
    assert found["messages"].share >= 0.9
    assert found["messages"].most <= 3
    assert found["sentences"].share >= 0.7


@given(family=st.sampled_from(TRAIN), start=st.integers(0, 10**6))
@settings(deadline=None, max_examples=12)
def test_scenario_variant__consecutive_numbers__say_no_statement_twice(family: Scenario, start: int) -> None:
    variants = [scenario_variant(family, number=start + n) for n in range(CLOSE)]
    for turns in zip(*(list(variant.statements()) for variant in variants), strict=True):
        assert len({turn.text for _, turn in turns}) == CLOSE, turns[0][1].text


@given(family=st.sampled_from(TRAIN), start=st.integers(0, 10**6))
@settings(deadline=None, max_examples=12)
def test_scenario_variant__consecutive_numbers__are_people_with_other_names_and_numbers(
    family: Scenario, start: int
) -> None:
    wide = [name for name, values in family.slots.items() if len(values) >= CLOSE + 3]
    shown = family.model_copy(update={"goal": "|".join(f"{{{name}}}" for name in wide)})
    people = [scenario_variant(shown, number=start + n).goal.split("|") for n in range(CLOSE)]
    assert len(wide) >= 8
    assert all(len(set(values)) == CLOSE for values in zip(*people, strict=True))


def test_scenario_variant__statements__are_no_small_talk_to_the_student() -> None:
    told = [
        turn.text for family in TRAIN for n in range(6) for _, turn in scenario_variant(family, number=n).statements()
    ]
    lost = [text for text in told if not statements(text)]
    assert len(lost) <= 0.005 * len(told), lost


@pytest.mark.parametrize("family", TRAIN, ids=lambda family: family.id)
def test_phrases__around_a_question__tell_the_student_nothing(family: Scenario) -> None:
    for number in range(20):
        bare = family.model_copy(update={"threads": family.threads[:1]})
        turn = bare.threads[0].turns[0].model_copy(update={"text": "<ask> What is it? <why>", "events": ()})
        asked = bare.model_copy(update={"threads": (bare.threads[0].model_copy(update={"turns": (turn,)}),)})
        text = scenario_variant(asked, number=number).threads[0].turns[0].text
        assert statements(text) == [], text


def test_scenario_variant__phrases__are_used_up_before_one_comes_again() -> None:
    story = asking("<bye>", phrases={"bye": ["[[Bye|Farewell]], [[Ann|Bea|Cy]].", "Off I go."]})
    assert len({said(story, n) for n in range(4)}) == 4
    assert {said(story, n) for n in range(60)} == {
        *(f"{bye}, {name}." for bye in ("Bye", "Farewell") for name in ("Ann", "Bea", "Cy")),
        "Off I go.",
    }


def test_scenario_variant__question_behind_a_colon__begins_small_unless_with_a_name() -> None:
    lead = {"ask": ["Remind me:"]}
    assert said(asking("<ask> Where is the cat?", phrases=lead), 1) == "Remind me: where is the cat?"
    assert said(asking("<ask> I am whose cat?", phrases=lead), 1) == "Remind me: I am whose cat?"
    named = asking("<ask> Tiger is mine, and whose is Tiger?", phrases=lead)
    assert said(named, 1) == "Remind me: Tiger is mine, and whose is Tiger?"
    assert said(asking("<ask> Where is the cat?", phrases={"ask": ["Quick."]}), 1) == "Quick. Where is the cat?"


def test_scenario_variant__phrases_that_are_not_there__are_refused_and_reported() -> None:
    story = asking("<hello> What is the cat called?")
    assert any("no phrases hello" in problem for problem in scenario_problems(story))
    with pytest.raises(InvalidInput, match="no phrases hello"):
        scenario_variant(story, number=1)


def test_scenario_problems__slot_of_a_phrase_without_values__is_reported() -> None:
    story = asking("<hello> Who purrs?", phrases={"hello": ["Hello from {town}."]})
    assert any("phrases hello: slot town" in problem for problem in scenario_problems(story))


def test_scenario_problems__phrase_in_a_fixed_text__is_reported() -> None:
    fixed = asking("<hello> What is the cat called?").model_copy(update={"split": "validation"})
    assert any("texts are fixed" in problem for problem in scenario_problems(fixed))


def test_leaks__phrase_that_validation_says__is_reported() -> None:
    line = "The ferry to Rum was cancelled twice because of fog and gales."
    train = asking("<hello>", phrases={"hello": [line]})
    other = scenario(
        id="other", family="other", split="validation", threads=[{"id": "t01", "day": 0, "turns": [{"text": line}]}]
    )
    assert any("both say" in problem for problem in leaks([train, other]))
