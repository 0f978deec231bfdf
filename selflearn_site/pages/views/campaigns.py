"""A campaign: how it stands, its curve, its cycles, its journal; start, pause, go on, stop."""

from __future__ import annotations

import csv

from django.contrib import messages
from django.http import Http404, HttpRequest, HttpResponse, JsonResponse
from django.utils.translation import gettext as _

from contracts.doors import actor_of
from goals.domain.budget import ends_at
from goals.domain.lifecycle import CampaignStatus
from goals.models import Campaign
from goals.selectors import goal_budget
from manager.services.campaigns import campaign_end, campaign_go_on, campaign_hold, campaign_launch
from selflearn_site.pages import charts
from selflearn_site.pages.headline import campaign_news
from selflearn_site.pages.page import LIVE_FAST, LIVE_SLOW, action, back, page, show
from selflearn_site.pages.selectors import campaigns as selectors
from selflearn_site.pages.selectors import curves, home, standing


@page
def campaign(request: HttpRequest, number: int) -> HttpResponse:
    found = selectors.campaign_by_number(number)
    points = standing.series(found)
    readings = standing.readings(found, points)
    running = found.status == CampaignStatus.RUNNING
    cycles = selectors.cycles(found)
    context = {
        "headline": campaign_news(standing.news(found, readings)),
        "campaign": found,
        "live_state": home.live(found),
        "points": points,
        "readings": readings,
        "targets": [selectors.target_words(item) for item in found.goal.targets],
        "constraints": [selectors.constraint_words(item) for item in found.goal.constraints],
        "cycles": cycles,
        "budget": selectors.budget_use(found, cycles=len(cycles)),
        "journal": home.with_versions(selectors.journal(found)),
        "deadline": ends_at(goal_budget(found.goal), found.started_at),
        "has_report": selectors.report_exists(found),
    }
    return show(request, "pages/campaign.html", context, live=LIVE_FAST if running else LIVE_SLOW)


def _lines(number: int) -> tuple[Campaign, list[charts.Line]]:
    found = selectors.campaign_by_number(number)
    points = standing.series(found)
    return found, curves.lines(found, points, standing.readings(found, points))


@page
def campaign_chart(_request: HttpRequest, number: int) -> HttpResponse:
    """The progress figure as data for plotly."""
    _found, lines = _lines(number)
    return JsonResponse(charts.progress(lines, rolled_back=curves.rolled_back()))


@page
def campaign_csv(_request: HttpRequest, number: int) -> HttpResponse:
    _found, lines = _lines(number)
    answer = HttpResponse(content_type="text/csv; charset=utf-8")
    answer["Content-Disposition"] = f'attachment; filename="campaign-{number}.csv"'
    writer = csv.DictWriter(answer, ["metric", "measurement", "version", "value", "low_95", "high_95", "n"])
    writer.writeheader()
    writer.writerows(charts.rows(lines))
    return answer


@action
def campaign_do(request: HttpRequest, number: int, verb: str) -> HttpResponse:
    """`start`, `pause`, `resume`, `stop`: one service each."""
    found, actor = selectors.campaign_by_number(number), actor_of(request)
    reason = request.POST.get("reason", "").strip()
    said = {"number": number}
    if verb == "start":
        campaign_launch(campaign_id=found.id, actor=actor, background=True)
        messages.success(request, _("Campaign %(number)s has begun.") % said)
    elif verb == "pause":
        campaign_hold(campaign_id=found.id, actor=actor, reason=reason or "paused on its page")
        messages.success(request, _("Campaign %(number)s pauses after the step at hand.") % said)
    elif verb == "resume":
        campaign_go_on(campaign_id=found.id, actor=actor, background=True)
        messages.success(request, _("Campaign %(number)s goes on.") % said)
    elif verb == "stop":
        campaign_end(campaign_id=found.id, actor=actor, reason=reason or "stopped on its page")
        messages.success(request, _("Campaign %(number)s is stopped. What was applied stays.") % said)
    else:
        raise Http404
    return back(request)
