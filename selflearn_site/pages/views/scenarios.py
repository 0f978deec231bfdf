"""Scenarios and the people in them: which there are by split and language, and what each lacks."""

from __future__ import annotations

from django.http import HttpRequest, HttpResponse

from selflearn_site.pages.page import page, show
from selflearn_site.pages.selectors.scenarios import SPLITS, scenarios_news, scenarios_view

LANGUAGES = ("en", "ru")


@page
def scenarios(request: HttpRequest) -> HttpResponse:
    """Filters: `split`, `language`. A value that there is not narrows to nothing."""
    view = scenarios_view(split=request.GET.get("split", ""), language=request.GET.get("language", ""))
    context = {
        "headline": scenarios_news(view.rows, view.problems),
        "view": view,
        "splits": SPLITS,
        "languages": LANGUAGES,
    }
    return show(request, "pages/scenarios.html", context)
