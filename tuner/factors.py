"""The impact factors as they hold now: the registry, what meta-users changed of it, and prompts written since."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass
from datetime import datetime

from django.utils import timezone

from contracts.parameters import FactorDefinition
from kernel.canonical import stable_hash
from tuner.domain.overrides import Override, in_force, overridden, stored
from tuner.models import FactorSetting, PromptValue
from tuner.registry import FACTORS, factor


@dataclass(frozen=True)
class FactorState:
    """A factor as it holds now, beside the registry's own; `changed`: what a meta-user changed of it, and the last
    change. `tag` is another one after each change, and after a freeze has run out."""

    now: FactorDefinition
    registered: FactorDefinition
    changed: tuple[str, ...]
    reason: str
    changed_by: str
    changed_at: datetime | None
    tag: str


def factors_now() -> dict[str, FactorDefinition]:
    """In the registry's order. Two queries; guards, designer and forms read these, titles need only the registry."""
    return {key: state.now for key, state in factor_states().items()}


def factor_states() -> dict[str, FactorState]:
    """In the registry's order. Two queries. A freeze with an end counts until then, without anybody's doing."""
    rows = {row.key: row for row in FactorSetting.objects.all()}
    prompts: dict[str, list[str]] = {}
    for key, value in PromptValue.objects.order_by("id").values_list("key", "value"):
        prompts.setdefault(key, []).append(value)
    at = timezone.now()
    return {key: _state(item, rows.get(key), prompts.get(key, ()), at) for key, item in FACTORS.items()}


def _state(
    registered: FactorDefinition, row: FactorSetting | None, prompts: Collection[str], at: datetime
) -> FactorState:
    override = in_force(stored(vars(row)), at) if row is not None else Override()
    return FactorState(
        now=overridden(registered, override, also=prompts),
        registered=registered,
        changed=tuple(override.given),
        reason=row.reason if row else "",
        changed_by=row.changed_by if row else "",
        changed_at=row.changed_at if row else None,
        tag=tag_of(override),
    )


def tag_of(override: Override) -> str:
    return stable_hash(override.given)[:16]


def factor_now(key: str) -> FactorDefinition:
    """One factor by key or alias. Raises `NotFound`."""
    return factor_state(key).now


def factor_state(key: str) -> FactorState:
    """One factor by key or alias. Raises `NotFound`."""
    return factor_states()[factor(key).key]


def offered(factors: Mapping[str, FactorDefinition]) -> dict[str, FactorDefinition]:
    """What may be proposed: factors that are not frozen, without prompt versions that were withdrawn."""
    withdrawn = set(PromptValue.objects.exclude(withdrawn_at=None).values_list("key", "value"))
    return {key: _without(definition, withdrawn) for key, definition in factors.items() if not definition.frozen}


def _without(definition: FactorDefinition, withdrawn: set[tuple[str, str]]) -> FactorDefinition:
    kept = tuple(name for name in definition.choices if (definition.key, name) not in withdrawn)
    return definition if kept == definition.choices else definition.model_copy(update={"choices": kept})
