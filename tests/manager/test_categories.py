"""What the bundled questions measure: harder kinds score lower, and so does a student that is crippled."""

from __future__ import annotations

from typing import Any

import pytest

from experiments.bundled import BUNDLED
from maas.client import get_client
from manager.foreground import bundled_ready
from manager.services.evaluation import version_evaluate
from tests.manager.world import ALICE
from tuner.selectors import active_version
from tuner.services import experiment_prepare

ARMS: dict[str, dict[str, Any]] = {
    "searching": {"retrieval.strategy": "lexical"},
    "crippled": {"retrieval.strategy": "lexical", "retrieval.top_k": 1, "retrieval.keyword_count": 1},
}


@pytest.mark.django_db(transaction=True, databases=["default", "maas"])
def test_bundled_validation__by_category_and_for_a_crippled_student__differs_as_it_should() -> None:
    client = get_client()
    bundled_ready(client=client)
    versions = experiment_prepare(
        experiment="what-is-measured", arms=ARMS, base_version=active_version().version, actor=ALICE
    )
    found = {
        arm: version_evaluate(dataset=BUNDLED, split="validation", version=version, client=client)
        for arm, version in versions.items()
    }

    recall = {name: values["retrieval_recall"] for name, values in found["searching"]["by_category"].items()}
    assert recall["temporal"] < recall["factual"]
    assert recall["multi-hop"] < recall["factual"]
    pooled = _pooled_recall(
        [
            version_evaluate(dataset=BUNDLED, split=split, version=active_version().version, client=client)[
                "by_category"
            ]
            for split in ("validation", "golden")
        ]
    )
    assert pooled["temporal"] < pooled["factual"]
    assert pooled["multi-hop"] < pooled["factual"]
    better, worse = (found[arm]["metrics"]["retrieval_recall"] for arm in ("searching", "crippled"))
    assert worse < better - 0.15
    assert found["searching"]["n"] >= 200


def _pooled_recall(splits: list[dict[str, Any]]) -> dict[str, float]:
    """Of all fixed questions together, by category, under the default parameters."""
    found: dict[str, tuple[int, float]] = {}
    for by_category in splits:
        for name, values in by_category.items():
            if values["retrieval_recall"] is not None:
                n, total = found.get(name, (0, 0.0))
                found[name] = (n + values["n"], total + values["n"] * values["retrieval_recall"])
    return {name: total / n for name, (n, total) in found.items()}
