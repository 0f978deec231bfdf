"""Tokens into clauses: where one thought ends and the next begins, and what each holds."""

from __future__ import annotations

from goals.translation.tokens import Clause, Kind, MetricMention, Quantity, Token

_DIRECTIONS = frozenset({"up", "down", "improve", "reach", "worse", "zero", "double", "triple", "halve"})
_PREFIXES = frozenset({Kind.NEGATION, Kind.EXCEPT, Kind.ONLY, Kind.VIA})
_BUDGET_UNITS = frozenset({"tokens", "cycles", "hours", "dialogues"})
_POST_NEGATIONS = frozenset({"нельзя", "запрещено", "запрещается"})
_PARTING = frozenset({"be", "become", "have", "see", "run"})
"""Between "to" and a number these show that "to" belongs to a verb: "to be 30 % cheaper"."""
_FACTORS = {"double": ("up", 2.0), "triple": ("up", 3.0), "halve": ("down", 2.0)}
_LONGEST_WAIT_HOURS = 1 / 6
"""Nobody waits longer for an answer: more than that is time for the campaign."""
_NEGATED = {"up": "norise", "down": "nodrop", "worse": "noworse", "improve": "noworse", "touch": "hold"}
_FLIPPED = {"lt": "ge", "gt": "le"}


def split(tokens: list[Token], text: str) -> list[Clause]:
    """Cut at breaks, and where a second verb, metric or negation cannot belong to the same thought."""
    clauses: list[Clause] = []
    current = Clause()
    ahead = _significant(tokens)
    for index, token in enumerate(tokens):
        following = ahead[index]
        kind, value = token.kind, token.value
        joint: str | None = None
        if kind is Kind.BREAK:
            joint = value
        elif kind is Kind.COMPARE and value == "from" and not _is(following, Kind.QUANTITY):
            # "с точностью не ниже 80 %": the preposition opens a condition.
            taken_off = current.verb in ("zero", "down") and _has_quantity(current) and not current.metrics
            joint = "hard" if text[token.start : token.end] != "from" and current.verb and not taken_off else None
        if joint is not None:
            conditional, joint = joint == "given", "hard" if joint == "given" else joint
            if current.tokens:
                clauses.append(current)
                current = Clause(joint=joint, conditional=conditional)
            elif current.joint != "hard" or not clauses:
                current.joint = joint
            current.conditional = current.conditional or conditional
            continue
        if _starts_anew(current, token, following, text):
            clauses.append(current)
            current = Clause(joint="hard" if kind in _PREFIXES else "comma")
        current.tokens.append(token)
        _take(current, token, text)
    if current.tokens:
        clauses.append(current)
    for clause in clauses:
        _bind(clause)
    return clauses


def _has_quantity(clause: Clause) -> bool:
    return any(token.kind is Kind.QUANTITY for token in clause.tokens)


def _significant(tokens: list[Token]) -> list[Token | None]:
    """For each token the next one that is no stop word."""
    ahead: list[Token | None] = [None] * len(tokens)
    following: Token | None = None
    for index in range(len(tokens) - 1, -1, -1):
        ahead[index] = following
        if tokens[index].kind is not Kind.STOP:
            following = tokens[index]
    return ahead


def _is(token: Token | None, *kinds: Kind) -> bool:
    return token is not None and token.kind in kinds


def _starts_anew(clause: Clause, token: Token, following: Token | None, text: str) -> bool:  # noqa: PLR0911
    if not clause.tokens:
        return False
    if token.kind is Kind.NEGATION:
        if clause.verb == "touch" and text[token.start : token.end] in _POST_NEGATIONS:
            return False
        if _is(following, Kind.COMPARE) and clause.quantity is None:
            return False
        return clause.verb is not None or clause.hold is not None or clause.quantity is not None
    if token.kind in _PREFIXES:
        return bool(clause.metrics and (clause.verb or clause.hold or clause.quantity))
    if token.kind is Kind.METRIC:
        if clause.metrics and clause.quantity is not None:
            return True
        if clause.hold and clause.metrics:
            return not _same_family(clause.metrics[-1], token.value)
        return bool(clause.factors and clause.factor_mode)
    if token.kind is Kind.VERB:
        if clause.factors and token.value in _DIRECTIONS:
            return not clause.negated
        if (clause.outranks or (clause.hold and clause.metrics)) and token.value in _DIRECTIONS:
            return True
        if token.value in ("hold", "touch") or clause.negated:
            return clause.verb in _DIRECTIONS and token.value == "hold" and bool(clause.metrics)
        return clause.verb in _DIRECTIONS and bool(clause.metrics) and token.value in _DIRECTIONS
    return False


def _same_family(one: MetricMention, other: MetricMention) -> bool:
    """ "Latency p95": two words for one thing."""
    return one.names[0].split("_")[0] == other.names[0].split("_")[0]


