"""Screened steps and requests for a plan, in few words."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from contracts.goal import Constraint
from contracts.parameters import ParameterChange
from teacher.designer import (
    Candidate,
    DesignRequest,
    PlannedExperiment,
    Screened,
    plan_choose,
)
from teacher.designer.screening import Difference
from teacher.domain.gaps import Measured, gap_of

PRECISION, RECALL, HALLUCINATION = "retrieval_precision", "retrieval_recall", "hallucination_rate"
CURRENT = {PRECISION: 0.5, RECALL: 0.6, HALLUCINATION: 0.1, "token_cost": 0.002, "latency_p50": 400.0}


def candidate(param: str = "k", to_value: Any = 2, **more: Any) -> Candidate:
    return Candidate(change=ParameterChange(param=param, from_value=3, to_value=to_value), prior=1.0, **more)


def difference(mean: float, *, error: float = 0.01, deviation: float = 0.1, n: int = 100) -> Difference:
    return Difference(mean=mean, error=error, deviation=deviation, n=n, clusters=n)


def screened(name: str, **means: float | Difference) -> Screened:
    found = {metric: item if isinstance(item, Difference) else difference(item) for metric, item in means.items()}
    return Screened(candidate(name), found)


def request(
    metric: str = PRECISION,
    constraints: tuple[Constraint, ...] = (),
    start: Mapping[str, float] | None = None,
    n: int = 400,
) -> DesignRequest:
    current = Measured(metrics=CURRENT)
    value = current.value(metric) or 0.0
    return DesignRequest(
        name="campaign-c1",
        dataset="bundled",
        gap=gap_of(metric, current=value, target=0.9, of_goal=True),
        constraints=constraints,
        start=Measured(metrics=start or CURRENT),
        current=current,
        base_version=1,
        n=n,
        seed=7,
    )


def planned(*items: Screened, **more: Any) -> PlannedExperiment:
    plan = plan_choose(request(**more), items)
    assert isinstance(plan, PlannedExperiment), plan
    return plan


# --- guards -----------------------------------------------------------------------------------------------------------
