"""Rank the screened candidates, and write spec and hypothesis of those that are worth an experiment. Pure."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from contracts.experiment_spec import ExperimentSpec, SuccessCriterion, VariantSpec
from contracts.goal import Constraint, Target
from contracts.metric import METRICS
from contracts.parameters import ParameterChange
from teacher.designer.guards import guard_criteria
from teacher.designer.screening import Difference, Screened
from teacher.domain.gaps import Measured, MetricGap
from teacher.domain.wording import amount, signed

MIN_DELTA_SHARE = 0.25
"""min_delta as a share of the effect that screening promises: at a true effect of min_delta a test passes only half
the time, so it lies well below."""

PLANNED_AT_MOST = 3
"""Hypotheses of one plan: the one that is tested now, and the two that would come next."""

_LARGEST_MIN_DELTA = 0.02
_POWER_Z = 1.96 + 0.84


@dataclass(frozen=True, slots=True)
class DesignRequest:
    """What the Manager asks: improve `gap.metric` on `dataset` from `base_version`. `n`: validation examples."""

    name: str
    dataset: str
    gap: MetricGap
    constraints: Sequence[Constraint]
    start: Measured
    current: Measured
    base_version: int
    n: int
    seed: int
    targets: Sequence[Target] = ()


@dataclass(frozen=True, slots=True)
class PlannedExperiment:
    """One experiment worth running, and why. `needs_n`: pairs for 80 % power at the effect that screening promises."""

    spec: ExperimentSpec
    change: ParameterChange
    metric: str
    direction: str
    title: str
    hypothesis: str
    rationale: str
    expected_effect: float
    needs_n: int
    needs_approval: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Considered:
    """One screened step in the order of its promise, and what became of it in the plan, as a sentence."""

    change: ParameterChange
    rank: int
    promise: float | None
    gain: float
    reason: str

    def to_json(self) -> dict[str, Any]:
        return {**self.change.to_mission_json(), "rank": self.rank, "promise": self.promise, "gain": self.gain,
                "reason": self.reason}  # fmt: skip


@dataclass(frozen=True, slots=True)
class NoPlan:
    """Why no experiment is worth running now."""

    reason: str


def plan_choose(
    request: DesignRequest, screened: Sequence[Screened], *, explore: bool = False
) -> PlannedExperiment | NoPlan:
    """The first of `plan_list`, or why there is none."""
    plans = plan_list(request, screened, explore=explore)
    return plans if isinstance(plans, NoPlan) else plans[0]


def plan_list(
    request: DesignRequest, screened: Sequence[Screened], *, explore: bool = False
) -> list[PlannedExperiment] | NoPlan:
    """The candidates with the best promise, as experiments, best first, at most `PLANNED_AT_MOST`.

    Promise = mean gain of the goal's metric on train − half its standard error − twice what it would break beyond
    the guards' margins. A candidate without a positive gain is never tested. `explore`: when nothing promises enough,
    the best of those with a gain is tested all the same, for screening is a small sample and the verdict decides.
    """
    metric = request.gap.metric
    measured = _measured(metric)
    better_up = METRICS[measured].higher_is_better
    guards = _guards(request)
    ranked = _ranked(screened, measured, guards)
    promising = [(promise, item) for promise, item in ranked if item.gain(measured, higher_is_better=better_up) > 0]
    if not promising:
        return NoPlan(f"none of {len(screened)} screened steps improved {METRICS[metric].title.lower()} on train data")
    promise, best = promising[0]
    if promise <= 0 and not explore:
        return NoPlan(
            f"the best of {len(screened)} screened steps, {_step(best.candidate.change)}, promises too little or would "
            "break a guard"
        )
    worth = [best, *(item for promise, item in promising[1:PLANNED_AT_MOST] if promise > 0)]
    return [_planned(request, item, guards, measured, better_up) for item in worth]


def plan_explain(request: DesignRequest, screened: Sequence[Screened], chosen: ParameterChange) -> list[Considered]:
    """Every screened step in the order of its promise: which is tested, which would come next, and why the others are
    not."""
    metric = _measured(request.gap.metric)
    better_up = METRICS[metric].higher_is_better
    guards = _guards(request)
    found = []
    for rank, (promise, item) in enumerate(_ranked(screened, metric, guards), 1):
        gain = item.gain(metric, higher_is_better=better_up)
        change = item.candidate.change
        if change == chosen:
            reason = "it is tested now: the best promise"
        else:
            reason = _why_not(item, metric, promise, gain, guards)
        found.append(Considered(change, rank, promise if math.isfinite(promise) else None, gain, reason))
    return found


def _why_not(item: Screened, metric: str, promise: float, gain: float, guards: Sequence[SuccessCriterion]) -> str:
    title = METRICS[metric].title.lower()
    if metric not in item.differences:
        return f"no question could be compared on {title}"
    if gain <= 0:
        return f"{title} did not improve on train ({signed(metric, item.differences[metric].mean)})"
    broken = [guard for guard in guards if _beyond(item, guard) > 0]
    if broken:
        told = ", ".join(
            f"{METRICS[guard.metric].title.lower()} {signed(guard.metric, item.differences[guard.metric].mean)}"
            for guard in broken
        )
        return f"{'it promises less and' if promise > 0 else 'it'} would break a guard: {told}"
    if promise <= 0:
        return f"the gain of {amount(metric, gain)} is no larger than half its error"
    return "it promises less; it would come next"


def _guards(request: DesignRequest) -> list[SuccessCriterion]:
    return guard_criteria(
        focus=request.gap.metric,
        constraints=request.constraints,
        start=request.start,
        current=request.current,
        targets=request.targets,
    )


def _ranked(
    screened: Sequence[Screened], metric: str, guards: Sequence[SuccessCriterion]
) -> list[tuple[float, Screened]]:
    """With their promise, best first; ties in the order given."""
    better_up = METRICS[metric].higher_is_better
    return sorted(((_promise(item, metric, better_up, guards), item) for item in screened), key=lambda entry: -entry[0])


def _measured(metric: str) -> str:
    """The per-run metric that stands for a percentile when effects are screened and tested."""
    return METRICS[metric].source or metric


def _promise(item: Screened, metric: str, better_up: bool, guards: Sequence[SuccessCriterion]) -> float:
    found = item.differences.get(metric)
    if found is None:
        return -math.inf
    harm = sum(_beyond(item, guard) for guard in guards)
    return item.gain(metric, higher_is_better=better_up) - 0.5 * found.error - 2.0 * harm


def _beyond(item: Screened, guard: SuccessCriterion) -> float:
    """How far a step goes beyond a guard's margin on train; ratios are left to the experiment."""
    found = item.differences.get(guard.metric)
    if found is None or METRICS[guard.metric].kind == "positive":
        return 0.0
    loss = -found.mean if guard.direction == "no_large_drop" else found.mean
    return max(0.0, loss - abs(guard.max_delta or 0.0))


