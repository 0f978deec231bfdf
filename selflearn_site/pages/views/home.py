"""Home, and the data of its chart."""

from __future__ import annotations

from django.http import HttpRequest, HttpResponse

from goals.domain.lifecycle import CampaignStatus
from selflearn_site.pages.headline import home_news
from selflearn_site.pages.page import LIVE_FAST, LIVE_SLOW, page, show
from selflearn_site.pages.selectors import home as selectors
from selflearn_site.pages.selectors import standing
from selflearn_site.pages.selectors.navigation import navigation

SUGGESTED = "Raise recall of memories to 60 % without losing precision"


@page
def home(request: HttpRequest) -> HttpResponse:
    campaign = selectors.campaign_shown()
    points = standing.series(campaign) if campaign else []
    readings = standing.readings(campaign, points) if campaign else []
    nav = navigation()
    active = selectors.active()
    running = campaign is not None and campaign.status == CampaignStatus.RUNNING
    context = {
        "nav": nav,
        "headline": home_news(
            campaign=standing.news(campaign, readings) if campaign else None,
            waiting=nav.waiting,
            incidents=nav.incidents,
            frozen=bool(active and active.frozen),
        ),
        "campaign": campaign,
        "running": running,
        "live_state": selectors.live(campaign) if campaign else None,
        "readings": readings,
        "points": points,
        "requests": selectors.approvals_waiting(),
        "decisions": selectors.decisions(),
        "active": active,
        "incidents": selectors.incidents_open(),
        "suggested": SUGGESTED,
    }
    return show(request, "pages/home.html", context, live=LIVE_FAST if running else LIVE_SLOW)
