"""Runs: what was asked and answered, and how each answer came about."""

from __future__ import annotations

import uuid

from django.http import HttpRequest, HttpResponse

from selflearn_site.pages.page import page, show
from selflearn_site.pages.selectors.lists import paged
from selflearn_site.pages.selectors.runs import (
    FILTERS,
    NEWEST,
    SOURCES,
    TROUBLES,
    run_news,
    run_view,
    runs_chosen,
    runs_news,
)
from sensor.dashboard import dimension_values
from sensor.models import SensorEvent


@page
def runs(request: HttpRequest) -> HttpResponse:
    """Filters: `source`, `trouble`, `split`, `version`, `experiment`, `batch`, and `q`: words, or a run's id."""
    chosen = {name: request.GET.get(name, "").strip() for name in FILTERS}
    rows = paged(request, runs_chosen(chosen))
    recorded = rows.paginator.count > 0 or SensorEvent.objects.exists()
    context = {
        "headline": runs_news(shown=rows.paginator.count, narrowed=any(chosen.values()), recorded=recorded),
        "rows": rows,
        "chosen": chosen,
        "sources": [(name, title) for name, (title, _q) in SOURCES.items()],
        "troubles": [(name, title) for name, (title, _q) in TROUBLES.items()],
        "splits": dimension_values("split"),
        "recorded": recorded,
        "newest": NEWEST,
    }
    return show(request, "pages/runs.html", context)


@page
def run(request: HttpRequest, run_id: uuid.UUID) -> HttpResponse:
    view = run_view(run_id)
    context = {"headline": run_news(view.event, view.hits), "view": view, "event": view.event}
    return show(request, "pages/run.html", context)
