"""What a sentence says beside metrics: which factors may move, who decides, and how much it may cost."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from contracts.goal import Autonomy, Budget
from contracts.parameters import FactorDefinition
from goals.translation.tokens import Clause, Kind, Quantity, Token
from goals.translation.wording import Voice


@dataclass
class Circumstances:
    forbidden: list[str] = field(default_factory=list)
    only: list[str] = field(default_factory=list)
    permitted: list[str] = field(default_factory=list)
    levels: list[Autonomy] = field(default_factory=list)
    budget: dict[str, float] = field(default_factory=dict)
    unread: list[Token] = field(default_factory=list)


def read(clause: Clause, found: Circumstances, voice: Voice) -> None:
    _read_factors(clause, found)
    _read_autonomy(clause, found, voice)
    _read_budget(clause, found, voice)
    for token in clause.tokens:
        if token.kind is Kind.PROTECTED:
            clause.used = True
            voice.assume(
                f"{token.value.capitalize()} is no impact factor: the system never changes it.",
                "Защита строк и типы данных — не импакт-факторы: система их никогда не меняет.",
            )


def _read_factors(clause: Clause, found: Circumstances) -> None:
    if not clause.factors:
        return
    mode = clause.factor_mode or ("forbid" if clause.hold or clause.negated else None)
    if mode is None and (clause.verb == "touch" or clause.allow) and clause.quantity is None:
        if clause.allow:
            clause.used = True
            found.permitted.extend(clause.factors)
            return
        mode = "allow"
    if mode is None or (mode == "forbid" and clause.quantity is not None and not clause.metrics):
        return  # "top_k not above 5": ranges belong to the policy, not to a goal
    clause.used = True
    if mode == "forbid":
        found.forbidden.extend(key for key in clause.factors if key not in found.forbidden)
        return
    found.only.extend(key for key in clause.factors if key not in found.only)


def _read_autonomy(clause: Clause, found: Circumstances, voice: Voice) -> None:
    negated = False
    for token in clause.tokens:
        if token.kind is Kind.NEGATION:
            negated = True
        elif token.kind is Kind.AUTONOMY:
            clause.used = True
            if token.value == "ask" and not negated:
                voice.assume(
                    "“Ask me” is read as semi_auto: experiments run, applying waits for approval.",
                    "«Спрашивай меня» понято как semi_auto: эксперименты идут, применение ждёт одобрения.",
                )
                found.levels.append(Autonomy.SEMI_AUTO)
            elif token.value == "ask":
                found.levels.append(Autonomy.FULL_AUTO)
            elif negated and token.value == "full_auto":
                voice.assume("“Not automatic” is read as semi_auto.", "«Не автоматически» понято как semi_auto.")
                found.levels.append(Autonomy.SEMI_AUTO)
            else:
                found.levels.append(Autonomy(token.value))
        elif token.kind is not Kind.STOP:
            negated = False


def autonomy(found: Circumstances, voice: Voice) -> Autonomy | None:
    levels = set(found.levels)
    if {Autonomy.FULL_AUTO, Autonomy.MANUAL} <= levels:
        voice.conflict(
            "The goal asks for full autonomy and for manual control at once.",
            "Цель требует и полной автономии, и ручного управления.",
        )
        return Autonomy.MANUAL
    for level in (Autonomy.MANUAL, Autonomy.SEMI_AUTO, Autonomy.FULL_AUTO):
        if level in levels:
            return level
    return None


def _read_budget(clause: Clause, found: Circumstances, voice: Voice) -> None:
    lone = list(clause.lone_quantities)
    if clause.quantity is not None and not clause.metrics and not clause.factors and clause.quantity.unit == "usd":
        lone.extend(token for token in clause.tokens if token.value is clause.quantity)
    per_request = any(token.kind is Kind.PER_REQUEST for token in clause.tokens)
    for token in lone:
        quantity: Quantity = token.value
        if quantity.unit == "usd":
            _spend(found, "usd", quantity.amount, voice)
        elif quantity.unit in ("hours", "cycles"):
            _spend(found, quantity.unit, quantity.amount, voice)
        elif quantity.unit == "tokens" and not per_request and not clause.factors:
            _spend(found, "tokens", quantity.amount, voice)
        else:
            found.unread.append(token)
            continue
        if not clause.metrics:
            clause.used = True


def _spend(found: Circumstances, what: str, amount: float, voice: Voice) -> None:
    if amount <= 0 or (what in ("tokens", "cycles") and amount < 1):
        voice.conflict(f"A budget of 0 {what} leaves nothing to do.", f"Бюджет 0 {what}: делать нечего.")
        return
    if what in found.budget and found.budget[what] != amount:
        voice.assume(f"Of two budgets of {what} the smaller holds.", f"Из двух бюджетов ({what}) действует меньший.")
        amount = min(amount, found.budget[what])
    found.budget[what] = amount


def budget(found: Circumstances) -> Budget:
    whole = {name: round(value) if name in ("tokens", "cycles") else value for name, value in found.budget.items()}
    return Budget.model_validate(whole)


def impacts(
    found: Circumstances, factors: Mapping[str, FactorDefinition], voice: Voice
) -> tuple[tuple[str, ...], tuple[str, ...]]:
    """Allowed and forbidden keys in the order of the registry; they never overlap."""
    # "The model stays; temperature is fine" restricts nothing more; "you may change top_k" alone names what may move.
    only = found.only or ([] if found.forbidden else found.permitted)
    if only:
        names = ", ".join(key for key in factors if key in only)
        voice.assume(f"Only these factors may move: {names}.", f"Менять можно только: {names}.")
    for key in only:
        if key in found.forbidden:
            voice.conflict(f"{key} is both allowed and forbidden.", f"{key} и разрешён, и запрещён.")
    forbidden = tuple(key for key in factors if key in found.forbidden)
    allowed = tuple(key for key in factors if key not in forbidden and (not only or key in only))
    if factors and not allowed:
        voice.conflict("Nothing is left that may be changed.", "Не осталось ничего, что можно менять.")
    return allowed, forbidden
