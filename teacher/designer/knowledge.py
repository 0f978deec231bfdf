"""What is believed of steps: which move of a factor may move which metric, and how strongly. Pure.

It begins with the starting knowledge (reference.md, "Which factor moves which metric") and is refined by what
screening and experiments saw. It only orders what is screened first; experiments decide.

A gain is an improvement of the metric: in points where the metric is a share, as a share of its value for cost and
mean latency. The gain of a move is believed to be normal; what was seen of it is normal around it:

    before: mean m0, deviation s0          seen: gain y_i with standard error e_i
    weight of y_i: w_i = 1 / (e_i² + τ²)   τ: how far the same move differs between bases and data sets
    after: deviation s = 1 / sqrt(1/s0² + Σ w_i),   mean m = s² · (m0/s0² + Σ w_i·y_i)

The normal-normal model with a known between-occasion variance (Gelman et al., Bayesian Data Analysis, 2.5 and 5.4). A
step is as promising as it may well be good: m + s. What nobody has seen keeps its s0, so all have their turn.
"""

from __future__ import annotations

import math
import random
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from types import MappingProxyType

from contracts.metric import METRICS

STRONG, MEDIUM, WEAK, UNKNOWN = 0.06, 0.04, 0.02, 0.01
"""Gain that the words of the starting knowledge stand for."""

BEFORE_DEVIATION = 0.03
BETWEEN_OCCASIONS = 0.02

_UP, _DOWN, _OTHER = "up", "down", "other"

Effect = tuple[str, str, str]
"""Metric, factor, move."""

STARTING: Mapping[Effect, float] = MappingProxyType(
    {
        ("retrieval_precision", "retrieval.top_k", _DOWN): STRONG,
        ("retrieval_precision", "retrieval.relevance_weight", _UP): MEDIUM,
        ("retrieval_precision", "retrieval.min_score", _UP): MEDIUM,
        ("retrieval_recall", "retrieval.top_k", _UP): STRONG,
        ("retrieval_recall", "retrieval.keyword_count", _UP): MEDIUM,
        ("retrieval_recall", "retrieval.min_score", _DOWN): MEDIUM,
        ("hallucination_rate", "llm.temperature", _DOWN): STRONG,
        ("hallucination_rate", "prompts.responder", _OTHER): MEDIUM,
        ("hallucination_rate", "retrieval.min_score", _UP): MEDIUM,
        ("context_utilization", "prompts.responder", _OTHER): STRONG,
        ("context_utilization", "context.max_tokens", _UP): MEDIUM,
        ("latency_p95", "context.max_tokens", _DOWN): MEDIUM,
        ("latency_p95", "retrieval.top_k", _DOWN): MEDIUM,
        ("latency_p50", "context.max_tokens", _DOWN): MEDIUM,
        ("latency_p50", "retrieval.top_k", _DOWN): MEDIUM,
        ("token_cost", "context.max_tokens", _DOWN): MEDIUM,
        ("token_cost", "retrieval.top_k", _DOWN): MEDIUM,
        ("token_cost", "context.recent_exchanges", _DOWN): WEAK,
    }
)


def starting_shuffled(moves: Sequence[tuple[str, str]], seed: int) -> Mapping[Effect, float]:
    """The starting knowledge with each metric's strengths dealt to random moves (factor, up/down/other): what would be
    believed by somebody who is wrong. For measuring how much learning depends on it."""
    drawn = random.Random(seed)  # noqa: S311 - no secret
    wrong: dict[Effect, float] = {}
    for metric in sorted({name for name, _, _ in STARTING}):
        strengths = [strength for (name, _, _), strength in STARTING.items() if name == metric]
        for (factor, move), strength in zip(drawn.sample(list(moves), len(strengths)), strengths, strict=True):
            wrong[metric, factor, move] = strength
    return MappingProxyType(wrong)


