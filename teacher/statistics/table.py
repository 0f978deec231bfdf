"""From runs to one number per example and arm: replicates averaged, failures priced, absences told apart."""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from functools import cached_property

import numpy as np
from numpy.typing import NDArray

from contracts.evaluation import Sample
from teacher.statistics.clusters import Floats, Ints

Flags = NDArray[np.bool_]

_ABSENT = object()


@dataclass(frozen=True)
class Column:
    """One metric under one arm, a row per example: NaN where there is no value.

    `missing`: a run of the example measured None, or (paired) the example was not run. `inapplicable`: the metric
    does not apply to the example's runs.
    """

    values: Floats
    missing: Flags
    inapplicable: Flags


@dataclass(frozen=True)
class Arm:
    """One arm: its examples in order, with the runs of each."""

    name: str
    examples: tuple[str, ...]
    runs: tuple[tuple[Sample, ...], ...]

    @cached_property
    def _single_runs(self) -> list[dict[str, float | None]] | None:
        """The metrics of each example's one run; None where an example has more, or none."""
        if any(len(runs) != 1 for runs in self.runs):
            return None
        return [runs[0].metrics for runs in self.runs]

    def _whole_column(self, source: str) -> Column | None:
        """The usual case, quickly: one run per example, each with a value."""
        if self._single_runs is None or source == "error_rate":
            return None
        raw = [metrics.get(source) for metrics in self._single_runs]
        if None in raw:
            return None
        values = np.array(raw, dtype=np.float64)
        if not np.isfinite(values).all():
            return None
        none = np.zeros(values.size, dtype=np.bool_)
        return Column(values, none, none)

    @cached_property
    def failed(self) -> Flags:
        """Per example: did a run fail?"""
        return np.array([any(run.failed for run in runs) for runs in self.runs], dtype=np.bool_)

    @cached_property
    def clusters(self) -> list[str | None] | None:
        """Per example: the cluster that its runs name, the first in order when they differ. None: no run names one."""
        named = [one_cluster(run.cluster for run in runs) for runs in self.runs]
        return named if any(name is not None for name in named) else None

    def column(self, source: str, *, worst: float | None) -> Column:
        """`source` of every example; a failed run without a value counts as `worst`, or is left out."""
        whole = self._whole_column(source)
        if whole is not None:
            return whole
        size = len(self.runs)
        values = np.full(size, np.nan)
        missing = np.zeros(size, dtype=np.bool_)
        inapplicable = np.zeros(size, dtype=np.bool_)
        for row, runs in enumerate(self.runs):
            if not runs:
                missing[row] = True
                continue
            found: list[float] = []
            left_out = False
            for run in runs:
                value = _value(run, source)
                if isinstance(value, float):
                    found.append(value)
                elif run.failed:
                    if worst is not None:
                        found.append(worst)
                    left_out = True
                elif value is None:
                    missing[row] = True
            if found:
                values[row] = found[0] if len(found) == 1 else math.fsum(found) / len(found)
            elif not missing[row] and not left_out:
                inapplicable[row] = True
        return Column(values, missing, inapplicable)


def _value(run: Sample, source: str) -> float | object | None:
    """A float, None (not measured) or `_ABSENT` (does not apply). `error_rate` reads `failed`."""
    if source == "error_rate":
        return 1.0 if run.failed else 0.0
    value = run.metrics.get(source, _ABSENT)
    if value is None or value is _ABSENT:
        return value
    number = float(value)  # type: ignore[arg-type]  # what is neither None nor the marker is a float by contract
    return number if math.isfinite(number) else None


def one_cluster(names: Iterable[str | None]) -> str | None:
    """The first in order of the names given; None without any."""
    return min((name for name in names if name is not None), default=None)


def arms(samples: Sequence[Sample], names: Sequence[str]) -> dict[str, Arm]:
    """One `Arm` per name, examples sorted by id; samples of other variants are not looked at."""
    cells: dict[str, dict[str, list[Sample]]] = {name: {} for name in names}
    for sample in samples:
        arm = cells.get(sample.variant)
        if arm is not None:
            arm.setdefault(sample.example_id, []).append(sample)
    built = {}
    for name, arm in cells.items():
        order = sorted(arm)
        built[name] = Arm(name, tuple(order), tuple(tuple(arm[example]) for example in order))
    return built


def aligned(baseline: Arm, variant: Arm) -> tuple[Arm, Arm]:
    """Both arms over the union of their examples; an example that an arm lacks has no runs there."""
    if baseline.examples == variant.examples:
        return baseline, variant
    union = tuple(sorted({*baseline.examples, *variant.examples}))

    def spread(arm: Arm) -> Arm:
        held = dict(zip(arm.examples, arm.runs, strict=True))
        return Arm(arm.name, union, tuple(held.get(example, ()) for example in union))

    return spread(baseline), spread(variant)


def cluster_codes(baseline: Sequence[str | None], variant: Sequence[str | None]) -> tuple[Ints, Ints] | None:
    """Numbers for the clusters of both arms' examples, shared between arms; None when no cluster holds two of one arm.

    An example without a cluster is a cluster of its own.
    """
    numbers: dict[str, int] = {}
    lonely = 0
    coded: list[list[int]] = []
    for arm in (baseline, variant):
        row = []
        for name in arm:
            if name is None:
                lonely += 1
                row.append(-lonely)
            else:
                row.append(numbers.setdefault(name, len(numbers)))
        coded.append(row)
    if all(len(set(row)) == len(row) for row in coded):
        return None
    first, second = (np.array([code if code >= 0 else len(numbers) - 1 - code for code in row]) for row in coded)
    return first.astype(np.int64), second.astype(np.int64)


def dense(codes: Ints) -> Ints:
    """The same groups, numbered 0 … groups − 1 without gaps."""
    return np.unique(codes, return_inverse=True)[1].astype(np.int64)
