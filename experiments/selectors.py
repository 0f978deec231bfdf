"""Reads of experiments and data sets. Golden content is not read here: see `experiments.golden`."""

from __future__ import annotations

import uuid
from datetime import datetime

from experiments.domain.examples import ExampleValue
from experiments.models import (
    Dataset,
    DiscoveryEntry,
    EvaluationExample,
    EvaluationPass,
    Experiment,
    ExperimentResult,
    GoldenExample,
    GoldenSeal,
)
from kernel.errors import NotFound


def dataset_by_name(name: str) -> Dataset:
    """Raise `NotFound` with the names that exist."""
    found = Dataset.objects.filter(name=name).first()
    if found is None:
        known = list(Dataset.objects.values_list("name", flat=True))
        raise NotFound(f"there is no data set {name!r}; known: {', '.join(known) or 'none yet'}")
    return found


def example_value(row: EvaluationExample | GoldenExample) -> ExampleValue:
    return ExampleValue(
        external_id=row.external_id,
        user_id=row.user_id,
        query=row.query,
        asked_at=row.asked_at,
        expected_memory_ids=tuple(row.expected_memory_ids),
        should_retrieve=row.should_retrieve,
        category=row.category,
        difficulty=row.difficulty,
        cluster=row.cluster,
        key_facts=tuple(row.key_facts),
        forbidden=tuple(row.forbidden),
    )


def examples(*, dataset: str, split: str) -> list[ExampleValue]:
    """Train or validation examples in a stable order."""
    rows = EvaluationExample.objects.filter(dataset__name=dataset, split=split).order_by("external_id")
    return [example_value(row) for row in rows]


def split_sizes(*, dataset: str) -> dict[str, int]:
    sizes = {
        split: EvaluationExample.objects.filter(dataset__name=dataset, split=split).count()
        for split in ("train", "validation")
    }
    seal = GoldenSeal.objects.filter(dataset__name=dataset).order_by("-number").first()
    sizes["golden"] = seal.size if seal else 0
    return sizes


def golden_looks(*, dataset: str, campaign_id: uuid.UUID | None = None, until: datetime | None = None) -> int:
    """Passes over the golden set that decided a change, of one campaign when it is given, up to a moment (it
    included) when that is given; monitoring passes are not looks."""
    looks = EvaluationPass.objects.filter(dataset=dataset, split="golden", purpose="gate")
    if campaign_id is not None:
        looks = looks.filter(campaign_id=campaign_id)
    return (looks.filter(started_at__lte=until) if until is not None else looks).count()


def golden_look_of(slug: str) -> EvaluationPass | None:
    """The deciding look that was made for this experiment: its first, on the base that it was tested on."""
    looks = EvaluationPass.objects.filter(experiment=slug, split="golden", purpose="gate")
    return looks.order_by("started_at").first()


def golden_look_number(look: EvaluationPass) -> int:
    """Which of its campaign's deciding looks this one was, counted from 1 (of the data set's, without a campaign)."""
    return golden_looks(dataset=look.dataset, campaign_id=look.campaign_id, until=look.started_at)


def experiment_named(key: str) -> Experiment:
    """The mission names an experiment by its slug; its uuid does too. Raises `NotFound`."""
    try:
        by_id = Experiment.objects.filter(id=uuid.UUID(key)).first()
    except ValueError:
        by_id = None
    return by_id or experiment_by_slug(key)


def experiment_by_slug(slug: str) -> Experiment:
    found = Experiment.objects.filter(slug=slug).first()
    if found is None:
        raise NotFound(f"there is no experiment {slug!r}")
    return found


def result_of(slug: str) -> ExperimentResult | None:
    return ExperimentResult.objects.filter(experiment_id=slug).first()


def ledger_stream(*, dataset: str) -> str:
    """The stream of the ledger that experiments on this data set belong to."""
    return f"{dataset}/validation"


def ledger_entries(*, stream: str) -> list[DiscoveryEntry]:
    """The ledger of a stream, in order."""
    return list(DiscoveryEntry.objects.filter(stream=stream).order_by("place"))


def ledger_entry_of(slug: str) -> DiscoveryEntry | None:
    return DiscoveryEntry.objects.filter(experiment=slug).first()


def ledger_standing() -> list[DiscoveryEntry]:
    """The last entry of each stream: what was spent there, what is left, and what the next one must meet."""
    return list(DiscoveryEntry.objects.order_by("stream", "-place").distinct("stream"))
