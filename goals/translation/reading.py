"""Clauses into targets and constraints."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import Literal

from contracts.goal import Constraint, Target
from contracts.metric import MetricDefinition
from goals.translation.amounts import Amount, margin_amount, target_amount
from goals.translation.names import QUALITY_METRICS
from goals.translation.tokens import Clause, Kind, MetricMention
from goals.translation.wording import Voice, shown

_MEMORY = re.compile(r"памят|воспомин|memor|ответ|отвеч|answer|respon|систем|system")
Direction = Literal["increase", "decrease"]
ConstraintKind = Literal["no_large_drop", "no_large_rise", "max", "min"]

SHARE_MARGIN = 0.03
COST_MARGIN = 0.05
LATENCY_MARGIN = 0.05
"""Defaults of "not worse" (decision 0005): percentage points for shares, but never more than the gap at which the
metric asks for action; a share of the current value for cost; a share of its target, in ms, for latency."""


@dataclass
class Draft:
    """What was read so far. `soft` are limits that become targets when nothing else is one; their third part
    tells whether they were worded as limits. `spoken`: some target came with a verb."""

    targets: list[Target] = field(default_factory=list)
    constraints: list[Constraint] = field(default_factory=list)
    soft: list[tuple[Target, Constraint, bool]] = field(default_factory=list)
    first: list[str] = field(default_factory=list)
    outranks: list[tuple[str, str]] = field(default_factory=list)
    held: set[str] = field(default_factory=set)
    limits: list[str] = field(default_factory=list)
    by_group: set[str] = field(default_factory=set)
    bare: set[str] = field(default_factory=set)
    spoken: bool = False


def better(metric: MetricDefinition) -> Direction:
    return "increase" if metric.higher_is_better else "decrease"


def default_margin(metric: MetricDefinition) -> float:
    """How much worse still counts as "not worse"."""
    if metric.unit == "share":
        return min(SHARE_MARGIN, metric.threshold) if metric.threshold and metric.target else SHARE_MARGIN
    if metric.unit == "ms":
        return LATENCY_MARGIN * (metric.target or 5000.0)
    if metric.unit == "score":
        return 0.2
    if metric.name == "isolation_violations":
        return 0.0
    return COST_MARGIN


def mentions(clause: Clause) -> list[tuple[MetricMention, str]]:
    """Metrics of a clause, each once; a named metric wins over "quality", a percentile over "latency"."""
    named = [mention for mention in clause.metrics if not mention.group] or clause.metrics
    exact = [mention for mention in named if not mention.vague]
    if any(name.startswith("latency") for mention in exact for name in mention.names):
        named = [mention for mention in named if not mention.vague or mention.implied] or exact
        named = [m for m in named if m in exact or not any(n.startswith("latency") for n in m.names)]
    seen: dict[str, MetricMention] = {}
    for mention in named:
        for name in mention.names:
            seen.setdefault(name, mention)
    return [(mention, name) for name, mention in seen.items()]


def read(clause: Clause, metrics: Mapping[str, MetricDefinition], draft: Draft, voice: Voice) -> None:
    """Add what `clause` says of metrics to `draft`. A quantity that fits no metric stays unused."""
    _infer_metric(clause, metrics, voice)
    found = mentions(clause)
    if not found:
        return
    if clause.carefree:
        clause.used = True
        return
    if clause.complaint:
        clause.verb = "improve"
        clause.metrics = [replace(item, implied=None, inverted=False) for item in clause.metrics]
        found = mentions(clause)
    if clause.outranks and len(clause.metrics) > 1:
        _rank_pair(clause, draft)
        clause.used = True
        return
    if _is_ranking(clause):
        draft.first.extend(name for _, name in found)
        clause.used = True
        return
    if clause.main:
        draft.first.extend(name for _, name in found)
    for mention, name in found:
        _explain(mention, metrics[name], voice)
        if _read_one(clause, mention, metrics[name], draft, voice):
            clause.used = True


def _rank_pair(clause: Clause, draft: Draft) -> None:
    """ "Quality matters more than cost": each metric of the first mention before each of the second."""
    higher, lower = clause.metrics[0].names, clause.metrics[1].names
    draft.outranks.extend((one, other) for one in higher for other in lower)


def _is_ranking(clause: Clause) -> bool:
    implied = any(mention.implied for mention in clause.metrics)
    return clause.main and not implied and not (clause.verb or clause.hold or clause.quantity)


def _infer_metric(clause: Clause, metrics: Mapping[str, MetricDefinition], voice: Voice) -> None:
    if clause.metrics or clause.factors:
        return
    if clause.quantity is None:
        _infer_quality(clause, metrics)
        return
    per_request = any(token.kind is Kind.PER_REQUEST for token in clause.tokens)
    if clause.quantity.unit == "ms" and "latency_p95" in metrics:
        clause.metrics.append(MetricMention(("latency_p95",), vague=True))
    elif clause.quantity.unit == "usd" and per_request and "token_cost" in metrics:
        clause.metrics.append(MetricMention(("token_cost",)))
        voice.assume("An amount per request is read as its cost.", "Сумма за запрос понята как его стоимость.")


def _infer_quality(clause: Clause, metrics: Mapping[str, MetricDefinition]) -> None:
    """ "Make the memory better" names no metric; its quality is meant."""
    subject = any(token.kind is Kind.STOP and _MEMORY.match(str(token.value)) for token in clause.tokens)
    group = tuple(name for name in QUALITY_METRICS if name in metrics)
    if clause.verb == "improve" and subject and group:
        clause.metrics.append(MetricMention(group, group=True))


def _explain(mention: MetricMention, metric: MetricDefinition, voice: Voice) -> None:
    if mention.rest:
        voice.assume(
            "“Everything else” stands for quality, cost, latency and errors.",
            "«Остальное» — это качество, стоимость, задержка и ошибки.",
        )
    elif mention.group:
        voice.assume(
            "“Quality” stands for precision, recall, context use and hallucination.",
            "«Качество» — это точность, полнота, использование контекста и галлюцинации.",
        )
    elif mention.vague:
        voice.assume(f"Speed is measured as {metric.title}.", f"Скорость измеряется метрикой «{metric.name}».")


def _read_one(clause: Clause, mention: MetricMention, metric: MetricDefinition, draft: Draft, voice: Voice) -> bool:
    verb = _turned(clause.verb) if mention.inverted else clause.verb
    hold = _turned(clause.hold) if mention.inverted else clause.hold
    if mention.group:  # quality rises when hallucination falls
        verb = {"up": "improve", "down": "worse"}.get(verb or "", verb)
        hold = {"nodrop": "noworse", "norise": "hold"}.get(hold or "", hold)
    if clause.allow and hold is None and _worsens(verb, metric):
        if clause.quantity is None:
            return False
        hold = "noworse"
    if clause.negated and hold is None and verb is None:
        if mention.group:
            return False
        return _banished(clause, metric, draft, voice)
    if hold is not None:
        return _read_hold(clause, mention, hold, metric, draft, voice)
    return _read_target(clause, verb, metric, draft, voice)


def _worsens(verb: str | None, metric: MetricDefinition) -> bool:
    return verb in ("worse", "down" if metric.higher_is_better else "up")


def _turned(word: str | None) -> str | None:
    return {"up": "down", "down": "up", "nodrop": "norise", "norise": "nodrop"}.get(word or "", word)


def _banished(clause: Clause, metric: MetricDefinition, draft: Draft, voice: Voice) -> bool:
    """ "No hallucinations"."""
    if metric.higher_is_better or clause.quantity is not None:
        return False
    if metric.name == "token_cost" or metric.unit == "ms":
        return False
    voice.assume(f"“No {metric.title}” is read as 0.", f"«Без» для «{metric.name}» понято как 0.")
    draft.targets.append(Target(metric=metric.name, direction="decrease", value=0.0))
    return True


def _read_hold(
    clause: Clause, mention: MetricMention, hold: str, metric: MetricDefinition, draft: Draft, voice: Voice
) -> bool:
    kind: ConstraintKind
    drop = {"nodrop": True, "norise": False}.get(hold, metric.higher_is_better)
    quantity, compares = clause.quantity, clause.compares
    if quantity is not None and not _is_margin(clause, hold, metric):
        amount = target_amount(
            quantity, metric, compares=compares | {"to"}, direction=better(metric), has_verb=False,
            relative=False, voice=voice,
        )  # fmt: skip
        if amount is None or amount.value is None:
            return False
        kind = "min" if compares & {"gt", "ge"} else "max" if compares & {"lt", "le"} else "min" if drop else "max"
        if hold == "nodrop":
            kind = "min"
        elif hold == "norise":
            kind = "max"
        draft.constraints.append(Constraint(metric=metric.name, kind=kind, value=amount.value))
        draft.limits.append(metric.name)
        return True
    kind = "no_large_drop" if drop else "no_large_rise"
    if quantity is None:
        margin = default_margin(metric)
        relative = metric.unit not in ("share", "ms", "score", "count")
        side = ("drop", "падение") if drop else ("rise", "рост")
        points = metric.unit == "share"
        voice.assume(
            f"{metric.title}: a {side[0]} of up to {shown(margin, metric, relative=relative)}"
            f"{' (points)' if points else ''} counts as not worse.",
            f"«{metric.name}»: {side[1]} до {shown(margin, metric, relative=relative)}"
            f"{' (п.п.)' if points else ''} не считается ухудшением.",
        )
        if mention.group:
            draft.by_group.add(metric.name)
        elif clause.hold == "hold":
            draft.held.add(metric.name)
        draft.constraints.append(Constraint(metric=metric.name, kind=kind, value=round(margin, 6)))
        return True
    allowed = margin_amount(quantity, metric, voice)
    if allowed is None:
        return False
    draft.constraints.append(Constraint(metric=metric.name, kind=kind, value=allowed))
    return True


def _is_margin(clause: Clause, hold: str, metric: MetricDefinition) -> bool:
    """Whether the amount beside a "not worse" is how much may be lost ("не больше чем на 3 %"), not a limit."""
    quantity, compares = clause.quantity, clause.compares
    if quantity is None or quantity.unit in ("times", "score"):
        return False
    if "by" in compares or quantity.unit == "pp":
        return True
    if clause.allow:
        return "to" not in compares and ("by" in compares or quantity.unit in ("%", "part"))
    if hold == "hold":
        return "within" in compares and quantity.unit == "%"
    if quantity.unit == "%" and metric.unit != "share":
        return True
    worse_words = (
        compares <= {"gt", "le", "within", "upto"} if hold in ("nodrop", "noworse") else compares <= {"within"}
    )
    return worse_words and bool(compares) and quantity.unit in ("%", "part")


def _read_target(clause: Clause, verb: str | None, metric: MetricDefinition, draft: Draft, voice: Voice) -> bool:
    direction = _direction(clause, verb, metric)
    amount: Amount | None = Amount()
    compares = clause.compares
    changes = any(mention.implied for mention in clause.metrics)  # "make it 30 % cheaper" is no value to reach
    if clause.reach and not changes and not compares and clause.quantity and not clause.quantity.sign:
        compares = frozenset({"to"})
    if clause.quantity is not None:
        amount = target_amount(
            clause.quantity, metric, compares=compares, direction=direction,
            has_verb=verb is not None, relative=clause.relative, voice=voice,
        )  # fmt: skip
        if amount is None:
            return False
    elif verb == "zero":
        if metric.higher_is_better or metric.unit not in ("share", "count"):
            return False
        amount = Amount(value=0.0)
    elif verb in ("touch", "worse"):
        return False
    assert amount is not None  # noqa: S101 - both branches above set it
    categories: list[str | None] = [*dict.fromkeys(clause.categories)]
    targets = [
        Target(
            metric=metric.name,
            direction=direction,
            value=amount.value,
            delta=amount.delta,
            relative=amount.relative,
            category=category,
        )
        for category in categories or [None]
    ]
    if verb is None and amount.value is not None and (clause.limit or clause.compares & {"lt", "gt", "to", "within"}):
        kind: ConstraintKind = "min" if direction == "increase" else "max"
        limit = Constraint(metric=metric.name, kind=kind, value=amount.value)
        worded = clause.limit or clause.conditional
        if worded or (metric.priority == "secondary" and not metric.higher_is_better):
            draft.soft.extend((target, limit, worded) for target in targets)
            draft.limits.append(metric.name)
            return True
    if clause.quantity is None and verb is None:
        draft.bare.add(metric.name)
        voice.assume(
            f"{metric.title} is named without a direction: it should {direction}.",
            f"«{metric.name}» без направления: должно " + ("расти." if direction == "increase" else "снижаться."),
        )
    if amount == Amount():
        voice.assume(
            f"{metric.title} has no target value: as far as it goes.",
            f"Для «{metric.name}» нет целевого значения: насколько получится.",
        )
    draft.spoken = draft.spoken or verb is not None
    draft.targets.extend(targets)
    return True


def _direction(clause: Clause, verb: str | None, metric: MetricDefinition) -> Direction:
    if verb == "up":
        return "increase"
    if verb in ("down", "zero"):
        return "decrease"
    if verb is None and clause.quantity is not None:
        if clause.quantity.sign:
            return "increase" if clause.quantity.sign > 0 else "decrease"
        if clause.compares & {"lt", "le"}:
            return "decrease"
        if clause.compares & {"gt", "ge"}:
            return "increase"
    return better(metric)
