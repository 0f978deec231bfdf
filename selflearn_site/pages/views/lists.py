"""Hypotheses."""

from __future__ import annotations

from django.db.models import Count, Q
from django.http import HttpRequest, HttpResponse

from hypotheses.domain.lifecycle import HypothesisStatus
from hypotheses.models import Hypothesis
from selflearn_site.pages import headline as headlines
from selflearn_site.pages.page import page, show
from selflearn_site.pages.selectors.lists import paged

_OPEN = (HypothesisStatus.PLANNED, HypothesisStatus.RUNNING)


@page
def hypotheses(request: HttpRequest) -> HttpResponse:
    rows = Hypothesis.objects.select_related("campaign").order_by("-created_at")
    counts = rows.aggregate(
        total=Count("id"),
        confirmed=Count("id", filter=Q(status=HypothesisStatus.CONFIRMED)),
        open_=Count("id", filter=Q(status__in=_OPEN)),
    )
    status = request.GET.get("status", "")
    context = {
        "headline": headlines.hypotheses_news(**counts),
        "rows": paged(request, rows.filter(status=status) if status else rows),
        "statuses": [item.value for item in HypothesisStatus],
        "chosen": status,
    }
    return show(request, "pages/hypotheses.html", context)
