"""The ledger of false discoveries in the loop: each verdict enters it once, in order, and meets its level there.

The level decides about automatic application only. Above it a winner stays a winner, and waits for a person.
"""

from __future__ import annotations

from django.db import connection, transaction

from contracts.evaluation import Evaluation
from contracts.experiment_spec import ExperimentSpec
from experiments.models import DiscoveryEntry
from experiments.selectors import experiment_by_slug, ledger_entries, ledger_entry_of, ledger_stream, result_of
from kernel.errors import NotFound
from teacher.statistics.ledger import Ledger, LedgerEntry, ledger_p

_LOCK = "SELECT pg_advisory_xact_lock(hashtextextended('discovery_ledger', 0))"
"""A level rests on all entries before it, so they are made one after the other."""


@transaction.atomic
def discovery_enter(*, slug: str) -> DiscoveryEntry:
    """The ledger's entry of an experiment that has its verdict; made now, when it is not there yet.

    An experiment whose verdict rests on nothing that could be tested enters with p = 1 and the reason. Raises
    `NotFound` before the verdict.
    """
    found = ledger_entry_of(slug)
    if found is not None:
        return found
    result = result_of(slug)
    if result is None:
        raise NotFound(f"experiment {slug!r} has no verdict that the ledger could take")
    p_value, untested = ledger_p(
        ExperimentSpec.from_mission_json(result.spec), Evaluation.model_validate(result.evaluation)
    )
    stream = ledger_stream(dataset=experiment_by_slug(slug).dataset)
    with connection.cursor() as cursor:
        cursor.execute(_LOCK)
    found = ledger_entry_of(slug)  # another worker may have been first
    if found is not None:
        return found
    before = ledger_of(stream)
    after = before.record(slug, p_value)
    entry = after.entries[-1]
    return DiscoveryEntry.objects.create(
        stream=stream,
        place=len(after.entries),
        experiment=slug,
        p_value=p_value,
        untested=untested,
        level=entry.level,
        discovery=entry.discovery,
        candidate=entry.candidate,
        spent=after.spent,
        left=after.left,
        next_level=after.next_level(),
    )


def ledger_of(stream: str) -> Ledger:
    """The stream's ledger as it stands."""
    return Ledger(
        entries=tuple(
            LedgerEntry(row.experiment, row.p_value, row.level, row.discovery, row.candidate)
            for row in ledger_entries(stream=stream)
        )
    )


def above_level(entry: DiscoveryEntry) -> str:
    """Why a winner must wait for a person, in words; empty when its p meets the level."""
    if entry.discovery:
        return ""
    if entry.untested:
        return f"the ledger of false discoveries could not take it as tested: {entry.untested}"
    return (
        f"p = {entry.p_value:.2g} is above {entry.level:.2g}, the level that the ledger of false discoveries leaves "
        f"for experiment {entry.place} on {entry.stream}: among so many tries such a p may be chance"
    )
