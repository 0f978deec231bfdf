"""Golden examples made by hand from real conversations, and taken out again. Each change seals the set anew.

Only a person makes one, of an exchange whose user consents; the text is masked, the memories stay the user's own.
"""

from __future__ import annotations

import uuid
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import timedelta
from typing import get_args

from django.db import transaction
from django.db.models import Q

from audit.services import chain_lock, entry_append
from contracts.actor import Actor, Role
from contracts.dialogue import Category, Difficulty
from emulator.duplicates import Said, near_pairs
from experiments.datasets import dataset_name_check
from experiments.domain.examples import ExampleValue, seal_hash
from experiments.golden import digests, golden_examples, golden_row, golden_seal, golden_values
from experiments.golden_access import golden_access
from experiments.models import Dataset, EvaluationExample, GoldenExample, GoldenSeal
from kernel.errors import Conflict, InvalidInput, NotFound
from maas import client as maas_client
from sensor.domain.masking import mask
from sensor.selectors import ConsentedExchange, consented_exchanges

REAL = "real"
"""The data set for golden examples from real conversations, unless another is chosen."""
CATEGORIES: tuple[str, ...] = get_args(Category)
DIFFICULTIES: tuple[str, ...] = get_args(Difficulty)
_JUST_BEFORE = timedelta(microseconds=1)
"""The memory that the exchange itself left may carry the moment of asking; it is not to be found."""
_LONGEST = 2000


@dataclass(frozen=True, slots=True)
class GoldenDraft:
    """What a person made of a real exchange. `query` may be reworded; who asked and when comes from the Sensor."""

    run_id: uuid.UUID
    query: str
    expected_memory_ids: tuple[uuid.UUID, ...]
    category: str
    difficulty: str
    key_facts: tuple[str, ...] = ()
    forbidden: tuple[str, ...] = ()


def exchange_of(run_id: uuid.UUID) -> ConsentedExchange:
    """Raise `NotFound` for a run that is no real exchange, or whose person does not consent (any more)."""
    found = consented_exchanges(run_id=run_id)
    if not found:
        raise NotFound("there is no such exchange of a person who agreed that it may be learnt from")
    return found[0]


def exchange_memories(exchange: ConsentedExchange) -> list[tuple[uuid.UUID, str]]:
    """The person's memories that could have been found then, newest first, masked."""
    rows = maas_client.memories_of(user_id=exchange.user_id, before=exchange.asked_at - _JUST_BEFORE)
    return [(row.memory_id, mask(row.text).text) for row in rows]


def golden_preview(*, draft: GoldenDraft, dataset: str) -> tuple[ExampleValue, list[str]]:
    """The example as it would be sealed, and what a person should look at first. Changes nothing.

    Raises `InvalidInput` naming the field, `NotFound` without consent, `Conflict` when the exchange is golden already.
    """
    dataset_name_check(dataset)
    exchange = exchange_of(draft.run_id)
    value = _value(draft, exchange)
    seals = GoldenSeal.objects.filter(dataset__name=dataset)
    if seals.filter(Q(source_run=draft.run_id) | Q(digests__has_key=value.external_id)).exists():
        raise Conflict(f"this exchange is or was a golden example of {dataset!r} already")
    return value, _warnings(value)


def golden_example_add(*, draft: GoldenDraft, dataset: str, reason: str, actor: Actor) -> GoldenSeal:
    """Add the example and seal the set anew, under the next number; the change log says who, why, old and new hash.

    1. The set as it is must be the one that was sealed. 2. The row and the new seal are written together. 3. Campaigns
    that run keep the set that they began with; later ones get this one.
    """
    actor.require(Role.META_USER)
    _refuse_without(reason)
    value, _ = golden_preview(draft=draft, dataset=dataset)
    if Dataset.objects.filter(name=dataset).exists():
        golden_examples(dataset=dataset)  # outside the transaction: the incident of a broken seal must stay
    with transaction.atomic():
        chain_lock()  # of two who seal at once the second sees the first
        row = _dataset(dataset)
        last = GoldenSeal.objects.filter(dataset=row).order_by("number").last()
        held = _held(last)
        if EvaluationExample.objects.filter(dataset=row, user_id=value.user_id).exists():
            raise InvalidInput("questions of this person are in another split of the data set: choose another")
        number = last.number + 1 if last else 1
        with golden_access():
            golden_row(row, value, added_in=number).save(force_insert=True)
        return _seal(row, last, [*held, value], "added", value.external_id, reason, actor, source=draft.run_id)


