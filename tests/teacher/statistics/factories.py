"""Specs and samples in few words."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from contracts.evaluation import Sample
from contracts.experiment_spec import ExperimentSpec

METRIC = "retrieval_precision"


def spec_of(
    *criteria: dict[str, Any], mode: str = "paired", arms: Sequence[str] = ("baseline", "variant"), **more: Any
) -> ExperimentSpec:
    return ExperimentSpec.model_validate(
        {
            "experiment_id": "exp",
            "variants": [{"name": name} for name in arms],
            "assignment": {"mode": mode},
            "success_criteria": list(criteria),
            **more,
        }
    )


def increase(metric: str = METRIC, **more: Any) -> dict[str, Any]:
    return {"metric": metric, "direction": "increase", **more}


def no_drop(metric: str = METRIC, margin: float = -0.03, **more: Any) -> dict[str, Any]:
    return {"metric": metric, "direction": "no_large_drop", "max_delta": margin, **more}


def no_rise(metric: str, margin: float, **more: Any) -> dict[str, Any]:
    return {"metric": metric, "direction": "no_large_rise", "max_delta": margin, **more}


def pairs(baseline: Sequence[Any], variant: Sequence[Any], metric: str = METRIC, **more: Any) -> list[Sample]:
    """The same examples under both arms."""
    return [
        Sample(example_id=f"e{row:04d}", variant=name, metrics={metric: value}, **more)
        for row, both in enumerate(zip(baseline, variant, strict=True))
        for name, value in zip(("baseline", "variant"), both, strict=True)
    ]


def arms(baseline: Sequence[Any], variant: Sequence[Any], metric: str = METRIC) -> list[Sample]:
    """Different examples under each arm."""
    return [
        Sample(example_id=f"{name}{row:04d}", variant=name, metrics={metric: value})
        for name, values in (("baseline", baseline), ("variant", variant))
        for row, value in enumerate(values)
    ]


def noisy(n: int, shift: float, *, seed: int = 1, spread: float = 0.1) -> tuple[list[float], list[float]]:
    """Correlated scores whose difference has mean near `shift`; both arms lie well within [0, 1]."""
    chance = np.random.default_rng(seed)
    base = chance.uniform(0.3, 0.6, n)
    change = chance.normal(0, spread, n)
    change -= change.mean()
    return base.tolist(), (base + change + shift).tolist()


def binary_pairs(gained: int, lost: int, both: int, neither: int) -> tuple[list[int], list[int]]:
    baseline = [0] * gained + [1] * lost + [1] * both + [0] * neither
    variant = [1] * gained + [0] * lost + [1] * both + [0] * neither
    return baseline, variant
