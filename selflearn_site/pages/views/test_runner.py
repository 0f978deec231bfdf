"""The Test Runner: scenarios, sessions that play them, one session step by step."""

from __future__ import annotations

import uuid

from django.contrib import messages
from django.http import Http404, HttpRequest, HttpResponse, HttpResponseRedirect
from django.urls import reverse
from django.utils.translation import gettext as _

from contracts.doors import actor_of
from maas.test_runner import selectors
from maas.test_runner.sessions import session_resume, session_start, session_stop
from selflearn_site.pages.page import LIVE_FAST, LIVE_SLOW, action, back, page, show
from selflearn_site.pages.selectors.lists import paged
from selflearn_site.pages.selectors.test_runner import scenarios_news, session_news, session_view

PER_PAGE = 20


@page
def tests(request: HttpRequest) -> HttpResponse:
    scenarios, running = selectors.scenarios(), selectors.running()
    context = {
        "headline": scenarios_news(scenarios, running),
        "scenarios": scenarios,
        "rows": paged(request, selectors.sessions(), per_page=PER_PAGE),
    }
    return show(request, "pages/test_runner.html", context, live=LIVE_FAST if running else LIVE_SLOW)


@page
def test_session(request: HttpRequest, session_id: uuid.UUID) -> HttpResponse:
    session = selectors.session_counted(session_id)
    view = session_view(session)
    context = {"headline": session_news(session), "view": view, "session": session}
    return show(request, "pages/test_session.html", context, live=LIVE_FAST if view.live else LIVE_SLOW)


@action
def tests_run(request: HttpRequest) -> HttpResponse:
    """Plays the scenarios ticked or named by the button; all when none is."""
    session = session_start(scenarios=request.POST.getlist("scenario"), actor=actor_of(request))
    return HttpResponseRedirect(reverse("pages:test_session", args=[session.pk]))


@action
def test_session_do(request: HttpRequest, session_id: uuid.UUID, verb: str) -> HttpResponse:
    """`stop`, `resume`: one service each."""
    if verb == "stop":
        session_stop(session_id=session_id, actor=actor_of(request))
        messages.success(request, _("The session is stopped. What was played stays."))
    elif verb == "resume":
        session_resume(session_id=session_id, actor=actor_of(request))
        messages.success(request, _("The session goes on as soon as a worker is free."))
    else:
        raise Http404
    return back(request, "pages:tests")
