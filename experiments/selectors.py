"""Reads of experiments and data sets. Golden content is read here only, for the runner."""

from __future__ import annotations

import uuid

from experiments.domain.examples import ExampleValue, content_hash
from experiments.domain.lifecycle import ExperimentStatus
from experiments.models import Dataset, EvaluationExample, EvaluationPass, Experiment, ExperimentResult, GoldenExample
from kernel.errors import Conflict, NotFound


def dataset_by_name(name: str) -> Dataset:
    """Raise `NotFound` with the names that exist."""
    found = Dataset.objects.filter(name=name).first()
    if found is None:
        known = list(Dataset.objects.values_list("name", flat=True))
        raise NotFound(f"there is no data set {name!r}; known: {', '.join(known) or 'none yet'}")
    return found


def _value(row: EvaluationExample | GoldenExample) -> ExampleValue:
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
    return [_value(row) for row in rows]


def golden_examples(*, dataset: str) -> list[ExampleValue]:
    """Golden examples, after their seal was checked. Raises `Conflict` when the content has changed."""
    sealed = dataset_by_name(dataset).golden_hash
    values = [_value(row) for row in GoldenExample.objects.filter(dataset__name=dataset).order_by("external_id")]
    actual = content_hash(values)
    if actual != sealed:
        raise Conflict(
            f"the golden set of {dataset!r} is not the one that was sealed: its hash is {actual[:12]}…, "
            f"recorded is {sealed[:12] or 'nothing'}…; restore it or load it anew",
            details={"recorded": sealed, "actual": actual},
        )
    return values


def split_sizes(*, dataset: str) -> dict[str, int]:
    sizes = {
        split: EvaluationExample.objects.filter(dataset__name=dataset, split=split).count()
        for split in ("train", "validation")
    }
    sizes["golden"] = GoldenExample.objects.filter(dataset__name=dataset).count()
    return sizes


def golden_looks(*, dataset: str) -> int:
    """Passes over the golden set that decided a change; monitoring passes are not looks."""
    return EvaluationPass.objects.filter(dataset=dataset, split="golden", purpose="gate").count()


def experiment_by_slug(slug: str) -> Experiment:
    found = Experiment.objects.filter(slug=slug).first()
    if found is None:
        raise NotFound(f"there is no experiment {slug!r}")
    return found


def factors_tested_elsewhere(*, campaign_id: uuid.UUID) -> set[str]:
    """Factors that another campaign's experiment is testing now: a parameter is under one test at a time."""
    running = Experiment.objects.filter(status=ExperimentStatus.RUNNING).exclude(campaign_id=campaign_id)
    return set(running.values_list("factor", flat=True))


def result_of(slug: str) -> ExperimentResult | None:
    return ExperimentResult.objects.filter(experiment_id=slug).first()
