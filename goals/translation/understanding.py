"""Rules first; a model, where there is one, for what they could not read. What rules read stands."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from pydantic import ValidationError

from contracts.goal import Autonomy, Budget, Constraint, GoalTranslation, Target
from contracts.metric import MetricDefinition
from contracts.parameters import FactorDefinition
from goals.translation import conflicts
from goals.translation.model import CATEGORIES, Said, ask
from goals.translation.translator import MAX_LENGTH, translate
from goals.translation.wording import Voice, language_of
from kernel.errors import DomainError, InvalidInput
from llm.protocol import ChatModel

Metrics = Mapping[str, MetricDefinition]
Factors = Mapping[str, FactorDefinition]


def understand(text: str, *, metrics: Metrics, factors: Factors, model: ChatModel | None = None) -> GoalTranslation:
    """What is understood of a goal. With a `model`, it is asked for the fragments that no rule could read.

    What it says is checked against the registries, never overrides what rules read, and is told as an assumption. When
    it fails, rules alone count, and that is told. Raises `InvalidInput` when nothing was understood.
    """
    refused: InvalidInput | None = None
    try:
        read = translate(text, metrics=metrics, factors=factors)
        unread: Sequence[str] = read.unread
    except InvalidInput as error:
        if model is None or not text.strip() or len(text) > MAX_LENGTH:
            raise
        refused, unread = error, error.details.get("unread") or [text.strip()]
        read = GoalTranslation(
            text=text, language=language_of(text), allowed_impacts=tuple(factors), unread=tuple(unread)
        )
    if model is None or not unread:
        return read
    try:
        said = ask(model, read, unread, metrics=metrics, factors=factors)
    except (DomainError, ValueError) as error:
        if refused is not None:
            raise refused from error
        return without_model(read, error)
    merged = _merged(read, said, metrics=metrics, factors=factors, name=model.name)
    if refused is not None and not merged.targets and not merged.constraints:
        raise refused
    return merged


def without_model(read: GoalTranslation, error: Exception) -> GoalTranslation:
    """The rules' reading, and why no model helped."""
    why = error.message if isinstance(error, DomainError) else "its answer has not the shape that was asked for"
    voice = Voice(read.language)
    voice.assume(
        f"The model could not help ({why}): this was read by rules alone.",
        f"Модель не помогла ({why}): прочитано только правилами.",
    )
    return read.model_copy(update={"assumptions": (*read.assumptions, *voice.assumptions)})


def _merged(read: GoalTranslation, said: Said, *, metrics: Metrics, factors: Factors, name: str) -> GoalTranslation:
    voice = Voice(read.language)
    named = {item.metric for item in read.targets} | {item.metric for item in read.constraints}
    targets, constraints = list(read.targets), list(read.constraints)
    for one in said.targets:
        if one.metric in named:
            continue
        known = one.metric in metrics and one.category in (None, *CATEGORIES)
        if known and not (one.value is not None and one.delta is not None) and (one.delta is None or one.delta > 0):
            targets.append(Target.model_validate(one.model_dump()))
            _tell(voice, name, f"{one.metric} {one.direction}")
        else:
            _refuse(voice, name, one.metric)
    for limit in said.constraints:
        if limit.metric in named:
            continue
        if limit.metric in metrics and (limit.value is None or limit.value >= 0):
            constraints.append(Constraint.model_validate(limit.model_dump()))
            _tell(voice, name, f"{limit.metric} {limit.kind}")
        else:
            _refuse(voice, name, limit.metric)
    only = set(read.allowed_impacts) | set(read.forbidden_impacts) != set(factors)
    forbidden = {key for key in said.forbidden_impacts if key in factors and not (only and key in read.allowed_impacts)}
    for key in said.forbidden_impacts:
        if key not in factors:
            _refuse(voice, name, key)
    for key in sorted(forbidden - set(read.forbidden_impacts)):
        _tell(voice, name, f"{key} must not change")
    autonomy = read.autonomy
    if autonomy is None and said.autonomy is not None:
        autonomy = Autonomy(said.autonomy)
        _tell(voice, name, f"autonomy {autonomy}")
    covered = {fragment.strip() for fragment in said.read}
    conflicts.check(targets, constraints, held=set(), metrics=metrics, voice=voice)
    return read.model_copy(
        update={
            "targets": tuple(targets),
            "constraints": tuple(constraints),
            "forbidden_impacts": tuple(key for key in factors if key in forbidden | set(read.forbidden_impacts)),
            "allowed_impacts": tuple(key for key in read.allowed_impacts if key not in forbidden),
            "autonomy": autonomy,
            "budget": _budget(read.budget, said, voice, name),
            "assumptions": (*read.assumptions, *voice.assumptions),
            "unread": tuple(fragment for fragment in read.unread if fragment not in covered),
            "conflicts": tuple(dict.fromkeys((*read.conflicts, *voice.conflicts))),
        }
    )


def _budget(read: Budget, said: Said, voice: Voice, name: str) -> Budget:
    kept = read.model_dump(exclude_none=True)
    for what, amount in said.budget.model_dump(exclude_none=True).items():
        if what in kept:
            continue
        try:
            Budget.model_validate({what: amount})
        except ValidationError:
            _refuse(voice, name, f"{amount:g} {what}")
            continue
        kept[what] = amount
        _tell(voice, name, f"{amount:g} {what}")
    return Budget.model_validate(kept)


def _tell(voice: Voice, name: str, what: str) -> None:
    voice.assume(f"Read by the model {name}, not by rules: {what}.", f"Прочитано моделью {name}, не правилами: {what}.")


def _refuse(voice: Voice, name: str, what: str) -> None:
    voice.assume(
        f"What the model {name} said of “{what}” fits no registry and was left out.",
        f"Сказанное моделью {name} о «{what}» не подходит ни к одному реестру и опущено.",
    )
