"""What is known of steps: which move is believed to move which metric, how often it was seen, and what it did."""

from __future__ import annotations

from django.http import HttpRequest, HttpResponse
from django.utils.translation import gettext as _

from contracts.metric import METRICS
from selflearn_site.pages.page import page, show
from selflearn_site.pages.selectors.lists import paged
from teacher.knowledge import known_list


@page
def knowledge(request: HttpRequest) -> HttpResponse:
    metric, seen = request.GET.get("metric", ""), request.GET.get("seen", "")
    every = known_list()
    observed = sum(1 for item in every if item.belief.seen)
    rows = [item for item in every if (not metric or item.metric == metric) and (not seen or item.belief.seen)]
    context = {
        "headline": _headline(len(every), observed),
        "rows": paged(request, rows),
        "metrics": sorted({item.metric for item in every}, key=lambda name: METRICS[name].title),
        "chosen": {"metric": metric, "seen": seen},
    }
    return show(request, "pages/knowledge.html", context)


def _headline(believed: int, observed: int) -> str:
    if not observed:
        return _("What is known is the starting knowledge: nothing has been seen yet.")
    return _("Of %(all)s effects of moves on metrics, %(seen)s have been seen.") % {
        "all": believed,
        "seen": observed,
    }
