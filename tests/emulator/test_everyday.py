"""Everyday notes: the same for the same seed, well formed in both languages, and spread over the whole story."""

from __future__ import annotations

import re
import uuid
from collections import Counter
from datetime import date, timedelta
from typing import get_args

import pytest

from emulator.domain.scenario import Language, Scenario
from emulator.everyday import EVERYDAY_NOTES, EverydayNote, background, everyday_notes
from emulator.everyday.pool import pool, slots_of
from emulator.library import bundled_scenarios
from kernel.errors import InvalidInput
from llm.text import detect_language
from tests.emulator.makers import scenario

START = date(2024, 3, 1)
each_language = pytest.mark.parametrize("language", get_args(Language))


def notes(language: Language = "en", *, seed: int = 1, days: int = 200, count: int = 220) -> tuple[EverydayNote, ...]:
    return everyday_notes(language=language, seed=seed, starts_on=START, days=days, count=count)


@each_language
def test_everyday_notes__same_seed__are_the_same(language: Language) -> None:
    assert notes(language, seed=7) == notes(language, seed=7)


@each_language
def test_everyday_notes__another_seed__are_others(language: Language) -> None:
    shared = {note.text for note in notes(language, seed=7)} & {note.text for note in notes(language, seed=8)}

    assert len(shared) < 30


@each_language
@pytest.mark.parametrize("seed", range(5))
def test_everyday_notes__one_user__never_repeat_a_text(language: Language, seed: int) -> None:
    assert Counter(note.text for note in notes(language, seed=seed)).most_common(1)[0][1] == 1


@each_language
def test_everyday_notes__times__are_sorted_and_lie_from_a_month_before_to_the_last_day(language: Language) -> None:
    days = [note.at.date() for note in notes(language, days=10, count=500)]

    assert days == sorted(days)
    assert (days[0], days[-1]) == (START - timedelta(days=30), START + timedelta(days=10))


def test_everyday_notes__over_a_year__leave_quiet_and_busy_weeks() -> None:
    weeks = Counter((note.at.date() - START).days // 7 for note in notes(days=365, count=220))

    assert max(weeks.values()) >= 3 * (220 / 56)


@each_language
def test_everyday_notes__texts__are_in_their_language(language: Language) -> None:
    assert {detect_language(note.text) for note in notes(language)} == {language}


def test_everyday_notes__unknown_language__is_refused() -> None:
    with pytest.raises(InvalidInput):
        everyday_notes(language="fr", seed=1, starts_on=START, days=1, count=1)  # type: ignore[arg-type]  # on purpose


def test_everyday_notes__more_than_there_are__are_refused() -> None:
    with pytest.raises(InvalidInput):
        notes(count=100_000)


@each_language
def test_pool__as_bundled__is_of_full_size(language: Language) -> None:
    source = pool(language)

    assert len(source.themes) == 14
    assert len(source.patterns()) >= 70
    assert all(8 <= len(values) <= 20 for values in source.slots.values())
    assert {name for pattern in source.patterns() for name in slots_of(pattern)} == set(source.slots)


@each_language
def test_pattern__every_wording__is_whole_with_nothing_left_to_fill_in(language: Language) -> None:
    spoiled = re.compile(r"[{}\[\]|]|\s{2}|\s[,.;:?!]|[.,;:]{2}|^\s|[^.?!]$")
    source = pool(language)

    bad = [text for pattern in source.patterns() for text in source.wordings(pattern) if spoiled.search(text)]

    assert bad == []


@each_language
def test_pattern__every_sentence__begins_with_a_capital_letter(language: Language) -> None:
    source = pool(language)
    small = re.compile(r"(?:^|[.?!] )[a-zа-яё]")

    assert [text for pattern in source.patterns() for text in source.wordings(pattern) if small.search(text)] == []


@each_language
def test_pattern__alone__can_be_said_in_eight_ways_or_more(language: Language) -> None:
    source = pool(language)

    assert [pattern for pattern in source.patterns() if len(set(source.wordings(pattern))) < 8] == []


@pytest.mark.parametrize("wrong", [r"\bя\b", r"\bо [аоиуэ]", r"\bс с[кп]", r"\bдо во? "])
def test_russian_pattern__every_wording__hides_the_speakers_gender_and_has_the_right_preposition(wrong: str) -> None:
    source = pool("ru")
    told = (text for pattern in source.patterns() for text in source.wordings(pattern))

    assert [text for text in told if re.search(wrong, text, re.IGNORECASE)] == []


@pytest.mark.parametrize("story", [*bundled_scenarios("train"), *bundled_scenarios("validation")], ids=lambda s: s.id)
def test_background__bundled_story__covers_it_with_the_documented_number(story: Scenario) -> None:
    memories = background(user_id=uuid.UUID(int=1), story=story)
    last = story.starts_on + timedelta(days=max(thread.day for thread in story.threads))
    assert len({memory.memory_id for memory in memories}) == len(memories) == EVERYDAY_NOTES
    assert all(
        story.starts_on - timedelta(days=30) <= memory.simulated_at.date() <= last
        and memory.speaker is None
        and memory.metadata == {"source": "everyday"}
        for memory in memories
    )


def test_background__two_users_of_one_variant__note_the_same_under_other_ids() -> None:
    first, second = (background(user_id=uuid.UUID(int=n), story=scenario(), number=4) for n in (1, 2))

    assert [(m.text, m.simulated_at) for m in first] == [(m.text, m.simulated_at) for m in second]
    assert not {m.memory_id for m in first} & {m.memory_id for m in second}


def test_background__two_variants__note_different_things() -> None:
    first, second = (background(user_id=uuid.UUID(int=1), story=scenario(), number=n) for n in (1, 2))

    assert [m.text for m in first] != [m.text for m in second]
