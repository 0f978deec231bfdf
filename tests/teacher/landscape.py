"""A planted landscape for the designer's loop: factors whose true effects are known, and questions with noise.

The loop is the campaign's with everything dear taken out: the most promising steps are screened on 100 train questions,
the designer chooses, the statistics decide on 400 validation questions, a winner is applied, and what was seen is
remembered. No database, no student.
"""

from __future__ import annotations

import random
from collections.abc import Mapping
from dataclasses import dataclass, field

from contracts.evaluation import Sample, Verdict
from contracts.parameters import ParameterValue
from teacher.designer import (
    Candidate,
    DesignRequest,
    Knowledge,
    PlannedExperiment,
    StepHistory,
    candidates_list,
    plan_choose,
    screening_read,
)
from teacher.designer.knowledge import Effect, Observation, gain_of, move_of
from teacher.designer.screening import BASE_ARM, differences_read
from teacher.domain.gaps import Measured, gap_of
from teacher.statistics import evaluate
from tuner.registry import DEFAULTS
from tuner.registry import FACTORS as REGISTRY

METRIC = "retrieval_precision"
# The moves that decision 0022 was measured on: courses tell of the designer, not of how many prompts a release has.
_PROMPTS = {"prompts.responder": ("v1", "v2", "v3"), "prompts.analyzer": ("v1", "v2")}
FACTORS = {
    key: factor.model_copy(update={"choices": _PROMPTS[key]}) if key in _PROMPTS else factor
    for key, factor in REGISTRY.items()
}
FACTORS_OPEN = [key for key, factor in FACTORS.items() if factor.acts_on == "answer" and not factor.manual]

SCREENED_PER_CYCLE, TRAIN, VALIDATION, NOISE, BASE = 4, 100, 400, 0.2, 0.4

# What each value adds to precision. Everything that is not named does nothing.
PLANTED: Mapping[str, Mapping[ParameterValue, float]] = {
    "retrieval.top_k": {3: 0.0, 2: 0.08, 1: 0.12, 4: -0.06, 5: -0.10},
    "retrieval.relevance_weight": {0.5: 0.0, 0.6: 0.05, 0.4: -0.05},
    "retrieval.min_score": {0.0: 0.0, 0.1: 0.06},
    "context.recent_exchanges": {3: 0.0, 4: -0.05, 2: -0.05},
}
MOST = 0.12 + 0.05 + 0.06
"""The gain of the best reachable value of each planted factor."""


def true_value(values: Mapping[str, ParameterValue]) -> float:
    """Values that were not planted give what the nearest planted one on their way gives."""
    total = BASE
    for factor, gains in PLANTED.items():
        total += gains[min(gains, key=lambda value: abs(float(value) - float(values[factor])))]
    return total


@dataclass
class Course:
    """`gains[k]`: true gain after cycle k + 1. `tested`: the steps that were put to an experiment, in order."""

    gains: list[float] = field(default_factory=list)
    tested: list[StepHistory] = field(default_factory=list)

    def cycles_to(self, share: float) -> int | None:
        return next((number for number, gain in enumerate(self.gains, 1) if gain >= share * MOST - 1e-9), None)


class Loop:
    def __init__(self, seed: int, starting: Mapping[Effect, float]) -> None:
        self.noise = random.Random(seed)
        self.starting = starting
        self.values: dict[str, ParameterValue] = {key: DEFAULTS[key] for key in FACTORS_OPEN}
        self.version, self.course = 1, Course()
        self.seen: list[Observation] = []

    def run(self, cycles: int) -> Course:
        for cycle in range(cycles):
            self._cycle(cycle)
            self.course.gains.append(true_value(self.values) - BASE)
        return self.course

    def _cycle(self, cycle: int) -> None:
        listed = candidates_list(
            factors=FACTORS, allowed=FACTORS_OPEN, current=self.values, metric=METRIC, base_version=self.version,
            history=self.course.tested, knowledge=Knowledge(self.seen, starting=self.starting),
        )  # fmt: skip
        chosen = [item for item in listed if not item.needs_approval][:SCREENED_PER_CYCLE]
        samples = self._asked({BASE_ARM: self.values} | {item.arm: self._moved(item) for item in chosen}, TRAIN)
        screened = screening_read(samples, chosen)
        for item in screened:
            self._remember(item.candidate, samples, BASE_ARM, item.candidate.arm)
        plan = plan_choose(self._request(cycle), screened)
        if isinstance(plan, PlannedExperiment):
            self._test(plan, next(item for item in chosen if item.change == plan.change))

    def _test(self, plan: PlannedExperiment, candidate: Candidate) -> None:
        samples = self._asked({"baseline": self.values, "variant": self._moved(candidate)}, VALIDATION)
        verdict = evaluate(plan.spec, samples).verdict
        self._remember(candidate, samples, "baseline", "variant")
        change = plan.change
        self.course.tested.append(
            StepHistory(change.param, change.from_value, change.to_value, self.version, str(verdict))
        )
        if verdict is Verdict.WINNER:
            self.values, self.version = self._moved(candidate), self.version + 1

    def _moved(self, candidate: Candidate) -> dict[str, ParameterValue]:
        return {**self.values, candidate.change.param: candidate.change.to_value}

    def _asked(self, arms: Mapping[str, Mapping[str, ParameterValue]], questions: int) -> list[Sample]:
        levels = {arm: true_value(values) for arm, values in arms.items()}
        return [
            Sample(example_id=f"q{number:03d}", variant=arm, metrics={METRIC: self._drawn(level)})
            for number in range(questions)
            for arm, level in levels.items()
        ]

    def _drawn(self, level: float) -> float:
        return min(1.0, max(0.0, self.noise.gauss(level, NOISE)))

    def _remember(self, candidate: Candidate, samples: list[Sample], baseline: str, variant: str) -> None:
        change = candidate.change
        for metric, found in differences_read(samples, baseline=baseline, variant=variant).items():
            gain = gain_of(metric, found.mean, found.error, found.base)
            assert gain is not None
            self.seen.append(Observation(metric, change.param, move_of(change.from_value, change.to_value), *gain))

    def _request(self, cycle: int) -> DesignRequest:
        now = Measured(metrics={METRIC: true_value(self.values)})
        return DesignRequest(
            name=f"loop-{cycle}", dataset="planted", gap=gap_of(METRIC, current=BASE, target=0.9, of_goal=True),
            constraints=(), start=now, current=now, base_version=self.version, n=VALIDATION, seed=1,
        )  # fmt: skip
