"""The golden stories: whole, varied, in both languages, and nowhere met in what trains or decides hypotheses."""

from __future__ import annotations

import re
from collections import Counter
from functools import partial
from pathlib import Path

import pytest

import experiments
from emulator.check import leaks
from emulator.domain.scenario import ALTERNATIVES, SLOT, Scenario
from emulator.library import DATA, load_scenario, scenario_gaps
from llm.text import stems

GOLDEN = Path(experiments.__file__).parent / "golden"
STORIES = {path.stem: load_scenario(path) for path in sorted(GOLDEN.glob("*.json"))}
OTHERS = tuple(load_scenario(path) for path in sorted((DATA / "scenarios").glob("*.json")))
CATEGORIES = {"factual", "preference", "temporal", "multi-hop", "negative"}
NEAR_DUPLICATE = 0.7

each_story = pytest.mark.parametrize("story", STORIES.values(), ids=STORIES.keys())


def _words(text: str) -> frozenset[str]:
    return frozenset(re.findall(r"\w+", text.casefold()))


def _wordings(template: str) -> list[frozenset[str]]:
    """The words of each way to say it: slots left out, the n-th alternative taken at every place."""
    most = max((len(found.split("|")) for found in ALTERNATIVES.findall(template)), default=1)
    return [_words(ALTERNATIVES.sub(partial(_pick, number=n), SLOT.sub(" ", template))) for n in range(most)]


def _pick(found: re.Match[str], *, number: int) -> str:
    choices = found[1].split("|")
    return choices[number % len(choices)]


def _overlap(left: frozenset[str], right: frozenset[str]) -> float:
    return len(left & right) / len(left | right) if left | right else 0.0


def test_overlap__same_words_in_other_order__is_seen_as_a_near_duplicate() -> None:
    assert _overlap(_words("The boat is old, and green."), _wordings("[[Green|Red]] and old {x} is the boat")[0]) == 1.0


def test_golden_stories__all__come_in_both_languages() -> None:
    assert Counter(story.language for story in STORIES.values()) == {"ru": 2, "en": 2}


def test_golden_stories__all__hold_a_hundred_questions_of_every_difficulty() -> None:
    difficulties = Counter(query.difficulty for story in STORIES.values() for _, _, query in story.queries())

    assert difficulties.total() >= 100
    assert min(difficulties[name] for name in ("easy", "medium", "hard")) >= 12


@each_story
def test_golden_story__as_bundled__has_no_gaps(story: Scenario) -> None:
    assert scenario_gaps(story) == []  # the problems are among them


@each_story
def test_golden_story__as_bundled__is_named_after_its_file_and_marked_golden(story: Scenario) -> None:
    assert (story.split, STORIES[story.id]) == ("golden", story)


@each_story
def test_golden_story__as_bundled__is_of_full_size(story: Scenario) -> None:
    assert 12 <= len(story.threads) <= 16
    assert all(3 <= len(thread.turns) <= 8 for thread in story.threads)
    assert 50 <= sum(len(turn.events) for _, turn in story.statements()) <= 90
    assert 40 <= sum(1 for _ in story.queries()) <= 55


@each_story
def test_golden_story__as_bundled__asks_in_all_five_categories(story: Scenario) -> None:
    categories = Counter(query.category for _, _, query in story.queries())

    assert set(categories) == CATEGORIES
    assert min(categories.values()) >= 5


@each_story
def test_golden_story__as_bundled__asks_in_all_three_difficulties(story: Scenario) -> None:
    difficulties = Counter(query.difficulty for _, _, query in story.queries())

    assert set(difficulties) == {"easy", "medium", "hard"}
    assert min(difficulties["easy"], difficulties["hard"]) >= 8


@each_story
def test_golden_story__positive_question__names_key_facts(story: Scenario) -> None:
    bare = [query.id for _, _, query in story.queries() if query.expects and not query.key_facts]

    assert bare == []


@each_story
def test_golden_story__forbidden_value__was_said_earlier_in_the_story(story: Scenario) -> None:
    told = " ".join(turn.text.casefold() for _, turn in story.statements())

    invented = [v for _, _, query in story.queries() for v in query.forbidden if v.casefold() not in told]

    assert invented == []


@each_story
def test_golden_story__most_questions__reach_back_beyond_the_same_day(story: Scenario) -> None:
    said = {event.id: thread.day for thread, turn in story.statements() for event in turn.events}

    ages = [thread.day - min(said[name] for name in q.expects) for thread, _, q in story.queries() if q.expects]

    assert sum(age >= 28 for age in ages) >= 10
    assert sum(age == 0 for age in ages) <= len(ages) // 4


@each_story
def test_golden_story__question__does_not_copy_a_statement(story: Scenario) -> None:
    said = [_words(turn.text) for _, turn in story.statements()]

    copies = [
        turn.text for _, turn, _ in story.queries() if any(_overlap(_words(turn.text), words) > 0.4 for words in said)
    ]

    assert copies == []


@each_story
def test_golden_story__most_questions__reuse_a_word_of_the_statement_they_ask_about(story: Scenario) -> None:
    told = {event.id: set(stems(turn.text)) for _, turn in story.statements() for event in turn.events}

    pairs = [bool(told[name] & set(stems(turn.text))) for _, turn, q in story.queries() for name in q.expects]

    # People name the people and things of their own lives; the rest is asked in other words.
    assert 0.55 <= sum(pairs) / len(pairs) <= 0.8


@each_story
def test_golden_story__negative_question__stays_near_what_was_told(story: Scenario) -> None:
    told = {stem for _, turn in story.statements() for stem in stems(turn.text)}

    far = [turn.text for _, turn, q in story.queries() if q.category == "negative" and not told & set(stems(turn.text))]

    assert far == []


@each_story
def test_golden_story__question__does_not_give_its_answer_away(story: Scenario) -> None:
    given = [
        (turn.text, f) for _, turn, q in story.queries() for f in q.key_facts if f.casefold() in turn.text.casefold()
    ]

    assert given == []


def test_golden_stories__beside_train_and_validation__share_no_family_id_or_text() -> None:
    assert leaks([*STORIES.values(), *OTHERS]) == []


@each_story
def test_golden_story__beside_train_and_validation__has_no_near_duplicate_statement(story: Scenario) -> None:
    known = [(other.id, words) for other in OTHERS for _, turn in other.statements() for words in _wordings(turn.text)]

    near = [
        (turn.text, name)
        for _, turn in story.statements()
        for name, words in known
        if _overlap(_words(turn.text), words) > NEAR_DUPLICATE
    ]

    assert near == []
