"""Metrics of one parameter version on validation or golden: a monitoring pass that decides nothing."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from experiments.domain.examples import seal_hash
from experiments.golden import golden_examples
from experiments.runner import PassPlan, PassProgress, pass_run
from experiments.selectors import dataset_by_name, examples
from kernel.errors import InvalidInput
from maas.client import MaasClient
from manager.engine.passes import monitor_batch, monitor_seed, recorded
from manager.services.campaigns import parallel
from manager.services.judging import judging_current
from teacher.judges import OnProgress
from teacher.services import batch_measure
from tuner.selectors import active_version, version_get


def version_evaluate(
    *,
    dataset: str,
    split: str,
    version: int | None,
    client: MaasClient,
    on_progress: Callable[[PassProgress], None] | None = None,
    on_judged: OnProgress | None = None,
) -> dict[str, Any]:
    """The documented shape of `evaluate --json`. Memory is frozen, so the same version is measured once.

    Raises `NotFound` for an unknown data set or version, `InvalidInput` when the split is empty, `Conflict` when the
    golden set is not the one that was sealed.
    """
    dataset_by_name(dataset)
    number = active_version().version if version is None else version_get(version).version
    over = golden_examples(dataset=dataset) if split == "golden" else examples(dataset=dataset, split=split)
    if not over:
        raise InvalidInput(f"the data set {dataset!r} has no {split} questions")
    batch = monitor_batch(dataset=dataset, split=split, version=number, over=over)
    truths = pass_run(
        PassPlan(
            batch=batch,
            dataset=dataset,
            split=split,
            purpose="monitor",
            arms={"active": number},
            examples=over,
            seed=monitor_seed(dataset=dataset, split=split),
            parallel=parallel(),
            golden_hash=seal_hash(over) if split == "golden" else "",
        ),
        client=client,
        on_progress=on_progress,
    )
    recorded(truths)
    found = batch_measure(batch=batch, judging=judging_current(), on_progress=on_judged).to_json()
    return {
        "dataset": dataset,
        "split": split,
        "version": number,
        "n": found["n"],
        "metrics": found["metrics"],
        "by_category": found["by_category"],
    }
