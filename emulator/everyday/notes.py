"""Small notes about nothing in particular, scattered over a person's months."""

from __future__ import annotations

import random
from collections.abc import Iterator
from datetime import UTC, date, datetime, time, timedelta
from itertools import islice
from typing import NamedTuple

from emulator.domain.scenario import Language
from emulator.everyday.pool import Pool, pool
from kernel.canonical import derive_seed
from kernel.errors import InvalidInput

DAYS_BEFORE = 30
_FIRST_HOUR, _HOURS = 18, 5
"""Notes are made in the evening, when what they call this morning or this evening has been."""
_BORED_AFTER = 20
"""Rounds through all patterns without one new sentence, after which the pool counts as told out."""


class EverydayNote(NamedTuple):
    at: datetime
    text: str


def everyday_notes(
    *, language: Language, seed: int, starts_on: date, days: int, count: int
) -> tuple[EverydayNote, ...]:
    """`count` notes in the order of their times, no text twice. Same arguments, same notes.

    They lie between `DAYS_BEFORE` days before `starts_on` and the end of day `days` counted from it, unevenly: people
    write much in some weeks and nothing in others. Each pattern comes again only when every other has had its turn.
    Raises `InvalidInput` for an unknown language, negative numbers, or more notes than there are.
    """
    if days < 0 or count < 0:
        raise InvalidInput("days and count are not negative", details={"days": days, "count": count})
    rng = random.Random(derive_seed("everyday", language, seed))  # noqa: S311 - variety, not secrecy
    texts = list(islice(_texts(pool(language), rng), count))
    if len(texts) < count:
        raise InvalidInput(f"there are fewer than {count} everyday notes in {language}", details={"field": "count"})
    times = _times(rng, first=starts_on - timedelta(days=DAYS_BEFORE), days=DAYS_BEFORE + days + 1, count=count)
    return tuple(EverydayNote(at=at, text=text) for at, text in zip(times, texts, strict=True))


def _texts(source: Pool, rng: random.Random) -> Iterator[str]:
    """Distinct sentences, the patterns in ever new order; ends when nothing new comes."""
    known: set[str] = set()
    patterns = source.patterns()
    bored = 0
    while bored < _BORED_AFTER:
        bored += 1
        rng.shuffle(patterns)
        for pattern in patterns:
            text = source.told(pattern, rng)
            if text not in known:
                known.add(text)
                bored = 0
                yield text


def _times(rng: random.Random, *, first: date, days: int, count: int) -> list[datetime]:
    """Sorted times. A week's and a day's share are exponential: some are busy, many are quiet."""
    weeks = [rng.expovariate(1) for _ in range(days // 7 + 1)]
    weights = [weeks[day // 7] * rng.expovariate(1) for day in range(days)]
    morning = datetime.combine(first, time(_FIRST_HOUR), tzinfo=UTC)
    return sorted(
        morning + timedelta(days=day, minutes=rng.randrange(_HOURS * 60))
        for day in rng.choices(range(days), weights=weights, k=count)
    )
