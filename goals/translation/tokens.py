"""The pieces that a sentence is cut into. Offsets point into the text as the person wrote it."""

from __future__ import annotations

from dataclasses import dataclass, field
from enum import StrEnum
from typing import Any, Literal

Unit = Literal["%", "pp", "ms", "hours", "usd", "tokens", "cycles", "times", "part", "score", "plain", "dialogues"]


class Kind(StrEnum):
    METRIC = "metric"  # value: MetricMention
    FACTOR = "factor"  # value: tuple of factor keys
    CATEGORY = "category"  # value: name
    QUANTITY = "quantity"  # value: Quantity
    VERB = "verb"  # up, down, improve, worse, touch, hold
    COMPARE = "compare"  # to, by, lt, gt, le, ge, within, upto, from
    NEGATION = "negation"
    ALLOW = "allow"
    ONLY = "only"
    EXCEPT = "except"
    VIA = "via"
    MAIN = "main"
    OUTRANKS = "outranks"  # "X is more important than Y"
    AUTONOMY = "autonomy"  # value: contracts.goal.Autonomy value, or "ask"
    BUDGET = "budget"
    PER_REQUEST = "per_request"
    RELATIVE = "relative"
    UTMOST = "utmost"
    PROTECTED = "protected"
    BREAK = "break"  # and, comma, hard
    STATE = "state"  # how it is now
    COMPLAINT = "complaint"  # "too slow"
    CAREFREE = "carefree"  # what nobody minds
    STOP = "stop"
    WORD = "word"


@dataclass(frozen=True)
class MetricMention:
    """`inverted`: the word means the opposite of the metric ("speed" for latency). `implied`: it carries a verb."""

    names: tuple[str, ...]
    inverted: bool = False
    implied: str | None = None
    group: bool = False
    vague: bool = False
    rest: bool = False


@dataclass(frozen=True)
class Quantity:
    """A number in its unit: `%` and `part` as fractions, times as a factor, latency in ms, money in USD."""

    amount: float
    unit: Unit
    sign: int = 0
    ranged: bool = False


@dataclass(frozen=True)
class Token:
    kind: Kind
    value: Any
    start: int
    end: int


@dataclass
class Clause:
    """One thought of a sentence: tokens up to the next break, and what was gathered from them."""

    joint: str = "hard"  # how it is joined to the clause before: and, comma, hard
    tokens: list[Token] = field(default_factory=list)
    metrics: list[MetricMention] = field(default_factory=list)
    factors: list[str] = field(default_factory=list)
    factor_mode: str | None = None  # forbid, allow
    verb: str | None = None
    hold: str | None = None  # hold, nodrop, norise, noworse
    quantity: Quantity | None = None
    compares: frozenset[str] = frozenset()
    limit: bool = False  # the comparison was worded as a limit ("at most", "не выше")
    categories: list[str] = field(default_factory=list)
    main: bool = False
    outranks: bool = False
    allow: bool = False
    relative: bool = False
    utmost: bool = False
    negated: bool = False  # a negation that found nothing to negate
    aside: bool = False  # budget, autonomy or a protected thing was understood here
    lone_quantities: list[Token] = field(default_factory=list)
    conditional: bool = False  # opened by "while", "при": a comparison without a verb is a limit
    inherited: bool = False
    reach: bool = False  # "reach", "get to": an amount without a preposition is the value itself
    state: bool = False  # says how it is now, not how it should be
    complaint: bool = False
    carefree: bool = False
    used: bool = False

    @property
    def start(self) -> int:
        return self.tokens[0].start

    @property
    def end(self) -> int:
        return self.tokens[-1].end
