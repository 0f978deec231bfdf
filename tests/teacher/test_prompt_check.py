"""What a prompt that a model wrote must not be, and that nothing of an example stands in it."""

from __future__ import annotations

import pytest

from teacher.domain.prompt_check import LONGEST, SHORTEST, copies_example, prompt_problems

GOOD = (
    "You are an assistant with memories of one person. Before you answer, name to yourself the note that states it; "
    'the notes stand under "## Memories", the question under "## Question". If none does, say that you do not know. '
    "Answer in the language of the question."
)


def problems(text: str, *, known: tuple[str, ...] = (), private: tuple[str, ...] = ()) -> list[str]:
    return prompt_problems(text, known=known, private=private)


def test_prompt__new_and_general__may_be_tried() -> None:
    private = ("Where did my cousin Clara move last spring?", "Lisbon", "note", "answer", "2024")
    assert problems(GOOD, private=private) == []


@pytest.mark.parametrize(
    ("text", "word"),
    [
        (GOOD[: SHORTEST - 1], "characters"),
        (GOOD * (LONGEST // len(GOOD) + 1), "characters"),
        (GOOD + " {query}", "braces"),
        ("Answer well. " * 30, "memories"),
    ],
)
def test_prompt__of_the_wrong_shape__is_refused(text: str, word: str) -> None:
    assert any(word in item for item in problems(text))


def test_prompt__same_words_as_one_that_exists__is_refused() -> None:
    assert problems(GOOD.upper().replace(". ", ".\n"), known=(GOOD,)) == ["it is a prompt that exists"]


@pytest.mark.parametrize(
    ("addition", "private"),
    [
        (" For example, when did my cousin move to the sea?", "When did my cousin move to the sea last year?"),
        (" Think of people like Clara.", "Clara"),
        (" The answer may be 1974.", "born in 1974"),
        (" Люди вроде Марии помнят.", "Марии"),
    ],
)
def test_prompt__repeats_an_example__is_refused_without_quoting_it(addition: str, private: str) -> None:
    assert problems(GOOD + addition, private=(private,)) == ["it repeats words of an example"]


def test_prompt__phrase_that_a_prompt_in_use_has__is_no_copy() -> None:
    phrase = "say that you do not remember it"
    text = f"{GOOD} Else {phrase}."
    assert not copies_example(text, private=[f"Please {phrase}"], known=[f"If unsure, {phrase} at once."])
    assert copies_example(text, private=[f"Please {phrase}"], known=["Nothing of it."])
