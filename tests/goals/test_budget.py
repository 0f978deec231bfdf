"""What is left of a budget, and what would be beyond it."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest
from pydantic import ValidationError

from contracts.goal import Budget
from goals.domain.budget import Taken, budget_exceeded, budget_lines, budget_spent, ends_at

NOON = datetime(2026, 5, 4, 12, tzinfo=UTC)


def spent(budget: Budget, *, tokens: int = 0, usd: float = 0.0, now: datetime = NOON) -> str:
    return budget_spent(budget, Taken(tokens, usd, began=NOON - timedelta(hours=3)), now=now)


@pytest.mark.parametrize(
    ("budget", "tokens", "usd", "says"),
    [
        (Budget(tokens=1000), 999, 0.0, ""),
        (Budget(tokens=1000), 1000, 0.0, "budget spent: 1,000 of 1,000 tokens"),
        (Budget(usd=2), 10**9, 1.9999, ""),
        (Budget(usd=2), 0, 2.5, "budget spent: $2.5000 of $2.0000"),
        (Budget(hours=3.5), 0, 0.0, ""),
        (Budget(hours=3), 0, 0.0, "budget spent: 3 hours are over"),
        (Budget(deadline=NOON + timedelta(minutes=1)), 0, 0.0, ""),
        (Budget(deadline=NOON), 0, 0.0, "budget spent: the deadline 2026-05-04 12:00 UTC has passed"),
        (Budget(cycles=1), 10**9, 10.0**6, ""),
        (Budget(), 10**9, 10.0**6, ""),
    ],
)
def test_budget_spent__each_limit__ends_exactly_when_it_is_reached(
    budget: Budget, tokens: int, usd: float, says: str
) -> None:
    assert spent(budget, tokens=tokens, usd=usd) == says


def test_ends_at__hours_and_deadline__is_what_comes_first() -> None:
    budget = Budget(hours=2, deadline=NOON + timedelta(hours=1))
    assert ends_at(budget, NOON) == NOON + timedelta(hours=1)
    assert ends_at(budget, NOON - timedelta(hours=2)) == NOON
    assert ends_at(budget, None) == NOON + timedelta(hours=1)


@pytest.mark.parametrize(("runs", "beyond"), [(5, False), (6, True)])
def test_budget_exceeded__runs_ahead__are_compared_with_what_is_left(runs: int, beyond: bool) -> None:
    each = Taken(tokens=100, usd=0.001)
    for budget, taken in ((Budget(tokens=1000), Taken(500, 0)), (Budget(usd=0.01), Taken(0, 0.005))):
        assert bool(budget_exceeded(budget, taken, runs=runs, each=each)) is beyond


def test_budget_lines__limits_that_are_set__are_told_with_what_is_used() -> None:
    lines = budget_lines(
        Budget(tokens=1000, hours=4, cycles=10), Taken(250, 1.0, NOON - timedelta(hours=1)), cycles=3, now=NOON
    )
    assert [(line.what, line.share) for line in lines] == [("tokens", 0.25), ("hours", 0.25), ("cycles", 0.3)]


@pytest.mark.parametrize("wrong", [{"tokens": 0}, {"usd": -1}, {"hours": 0}, {"deadline": datetime(2026, 1, 1)}])
def test_budget__nothing_or_a_moment_without_its_zone__is_no_budget(wrong: dict[str, object]) -> None:
    with pytest.raises(ValidationError):
        Budget.model_validate(wrong)