def golden_example_retire(*, dataset: str, example: str, reason: str, actor: Actor) -> GoldenSeal:
    """Leave the example out from the next seal on. The row stays, and the seals that held it can still be checked."""
    actor.require(Role.META_USER)
    _refuse_without(reason)
    golden_examples(dataset=dataset)
    with transaction.atomic():
        chain_lock()
        last = golden_seal(dataset=dataset)
        held = _held(last)
        left = [value for value in held if value.external_id != example]
        if len(left) == len(held):
            raise NotFound(f"the golden set of {dataset!r} holds no example {example!r}")
        with golden_access():
            rows = GoldenExample.objects.filter(dataset_id=last.dataset_id, external_id=example, retired_in=None)
            rows.update(retired_in=last.number + 1)
        return _seal(last.dataset, last, left, "retired", example, reason, actor)


def _held(seal: GoldenSeal | None) -> list[ExampleValue]:
    if seal is None:
        return []
    held = golden_values(seal=seal)
    if seal_hash(held) != seal.content_hash:
        raise Conflict("the golden set changed at this very moment: nothing was sealed")
    return held


def _seal(
    dataset: Dataset,
    last: GoldenSeal | None,
    values: Sequence[ExampleValue],
    change: str,
    example: str,
    reason: str,
    actor: Actor,
    *,
    source: uuid.UUID | None = None,
) -> GoldenSeal:
    with golden_access():
        seal = GoldenSeal.objects.create(
            dataset=dataset,
            number=last.number + 1 if last else 1,
            content_hash=seal_hash(values),
            digests=digests(values),
            change=change,
            example=example,
            source_run=source,
            reason=reason.strip(),
            actor=actor.label,
        )
    if seal_hash(golden_values(seal=seal)) != seal.content_hash:
        raise Conflict("the rows are not the ones that were to be sealed: nothing was sealed")
    Dataset.objects.filter(pk=dataset.pk).update(golden_hash=seal.content_hash)
    entry_append(
        actor=actor,
        action=f"golden.{change}",
        subject_type="dataset",
        subject_id=dataset.name,
        before={"seal": last.number, "golden_hash": last.content_hash} if last else None,
        after={"seal": seal.number, "golden_hash": seal.content_hash, "example": example},
        reason=reason.strip(),
    )
    return seal


def _dataset(name: str) -> Dataset:
    found, _ = Dataset.objects.get_or_create(name=name, defaults={"source": "golden examples from real conversations"})
    return found


def _value(draft: GoldenDraft, exchange: ConsentedExchange) -> ExampleValue:
    query = mask(draft.query.strip()).text
    if not 0 < len(query) <= _LONGEST:
        raise InvalidInput(f"the question needs 1 to {_LONGEST} characters", details={"field": "query"})
    if draft.category not in CATEGORIES:
        raise InvalidInput(f"choose a category: {', '.join(CATEGORIES)}", details={"field": "category"})
    if draft.difficulty not in DIFFICULTIES:
        raise InvalidInput(f"choose a difficulty: {', '.join(DIFFICULTIES)}", details={"field": "difficulty"})
    expected = tuple(dict.fromkeys(draft.expected_memory_ids))
    strange = set(expected) - {memory_id for memory_id, _ in exchange_memories(exchange)}
    if strange:
        raise InvalidInput("an expected memory is not this person's, or was made later", details={"field": "expected"})
    if bool(expected) is (draft.category == "negative"):
        raise InvalidInput(
            "a negative example expects no memory" if expected else "choose the memories that the answer needs",
            details={"field": "expected"},
        )
    return ExampleValue(
        external_id=f"real/{exchange.run_id}",
        user_id=exchange.user_id,
        query=query,
        asked_at=exchange.asked_at - _JUST_BEFORE,
        expected_memory_ids=expected,
        should_retrieve=bool(expected),
        category=draft.category,
        difficulty=draft.difficulty,
        cluster=f"real/{exchange.user_id}",
        key_facts=_masked(draft.key_facts),
        forbidden=_masked(draft.forbidden),
    )


def _masked(texts: Sequence[str]) -> tuple[str, ...]:
    return tuple(mask(text.strip()).text for text in texts if text.strip())


def _warnings(value: ExampleValue) -> list[str]:
    """Questions of learning that say nearly the same, and truth that cannot be judged well."""
    new = Said("golden", value.external_id, value.query)
    rows = EvaluationExample.objects.values_list("dataset__name", "split", "external_id", "query")
    known = [Said(split, f"{dataset}: {name}", query) for dataset, split, name, query in rows]
    near = [pair for pair in near_pairs([*known, new]) if new in (pair.one, pair.other)]
    found = [
        f"nearly the same question is in {other.split} ({other.where}): {other.text}"
        for pair in near[:3]
        for other in (pair.one if pair.other == new else pair.other,)
    ]
    if value.should_retrieve and not value.key_facts:
        found.append("no key facts are named: only retrieval is measured, not what the answer says")
    if any(fact.casefold() in value.query.casefold() for fact in value.key_facts):
        found.append("the question itself says a key fact")
    return found


def _refuse_without(reason: str) -> None:
    if not reason.strip():
        raise InvalidInput("sealing the golden set anew needs a reason", details={"field": "reason"})
