"""What is believed before any experiment: which move of a factor may move which metric, and how strongly.

Source: reference.md, "Which factor moves which metric". It only orders what is screened first; experiments decide.
"""

from __future__ import annotations

STRONG, MEDIUM, WEAK, UNKNOWN = 3.0, 2.0, 1.0, 0.5

_UP, _DOWN, _OTHER = "up", "down", "other"

_BELIEFS: dict[tuple[str, str, str], float] = {
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


def move_of(before: object, after: object) -> str:
    """`up` or `down` for numbers, `other` for everything else."""
    if isinstance(before, bool) or isinstance(after, bool):
        return _OTHER
    if isinstance(before, int | float) and isinstance(after, int | float):
        return _UP if after > before else _DOWN
    return _OTHER


def belief(metric: str, factor: str, before: object, after: object) -> float:
    """How promising this move is held to be for this metric; `UNKNOWN` where nothing is believed, never zero."""
    move = move_of(before, after)
    strength = _BELIEFS.get((metric, factor, move))
    if strength is not None:
        return strength
    opposite = {_UP: _DOWN, _DOWN: _UP}.get(move)
    return UNKNOWN / 2 if opposite and (metric, factor, opposite) in _BELIEFS else UNKNOWN
