"""Examples, specs and experiments in few words."""

from __future__ import annotations

import uuid
from datetime import UTC, datetime
from typing import Any

from contracts.actor import Actor
from contracts.experiment_spec import ExperimentSpec, SuccessCriterion, VariantSpec
from contracts.parameters import ParameterChange
from experiments.domain.examples import ExampleValue
from experiments.models import Experiment
from experiments.services import experiment_register

AT = datetime(2025, 6, 1, 9, tzinfo=UTC)


def example(name: str = "e1", *, user: int = 1, **fields: Any) -> ExampleValue:
    given: dict[str, Any] = {
        "external_id": name, "user_id": uuid.UUID(int=user), "query": f"What of {name}?", "asked_at": AT,
        "expected_memory_ids": (uuid.UUID(int=7),), "should_retrieve": True, "category": "factual",
        "difficulty": "easy", "cluster": "c", **fields,
    }  # fmt: skip
    return ExampleValue(**given)


def spec(slug: str = "e-1", *, metric: str = "retrieval_precision") -> ExperimentSpec:
    return ExperimentSpec(
        experiment_id=slug,
        variants=(
            VariantSpec(name="baseline", params={"retrieval.top_k": 3}),
            VariantSpec(name="variant", params={"retrieval.top_k": 2}),
        ),
        success_criteria=(
            SuccessCriterion(metric=metric, direction="increase", min_delta=0.0),
            SuccessCriterion(metric="retrieval_recall", direction="no_large_drop", max_delta=-0.05),
        ),
        expected_n=100,
        dataset="d",
        seed=1,
    )


def experiment(actor: Actor, slug: str = "e-1", *, factor: str = "retrieval.top_k", **more: Any) -> Experiment:
    given: dict[str, Any] = {
        "metric": "retrieval_precision", "dataset": "d", "base_version": 1, "planned_n": 100, "seed": 1, **more,
    }  # fmt: skip
    change = ParameterChange(param=factor, from_value=3, to_value=2)
    return experiment_register(spec=spec(slug, metric=given["metric"]), change=change, actor=actor, **given)
