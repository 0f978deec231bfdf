"""One metric under two arms: what can be compared, what cannot, and by which test."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property

import numpy as np

from kernel.canonical import derive_seed
from teacher.statistics.clusters import Floats, Ints, MeanVariance, OneClusterError, paired_variance, unpaired_variance
from teacher.statistics.inference import Inference, NotInferable
from teacher.statistics.kinds import MetricKind
from teacher.statistics.means import ONE_CLUSTER, paired_mean, unpaired_mean
from teacher.statistics.paired_proportions import PairedProportions
from teacher.statistics.proportions import TwoProportions
from teacher.statistics.quantiles import quantile_difference
from teacher.statistics.table import Arm, Column, Flags, cluster_codes, dense, one_cluster


@dataclass(frozen=True)
class Comparison:
    """The values of one metric that enter its test, beside the columns that they come from."""

    metric: str
    kind: MetricKind
    paired: bool
    baseline: Floats
    variant: Floats
    codes: tuple[Ints, Ints] | None
    columns: tuple[Column, Column]
    seed: int

    @cached_property
    def n(self) -> int:
        """Complete pairs, or the smaller arm."""
        return int(min(self.baseline.size, self.variant.size))

    @property
    def baseline_value(self) -> float | None:
        return summary(self.baseline, self.kind)

    @property
    def variant_value(self) -> float | None:
        return summary(self.variant, self.kind)

    def inference(self, *, guard: bool) -> Inference | NotInferable:
        """The test for this metric, design and purpose."""
        if self.n == 0:
            return NotInferable(f"no {'complete pair' if self.paired else 'example in one of the arms'} has a value")
        if self.n < 2:
            return NotInferable("one value tells nothing about variation")
        if self.kind.family == "quantile":
            assert self.kind.quantile is not None  # noqa: S101 - the catalogue gives every quantile metric one
            return quantile_difference(
                self.variant,
                self.baseline,
                quantile=self.kind.quantile,
                paired=self.paired,
                codes=self.codes,
                seed=self.seed,
            )
        if self.kind.family == "binary" and _all_binary(self.baseline) and _all_binary(self.variant):
            return self._binary(guard=guard)
        ratio = self.kind.family == "ratio"
        if self.paired:
            codes = None if self.codes is None else dense(self.codes[0])
            return paired_mean(self.variant, self.baseline, codes=codes, span=self.kind.span, ratio=ratio)
        both = None if self.codes is None else (self.codes[1], self.codes[0])
        return unpaired_mean(self.variant, self.baseline, codes=both, span=self.kind.span, ratio=ratio)

    def _binary(self, *, guard: bool) -> Inference | NotInferable:
        if self._never_varies() and (guard or self.paired or self.codes is not None):
            return self._constant()
        try:
            spread = self._clustered()
        except OneClusterError:
            return ONE_CLUSTER
        effect, df = (1.0, None) if spread is None else (spread.design_effect, spread.df)
        if self.paired:
            gained = int(((self.variant == 1) & (self.baseline == 0)).sum())
            lost = int(((self.variant == 0) & (self.baseline == 1)).sum())
            return PairedProportions(gained, lost, self.n, guard, effect, df)
        return TwoProportions(
            float(self.variant.sum()),
            float(self.variant.size),
            float(self.baseline.sum()),
            float(self.baseline.size),
            guard,
            effect,
            df,
        )

    def _never_varies(self) -> bool:
        if self.paired:
            return bool(np.ptp(self.variant - self.baseline) == 0)
        return bool(np.ptp(self.variant) == 0 and np.ptp(self.baseline) == 0)

    def _constant(self) -> Inference | NotInferable:
        if self.paired:
            codes = None if self.codes is None else dense(self.codes[0])
            return paired_mean(self.variant, self.baseline, codes=codes, span=self.kind.span)
        both = None if self.codes is None else (self.codes[1], self.codes[0])
        return unpaired_mean(self.variant, self.baseline, codes=both, span=self.kind.span)

    def _clustered(self) -> MeanVariance | None:
        if self.codes is None:
            return None
        if self.paired:
            differences = self.variant - self.baseline
            return paired_variance(differences - differences.mean(), dense(self.codes[0]))
        both = (self.codes[1], self.codes[0])
        return unpaired_variance(self.variant - self.variant.mean(), self.baseline - self.baseline.mean(), both)


def compare(
    metric: str, kind: MetricKind, baseline: Arm, variant: Arm, *, paired: bool, seed_parts: tuple[object, ...]
) -> Comparison:
    """The comparison of two arms; when `paired` they are aligned on the same examples."""
    columns = (baseline.column(kind.source, worst=kind.worst), variant.column(kind.source, worst=kind.worst))
    keep_b, keep_v = ~np.isnan(columns[0].values), ~np.isnan(columns[1].values)
    if paired:
        keep_b = keep_v = keep_b & keep_v
    codes = _codes(baseline, variant, keep_b, keep_v, paired=paired)
    return Comparison(
        metric=metric,
        kind=kind,
        paired=paired,
        baseline=columns[0].values[keep_b],
        variant=columns[1].values[keep_v],
        codes=codes,
        columns=columns,
        seed=derive_seed(*seed_parts, metric, "bootstrap"),
    )


def _codes(baseline: Arm, variant: Arm, keep_b: Flags, keep_v: Flags, *, paired: bool) -> tuple[Ints, Ints] | None:
    """Cluster numbers of the examples kept; None when no two examples of one arm share a cluster."""
    if baseline.clusters is None and variant.clusters is None:
        return None
    names_b = baseline.clusters or [None] * keep_b.size
    names_v = variant.clusters or [None] * keep_v.size
    if paired:
        names_b = [one_cluster(both) for both in zip(names_b, names_v, strict=True)]
        names_v = names_b
    kept_b = [name for name, keep in zip(names_b, keep_b, strict=True) if keep]
    kept_v = [name for name, keep in zip(names_v, keep_v, strict=True) if keep]
    codes = cluster_codes(kept_b, kept_v)
    return (codes[0], codes[0]) if paired and codes is not None else codes


def summary(values: Floats, kind: MetricKind) -> float | None:
    """The mean, or the quantile; None without values."""
    if values.size == 0:
        return None
    if kind.quantile is not None:
        return float(np.quantile(values, kind.quantile))
    return float(values.mean())


def _all_binary(values: Floats) -> bool:
    return bool(np.all((values == 0) | (values == 1)))
