"""Looks of an experiment before its end: how large, over which examples, and where they stopped."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from experiments.domain.examples import ExampleValue
from kernel.canonical import stable_fraction

FINAL = ("winner", "loser")
"""Verdicts that freeze: after one of these nothing more is run."""


def look_sizes(total: int, *, looks: int, floor: int) -> list[int]:
    """Examples at each look, the last one all of them; empty when one look is all there is.

    Parts are equal (to one example) and never smaller than `floor`, below which there is no verdict to be had: fewer
    looks are planned then.
    """
    parts = min(looks, total // max(floor, 1))
    return [round(total * part / parts) for part in range(1, parts + 1)] if parts > 1 else []


def looking_order(examples: Iterable[ExampleValue], *, seed: int) -> list[ExampleValue]:
    """The examples in an order that `seed` and their names decide: the first part is a sample of the whole."""
    return sorted(examples, key=lambda item: (stable_fraction("look", seed, item.external_id), item.external_id))


def look_row(
    *,
    n: int,
    verdict: str,
    p_value: float | None,
    level: float | None,
    estimate: float | None = None,
    low: float | None = None,
    high: float | None = None,
) -> dict[str, Any]:
    """What an experiment remembers of a look. All but `n` and `verdict` are of its first criterion; `low` and `high`
    bound the interval at `level`, the level that may be spent at this look."""
    return {
        "n": n, "verdict": verdict, "p_value": p_value, "level": level, "estimate": estimate, "low": low, "high": high,
    }  # fmt: skip


def decided_early(looks: Sequence[Mapping[str, Any]]) -> bool:
    return bool(looks) and looks[-1]["verdict"] in FINAL


def sizes_spent(planned: Sequence[int], looks: Sequence[Mapping[str, Any]], *, complete: bool) -> tuple[int, ...]:
    """The sizes of the looks that the stored verdict is made with: those before, and the last one when all was run."""
    before = tuple(int(row["n"]) for row in looks)
    return (*before, planned[-1]) if planned and complete and not decided_early(looks) else before
