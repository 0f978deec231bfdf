"""Which engine speaks: `pages/partials/engine_note.html` says it wherever answers appear.

Alone the partial names the engine of the settings. `{% engines_recorded experiment=slug as engines %}` (or `campaign=`
its number, `batch=` an emulation's name, `runs=` exchanges of real conversations) before it names those that gave the
answers on record.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

from django import template
from django.conf import settings

from experiments.models import Experiment
from llm.factory import DEFAULT_MODEL
from sensor.models import SensorEvent

register = template.Library()
OFFLINE = "offline"


@dataclass(frozen=True, slots=True)
class Engines:
    """`offline`: the offline engine is among them. `models`: the language models, by name."""

    offline: bool
    models: tuple[str, ...]

    @classmethod
    def named(cls, names: Iterable[str]) -> Engines:
        known = set(names)
        return cls(offline=OFFLINE in known, models=tuple(sorted(known - {OFFLINE})))


@register.simple_tag
def engine_now() -> Engines:
    """The engine of the settings. An experiment may name another model for its own runs."""
    if settings.SELFLEARN_LLM == OFFLINE:
        return Engines.named([OFFLINE])
    return Engines.named([settings.SELFLEARN_MODEL or DEFAULT_MODEL])


@register.simple_tag
def engines_recorded(
    *, experiment: str = "", campaign: int = 0, batch: str = "", runs: Iterable[Any] | None = None
) -> Engines | None:
    """The engines whose answers were recorded. None: nothing is recorded yet, so that of the settings is named."""
    if runs is not None:
        events = SensorEvent.objects.filter(pipeline_run_id__in=[item.run_id for item in runs])
    elif batch:
        events = SensorEvent.objects.filter(batch=batch)
    elif experiment:
        events = SensorEvent.objects.filter(experiment=experiment)
    else:
        slugs = Experiment.objects.filter(campaign__number=campaign).values_list("slug", flat=True)
        events = SensorEvent.objects.filter(experiment__in=list(slugs))
    names = events.exclude(model=None).values_list("model", flat=True).distinct().order_by()
    found = Engines.named(name for name in names if name)
    return found if found.offline or found.models else None


@register.filter
def engine_name(model: str | None) -> str:
    """`offline engine` for `offline`; a model's own name else."""
    return "offline engine" if model == OFFLINE else model or "–"
