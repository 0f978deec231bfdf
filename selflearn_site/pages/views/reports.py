"""Reports of campaigns and of their cycles: as a page, as HTML to keep, as Markdown, as JSON."""

from __future__ import annotations

import json
from typing import Any

from django.http import HttpRequest, HttpResponse, JsonResponse
from django.urls import reverse
from django.utils import timezone

from goals.models import Campaign
from kernel.errors import NotFound
from manager.models import Report
from manager.reports import html, markdown
from manager.reports.cycle import cycle_content, cycle_of
from selflearn_site.pages import headline as headlines
from selflearn_site.pages.page import page, show
from selflearn_site.pages.report_chart import effects
from selflearn_site.pages.selectors import campaigns as selectors
from selflearn_site.pages.selectors import standing
from selflearn_site.pages.selectors.lists import paged


@page
def reports(request: HttpRequest) -> HttpResponse:
    found = paged(request, Report.objects.select_related("campaign").order_by("-updated_at"))
    context = {
        "headline": headlines.reports_news(found.paginator.count),
        "rows": found,
        "reports": [(item, markdown.headline(item.content)) for item in found.object_list],
    }
    return show(request, "pages/reports.html", context)


@page
def report(request: HttpRequest, number: int) -> HttpResponse:
    """As a page; `?format=md`, `html` or `json` as a file."""
    campaign, found = _report(number)
    kept = _kept(request, found.content, f"campaign-{number}")
    if kept is not None:
        return kept
    points = standing.series(campaign)
    context = {
        "headline": markdown.headline(found.content),
        "report": found.content,
        "stored_at": found.updated_at,
        "campaign": campaign,
        "points": points,
        "readings": standing.readings(campaign, points),
        "effects": reverse("pages:report_effects", args=[number]) if _drawn(found.content) else "",
        "cycles": list(reversed(selectors.cycles(campaign))),
    }
    return show(request, "pages/report.html", context)


@page
def cycle_report(request: HttpRequest, number: int, cycle: int) -> HttpResponse:
    """One cycle, as it stands now: what was decided on since is in it."""
    campaign = selectors.campaign_by_number(number)
    content = cycle_content(campaign, cycle_of(campaign, cycle))
    kept = _kept(request, content, f"campaign-{number}-cycle-{cycle}")
    if kept is not None:
        return kept
    last = campaign.cycles.count()
    context = {
        "headline": f"{markdown.title(content)}: {markdown.headline(content)}",
        "report": content,
        "stored_at": timezone.now(),
        "before": cycle - 1 if cycle > 1 else None,
        "after": cycle + 1 if cycle < last else None,
        "effects": reverse("pages:cycle_effects", args=[number, cycle]) if _drawn(content) else "",
    }
    return show(request, "pages/report.html", context)


@page
def report_effects(_request: HttpRequest, number: int, cycle: int | None = None) -> HttpResponse:
    """The figure of effects as data for plotly."""
    if cycle is None:
        return JsonResponse(effects(_report(number)[1].content))
    campaign = selectors.campaign_by_number(number)
    return JsonResponse(effects(cycle_content(campaign, cycle_of(campaign, cycle))))


@page
def report_document(_request: HttpRequest, number: int) -> HttpResponse:
    """The report as one file that needs nothing else: to keep, or to send."""
    return _file(html.render(_report(number)[1].content), "text/html", f"campaign-{number}.html")


def _report(number: int) -> tuple[Campaign, Report]:
    campaign = selectors.campaign_by_number(number)
    found = Report.objects.select_related("campaign").filter(campaign=campaign).first()
    if found is None:
        raise NotFound(f"campaign {number} has no report yet: it is written after its first cycle")
    return campaign, found


def _kept(request: HttpRequest, content: dict[str, Any], name: str) -> HttpResponse | None:
    """As a file in the form that `?format=` names, in the reader's language; None: as a page."""
    form = request.GET.get("format")
    if form == "md":
        return _file(markdown.render(content), "text/markdown", f"{name}.md")
    if form == "html":
        return _file(html.render(content), "text/html", f"{name}.html")
    if form == "json":
        return _file(json.dumps(content, ensure_ascii=False, indent=2), "application/json", f"{name}.json")
    return None


def _file(text: str, kind: str, name: str) -> HttpResponse:
    answer = HttpResponse(text, content_type=f"{kind}; charset=utf-8")
    answer["Content-Disposition"] = f'attachment; filename="{name}"'
    return answer


def _drawn(content: dict[str, Any]) -> bool:
    return any(item.get("criteria") for item in content["experiments"])
