"""SAFFRON: an online ledger of false discoveries over a stream of experiments (Ramdas et al. 2018).

Each experiment is tested at a level that depends on the past alone. Over the stream, the expected share of false ones
among the discoveries stays at or below α. Discoveries earn level back; unpromising p-values (above λ) spend it.
Constants as in the R package onlineFDR: w₀ = α/2, λ = ½, γ_j ∝ j^(−1.6).

The ledger decides about automatic application only: above its level a winner waits for a person, and stays a winner.
Standard library only; the state is a value, its next level a function of it.
"""

from __future__ import annotations

import math
from dataclasses import dataclass, replace
from typing import Final

from contracts.evaluation import Evaluation
from contracts.experiment_spec import ExperimentSpec
from teacher.statistics import MIN_SAMPLES_PER_VARIANT

_ZETA: Final = 2.2857656656801293  # ζ(1.6) = Σ j^(−1.6), so that γ sums to 1


@dataclass(frozen=True)
class LedgerEntry:
    """One tested experiment: its p-value, the level it met, and what came of it."""

    experiment: str
    p_value: float
    level: float
    discovery: bool
    candidate: bool


@dataclass(frozen=True)
class Ledger:
    """The experiments tested so far, in order."""

    alpha: float = 0.05
    candidate_below: float = 0.5
    entries: tuple[LedgerEntry, ...] = ()

    @property
    def initial(self) -> float:
        return self.alpha / 2

    @property
    def discoveries(self) -> int:
        return sum(entry.discovery for entry in self.entries)

    @property
    def earned(self) -> float:
        """Wealth given so far: w₀ at the start, α − w₀ for the first discovery, α for each later one."""
        found = self.discoveries
        return self.initial + (self.alpha - self.initial if found else 0.0) + self.alpha * max(found - 1, 0)

    @property
    def spent(self) -> float:
        """Level spent: that of the experiments whose p-value was no candidate, over 1 − λ."""
        return sum(entry.level for entry in self.entries if not entry.candidate) / (1 - self.candidate_below)

    @property
    def left(self) -> float:
        return max(self.earned - self.spent, 0.0)

    @property
    def estimated_false_share(self) -> float:
        """SAFFRON's estimate of the share of false discoveries; never above α."""
        return self.spent / max(self.discoveries, 1)

    def next_level(self) -> float:
        """The level of the experiment to come.

        α_t = min(λ, (1 − λ)[w₀ γ(t − C₀) + (α − w₀) γ(t − τ₁ − C₁) + α Σ_{j≥2} γ(t − τ_j − C_j)]), where τ_j is the
        time of the j-th discovery and C_j counts the candidates after it.
        """
        now = len(self.entries) + 1
        total = self.initial * _gamma(now - self._candidates_after(0))
        times = [place for place, entry in enumerate(self.entries, start=1) if entry.discovery]
        for order, time in enumerate(times):
            weight = self.alpha - self.initial if order == 0 else self.alpha
            total += weight * _gamma(now - time - self._candidates_after(time))
        return min(self.candidate_below, (1 - self.candidate_below) * total)

    def _candidates_after(self, time: int) -> int:
        return sum(entry.candidate for entry in self.entries[time:])

    def record(self, experiment: str, p_value: float) -> Ledger:
        """The ledger after one more experiment. Recording the same experiment twice changes nothing.

        Raises `ValueError` when `p_value` is outside [0, 1].
        """
        if not 0 <= p_value <= 1:
            raise ValueError("a p-value lies between 0 and 1")
        if any(entry.experiment == experiment for entry in self.entries):
            return self
        level = self.next_level()
        entry = LedgerEntry(experiment, p_value, level, p_value <= level, p_value <= self.candidate_below)
        return replace(self, entries=(*self.entries, entry))


def _gamma(place: int) -> float:
    return math.pow(place, -1.6) / _ZETA


def ledger_p_value(spec: ExperimentSpec, evaluation: Evaluation) -> float | None:
    """One p-value of "the variant is better", for the ledger; None when a criterion could not be tested.

    All targets must win, so the largest p counts (intersection–union); when any may win, the one of the smallest p. A
    guard counts only where there are no targets. Each p is scaled by threshold / level, so that the ledger never
    takes a peek for a final look, nor the best of several for the only one.
    """
    targets: list[tuple[float, float]] = []
    guards: list[tuple[float, float]] = []
    for criterion, result in zip(spec.success_criteria, evaluation.criteria, strict=True):
        if result.p_value is None or not result.level:
            return None
        right_way = criterion.is_guard or _right_way(criterion.direction, result.estimate)
        raw = result.p_value if right_way else 1.0
        scaled = min(1.0, raw * max(criterion.p_value_threshold / result.level, 1.0))
        (guards if criterion.is_guard else targets).append((raw, scaled))
    if spec.any_may_win and targets:
        return min(targets)[1]
    return max(scaled for _, scaled in targets or guards)


def ledger_p(spec: ExperimentSpec, evaluation: Evaluation) -> tuple[float, str]:
    """What the ledger is fed of an experiment: p, and why it is 1 although nothing was tested (empty when it was).

    What blocks a verdict blocks a discovery too: a broken experiment would earn level for what it does not show.
    """
    broken = [check.name for check in evaluation.health if check.blocks and not check.ok]
    if broken:
        return 1.0, f"the experiment was not sound: {', '.join(broken)}"
    if evaluation.n < MIN_SAMPLES_PER_VARIANT:
        return 1.0, f"n = {evaluation.n} is fewer than the {MIN_SAMPLES_PER_VARIANT} that a verdict needs"
    p_value = ledger_p_value(spec, evaluation)
    return (1.0, "a criterion could not be tested") if p_value is None else (p_value, "")


def _right_way(direction: str, estimate: float | None) -> bool:
    return estimate is not None and (estimate > 0 if direction == "increase" else estimate < 0)
