"""Which examples of a batch are judged when not all are: by category, all arms of an example together."""

from __future__ import annotations

import uuid
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from kernel.canonical import stable_fraction


@dataclass(frozen=True, slots=True)
class Unit:
    """One example with its answered runs under every arm."""

    example: str
    category: str
    runs: tuple[uuid.UUID, ...]


def units_of(rows: Iterable[tuple[uuid.UUID, str | None, str | None]]) -> list[Unit]:
    """Units of (run, example, category). A run of no example is a unit of its own."""
    runs: dict[str, list[uuid.UUID]] = {}
    categories: dict[str, str] = {}
    for run, example, category in rows:
        name = example or str(run)
        runs.setdefault(name, []).append(run)
        categories.setdefault(name, category or "")
    return [Unit(name, categories[name], tuple(sorted(found))) for name, found in runs.items()]


def drawn(units: Sequence[Unit], *, limit: int, seed: object) -> list[Unit]:
    """Units with at most `limit` runs in all, in the order in which they are to be judged.

    Each beginning of that order has about the categories of the whole, and every category as soon as there is room:
    so a sample that money cuts short is a sample still, and a smaller one lies inside a larger one. `seed` and the
    names decide alone; which arms there are does not.
    """
    groups: dict[str, list[tuple[float, Unit]]] = {}
    for unit in units:
        groups.setdefault(unit.category, []).append((stable_fraction("judge", seed, unit.example), unit))
    places: list[tuple[tuple[bool, float, str], Unit]] = []
    for members in groups.values():
        members.sort(key=lambda item: (item[0], item[1].example))
        places += [
            ((place > 0, (place + fraction) / len(members), unit.example), unit)
            for place, (fraction, unit) in enumerate(members)
        ]
    chosen, taken = [], 0
    for _, unit in sorted(places, key=lambda item: item[0]):
        if taken + len(unit.runs) > limit:
            break
        chosen.append(unit)
        taken += len(unit.runs)
    return chosen
