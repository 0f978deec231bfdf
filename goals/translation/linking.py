"""What neighbouring clauses lend each other: verbs, amounts, categories."""

from __future__ import annotations

import itertools
from collections.abc import Mapping

from contracts.metric import MetricDefinition
from goals.translation.tokens import Clause, Kind


def link(clauses: list[Clause], metrics: Mapping[str, MetricDefinition]) -> None:
    """Share between clauses that are joined by "and" or a comma what one of them left unsaid."""
    _look_ahead(clauses, metrics)
    for before, clause in itertools.pairwise(clauses):
        if _is(clause, Kind.EXCEPT) and before.hold and not before.factors and not before.metrics:
            clause.factor_mode, before.used = "allow", True  # "touch nothing, except top_k"
        if before.outranks and clause.verb and clause.quantity and not clause.metrics and not clause.factors:
            clause.metrics = list(before.metrics)  # "recall matters more than precision: raise both to 80 %"
        if _is_bare_factor(before) and clause.hold and not (clause.metrics or clause.factors):
            before.factor_mode, clause.used = "forbid", True  # "the prompts, by the way, are not to be touched"
        if before.factors and before.factor_mode == "allow" and any(mention.rest for mention in clause.metrics):
            # "Only top_k may move, everything else is off limits": of factors, not of metrics.
            clause.metrics = [mention for mention in clause.metrics if not mention.rest]
            clause.hold, clause.used = None, True
        if clause.joint == "hard":
            _attach_amount(before, clause, metrics)
            continue
        _attach_amount(before, clause, metrics)
        _inherit(before, clause)
    # From the end, so that "precision, recall and hit rate to 80 %" reaches the first.
    for before, clause in reversed(list(itertools.pairwise(clauses))):
        if clause.joint != "hard" and clause.inherited:
            _lend_amount(before, clause, metrics)
            if clause.joint == "and" and before.quantity is None and not before.categories:
                before.categories = list(clause.categories)  # "recall and precision on preferences"
        if clause.joint != "hard" and _is_bare_factor(before) and clause.factors and not clause.metrics:
            before.factor_mode, before.hold = clause.factor_mode, clause.hold  # "the model and the prompts: hands off"
    _spread_categories(clauses)


def _is(clause: Clause, kind: Kind) -> bool:
    return any(token.kind is kind for token in clause.tokens)


def _look_ahead(clauses: list[Clause], metrics: Mapping[str, MetricDefinition]) -> None:
    """The verb may come last: "точность и полноту сохранить", "precision and recall at least 70 %"."""
    adopted = False
    for before, clause in reversed(list(itertools.pairwise(clauses))):
        bare = before.metrics and not (
            before.verb or before.hold or before.quantity or before.main or before.negated or before.outranks
        )
        joined = clause.joint == "and" or (clause.joint == "comma" and adopted)
        adopted = bool(
            bare and joined and _metric_first(clause) and (clause.verb or clause.hold or _fits(before, clause, metrics))
        )
        if adopted:
            before.verb, before.hold, before.reach = clause.verb, clause.hold, clause.reach
            before.quantity, before.compares, before.limit = clause.quantity, clause.compares, clause.limit
            before.allow, before.relative = clause.allow, clause.relative
            before.categories = before.categories or list(clause.categories)


def _metric_first(clause: Clause) -> bool:
    content = [token.kind for token in clause.tokens if token.kind is not Kind.STOP]
    return bool(content) and content[0] is Kind.METRIC and not any(mention.implied for mention in clause.metrics)


def _is_bare_factor(clause: Clause) -> bool:
    return bool(clause.factors) and not (clause.metrics or clause.factor_mode or clause.hold or clause.verb)


def _inherit(before: Clause, clause: Clause) -> None:
    if clause.factors and not clause.metrics and clause.factor_mode is None and not clause.verb and not clause.hold:
        if clause.allow:
            return
        if before.allow and before.factors and before.factor_mode is None:
            clause.allow, clause.verb = True, before.verb
            return
        if before.factors or before.hold:
            clause.factor_mode = before.factor_mode or ("forbid" if before.hold else None)
            if clause.factor_mode == "forbid":
                clause.hold = clause.hold or before.hold
        return
    if not clause.metrics or clause.verb or clause.hold or clause.main or clause.negated:
        return
    if before.main and not before.verb and before.metrics and clause.quantity is None:
        clause.main = True
    elif before.hold and clause.quantity is None and (before.metrics or before.factors):
        clause.hold, clause.inherited = before.hold, True
        clause.allow = before.allow
    elif before.hold and before.quantity is not None and clause.quantity is not None and clause.joint == "and":
        clause.hold = before.hold  # "precision stays at 78 % and recall at 65 %"
    elif before.verb in ("up", "down", "improve", "zero") and not clause.limit and not before.hold:
        clause.inherited = True
        if clause.compares & {"lt", "gt"}:
            return  # it says its own direction
        if _same_way(before, clause):
            clause.verb = before.verb
        clause.categories = clause.categories or list(before.categories)


def _same_way(before: Clause, clause: Clause) -> bool:
    """A word that carries its own verb ("дешевле") lends none."""
    return not any(mention.implied for mention in before.metrics) or all(m.implied for m in clause.metrics)


def _lend_amount(before: Clause, clause: Clause, metrics: Mapping[str, MetricDefinition]) -> None:
    if before.quantity is None and clause.quantity is not None and _fits(before, clause, metrics):
        before.quantity, before.compares = clause.quantity, clause.compares
        before.relative = before.relative or clause.relative


def _attach_amount(before: Clause, clause: Clause, metrics: Mapping[str, MetricDefinition]) -> None:
    """An amount alone ("…, до 60 %") belongs to the metric named just before."""
    if clause.metrics or clause.factors or clause.quantity is None or not before.metrics:
        return
    if _is(clause, Kind.WORD):
        return  # "…, F1 to 0.8": the amount is about something unknown
    if before.quantity is None and _fits(before, clause, metrics):
        before.quantity, before.compares = clause.quantity, clause.compares
        before.limit = before.limit or (clause.limit and before.verb is None)
        before.relative = before.relative or clause.relative
        if clause.limit and before.inherited:  # "raise precision, latency at most 4 s": a limit borrows no verb
            before.verb, before.inherited, before.limit = None, False, True
        if before.hold is None and before.verb is None and clause.verb in ("up", "down", "improve"):
            before.verb = clause.verb
        clause.quantity = None
        clause.used = True


def _fits(before: Clause, clause: Clause, metrics: Mapping[str, MetricDefinition]) -> bool:
    quantity = clause.quantity
    if quantity is None:
        return False
    units = {metrics[name].unit for mention in before.metrics for name in mention.names}
    wanted = {"ms": "ms", "usd": "USD", "score": "score", "pp": "share"}.get(quantity.unit)
    return wanted is None or units == {wanted}


def _spread_categories(clauses: list[Clause]) -> None:
    """A clause that names a category and no metric speaks of the targets before it, else of those after."""
    pending: list[str] = []
    last: Clause | None = None
    for clause in clauses:
        if clause.metrics:
            if pending and not clause.categories:
                clause.categories = pending
            pending, last = [], clause
        elif clause.categories and clause.quantity is not None and last is not None and clause.joint != "hard":
            clause.metrics, clause.verb = list(last.metrics), last.verb  # "recall on facts 80 %, on dates 60 %"
        elif clause.categories and not clause.factors:
            if last is not None and clause.joint != "hard" and (not last.categories or clause.joint == "and"):
                last.categories = [*last.categories, *clause.categories]
            else:
                pending = clause.categories
            clause.used = True
