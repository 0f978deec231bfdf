"""Variants and scripts: same seed same words, no words twice, nothing asked before it is told."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from emulator.domain.rules import scenario_problems
from emulator.domain.scenario import Scenario
from emulator.generator import scenario_variant
from emulator.library import bundled_scenarios
from emulator.scripts import dialogue_scripts, scenario_scripts
from kernel.errors import InvalidInput
from tests.emulator.makers import scenario

TRAIN = bundled_scenarios("train")


@given(family=st.sampled_from(TRAIN), number=st.integers(0, 10**7))
@settings(deadline=None, max_examples=60)
def test_scenario_variant__any_number__leaves_no_template_and_no_problem(family: Scenario, number: int) -> None:
    variant = scenario_variant(family, number=number)
    said = " ".join(turn.text for _, _, turn in variant.turns())
    assert not set("{}[]|") & set(said)
    assert scenario_problems(variant) == []


@given(number=st.integers(0, 10**6), family=st.sampled_from(TRAIN))
@settings(deadline=None, max_examples=30)
def test_dialogue_scripts__any_variant__asks_only_for_what_was_said_before(family: Scenario, number: int) -> None:
    said: dict[str, object] = {}
    for script in dialogue_scripts(family, number=number, user_salt="s"):
        for turn in script.turns:
            if turn.query:
                assert all(said[name] < turn.simulated_at for name in turn.query.expects)  # type: ignore[operator]
                assert bool(turn.query.expects) == (turn.query.category != "negative")
            said.update(dict.fromkeys(turn.event_ids, turn.simulated_at))


@given(start=st.integers(0, 10**6), family=st.sampled_from(TRAIN))
@settings(deadline=None, max_examples=10)
def test_scenario_variant__forty_in_a_row__share_no_dialogue(family: Scenario, start: int) -> None:
    variants = [scenario_variant(family, number=start + n) for n in range(40)]
    for threads in zip(*(variant.threads for variant in variants), strict=True):
        assert len({tuple(turn.text for turn in thread.turns) for thread in threads}) == 40


def test_scenario_scripts__thousand_dialogues__repeat_no_text() -> None:
    scripts = scenario_scripts(dialogues=1000, seed=3, user_salt="s")
    assert len({tuple(turn.text for turn in script.turns) for script in scripts}) == 1000


def test_scenario_scripts__same_seed__are_the_same() -> None:
    assert scenario_scripts(dialogues=30, seed=5, user_salt="a") == scenario_scripts(
        dialogues=30, seed=5, user_salt="a"
    )


def test_scenario_scripts__other_seed__says_other_words() -> None:
    one, two = (scenario_scripts(dialogues=24, seed=seed, user_salt="a") for seed in (6, 12))
    assert {s.turns for s in one}.isdisjoint({s.turns for s in two})


def test_scenario_scripts__other_salt__are_other_users_with_the_same_words() -> None:
    one, two = (scenario_scripts(dialogues=30, seed=5, user_salt=salt) for salt in "ab")
    assert {s.user_id for s in one}.isdisjoint({s.user_id for s in two})
    assert [s.turns for s in one] == [s.turns for s in two]
    assert [s.example for s in one] == [s.example for s in two]


def test_scenario_scripts__thirty__takes_whole_threads_of_three_families_in_order() -> None:
    scripts = scenario_scripts(dialogues=30, seed=0, user_salt="a")
    assert [s.ordinal for s in scripts] == [*range(12), *range(12), *range(6)]
    assert len({s.cluster for s in scripts}) == 3


def test_scenario_scripts__validation__is_the_same_text_for_every_seed() -> None:
    one, two = (scenario_scripts(dialogues=1000, seed=seed, user_salt="a", split="validation") for seed in (0, 6))
    assert [s.turns for s in one] == [s.turns for s in two]
    assert len({s.scenario for s in one}) == len(bundled_scenarios("validation"))


def test_dialogue_scripts__statement_said_again__is_expected_with_the_first() -> None:
    again = {"text": "As I said, Tiger.", "event": {"id": "cat2", "kind": "fact", "repeats": "cat"}}
    told = scenario().model_dump(mode="json")["threads"][0]["turns"]
    story = scenario(threads=[{"id": "t01", "day": 0, "turns": [told[0], again, told[1]]}])
    (script,) = dialogue_scripts(story, user_salt="a")
    assert script.turns[2].query is not None
    assert script.turns[2].query.expects == ("cat", "cat2")


@pytest.mark.parametrize("bad", [{"scenarios": ["nobody"]}, {"split": "golden"}, {"dialogues": 0}])
def test_scenario_scripts__bad_request__is_refused(bad: dict[str, object]) -> None:
    with pytest.raises(InvalidInput):
        scenario_scripts(**({"dialogues": 3, "seed": 0, "user_salt": "a"} | bad))  # type: ignore[arg-type]


def test_dialogue_scripts__golden_story__is_never_played() -> None:
    with pytest.raises(InvalidInput):
        dialogue_scripts(scenario(split="golden"), user_salt="a")
