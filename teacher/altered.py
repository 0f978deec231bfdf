"""Which of the stored samples is not the one that a verdict was made from, and what stood there."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from experiments.domain.digests import row_digest
from experiments.models import EvaluationPass, ExperimentResult
from kernel.canonical import canonical_json
from teacher.aggregator import samples_read

TOLD = 3
"""Rows that are named one by one; of more than these their number is told."""

Row = Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class AlteredRow:
    """A sample that does not fit its fingerprint. `row` counts from 1.

    `field` is a metric, or another part of the sample; empty when it cannot be known which one was altered. `was` is
    proven: with it the row has its fingerprint again.
    """

    row: int
    example: str
    arm: str
    field: str = ""
    stored: Any = None
    was: Any = None

    @property
    def words(self) -> str:
        where = f"row {self.row} (example {self.example}, arm {self.arm})"
        if not self.field:
            return f"{where} is not as it was"
        return f"{where}: {self.field} is {_shown(self.stored)}, was {_shown(self.was)}"


def _shown(value: Any) -> str:
    return "missing" if value is None else str(value)


def alterations(stored: ExperimentResult) -> tuple[str, tuple[AlteredRow, ...]]:
    """In words what differs from the samples that the verdict was made from, and the rows that do. Changes nothing."""
    what = "the stored samples are not the ones that the verdict was made from"
    if not stored.sample_digests:
        return f"{what} (hash differs; this result is older than fingerprints of single rows)", ()
    before = [(example, arm) for example, arm, _ in stored.sample_digests]
    now = [(row["example_id"], row["variant"]) for row in stored.samples]
    if len(now) != len(before):
        gone, new = [key for key in before if key not in set(now)], [key for key in now if key not in set(before)]
        named = [f"{example}, arm {arm}, is gone" for example, arm in gone[:TOLD]]
        named += [f"{example}, arm {arm}, is new" for example, arm in new[:TOLD]]
        return f"{what}: {len(now)} rows instead of {len(before)}" + "".join(f"; {text}" for text in named), ()
    wrong = [
        place
        for place, (row, (_, _, digest)) in enumerate(zip(stored.samples, stored.sample_digests, strict=True))
        if row_digest(row) != digest
    ]
    if not wrong:
        return f"{what} (hash differs, while each row fits its own fingerprint: those were altered too)", ()
    rows = tuple(row for place in wrong for row in _altered(stored, place))
    words = "; ".join(row.words for row in rows[:TOLD])
    return f"{what}: {words}" + (f"; and {len(rows) - TOLD} more" if len(rows) > TOLD else ""), rows


def _altered(stored: ExperimentResult, place: int) -> list[AlteredRow]:
    row = stored.samples[place]
    example, arm, digest = stored.sample_digests[place]
    for guess in _guesses(stored, place, (example, arm)):
        if row_digest(guess) == digest:
            return [AlteredRow(place + 1, example, arm, *part) for part in _parts(row, guess)]
    return [AlteredRow(place + 1, example, arm)]


def _guesses(stored: ExperimentResult, place: int, key: tuple[str, str]) -> Iterator[dict[str, Any]]:
    """What the row may have been; its fingerprint says which guess is right.

    First what the Sensor still has of the run, then the row with one of its parts as another row has it: most metrics
    of one question have few possible values.
    """
    row = stored.samples[place]
    passes = EvaluationPass.objects.filter(experiment=stored.experiment_id, purpose="experiment")
    for sample in (sample for batch in passes.values_list("batch", flat=True) for sample in samples_read(batch=batch)):
        if (sample.example_id, sample.variant) == key:
            recorded = sample.model_dump(mode="json")
            yield recorded
            metrics = {name: value for name, value in recorded["metrics"].items() if name in row["metrics"]}
            yield {**recorded, "metrics": metrics}
    yield {**row, "example_id": key[0], "variant": key[1]}
    for name in sorted({name for other in stored.samples for name in other["metrics"]}):
        for value in _values(other["metrics"].get(name) for other in stored.samples):
            yield {**row, "metrics": {**row["metrics"], name: value}}
        yield {**row, "metrics": {other: value for other, value in row["metrics"].items() if other != name}}
    for name in sorted(set(row) - {"metrics"}):
        for value in _values(other.get(name) for other in stored.samples):
            yield {**row, name: value}
    yield {**row, "failed": not row["failed"]}


def _values(found: Iterator[Any]) -> Sequence[Any]:
    return list({canonical_json(value): value for value in (*found, None)}.values())


def _parts(row: Row, was: Row) -> Iterator[tuple[str, Any, Any]]:
    """(part, stored, was) wherever the two differ; metrics one by one."""
    flat, before = ({**item, **item["metrics"]} for item in (row, was))
    for name in sorted({*flat, *before} - {"metrics"}):
        if canonical_json(flat.get(name)) != canonical_json(before.get(name)):
            yield name, flat.get(name), before.get(name)
