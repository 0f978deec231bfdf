"""The Teacher: how good it is by its own measures, versions as promised and as seen, and the map of hypotheses."""

from __future__ import annotations

from django.http import HttpRequest, HttpResponse

from manager.measures import By
from selflearn_site.pages import headline as headlines
from selflearn_site.pages.page import page, show
from selflearn_site.pages.selectors.hypothesis_map import hypothesis_map
from selflearn_site.pages.selectors.teacher import teacher_view


@page
def teacher(request: HttpRequest) -> HttpResponse:
    by: By = "month" if request.GET.get("by") == "month" else "campaign"
    view = teacher_view(by)
    context = {
        "headline": headlines.teacher_news(finished=view.finished, winners=view.winners, overfitted=view.overfitted),
        "view": view,
        "by": by,
    }
    return show(request, "pages/teacher.html", context)


@page
def hypotheses_map(request: HttpRequest) -> HttpResponse:
    found = hypothesis_map()
    context = {
        "headline": headlines.hypotheses_news(total=found.total, confirmed=found.confirmed, open_=found.open_),
        "map": found,
    }
    return show(request, "pages/hypotheses_map.html", context)
