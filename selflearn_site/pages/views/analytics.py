"""Analytics over all experiments: influence of factors, every arm as a line, and what learning cost."""

from __future__ import annotations

from decimal import Decimal

from django.http import HttpRequest, HttpResponse, JsonResponse

from contracts.metric import METRICS
from selflearn_site.pages.headline import analytics_news
from selflearn_site.pages.page import page, show
from selflearn_site.pages.parallel_chart import parallel
from selflearn_site.pages.said import term
from selflearn_site.pages.selectors.analytics import (
    SHOWN,
    Arm,
    arms_read,
    finished_read,
    influences,
    spent_read,
    varied,
)

DRAWN = ("retrieval_recall", "retrieval_precision", "hallucination_rate", "token_cost")
"""Metrics that the lines run through; by which one they are coloured is chosen."""
ROWS = 200


@page
def analytics(request: HttpRequest) -> HttpResponse:
    found, arms, spent = influences(finished_read()), arms_read(), spent_read()
    strongest = term(found[0].title) if found else ""
    context = {
        "headline": analytics_news(finished=sum(item.tried for item in found), factors=len(found), strongest=strongest),
        "columns": [METRICS[name].title for name in SHOWN],
        "influences": found,
        "colour": _colour(request),
        "colours": [(name, METRICS[name].title) for name in DRAWN],
        "factors": varied(arms),
        "rows": _rows(arms[-ROWS:]),
        "arms": len(arms),
        "spent": spent,
        "total": sum((item.usd for item in spent), Decimal(0)),
        "tokens": sum(item.tokens for item in spent),
    }
    return show(request, "pages/analytics.html", context)


@page
def analytics_arms(request: HttpRequest) -> HttpResponse:
    arms = arms_read()
    return JsonResponse(parallel(arms, factors=varied(arms), metrics=DRAWN, colour_by=_colour(request)))


def _colour(request: HttpRequest) -> str:
    """The metric that colours the lines; an unknown one is the first."""
    wanted = request.GET.get("colour", "")
    return wanted if wanted in DRAWN else DRAWN[0]


def _rows(arms: list[Arm]) -> list[dict[str, object]]:
    """The table behind the lines, newest first."""
    factors = varied(arms)
    return [
        {
            "slug": arm.slug,
            "arm": arm.name,
            "values": [arm.values.get(key) for key in factors],
            "metrics": [(name, arm.metrics.get(name)) for name in DRAWN],
        }
        for arm in reversed(arms)
    ]
