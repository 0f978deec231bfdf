"""The sentence patterns of one language, and what they can be filled with."""

from __future__ import annotations

import itertools
import random
import re
from collections.abc import Iterator
from functools import cache
from pathlib import Path

from pydantic import ValidationError

from contracts.base import Part
from emulator.domain.scenario import ALTERNATIVES, SLOT, Language, SlotValue
from kernel.errors import InvalidInput

_HERE = Path(__file__).parent
_SENTENCE = re.compile(r"(?:^|(?<=[.?!] ))[^\W\d]")
"""The first letter of each sentence."""


class Pool(Part):
    """`themes`: name → patterns, written like the texts of train scenarios: `{slot}`, `{slot.form}`, `[[a|b]]`."""

    slots: dict[str, tuple[SlotValue, ...]]
    themes: dict[str, tuple[str, ...]]

    def patterns(self) -> list[str]:
        return [pattern for patterns in self.themes.values() for pattern in patterns]

    def told(self, pattern: str, rng: random.Random) -> str:
        """One way to say the pattern. A slot named twice has one value."""
        values = {name: rng.choice(self.slots[name]) for name in slots_of(pattern)}
        return said(ALTERNATIVES.sub(lambda found: rng.choice(found[1].split("|")), pattern), values)

    def wordings(self, pattern: str) -> Iterator[str]:
        """Every way to say the pattern, all combinations."""
        choices = [found.split("|") for found in ALTERNATIVES.findall(pattern)]
        names = slots_of(pattern)
        for picks in itertools.product(*choices):
            left = iter(picks)
            text = ALTERNATIVES.sub(lambda _, left=left: next(left), pattern)  # type: ignore[misc]  # bound early
            for values in itertools.product(*(self.slots[name] for name in names)):
                yield said(text, dict(zip(names, values, strict=True)))


def slots_of(pattern: str) -> list[str]:
    """Names of the slots, each once, in the order met."""
    return list(dict.fromkeys(name for name, _ in SLOT.findall(pattern)))


def said(text: str, values: dict[str, SlotValue]) -> str:
    """The text with its slots filled, each sentence beginning with a capital letter."""

    def one(name: str, form: str) -> str:
        value = values[name]
        if isinstance(value, str):
            value = {"base": value}
        return value[form or "base"]

    filled = SLOT.sub(lambda found: one(found[1], found[2]), text)
    return _SENTENCE.sub(lambda found: found[0].upper(), filled)


@cache
def pool(language: Language) -> Pool:
    """The pool of a language. Raises `InvalidInput` when there is none, or its file is spoiled."""
    path = _HERE / f"{language}.json"
    try:
        return Pool.model_validate_json(path.read_text(encoding="utf-8"))
    except OSError as error:
        raise InvalidInput(f"no everyday notes in language {language!r}", details={"field": "language"}) from error
    except ValidationError as error:
        raise InvalidInput(f"{path}: {error}", details={"file": str(path)}) from error
