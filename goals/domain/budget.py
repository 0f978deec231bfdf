"""Whether what a campaign took is within its budget, and what would be beyond it."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta

from contracts.goal import Budget


@dataclass(frozen=True, slots=True)
class Taken:
    """What a campaign took so far: tokens and US dollars of its runs and of judging them, and when it began."""

    tokens: int
    usd: float
    began: datetime | None = None


def ends_at(budget: Budget, began: datetime | None) -> datetime | None:
    """The moment at which time is over: the deadline, or `began` and the hours, whichever comes first."""
    ends = [budget.deadline] if budget.deadline is not None else []
    if budget.hours is not None and began is not None:
        ends.append(began + timedelta(hours=budget.hours))
    return min(ends, default=None)


def budget_spent(budget: Budget, taken: Taken, *, now: datetime) -> str:
    """Why nothing more may be done, as a sentence; empty while something is left of everything."""
    if budget.tokens is not None and taken.tokens >= budget.tokens:
        return f"budget spent: {taken.tokens:,} of {budget.tokens:,} tokens"
    if budget.usd is not None and taken.usd >= budget.usd:
        return f"budget spent: ${taken.usd:.4f} of ${budget.usd:.4f}"
    end = ends_at(budget, taken.began)
    if end is None or now < end:
        return ""
    if end == budget.deadline:
        return f"budget spent: the deadline {end:%Y-%m-%d %H:%M} {end.tzname()} has passed"
    return f"budget spent: {budget.hours:g} hours are over"


def budget_exceeded(budget: Budget, taken: Taken, *, runs: int, each: Taken) -> str:
    """Why `runs` more runs, which took `each` on average so far, would go beyond the budget; empty when they fit."""
    tokens, usd = taken.tokens + runs * each.tokens, taken.usd + runs * each.usd
    if budget.tokens is not None and tokens > budget.tokens:
        left = budget.tokens - taken.tokens
        return f"budget spent: {runs:,} runs of about {each.tokens:,} tokens would go beyond the {left:,} that are left"
    if budget.usd is not None and usd > budget.usd:
        left_usd = budget.usd - taken.usd
        return f"budget spent: {runs:,} runs of about ${each.usd:.6f} would go beyond the ${left_usd:.4f} that are left"
    return ""


@dataclass(frozen=True, slots=True)
class BudgetLine:
    """One limit with what is used of it. `share`: from 0; beyond 1 where the last answer came when it was over."""

    what: str
    used: float
    limit: float

    @property
    def share(self) -> float:
        return self.used / self.limit


def budget_lines(budget: Budget, taken: Taken, *, cycles: int, now: datetime) -> list[BudgetLine]:
    """What is used of each limit that the goal sets: tokens, usd, hours, cycles."""
    hours = 0.0 if taken.began is None else (now - taken.began).total_seconds() / 3600
    used = {"tokens": float(taken.tokens), "usd": taken.usd, "hours": hours, "cycles": float(cycles)}
    limits = {name: getattr(budget, name) for name in used}
    return [BudgetLine(name, used[name], float(limit)) for name, limit in limits.items() if limit is not None]


def is_budget_spent(reason: str) -> bool:
    """Whether a campaign's reason to end is one of those above."""
    return reason.startswith("budget spent")
