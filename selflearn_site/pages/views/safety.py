"""Safety: what each check found last, how a run gets on, earlier runs, and a run now."""

from __future__ import annotations

from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.utils.translation import gettext as _

from contracts.doors import actor_of
from manager.services.checks import safety_begin
from selflearn_site.pages.page import LIVE_FAST, LIVE_SLOW, action, back, page, show
from selflearn_site.pages.selectors.safety import check_rows, open_run, run_rows, safety_news, title_of


@page
def safety(request: HttpRequest) -> HttpResponse:
    rows, run = check_rows(), open_run()
    context = {
        "headline": safety_news(rows),
        "checks": rows,
        "run": run,
        "at_hand": title_of(run.label) if run is not None else "",
        "history": run_rows(),
    }
    return show(request, "pages/safety.html", context, live=LIVE_FAST if run is not None else LIVE_SLOW)


@action
def safety_now(request: HttpRequest) -> HttpResponse:
    safety_begin(actor=actor_of(request))
    messages.success(request, _("The checks have begun; a failure opens a critical incident."))
    return back(request, "pages:safety")