def _of_families(effect: Difference) -> str:
    return f" of {effect.clusters} families" if effect.clusters < effect.n else ""


def _planned(
    request: DesignRequest, best: Screened, guards: list[SuccessCriterion], metric: str, better_up: bool
) -> PlannedExperiment:
    change = best.candidate.change
    effect = best.differences[metric]
    gain = best.gain(metric, higher_is_better=better_up)
    direction = "increase" if better_up else "decrease"
    min_delta = round(min(_LARGEST_MIN_DELTA, MIN_DELTA_SHARE * _as_tested(request, metric, gain)), 4)
    needs_n = max(50, math.ceil((_POWER_Z * effect.deviation / gain) ** 2))
    spec = ExperimentSpec(
        experiment_id=request.name,
        variants=(
            VariantSpec(name="baseline", params={change.param: change.from_value}),
            VariantSpec(name="variant", params={change.param: change.to_value}),
        ),
        success_criteria=(
            SuccessCriterion(metric=metric, direction=direction, min_delta=min_delta),
            *guards,
        ),
        expected_n=request.n,
        dataset=request.dataset,
        seed=request.seed,
    )
    title = METRICS[metric].title.lower()
    verb = "rises" if better_up else "falls"
    held = ", ".join(METRICS[guard.metric].title.lower() for guard in guards) or "nothing else"
    rationale = (
        f"on {effect.n} train questions{_of_families(effect)} the step moved {title} by {signed(metric, effect.mean)} "
        f"(standard error {amount(metric, effect.error)})"
    )
    if request.n < needs_n:
        rationale += f"; {request.n} validation questions are fewer than the {needs_n} that 80 % power would need"
    else:
        rationale += f"; 80 % power needs {needs_n} of the {request.n} validation questions"
    asked = f"{request.gap.category} questions of {request.dataset}" if request.gap.category else request.dataset
    return PlannedExperiment(
        spec=spec,
        change=change,
        metric=request.gap.metric,
        direction=direction,
        title=_step(change),
        hypothesis=f"If {_step(change)}, then {title} {verb} while {held} hold, on {asked} with all else "
        f"as in version {request.base_version}, because {rationale}.",
        rationale=rationale,
        expected_effect=effect.mean,
        needs_n=needs_n,
        needs_approval=best.candidate.needs_approval,
    )


def _as_tested(request: DesignRequest, metric: str, gain: float) -> float:
    """The gain as the statistics count it: cost and mean latency are compared as ratios."""
    if METRICS[metric].kind != "positive":
        return gain
    current = request.current.value(metric) or request.current.value(request.gap.metric)
    return gain / current if current else 0.0


def _step(change: ParameterChange) -> str:
    return f"{change.param} goes from {change.from_value} to {change.to_value}"
