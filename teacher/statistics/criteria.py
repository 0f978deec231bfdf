"""The rules of the verdict, one criterion at a time: what passes, what fails significantly, and the sentence why."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

from contracts.evaluation import CriterionResult
from contracts.experiment_spec import SuccessCriterion
from teacher.statistics import MIN_SAMPLES_PER_VARIANT, power
from teacher.statistics.compare import Comparison
from teacher.statistics.inference import Inference, NotInferable
from teacher.statistics.sequential import look_level
from teacher.statistics.words import number, probability, tidy

_SLACK = 1e-12


@dataclass(frozen=True)
class Look:
    """Where in the experiment this look stands."""

    looks: tuple[int, ...]
    horizon: int | None
    expected_n: int
    final: bool

    def level(self, alpha: float, *, one_sided: bool) -> float:
        return look_level(
            alpha, one_sided=one_sided, looks=self.looks, horizon=self.horizon, expected_n=self.expected_n
        )


@dataclass(frozen=True)
class Question:
    """A criterion with the data that answer it. `targets`: how many criteria of the spec are no guards."""

    criterion: SuccessCriterion
    comparison: Comparison
    inference: Inference | NotInferable
    targets: int

    @property
    def sign(self) -> int:
        """+1 where the criterion is about upward change."""
        return 1 if self.criterion.direction in ("increase", "no_large_rise") else -1

    @property
    def margin(self) -> float | None:
        """Signed: −|max_delta| for a drop, +|max_delta| for a rise; None for targets."""
        limit = self.criterion.max_delta
        return None if not self.criterion.is_guard or limit is None else self.sign * abs(limit)


def levels(questions: Sequence[Question], look: Look, *, any_may_win: bool) -> list[float]:
    """The level at which each criterion passes at this look.

    Targets of which any may win share α: α/m per boundary while peeking, Holm's steps at the final look. All others
    have their own α whole, since all of them must pass.
    """
    own = [look.level(item.criterion.p_value_threshold, one_sided=item.criterion.is_guard) for item in questions]
    targets = [place for place, item in enumerate(questions) if not item.criterion.is_guard]
    if not any_may_win or len(targets) < 2:
        return own

    def shared(place: int, among: int) -> float:
        return look.level(questions[place].criterion.p_value_threshold / among, one_sided=False)

    if not look.final:
        for place in targets:
            own[place] = shared(place, len(targets))
        return own
    among = len(targets)
    for place in sorted(targets, key=lambda item: _p_or_one(questions[item])):
        own[place] = shared(place, among)
        if _p_or_one(questions[place]) < own[place]:
            among = max(among - 1, 1)
    return own


def _p_or_one(question: Question) -> float:
    return 1.0 if isinstance(question.inference, NotInferable) else question.inference.p_two_sided


def decide(question: Question, look: Look, level: float) -> CriterionResult:
    """One criterion at its level. Below the floor of samples nothing passes and nothing fails."""
    criterion, comparison, inference = question.criterion, question.comparison, question.inference
    if isinstance(inference, NotInferable):
        return _result(question, level, estimate=None, bounds=(None, None), p=None, reason=inference.reason)
    p = _deciding_p(question, inference)
    needed = _needs_n(question, inference)
    tail = level if criterion.is_guard else level / 2
    bounds = inference.interval(tail) if level > 0 else (None, None)
    passes, failed, why = _outcome(question, inference, look, level, p, bounds)
    if comparison.n < MIN_SAMPLES_PER_VARIANT:
        passes = failed = False
        why = f"n = {comparison.n} is below the floor of {MIN_SAMPLES_PER_VARIANT}"
    if not passes and not failed and needed is not None and comparison.n < needed:
        why = f"{why}; needs n = {needed}"
    return _result(
        question,
        level,
        estimate=inference.estimate,
        bounds=bounds,
        p=p,
        reason=why,
        inference=inference,
        needed=needed,
        passes=passes,
        failed=failed,
    )


def _result(
    question: Question,
    level: float,
    *,
    estimate: float | None,
    bounds: tuple[float | None, float | None],
    p: float | None,
    reason: str,
    inference: Inference | None = None,
    needed: int | None = None,
    passes: bool = False,
    failed: bool = False,
) -> CriterionResult:
    comparison = question.comparison
    return CriterionResult(
        metric=question.criterion.metric,
        direction=question.criterion.direction,
        estimate=tidy(estimate),
        low=tidy(bounds[0]),
        high=tidy(bounds[1]),
        p_value=tidy(p),
        passes=passes,
        failed_significantly=failed,
        method="none" if inference is None else inference.method,
        reason=reason,
        n=comparison.n,
        baseline_value=tidy(comparison.baseline_value),
        variant_value=tidy(comparison.variant_value),
        level=tidy(level),
        margin=tidy(question.margin),
        needs_n=needed,
        p_two_sided=None if inference is None else tidy(inference.p_two_sided),
    )


def _deciding_p(question: Question, inference: Inference) -> float:
    margin = question.margin
    if margin is None:
        return inference.p_two_sided
    return inference.p_less(margin) if question.sign > 0 else inference.p_greater(margin)


def _outcome(
    question: Question,
    inference: Inference,
    look: Look,
    level: float,
    p: float,
    bounds: tuple[float | None, float | None],
) -> tuple[bool, bool, str]:
    """Passes, failed significantly, and why."""
    if level <= 0:
        return False, False, "no part of α may be spent at this look"
    if question.criterion.is_guard:
        return _guard_outcome(question, inference, level, p, bounds)
    return _target_outcome(question, inference, look, level, p)


def _guard_outcome(
    question: Question, inference: Inference, level: float, p: float, bounds: tuple[float | None, float | None]
) -> tuple[bool, bool, str]:
    margin = question.margin or 0.0
    low, high = bounds
    near, far = (high, low) if question.sign > 0 else (low, high)
    against = inference.p_greater(margin) if question.sign > 0 else inference.p_less(margin)
    if p < level:
        return True, False, f"bound {number(near, signed=True)} lies inside the margin {number(margin, signed=True)}"
    if against < level:
        told = f"the whole interval, from {number(far, signed=True)} on, lies beyond the margin"
        return False, True, f"{told} {number(margin, signed=True)}"
    return False, False, f"bound {number(near, signed=True)} lies beyond the margin {number(margin, signed=True)}"


def _target_outcome(
    question: Question, inference: Inference, look: Look, level: float, p: float
) -> tuple[bool, bool, str]:
    criterion = question.criterion
    estimate = inference.estimate
    gain = estimate * question.sign
    floor = abs(criterion.min_delta or 0.0)
    shown = f"{number(estimate, signed=True)}, p {probability(p)}"
    at = f"at level {probability(level)}"
    if gain < 0:
        wrong_way = look.level(criterion.p_value_threshold / max(question.targets, 1), one_sided=False)
        if p < wrong_way:
            return False, True, f"significantly the wrong way: {shown} at level {probability(wrong_way)}"
        return False, False, f"the estimate points the wrong way, not significantly: {shown}"
    if p >= level or gain == 0:
        return False, False, f"no significant {criterion.direction}: {shown} {at}"
    if gain < floor - _SLACK:
        return False, False, f"significant, but short of min_delta {number(floor)}: {shown} {at}"
    return True, False, f"significant {criterion.direction}: {shown} {at}"


def _needs_n(question: Question, inference: Inference) -> int | None:
    """Examples for a power of 80 %; None where no number would do (a margin of 0) or the variance is unknown."""
    criterion, kind = question.criterion, question.comparison.kind
    guard = criterion.is_guard
    size = abs((criterion.max_delta if guard else criterion.min_delta) or 0.0)
    if size == 0:
        if guard:
            return None
        value = question.comparison.baseline_value
        size = power.DEFAULT_EFFECT * (abs(value or 0.0) if kind.family == "quantile" else 1.0)
        size = size or power.DEFAULT_EFFECT
    variance = inference.variance
    if variance is None or variance <= 0:
        if not guard or kind.family == "quantile":
            return MIN_SAMPLES_PER_VARIANT
        return power.needs_n_constant(margin=size / (kind.span or 1.0), alpha=criterion.p_value_threshold)
    if kind.family == "ratio":
        size = math.log1p(size) if question.sign > 0 else -math.log1p(-min(size, 0.999))
    return power.needs_n(
        variance=variance,
        delta=size,
        alpha=criterion.p_value_threshold,
        one_sided=guard,
        design_effect=inference.design_effect,
    )
