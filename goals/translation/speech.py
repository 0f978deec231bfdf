"""What people say around a goal: how it is now, what "95 % of answers" means, and what "it" stands for."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import replace

from contracts.metric import MetricDefinition
from goals.translation.tokens import Clause, Kind, MetricMention, Quantity

_SHARES = {0.95: "latency_p95", 0.5: "latency_p50", 0.05: "latency_p95"}
"""A time that so many answers keep to (or so many are slower than) is this percentile."""

_BACK = frozenset(re.findall(r"\S+", "it them this that его ее их это этого"))
_WISHES = _BACK | frozenset(
    re.findall(
        r"\S+",
        """
        хочу хотим хочется хотелось нужно нужен нужна нужны надо необходимо требуется должно должна должен должны
        i we want wants need needs should i'd would like
        """,
    )
)


def settle(clauses: list[Clause], metrics: Mapping[str, MetricDefinition]) -> None:
    """Before clauses lend each other anything: percentiles told as shares, and amounts that say how it is now."""
    for clause in clauses:
        _percentile(clause, metrics)
    last: Clause | None = None
    for place, clause in enumerate(clauses):
        before = clauses[place - 1] if place else None
        if before is not None and clause.metrics and not (clause.verb or clause.hold) and _also(before, clause):
            clause.state, clause.carefree = before.state, before.carefree
        if last is not None and not (clause.metrics or clause.factors) and clause.hold and _points_back(clause):
            clause.metrics = [replace(item, implied=None) for item in last.metrics]  # "just don't let it slip"
        if last is not None and clause.state and not clause.metrics and clause.quantity is not None:
            later = any(_goes_on(replace(last, state=True), item, metrics) for item in clauses[place + 1 :])
            if later and _fits(last, clause.quantity, metrics):
                clause.quantity, clause.used, last.state = None, True, True  # "(7 % now, should be 4 %)"
        if last is not None and _goes_on(last, clause, metrics):
            _take_over(last, clause)
        if clause.metrics and clause.state and _told_later(clause, clauses[place + 1 :], metrics):
            clause.quantity, clause.compares, clause.limit = None, frozenset(), False
            clause.verb = None if clause.verb == "down" else clause.verb
            clause.used = True
        if clause.metrics:
            last = clause


def _also(before: Clause, clause: Clause) -> bool:
    """ "Recall is 55 % today and precision is 82 %", "precision is fine with me, speed too"."""
    too = any(str(token.value) in ("тоже", "also", "either") for token in clause.tokens)
    return (before.carefree and too) or (before.state and clause.joint == "and")


def _points_back(clause: Clause) -> bool:
    return any(str(token.value) in _BACK for token in clause.tokens if token.kind is Kind.STOP)


def _percentile(clause: Clause, metrics: Mapping[str, MetricDefinition]) -> None:
    """ "95 % of requests within 3.5 s" names no metric, and yet says which."""
    told = [token.value for token in clause.tokens if token.kind is Kind.QUANTITY]
    times = [item for item in told if item.unit == "ms"]
    shares = [item for item in told if item.unit in ("%", "part") and round(item.amount, 4) in _SHARES]
    name = _SHARES.get(round(shares[0].amount, 4), "") if shares else ""
    vague = all(item.vague for item in clause.metrics)
    if len(told) != 2 or len(times) != 1 or name not in metrics or not vague or clause.factors:
        return
    clause.metrics = [MetricMention((name,))]
    clause.quantity, clause.compares = times[0], frozenset({"lt"})
    clause.verb = clause.verb or "improve"
    clause.lone_quantities = [token for token in clause.lone_quantities if token.value not in told]


def _told_later(clause: Clause, others: list[Clause], metrics: Mapping[str, MetricDefinition]) -> bool:
    """Whether what is wanted of the same thing comes after how it is."""
    names = {name for mention in clause.metrics for name in mention.names}
    for other in others:
        if other.metrics:
            own = {name for mention in other.metrics for name in mention.names}
            if own & names and (other.quantity is not None or other.verb or other.hold or other.carefree):
                clause.metrics = []
                return True
            continue
        if other.quantity is not None and _fits(clause, other.quantity, metrics):
            return True
    return False


def _goes_on(last: Clause, clause: Clause, metrics: Mapping[str, MetricDefinition]) -> bool:
    """An amount of the metric named before, which was told as it is: "recall 0.58 now, 0.7 is needed"."""
    if clause.metrics or clause.factors or clause.categories or clause.quantity is None:
        return False
    if any(token.kind in (Kind.WORD, Kind.BUDGET) for token in clause.tokens) and not last.state:
        return False
    if not _fits(last, clause.quantity, metrics):
        return False
    told = bool(last.quantity) and not (last.verb or last.hold or last.limit or last.compares)
    wished = any(str(token.value) in _WISHES for token in clause.tokens if token.kind is Kind.STOP)
    return last.state or (told and (wished or clause.reach or clause.verb in ("up", "down", "improve")))


def _take_over(last: Clause, clause: Clause) -> None:
    clause.metrics = [replace(item, implied=None, inverted=False) for item in last.metrics]
    clause.categories = list(last.categories)
    clause.verb = clause.verb or "improve"
    clause.reach = True
    last.quantity, last.compares, last.limit = None, frozenset(), False
    last.metrics, last.used = [], True


def _fits(clause: Clause, quantity: Quantity, metrics: Mapping[str, MetricDefinition]) -> bool:
    units = {metrics[name].unit for mention in clause.metrics for name in mention.names}
    wanted = {
        **{"ms": "ms", "usd": "USD", "score": "score", "pp": "share", "%": "share"},
        **dict.fromkeys(("plain", "times", "part"), ""),
    }.get(quantity.unit)
    return wanted == "" or (wanted is not None and units == {wanted})