def _take(clause: Clause, token: Token, text: str) -> None:  # noqa: PLR0912 - one branch a kind
    kind, value = token.kind, token.value
    if kind is Kind.METRIC:
        _take_metric(clause, value)
    elif kind is Kind.FACTOR:
        clause.factors.extend(key for key in value if key not in clause.factors)
        if clause.negated:
            clause.factor_mode = "forbid"
    elif kind is Kind.CATEGORY:
        clause.categories.append(value)
    elif kind is Kind.VERB:
        _take_verb(clause, value)
    elif kind is Kind.NEGATION:
        if clause.verb == "touch" and text[token.start : token.end] in _POST_NEGATIONS:
            clause.verb, clause.hold = None, "hold"
        else:
            clause.negated = True
    elif kind is Kind.EXCEPT:
        # "Touch nothing but top_k" allows it, "change anything but the model" forbids it.
        clause.factor_mode = "allow" if clause.hold else "forbid"
        clause.factors = []
    elif kind in (Kind.ONLY, Kind.VIA):
        clause.factor_mode = "allow"
    elif kind is Kind.ALLOW:
        clause.allow = True
    elif kind is Kind.MAIN:
        clause.main = True
    elif kind is Kind.OUTRANKS:
        clause.outranks = True
    elif kind is Kind.STATE:
        clause.state = True
    elif kind is Kind.COMPLAINT:
        clause.complaint = True
    elif kind is Kind.CAREFREE:
        clause.carefree = True
    elif kind is Kind.RELATIVE:
        clause.relative = True
    elif kind is Kind.UTMOST:
        clause.utmost = True
    elif kind in (Kind.AUTONOMY, Kind.BUDGET, Kind.PROTECTED):
        clause.aside = True


def _take_metric(clause: Clause, mention: MetricMention) -> None:
    if mention.implied == "hold":
        clause.hold = clause.hold or "hold"
    elif mention.implied and clause.negated:
        clause.hold, clause.negated = _NEGATED[mention.implied], False
    elif mention.implied and clause.verb in (None, "improve", "touch"):
        clause.verb = mention.implied
    clause.metrics.append(mention)


def _take_verb(clause: Clause, verb: str) -> None:
    if verb == "reach":
        verb, clause.reach = "improve", True
    if verb in _FACTORS:
        verb, factor = _FACTORS[verb]
        clause.quantity, clause.compares = Quantity(factor, "times"), frozenset({"by"})
    if clause.negated and verb in _NEGATED:
        clause.hold, clause.negated = _NEGATED[verb], False
    elif verb == "hold":
        clause.hold = clause.hold or "hold"
    elif clause.verb in (None, "improve", "touch") or verb in ("up", "down"):
        # "try to improve by lowering": the more definite verb counts.
        clause.verb = verb


def _bind(clause: Clause) -> None:  # noqa: PLR0912 - one branch a kind
    """Give the comparisons to the quantity that they stand before; what is left over speaks as a verb."""
    tokens = [token for token in clause.tokens if token.kind is not Kind.STOP or token.value in _PARTING]
    free: list[tuple[str, bool]] = []  # comparisons that found no quantity, and whether they were negated
    run: list[str] = []
    negated = False
    for token in tokens:
        if token.kind is Kind.STOP:
            run = [value for value in run if value not in ("to", "at")]
        elif token.kind is Kind.NEGATION:
            negated = True
        elif token.kind is Kind.COMPARE:
            value = token.value
            if negated and value in _FLIPPED:
                value, clause.limit = _FLIPPED[value], True
                clause.negated = False
            run.append(value)
        elif token.kind is Kind.QUANTITY:
            _place(clause, token, frozenset(run), _is_latency(clause))
            run, negated = [], False
        elif token.kind is not Kind.UTMOST:
            free.extend((value, negated) for value in run)
            run = []
            if token.kind is Kind.VERB:
                negated = False
    free.extend((value, negated) for value in run)
    for value, was_negated in free:
        if was_negated and value in ("le", "ge"):
            clause.hold = clause.hold or ("norise" if value == "le" else "nodrop")
            clause.limit = False
        elif value in ("lt", "gt") and clause.verb is None and clause.hold is None:
            clause.verb = "down" if value == "lt" else "up"
        elif value in ("off", "from") and clause.quantity is not None and clause.verb in ("down", "zero"):
            clause.verb, clause.compares = "down", frozenset({"by"})  # "shave 400 ms off p95"
        elif value in ("orbetter", "orless") and clause.quantity is not None:
            clause.compares = frozenset({"ge" if value == "orbetter" else "le"})
        elif value in ("le", "ge") and clause.quantity is None and clause.metrics and clause.hold is None:
            clause.verb = clause.verb or "improve"  # "recall to the maximum", "minimal cost"
    if clause.compares & {"le", "ge"}:
        clause.limit = True


def _is_latency(clause: Clause) -> bool:
    return any(name.startswith("latency") for mention in clause.metrics for name in mention.names)


def _place(clause: Clause, token: Token, compares: frozenset[str], latency: bool) -> None:
    quantity: Quantity = token.value
    kinds = {item.kind for item in clause.tokens}
    has_budget_word = Kind.BUDGET in kinds and Kind.PER_REQUEST not in kinds
    if quantity.unit == "hours" and latency and quantity.amount <= _LONGEST_WAIT_HOURS:
        token = Token(token.kind, Quantity(quantity.amount * 3_600_000, "ms"), token.start, token.end)
        quantity = token.value
    elif quantity.unit in _BUDGET_UNITS or (quantity.unit == "usd" and has_budget_word):
        clause.lone_quantities.append(token)
        return
    if "from" in compares and clause.quantity is None:
        return  # where it starts is measured, not told
    if clause.quantity is None or (compares and not clause.compares):
        if clause.quantity is not None and clause.quantity.unit == "usd":  # "$5: hallucination below 2 %"
            clause.lone_quantities.extend(item for item in clause.tokens if item.value is clause.quantity)
        clause.quantity, clause.compares = quantity, compares
    else:
        clause.lone_quantities.append(token)
