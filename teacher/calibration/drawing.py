"""Which judged cases people label. Pure: the same frame and seed give the same cases in the same order, to everybody.

Strata are the patterns of the judge's marks: half of the cases come from those where it saw a hallucination, half from
the others, since the former are rare. Within each half a pattern's share goes with the square root of its size (power
allocation, Bankier 1988), so that rare patterns are looked at without leaving the common ones to a handful of cases.
Within a pattern the draw is systematic over category and language: each is met in proportion to its size, and every
case of a pattern has the same chance, which is what the weights N/n of the figures rest on.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from math import floor, sqrt
from uuid import UUID

from kernel.canonical import stable_fraction


@dataclass(frozen=True, slots=True)
class Candidate:
    """One judged content. `stratum`: the marks, as `stratum_of` writes them."""

    run_id: UUID
    content_hash: str
    stratum: str
    category: str
    language: str


@dataclass(frozen=True, slots=True)
class Drawn:
    """Cases in the order in which they are labelled, and the size of each stratum."""

    cases: tuple[Candidate, ...]
    frame: Mapping[str, int]


_SIGNS = {True: "+", False: "-", None: "0"}
_MARKS = {sign: mark for mark, sign in _SIGNS.items()}


def stratum_of(*, hallucination: bool | None, context: bool | None, relevant: bool | None) -> str:
    """The pattern of marks, e.g. `h+c-r0`; 0: the judge did not say."""
    return f"h{_SIGNS[hallucination]}c{_SIGNS[context]}r{_SIGNS[relevant]}"


def marks_of(stratum: str) -> dict[str, bool | None]:
    """The marks of a pattern by question, as the judge made them when the case was drawn."""
    return {"hallucination": _MARKS[stratum[1]], "context": _MARKS[stratum[3]], "relevance": _MARKS[stratum[5]]}


def draw(candidates: Sequence[Candidate], *, size: int, seed: int) -> Drawn:
    """At most `size` cases. Any beginning of the order holds the strata in about the shares of the whole."""
    strata: dict[str, list[Candidate]] = {}
    for item in candidates:
        strata.setdefault(item.stratum, []).append(item)
    frame = {name: len(items) for name, items in sorted(strata.items())}
    chosen: list[tuple[float, Candidate]] = []
    for name, n in allocation(frame, size=size).items():
        picked = _systematic(strata[name], n=n, seed=seed, name=name)
        picked.sort(key=lambda item: stable_fraction(seed, "order", item.content_hash))
        # Somewhere in its n-th part of the order: were the strata strictly in turn, the last mark would tell the next.
        chosen += [
            ((place + stable_fraction(seed, "place", name, place)) / n, item) for place, item in enumerate(picked)
        ]
    chosen.sort(key=lambda row: (row[0], row[1].content_hash))
    return Drawn(tuple(item for _, item in chosen), frame)


def allocation(frame: Mapping[str, int], *, size: int) -> dict[str, int]:
    """How many of each stratum: halves for hallucination and none, what a small half leaves goes to the other."""
    seen = {name: count for name, count in frame.items() if name.startswith("h+")}
    rest = {name: count for name, count in frame.items() if name not in seen}
    first = min(sum(seen.values()), size // 2)
    second = min(sum(rest.values()), size - first)
    first = min(sum(seen.values()), size - second)
    return {**_shared(seen, first), **_shared(rest, second)}


def _shared(frame: Mapping[str, int], size: int) -> dict[str, int]:
    """`size` places by the square root of each stratum's size, one each where there is room, none over its size."""
    if size <= 0:
        return {}
    names = sorted(frame, key=lambda name: (-frame[name], name))[:size]
    got = dict.fromkeys(names, 1)
    for _ in range(size - len(names)):
        open_ones = [name for name in names if got[name] < frame[name]]
        if not open_ones:
            break
        nearest = max(open_ones, key=lambda name: (sqrt(frame[name]) / got[name], name))
        got[nearest] += 1
    return got


def _systematic(items: Sequence[Candidate], *, n: int, seed: int, name: str) -> list[Candidate]:
    """Every N/n-th of the stratum, from a random start, sorted so that category and language are gone through."""
    ordered = sorted(
        items,
        key=lambda item: (item.category, item.language, stable_fraction(seed, "within", item.content_hash)),
    )
    start, step = stable_fraction(seed, "start", name), len(ordered) / n
    return [ordered[min(floor((place + start) * step), len(ordered) - 1)] for place in range(n)]
