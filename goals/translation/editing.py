"""A translation that a person has adjusted: checked as one that was read, and told apart from it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from contracts.goal import Autonomy, Budget, Constraint, GoalTranslation, Target
from contracts.metric import MetricDefinition
from contracts.parameters import FactorDefinition
from goals.translation import conflicts
from goals.translation.wording import Voice

EDITABLE = ("targets", "constraints", "allowed_impacts", "forbidden_impacts", "autonomy", "budget")


def translation_edit(
    understood: GoalTranslation,
    *,
    targets: Sequence[Target],
    constraints: Sequence[Constraint],
    allowed: Sequence[str],
    autonomy: Autonomy,
    budget: Budget,
    metrics: Mapping[str, MetricDefinition],
    factors: Mapping[str, FactorDefinition],
) -> GoalTranslation:
    """The same sentence with this formal side; its conflicts are those of the formal side alone.

    What could move before and may not now is forbidden. An autonomy that the sentence left open stays open when the
    default is kept.
    """
    voice = Voice(understood.language)
    conflicts.check(list(targets), list(constraints), held=set(), metrics=metrics, voice=voice)
    could = {*understood.allowed_impacts, *understood.forbidden_impacts}
    keys = tuple(key for key in factors if key in allowed)
    open_still = understood.autonomy is None and autonomy is Autonomy.SEMI_AUTO
    return understood.model_copy(
        update={
            "targets": tuple(targets),
            "constraints": tuple(constraints),
            "allowed_impacts": keys,
            "forbidden_impacts": tuple(key for key in factors if key in could and key not in keys),
            "autonomy": None if open_still else autonomy,
            "budget": budget,
            "conflicts": tuple(voice.conflicts),
        }
    )


def translation_edits(understood: GoalTranslation, edited: GoalTranslation) -> list[str]:
    """The parts that a person changed."""
    return [name for name in EDITABLE if getattr(understood, name) != getattr(edited, name)]
