"""Texts that say nearly the same: copies with another number, other order, or a few other words.

Texts are compared as sets of stems of their content words, every number being the same stem. Short sentences are not
compared: people thank each other alike.
"""

from __future__ import annotations

import re
from collections import Counter, defaultdict
from collections.abc import Iterable, Sequence
from typing import NamedTuple

from llm.text import stems

NEAR = 0.6
FEWEST = 4
"""See docs/decisions/0015: chosen by looking at pairs."""

_NUMBER = re.compile(r"\d[\d.,:/\-]*")


class Said(NamedTuple):
    """A text, whose it is (said in messages) and the split that it belongs to."""

    split: str
    where: str
    text: str


class NearPair(NamedTuple):
    """Two texts of different splits; `overlap` from `NEAR` to 1 (the same words)."""

    one: Said
    other: Said
    overlap: float

    def __str__(self) -> str:
        how = "the same" if self.overlap == 1 else f"nearly the same ({self.overlap:.2f})"
        return (
            f"{self.one.where} ({self.one.split}) and {self.other.where} ({self.other.split}) both say {how}: "
            f"{self.one.text} / {self.other.text}"
        )


def fingerprint(text: str) -> frozenset[str]:
    """The stems that are compared."""
    return frozenset("#" if _NUMBER.fullmatch(stem) else stem for stem in stems(text))


def overlap(one: str, other: str) -> float:
    """Share of the two texts' stems that they have in common, 0 to 1."""
    left, right = fingerprint(one), fingerprint(other)
    return len(left & right) / len(left | right) if left | right else 0.0


def near_pairs(texts: Iterable[Said], *, near: float = NEAR, fewest: int = FEWEST) -> list[NearPair]:
    """Pairs across splits that overlap by `near` or more, the nearest first.

    Each text is looked up by its rarest stems alone: of two sets that overlap that much, one at least is shared.
    """
    known = [(said, mark) for said in dict.fromkeys(texts) if len(mark := fingerprint(said.text)) >= fewest]
    common = Counter(stem for _, mark in known for stem in mark)
    by_stem: dict[str, list[int]] = defaultdict(list)
    found = []
    for number, (said, mark) in enumerate(known):
        rare = sorted(mark, key=lambda stem: (common[stem], stem))[: len(mark) - _must_share(len(mark), near) + 1]
        for other in {index for stem in rare for index in by_stem[stem]}:
            second, its = known[other]
            if second.split != said.split:
                shared = len(mark & its)
                share = shared / (len(mark) + len(its) - shared)
                if share >= near:
                    found.append(NearPair(second, said, share))
        for stem in rare:
            by_stem[stem].append(number)
    return sorted(found, key=lambda pair: (-pair.overlap, pair.one, pair.other))


def _must_share(size: int, near: float) -> int:
    """How many of its stems a set of this size shares at least with any set that is near it."""
    return max(1, -(-int(size * near * 1000) // 1000))


def unique(pairs: Sequence[NearPair]) -> list[NearPair]:
    """The nearest pair of each two places: alternatives of one template are one finding."""
    return list({(pair.one.where, pair.other.where): pair for pair in reversed(pairs)}.values())[::-1]
