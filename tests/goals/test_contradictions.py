"""What two goals cannot have at once."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Literal

import pytest

from contracts.goal import Constraint, Target
from goals.domain.contradictions import contradictions

Kind = Literal["no_large_drop", "no_large_rise", "max", "min"]


def up(metric: str, value: float | None = None, category: str | None = None) -> Target:
    return Target(metric=metric, direction="increase", value=value, category=category)


def down(metric: str, value: float | None = None, category: str | None = None) -> Target:
    return Target(metric=metric, direction="decrease", value=value, category=category)


def limit(metric: str, kind: Kind, value: float | None = 0.05) -> Constraint:
    return Constraint(metric=metric, kind=kind, value=value)


@pytest.mark.parametrize(
    ("mine", "my_limits", "theirs", "their_limits", "says"),
    [
        ([up("memory_growth")], [], [down("memory_growth")], [], "should increase here and decrease there"),
        ([up("mrr", category="temporal")], [], [down("mrr", category="factual")], [], ""),
        ([up("mrr", category="temporal")], [], [down("mrr")], [], "should increase here and decrease there"),
        ([up("retrieval_recall", 0.6)], [], [up("retrieval_recall", 0.8)], [], ""),
        ([up("hit_rate")], [], [], [limit("hit_rate", "no_large_rise")], "increase here and must not rise there"),
        ([], [limit("hit_rate", "no_large_rise")], [up("hit_rate")], [], "increase there and must not rise here"),
        ([down("token_cost")], [], [], [limit("token_cost", "no_large_rise")], ""),
        ([up("hit_rate", 0.8)], [], [], [limit("hit_rate", "max", 0.7)], "must stay at most 0.7 there"),
        ([up("hit_rate", 0.7)], [], [], [limit("hit_rate", "max", 0.7)], ""),
        ([up("hit_rate")], [], [], [limit("hit_rate", "max", 0.7)], ""),
        ([down("latency_p95", 900)], [], [], [limit("latency_p95", "min", 1000)], "at least 1000 there"),
        ([], [limit("mrr", "min", 0.5)], [], [limit("mrr", "max", 0.4)], "at least 0.5 and at most 0.4"),
        ([], [limit("mrr", "max", 0.4)], [], [limit("mrr", "min", 0.4)], ""),
    ],
)
def test_contradictions__of_two_goals__are_what_neither_can_have_beside_the_other(
    mine: Sequence[Target],
    my_limits: Sequence[Constraint],
    theirs: Sequence[Target],
    their_limits: Sequence[Constraint],
    says: str,
) -> None:
    found = contradictions(mine, my_limits, theirs, their_limits)
    assert (says in found[0] if found else not says) and (bool(found) is bool(says))
