"""What all experiments together say: the largest effects, every arm, and the money."""

from __future__ import annotations

from typing import Any

import pytest
from django.test import Client

from goals.models import Campaign, CampaignSpend
from manager.models import Approval
from selflearn_site.pages.headline import analytics_news
from selflearn_site.pages.parallel_chart import factor_axis, metric_axis, parallel
from selflearn_site.pages.selectors.analytics import Arm, influences, varied


def criterion(
    metric: str, estimate: float | None, low: float | None = None, high: float | None = None
) -> dict[str, Any]:
    return {"metric": metric, "estimate": estimate, "low": low, "high": high}


def finished(factor: str, slug: str, *criteria: dict[str, Any], verdict: str = "inconclusive") -> dict[str, Any]:
    return {"factor": factor, "slug": slug, "from_value": 1, "to_value": 2, "verdict": verdict, "criteria": criteria}


def test_influences__several_experiments__name_the_largest_change_and_where_it_was_seen() -> None:
    (found,) = influences(
        [
            finished("retrieval.top_k", "small", criterion("retrieval_recall", 0.02, -0.01, 0.05)),
            finished("retrieval.top_k", "large", criterion("retrieval_recall", -0.2, -0.3, -0.1), verdict="loser"),
        ]
    )
    effect = found.effects[0]
    assert effect is not None
    assert (found.tried, found.won, effect.slug, effect.tone) == (2, 0, "large", "bad")


@pytest.mark.parametrize(
    ("metric", "span", "tone"),
    [
        ("retrieval_recall", (0.1, 0.3), "good"),
        ("retrieval_recall", (-0.1, 0.5), ""),
        ("hallucination_rate", (0.1, 0.3), "bad"),
        ("retrieval_recall", (None, None), ""),
    ],
)
def test_influences__colour__means_that_zero_is_left_out(
    metric: str, span: tuple[float | None, float | None], tone: str
) -> None:
    (found,) = influences([finished("f", "s", criterion(metric, 0.2, *span))])
    (effect,) = [one for one in found.effects if one is not None]
    assert effect.tone == tone


def test_influences__strongest_for_its_metric__comes_first() -> None:
    found = influences(
        [
            finished("weak", "a", criterion("retrieval_recall", 0.01), criterion("token_cost", 0.02)),
            finished("strong", "b", criterion("retrieval_recall", 0.3)),
            finished("unmeasured", "c", criterion("retrieval_recall", None)),
        ]
    )
    assert [item.factor for item in found] == ["strong", "weak", "unmeasured"]


ARMS = [
    Arm("a", "baseline", {"retrieval.top_k": 3, "retrieval.strategy": "tags"}, {"retrieval_recall": 0.2}),
    Arm("a", "variant", {"retrieval.top_k": 3, "retrieval.strategy": "hybrid"}, {"retrieval_recall": 0.5}),
    Arm("b", "variant", {"retrieval.top_k": 4, "retrieval.strategy": "tags"}, {"retrieval_recall": None}),
]


def test_varied__arms__keeps_factors_that_differ() -> None:
    assert varied(ARMS) == ["retrieval.top_k", "retrieval.strategy"]
    assert varied(ARMS[:2]) == ["retrieval.strategy"]


def test_factor_axis__choices__lie_in_the_registrys_order() -> None:
    axis = factor_axis("retrieval.strategy", ["hybrid", "tags", "lexical"])
    assert (axis.ticks, axis.places) == (((0.0, "tags"), (0.5, "lexical"), (1.0, "hybrid")), (1.0, 0.0, 0.5))


def test_metric_axis__values__run_from_lowest_to_highest_and_gaps_stay_gaps() -> None:
    axis = metric_axis("retrieval_recall", [0.2, None, 0.6, 0.4])
    assert axis.places == pytest.approx((0.0, None, 1.0, 0.5))
    assert [text for _place, text in axis.ticks] == [".200", ".600"]


def test_axis__all_alike__lies_in_the_middle() -> None:
    assert factor_axis("retrieval.top_k", [3, 3]).places == (0.5, 0.5)
    assert metric_axis("retrieval_recall", [0.3, 0.3]).ticks == ((0.5, ".300"),)


def test_parallel__arms__are_lines_and_unmeasured_ones_are_left_out() -> None:
    figure = parallel(ARMS, factors=["retrieval.strategy"], metrics=["retrieval_recall"], colour_by="retrieval_recall")
    assert [line["y"] for line in figure["data"]] == [[0.0, 0.0], [1.0, 1.0]]


@pytest.mark.parametrize(("metric", "strongest"), [("retrieval_recall", 0.6), ("hallucination_rate", 0.2)])
def test_parallel__strongest_line__is_the_best_arm_and_lies_above(metric: str, strongest: float) -> None:
    arms = [Arm(str(value), "variant", {}, {metric: value}) for value in (0.2, 0.6)]
    last = parallel(arms, factors=[], metrics=[metric], colour_by=metric)["data"][-1]
    assert f"<b>{strongest}</b>" in last["text"]


@pytest.mark.django_db
def test_analytics_page__campaign_with_an_experiment__shows_effects_arms_and_cost(
    viewer: Client, campaign: Campaign, approval: Approval
) -> None:
    CampaignSpend.objects.create(campaign=campaign, what="run:1", tokens=10, cost_usd="0.25")
    CampaignSpend.objects.create(campaign=campaign, what="judge:b", tokens=0, cost_usd="0.5")
    text = viewer.get("/analytics/").content.decode()
    assert f'href="/experiments/{approval.experiment.slug}/"' in text
    assert "$0.2500" in text
    assert "$0.7500" in text
    figure = viewer.get("/analytics/arms.json?colour=retrieval_recall").json()
    assert figure["data"][0]["mode"] == "lines+markers"


def test_analytics_news__nothing_finished__says_so() -> None:
    assert analytics_news(finished=0, factors=0, strongest="") == "No experiment is finished yet."
    assert analytics_news(finished=2, factors=1, strongest="Memories per answer") == (
        "Memories per answer moved most, in 2 experiments on 1 factor."
    )
