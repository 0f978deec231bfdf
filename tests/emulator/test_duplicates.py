"""Near-duplicate texts: copies are found whatever was changed in them, and courtesies are not taken for copies."""

from __future__ import annotations

import pytest

from emulator.check import leaks
from emulator.domain.scenario import Scenario
from emulator.duplicates import Said, near_pairs, overlap
from tests.emulator.makers import scenario

ORIGINAL = "My sister Vera paid 450 euros for the old loom that she found in a barn near Tartu."
RUSSIAN = "Моя сестра Вера купила за 450 евро старый ткацкий станок, который нашла в сарае под Тарту."
COPIES = {
    "a changed number": (ORIGINAL, ORIGINAL.replace("450", "380")),
    "another order": (ORIGINAL, "For the old loom that she found in a barn near Tartu my sister Vera paid 450 euros."),
    "a paraphrase": (
        ORIGINAL,
        "Vera, my sister, has paid 450 euros for an old loom found in some barn close to Tartu.",
    ),
    "other inflections": (ORIGINAL, "My sisters, Vera too, pay 450 euros for old looms found in barns near Tartu."),
    "Russian, changed number": (RUSSIAN, RUSSIAN.replace("450", "1 200")),
    "Russian, another order": (
        RUSSIAN,
        "Старый ткацкий станок, который моя сестра Вера нашла в сарае под Тарту, она купила за 450 евро.",
    ),
    "Russian, a paraphrase": (
        RUSSIAN,
        "Сестра моя, Вера, за 450 евро взяла старый ткацкий станок: нашла его в сарае под Тарту и купила.",
    ),
}


def pairs(one: str, other: str, *splits: str) -> int:
    first, second = splits or ("golden", "train")
    return len(near_pairs([Said(first, "a", one), Said(second, "b", other)]))


@pytest.mark.parametrize(("one", "other"), COPIES.values(), ids=COPIES.keys())
def test_near_pairs__copy_in_another_split__is_found(one: str, other: str) -> None:
    assert pairs(one, other) == 1


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("Thank you!", "Thank you!"),
        ("Thank you, talk soon.", "Back to the wards with me. Talk soon."),
        ("Спасибо большое, до завтра!", "Спасибо большое, до завтра!"),
        ("What breed of dog is Biscuit?", "What is the breed of my dog, did I say?"),
        (ORIGINAL, "My sister Vera rents a flat in Tartu now and pays 450 euros a month for it."),
    ],
)
def test_near_pairs__courtesy_or_other_fact__is_no_alarm(one: str, other: str) -> None:
    assert pairs(one, other) == 0


def test_near_pairs__copy_in_the_same_split__is_none() -> None:
    assert pairs(ORIGINAL, ORIGINAL, "train", "train") == 0


def test_near_pairs__compared_by_rare_stems__are_those_that_comparing_all_finds() -> None:
    words = ["loom", "barn", "sister", "euro", "boat", "sail", "harbour", "mast", "paint", "engine", "ferry", "yeast"]
    texts = [
        Said(split, f"{split}{start}{size}", " ".join((words * 2)[start : start + size]))
        for split in ("golden", "train", "validation")
        for start in range(len(words))
        for size in (4, 5, 7)
    ]
    everything = {
        frozenset((one, other))
        for one in texts
        for other in texts
        if one.split != other.split and overlap(one.text, other.text) >= 0.6
    }
    assert {frozenset((pair.one, pair.other)) for pair in near_pairs(texts)} == everything


def test_leaks__paraphrase_with_alternatives_in_another_split__is_named() -> None:
    def one(text: str, **changes: str) -> Scenario:
        return scenario(threads=[{"id": "t01", "day": 0, "turns": [{"text": text}]}], **changes)

    template = ORIGINAL.replace("old", "[[old|very old]]").replace("Vera", "{sister}")
    found = leaks([one(template), one(ORIGINAL, id="b", family="b", split="golden")])
    assert len(found) == 1
    assert "b.t01.0 (golden)" in found[0]
    assert "tiny.t01.0 (train)" in found[0]
