"""Hypotheses, reports and incidents."""

from __future__ import annotations

from django.contrib import messages
from django.db.models import Count, Q
from django.http import HttpRequest, HttpResponse
from django.utils.translation import gettext as _

from contracts.doors import actor_of
from hypotheses.domain.lifecycle import HypothesisStatus
from hypotheses.models import Hypothesis
from incidents.models import Incident
from incidents.services import incident_resolve
from kernel.errors import InvalidInput, NotFound
from manager.models import Report
from manager.reports import html, markdown
from selflearn_site.pages import headline as headlines
from selflearn_site.pages.page import LIVE_SLOW, action, back, page, show
from selflearn_site.pages.selectors.campaigns import campaign_by_number
from selflearn_site.pages.selectors.lists import paged

_OPEN = (HypothesisStatus.PLANNED, HypothesisStatus.RUNNING)


@page
def hypotheses(request: HttpRequest) -> HttpResponse:
    rows = Hypothesis.objects.select_related("campaign").order_by("-created_at")
    counts = rows.aggregate(
        total=Count("id"),
        confirmed=Count("id", filter=Q(status=HypothesisStatus.CONFIRMED)),
        open_=Count("id", filter=Q(status__in=_OPEN)),
    )
    status = request.GET.get("status", "")
    context = {
        "headline": headlines.hypotheses_news(**counts),
        "rows": paged(request, rows.filter(status=status) if status else rows),
        "statuses": [item.value for item in HypothesisStatus],
        "chosen": status,
    }
    return show(request, "pages/hypotheses.html", context)


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
    """As a page; `?format=md` as Markdown."""
    found = _report(number)
    if request.GET.get("format") == "md":
        answer = HttpResponse(markdown.render(found.content), content_type="text/markdown; charset=utf-8")
        answer["Content-Disposition"] = f'attachment; filename="campaign-{number}.md"'
        return answer
    context = {"headline": markdown.headline(found.content), "report": found.content, "stored": found}
    return show(request, "pages/report.html", context)


@page
def report_document(_request: HttpRequest, number: int) -> HttpResponse:
    """The report as one file that needs nothing else: to keep, or to send."""
    answer = HttpResponse(html.render(_report(number).content))
    answer["Content-Disposition"] = f'attachment; filename="campaign-{number}.html"'
    return answer


def _report(number: int) -> Report:
    campaign = campaign_by_number(number)
    found = Report.objects.select_related("campaign").filter(campaign=campaign).first()
    if found is None:
        raise NotFound(f"campaign {number} has no report yet: it is written after its first cycle")
    return found


@page
def incidents(request: HttpRequest) -> HttpResponse:
    rows = Incident.objects.order_by("-id")
    opened = rows.exclude(status="resolved")
    count = opened.count()
    context = {
        "headline": headlines.incidents_news(count),
        "opened": list(opened[:100]),
        "rows": paged(request, rows.filter(status="resolved")),
    }
    return show(request, "pages/incidents.html", context, live=LIVE_SLOW)


@action
def incident_settle(request: HttpRequest, incident_id: int) -> HttpResponse:
    note = request.POST.get("note", "").strip()
    if not note:
        raise InvalidInput(_("Say what was done; it stays with the incident."), details={"field": "note"})
    incident_resolve(incident_id=incident_id, note=note, actor=actor_of(request))
    messages.success(request, _("The incident is resolved."))
    return back(request, "pages:incidents")
