from __future__ import annotations

import threading

import pytest
from hypothesis import given
from hypothesis import strategies as st

from llm.text import content_words, count_tokens, detect_language, sentences, stem, stems, words

TEXT = st.text(
    alphabet=st.one_of(st.sampled_from("abcXYZ абвЁЯ.!?…,'’-\n\"(«»)0123456789:/"), st.characters(codec="utf-8")),
    max_size=200,
)


@given(TEXT)
def test_sentences__any_text__lose_nothing_but_white_space(text: str) -> None:
    assert "".join("".join(sentences(text)).split()) == "".join(text.split())


@given(TEXT)
def test_sentences__any_text__are_stripped_and_not_empty(text: str) -> None:
    assert all(sentence and sentence == sentence.strip() for sentence in sentences(text))


@given(TEXT)
def test_stems__any_text__align_with_content_words(text: str) -> None:
    assert [word.surface for word in words(text)] == content_words(text)
    assert [word.stem for word in words(text)] == stems(text)


@given(TEXT)
def test_words__any_text__stand_where_they_say(text: str) -> None:
    assert all(text.startswith(word.surface, word.start) for word in words(text))


@given(st.text(alphabet="абвгдеёжзийклмнопрстуфхцчшщъыьэюяabcdefghijklmnopqrstuvwxyz", max_size=30))
def test_stem__any_case__is_the_same(word: str) -> None:
    assert stem(word) == stem(word.upper())


@given(TEXT)
def test_detect_language__any_text__is_one_of_two(text: str) -> None:
    assert detect_language(text) in ("ru", "en")


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("Where is my bag?", "en"),
        ("Где моя сумка?", "ru"),
        ("Поставь мне Visual Studio Code", "ru"),
        ("What does the word 'спасибо' mean in English?", "en"),
        ("12:30", "en"),
        ("", "en"),
    ],
)
def test_detect_language__mixed_text__follows_its_main_script(text: str, expected: str) -> None:
    assert detect_language(text) == expected


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("Mr. Smith came. he left at 5 p.m. yesterday.", ["Mr. Smith came.", "he left at 5 p.m. yesterday."]),
        ("It is in the U.S. now. Really?! Yes", ["It is in the U.S. now.", "Really?!", "Yes"]),
        ("Жил там в 2019 г. Потом уехал в г. Омск.", ["Жил там в 2019 г.", "Потом уехал в г. Омск."]),
        ("Купил хлеб, сыр и т.д. Всё съел…", ["Купил хлеб, сыр и т.д.", "Всё съел…"]),
        ("А. С. Пушкин — поэт. Да!", ["А. С. Пушкин — поэт.", "Да!"]),
        ("Version 3.5 costs $1,200.50 now", ["Version 3.5 costs $1,200.50 now"]),
        ("one\ntwo\n\nthree", ["one", "two", "three"]),
        ("   ", []),
        ('He said: "No." Then he left.', ['He said: "No."', "Then he left."]),
    ],
)
def test_sentences__abbreviations_and_lines__split_where_people_would(text: str, expected: list[str]) -> None:
    assert sentences(text) == expected


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("собака", "собаку"),
        ("сёстры", "сестры"),
        ("Казань", "Казани"),
        ("working", "works"),
        ("allergies", "allergy"),
        ("Anna's", "anna"),
        ("Anna’s", "anna"),
    ],
)
def test_stems__inflections__meet(one: str, other: str) -> None:
    assert stems(one) == stems(other)


def test_content_words__function_words_of_both_languages__are_left_out() -> None:
    assert content_words("I don't know what it's about, и я не знаю, что это") == ["know", "знаю"]


def test_content_words__hyphen_date_and_number__keep_or_split() -> None:
    assert content_words("Follow-up on 2025-03-02 at 10:30 in Санкт-Петербург") == [
        "Follow",
        "2025-03-02",
        "10:30",
        "Санкт",
        "Петербург",
    ]


def test_count_tokens__words_and_marks__are_counted() -> None:
    assert count_tokens("Да, I moved.") == 5


def test_stem__many_threads__agree_with_one() -> None:
    vocabulary = [
        f"{base}{tail}" for base in ("переезжал", "работник", "walker", "running") for tail in map(str, range(200))
    ]
    expected = [stem.__wrapped__(word) for word in vocabulary]
    found: list[list[str]] = []
    threads = [
        threading.Thread(target=lambda: found.append([stem.__wrapped__(word) for word in vocabulary])) for _ in range(4)
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert found == [expected] * 4