@dataclass(frozen=True, slots=True)
class Observation:
    """One step that was seen, on one occasion: its gain for one metric and the standard error of that."""

    metric: str
    factor: str
    move: str
    gain: float
    error: float


@dataclass(frozen=True, slots=True)
class Belief:
    """What is believed of a move: `mean` gain and its `deviation`; `before` the mean that was believed unseen.

    `seen`: on how many occasions; `observed`: their weighted mean gain, None when it was never seen.
    """

    mean: float
    deviation: float
    before: float
    seen: int = 0
    observed: float | None = None

    @property
    def promise(self) -> float:
        """What the move may well give."""
        return self.mean + self.deviation


def move_of(before: object, after: object) -> str:
    """`up` or `down` for numbers; `to v2` for everything else, since each value is a step of its own."""
    numbers = isinstance(before, int | float) and isinstance(after, int | float)
    if numbers and not isinstance(before, bool) and not isinstance(after, bool):
        return _UP if after > before else _DOWN  # type: ignore[operator]
    return f"to {str(after).lower() if isinstance(after, bool) else after}"


def starting_mean(metric: str, factor: str, move: str, starting: Mapping[Effect, float] = STARTING) -> float:
    """The gain that is believed of a move before anything was seen; `UNKNOWN` where nothing is, never zero."""
    kind = move if move in (_UP, _DOWN) else _OTHER
    strength = starting.get((metric, factor, kind))
    if strength is not None:
        return strength
    opposite = {_UP: _DOWN, _DOWN: _UP}.get(move)
    return UNKNOWN / 2 if opposite and (metric, factor, opposite) in starting else UNKNOWN


def gain_of(metric: str, mean: float, error: float, base: float | None) -> tuple[float, float] | None:
    """Difference and error as a gain and its error. None where a ratio has no base to be a share of."""
    definition = METRICS[metric]
    sign = 1.0 if definition.higher_is_better else -1.0
    if definition.kind in ("binary", "bounded"):
        return sign * mean, error
    if not base:
        return None
    return sign * mean / abs(base), error / abs(base)


@dataclass(frozen=True, slots=True)
class Seen:
    """All that was seen of one move: how often, the sum of the weights, and the weighted sum of the gains."""

    times: int = 0
    weight: float = 0.0
    told: float = 0.0

    def with_one(self, gain: float, error: float) -> Seen:
        weight = 1.0 / (error**2 + BETWEEN_OCCASIONS**2)
        return Seen(self.times + 1, self.weight + weight, self.told + weight * gain)


class Knowledge:
    """The starting knowledge and what was seen since: one by one, or (`totals`) summed up by whoever keeps it."""

    def __init__(
        self,
        observations: Iterable[Observation] = (),
        *,
        totals: Mapping[Effect, Seen] | None = None,
        starting: Mapping[Effect, float] = STARTING,
    ) -> None:
        self.starting = starting
        self._seen: dict[Effect, Seen] = dict(totals or {})
        for item in observations:
            effect = (item.metric, item.factor, item.move)
            self._seen[effect] = self._seen.get(effect, Seen()).with_one(item.gain, item.error)

    def belief(self, metric: str, factor: str, move: str) -> Belief:
        """Percentiles of latency are seen as mean latency."""
        source = METRICS[metric].source if metric in METRICS else None
        seen = self._seen.get((source or metric, factor, move), Seen())
        before = starting_mean(metric, factor, move, self.starting)
        precision = 1.0 / BEFORE_DEVIATION**2 + seen.weight
        return Belief(
            mean=(before / BEFORE_DEVIATION**2 + seen.told) / precision,
            deviation=math.sqrt(1.0 / precision),
            before=before,
            seen=seen.times,
            observed=seen.told / seen.weight if seen.times else None,
        )

    def effects(self) -> list[Effect]:
        """Every move that something is believed or was seen of, in a stable order."""
        return sorted({*self.starting, *self._seen})
