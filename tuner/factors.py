"""The impact factors as they hold now: the registry, what meta-users changed of it, and prompts written since."""

from __future__ import annotations

from collections.abc import Mapping

from contracts.parameters import FactorDefinition
from tuner.domain.overrides import NAMES, overridden, stored
from tuner.models import FactorSetting, PromptValue
from tuner.registry import FACTORS, factor


def factors_now() -> dict[str, FactorDefinition]:
    """In the registry's order. Two queries; guards, designer and forms read these, titles need only the registry."""
    changed = {row["key"]: stored(row) for row in FactorSetting.objects.values("key", *NAMES)}
    prompts: dict[str, list[str]] = {}
    for key, value in PromptValue.objects.order_by("id").values_list("key", "value"):
        prompts.setdefault(key, []).append(value)
    return {
        key: overridden(definition, changed.get(key), also=prompts.get(key, ())) for key, definition in FACTORS.items()
    }


def factor_now(key: str) -> FactorDefinition:
    """One factor by key or alias. Raises `NotFound`."""
    return factors_now()[factor(key).key]


def offered(factors: Mapping[str, FactorDefinition]) -> dict[str, FactorDefinition]:
    """What may be proposed: factors that are not frozen, without prompt versions that were withdrawn."""
    withdrawn = set(PromptValue.objects.exclude(withdrawn_at=None).values_list("key", "value"))
    return {key: _without(definition, withdrawn) for key, definition in factors.items() if not definition.frozen}


def _without(definition: FactorDefinition, withdrawn: set[tuple[str, str]]) -> FactorDefinition:
    kept = tuple(name for name in definition.choices if (definition.key, name) not in withdrawn)
    return definition if kept == definition.choices else definition.model_copy(update={"choices": kept})
