"""Golden sets for their pages: how each stands, what it holds, and real exchanges that could join one."""

from __future__ import annotations

import uuid
from collections.abc import Sequence
from dataclasses import dataclass

from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from experiments.domain.examples import ExampleValue
from experiments.golden import (
    golden_examples,
    golden_from_people,
    golden_seal,
    golden_sources,
    golden_values,
    golden_withdrawn,
)
from experiments.models import Dataset, GoldenSeal
from experiments.selectors import golden_looks
from kernel.errors import Conflict
from manager.services.policy import policy_current
from sensor.selectors import ConsentedExchange, consented_exchanges


@dataclass(frozen=True, slots=True)
class GoldenSet:
    """`problem`: why the set is not the one that was sealed; empty when it is. `asked`: examples that are asked, which
    leaves out those whose person withdrew the consent."""

    seal: GoldenSeal
    asked: int
    problem: str
    looks: int
    budget: int

    @property
    def withdrawn(self) -> int:
        return 0 if self.problem else self.seal.size - self.asked


@dataclass(frozen=True, slots=True)
class Shown:
    value: ExampleValue
    real: bool
    withdrawn: bool


def golden_sets() -> list[GoldenSet]:
    """Every data set whose golden set was ever sealed, checked now."""
    budget = policy_current().golden_budget
    return [_set(name, budget) for name in Dataset.objects.filter(seals__isnull=False).distinct()]


def _set(dataset: Dataset, budget: int) -> GoldenSet:
    seal = golden_seal(dataset=dataset.name)
    problem, asked = "", 0
    try:
        asked = len(golden_examples(dataset=dataset.name))
    except Conflict as error:
        problem = error.message
    return GoldenSet(seal, asked, problem, golden_looks(dataset=dataset.name), budget)


def golden_shown(seal: GoldenSeal) -> list[Shown]:
    """What the set holds, for people."""
    real, gone = golden_from_people(seal), golden_withdrawn(seal)
    return [Shown(value, value.external_id in real, value.external_id in gone) for value in golden_values(seal=seal)]


def golden_history(seal: GoldenSeal) -> list[GoldenSeal]:
    return list(GoldenSeal.objects.filter(dataset_id=seal.dataset_id).order_by("-number")[:20])


def exchanges_to_choose() -> list[ConsentedExchange]:
    """Real exchanges of people who agreed, newest first, without those that are golden already."""
    taken: set[uuid.UUID] = golden_sources()
    return [item for item in consented_exchanges(limit=100) if item.run_id not in taken]


def golden_news(sets: Sequence[GoldenSet]) -> str:
    broken = [item for item in sets if item.problem]
    if broken:
        return ngettext(
            "A golden set is not the one that was sealed. Nothing is decided on it.",
            "%(n)s golden sets are not the ones that were sealed. Nothing is decided on them.",
            len(broken),
        ) % {"n": len(broken)}
    if not sets:
        return _("No golden set is here yet.")
    total = sum(item.seal.size for item in sets)
    return ngettext(
        "%(total)s golden examples in one set, unchanged since it was sealed.",
        "%(total)s golden examples in %(n)s sets, unchanged since they were sealed.",
        len(sets),
    ) % {"total": total, "n": len(sets)}
