"""The golden set: read after its seal was checked, sealed anew by a person's hand, never changed in silence.

A data set's golden examples are sealed with a number. A campaign is measured on the set that was in force when it
began, so that its before and after are the same questions; whoever begins later gets the newer set.
"""

from __future__ import annotations

import uuid
from collections.abc import Iterable, Sequence
from datetime import datetime

from django.db.models import QuerySet

from contracts.actor import Actor, component
from experiments.domain.examples import ExampleValue, example_digest, seal_hash
from experiments.golden_access import golden_access
from experiments.golden_files import BUNDLED, files_problems
from experiments.models import Dataset, GoldenExample, GoldenSeal
from experiments.selectors import dataset_by_name, example_value
from incidents.services import incident_open
from kernel.canonical import derive_uuid
from kernel.errors import Conflict
from sensor.selectors import consent_withdrawn

GUARD = component("golden-guard")
_NAMED = 5


def golden_examples(*, dataset: str, at: datetime | None = None) -> list[ExampleValue]:
    """The golden examples in force at `at` (now, when None), after their seal was checked.

    What differs from the seal opens a critical incident at once and raises `Conflict`: nothing is decided on it.
    An example made of a real exchange is left out from the moment its person withdrew the consent.
    """
    seal = golden_seal(dataset=dataset, at=at)
    values = golden_values(seal=seal)
    difference = _difference(seal, values) or _difference_of_files(dataset)
    if difference:
        raise _refused(dataset, seal, values, difference)
    gone = golden_withdrawn(seal)
    return [value for value in values if value.external_id not in gone]


def golden_seal(*, dataset: str, at: datetime | None = None) -> GoldenSeal:
    """The seal in force at a moment; before the first one, the first. Raises `NotFound` for an unknown data set,
    `Conflict` when golden was never sealed."""
    seals = GoldenSeal.objects.filter(dataset=dataset_by_name(dataset)).select_related("dataset").order_by("number")
    found = seals.filter(created_at__lte=at).last() if at is not None else seals.last()
    found = found or seals.first()
    if found is None:
        raise Conflict(f"the golden set of {dataset!r} was never sealed: load the data set anew")
    return found


def seals_until(seal: GoldenSeal) -> QuerySet[GoldenSeal]:
    """The seals of the same set up to this one."""
    return GoldenSeal.objects.filter(dataset_id=seal.dataset_id, number__lte=seal.number)


def golden_values(*, seal: GoldenSeal) -> list[ExampleValue]:
    """The examples of one seal, unchecked: for whoever checks or edits the set."""
    with golden_access():
        rows = list(
            GoldenExample.objects.filter(dataset_id=seal.dataset_id, added_in__lte=seal.number)
            .exclude(retired_in__lte=seal.number)
            .order_by("external_id")
        )
    return [example_value(row) for row in rows]


def golden_from_people(seal: GoldenSeal) -> dict[str, uuid.UUID]:
    """Examples of the seal (retired ones too) that were made of a real exchange → the run of that exchange."""
    rows = seals_until(seal).exclude(source_run=None).values_list("example", "source_run")
    return {example: run for example, run in rows if run is not None}


def golden_withdrawn(seal: GoldenSeal) -> set[str]:
    """Examples whose person does not consent any more: they are not asked."""
    sources = golden_from_people(seal)
    gone = consent_withdrawn(run_ids=list(sources.values()))
    return {example for example, run in sources.items() if run in gone}


def golden_sources() -> set[uuid.UUID]:
    """Real exchanges that became golden examples, retired ones too: they must not be learnt from. Ids only."""
    runs = GoldenSeal.objects.exclude(source_run=None).values_list("source_run", flat=True)
    return {run for run in runs if run is not None}


def golden_store(*, dataset: Dataset, values: Sequence[ExampleValue], actor: Actor, reason: str) -> GoldenSeal:
    """Put a new data set's golden examples in and seal them as number 1."""
    with golden_access():
        GoldenExample.objects.bulk_create(golden_row(dataset, value) for value in values)
        return GoldenSeal.objects.create(
            dataset=dataset,
            number=1,
            content_hash=seal_hash(values),
            digests=digests(values),
            change="loaded",
            reason=reason,
            actor=actor.label,
        )


def golden_row(dataset: Dataset, value: ExampleValue, *, added_in: int = 1) -> GoldenExample:
    return GoldenExample(**example_columns(dataset, value), added_in=added_in)


def digests(values: Iterable[ExampleValue]) -> dict[str, str]:
    return {value.external_id: example_digest(value) for value in values}


def example_columns(dataset: Dataset, value: ExampleValue) -> dict[str, object]:
    """An example as columns of its table; its id derives from data set and name."""
    return {
        "id": derive_uuid("example", dataset.name, value.external_id),
        "dataset": dataset,
        "external_id": value.external_id,
        "user_id": value.user_id,
        "query": value.query,
        "asked_at": value.asked_at,
        "expected_memory_ids": list(value.expected_memory_ids),
        "key_facts": list(value.key_facts),
        "forbidden": list(value.forbidden),
        "should_retrieve": value.should_retrieve,
        "category": value.category,
        "difficulty": value.difficulty,
        "cluster": value.cluster,
    }


def _difference(seal: GoldenSeal, values: Sequence[ExampleValue]) -> str:
    """How the rows differ from the seal, in words; empty when they do not. Two records must agree with them."""
    if seal_hash(values) == seal.content_hash:
        newest = not GoldenSeal.objects.filter(dataset_id=seal.dataset_id, number__gt=seal.number).exists()
        if newest and seal.dataset.golden_hash != seal.content_hash:
            return "the hash on the data set is not the one of its seal"
        return ""
    now = digests(values)
    parts = {
        "changed": [name for name in seal.digests.keys() & now.keys() if seal.digests[name] != now[name]],
        "missing": list(seal.digests.keys() - now.keys()),
        "added": list(now.keys() - seal.digests.keys()),
    }
    told = [f"{len(names)} {what} ({_few(names)})" for what, names in parts.items() if names]
    return "; ".join(told) or "the recorded hash was changed"


def _few(names: list[str]) -> str:
    shown = ", ".join(sorted(names)[:_NAMED])
    return shown if len(names) <= _NAMED else f"{shown} and others"


def _difference_of_files(dataset: str) -> str:
    return "; ".join(files_problems()) if dataset == BUNDLED else ""


def _refused(dataset: str, seal: GoldenSeal, values: Sequence[ExampleValue], difference: str) -> Conflict:
    actual = seal_hash(values)
    text = (
        f"the golden set of {dataset!r} is not the one that was sealed: {difference}; its hash is {actual[:12]}…, "
        f"recorded is {seal.content_hash[:12] or 'nothing'}… (seal {seal.number}); restore it or load it anew"
    )
    incident_open(
        kind="golden_seal",
        severity="critical",
        title=f"The golden set of {dataset} is not the one that was sealed",
        detail=text,
        subject=f"golden:{dataset}",
        actor=GUARD,
    )
    return Conflict(text, details={"recorded": seal.content_hash, "actual": actual, "seal": seal.number})
