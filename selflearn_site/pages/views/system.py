"""System: is every part there, what waits, what failed, what runs."""

from __future__ import annotations

from django.http import HttpRequest, HttpResponse

from selflearn_site.pages.page import LIVE_SLOW, page, show
from selflearn_site.pages.selectors.system import parts, queue, queue_sentence, software, system_news


@page
def system(request: HttpRequest) -> HttpResponse:
    found, tasks = parts(), queue()
    context = {
        "headline": system_news(found, tasks),
        "parts": found,
        "queue": tasks,
        "queue_sentence": queue_sentence(tasks),
        "software": software(),
    }
    return show(request, "pages/system.html", context, live=LIVE_SLOW)
