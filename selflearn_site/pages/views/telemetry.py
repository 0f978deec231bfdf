"""What is recorded: how late, how it stands by stage and day, any metric over time, and how the rows are kept."""

from __future__ import annotations

import csv
import time
from collections.abc import Iterable
from datetime import UTC, date, datetime, timedelta
from typing import Any

from django.contrib import messages
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect, JsonResponse
from django.urls import reverse
from django.utils import timezone
from django.utils.text import capfirst
from django.utils.translation import gettext as _

from contracts.actor import Role
from contracts.doors import actor_of
from kernel.errors import InvalidInput
from selflearn_site.pages import time_charts
from selflearn_site.pages.page import LIVE_SLOW, action, page, show
from selflearn_site.pages.selectors import recording, storage
from selflearn_site.pages.selectors.telemetry import SHOWS, SPANS, SPLITS, asked_of, csv_rows, explore
from sensor.dashboard import hit_rate_by_day, stage_latency
from sensor.domain.rolled import ROLLED
from sensor.question import EVERY_STAGE, GRAINS
from sensor.services.retention import retention_apply, retention_plan

MINUTES = (15, 60, 360, 1440)
DAYS = 30
APPLY_SECONDS = 20.0
"""A click takes rows away for so long; what is left then goes with the next one, or by `sense --retention`."""


@page
def telemetry(request: HttpRequest) -> HttpResponse:
    """Whatever is wrong with the question is said beside the form; the rest of the page stands."""
    found = recording.standing()
    first, last = _days()
    planned = request.GET.get("plan") == "1"
    context: dict[str, Any] = {
        **recording.news_of(found),
        "counts": found.counts,
        "windows": MINUTES,
        "days": hit_rate_by_day(first, last),
        "stored": storage.stored(),
        "choices": {"metrics": ROLLED.values(), "stages": EVERY_STAGE, "grains": GRAINS, "spans": SPANS,
                    "shows": SHOWS, "splits": SPLITS},
        "asked": (asked := asked_of(request.GET)),
        "query": request.GET.urlencode(),
    }  # fmt: skip
    context["policy"] = storage.policy_words(context["stored"].policy)
    problems = False
    try:
        minutes = _minutes(request.GET.get("minutes", "60"))
        context |= {"minutes": minutes, "latencies": stage_latency(timezone.now() - timedelta(minutes=minutes))}
    except InvalidInput as error:
        context["latency_problem"], problems = _sentence(error), True
    try:
        context["explored"] = explore(asked)
    except InvalidInput as error:
        context |= {"problem": _sentence(error), "wrong": error.details.get("field", "")}
        problems = True
    if planned:
        plan = retention_plan()
        context |= {"plan": plan, "plan_sentence": storage.plan_sentence(plan)}
    live = None if problems or planned else LIVE_SLOW
    return show(request, "pages/telemetry.html", context, status=422 if problems else 200, live=live)


@page
def telemetry_chart(request: HttpRequest) -> HttpResponse:
    """The explorer's figure as data for plotly."""
    return JsonResponse(time_charts.explored(explore(asked_of(request.GET))))


@page
def telemetry_csv(request: HttpRequest) -> HttpResponse:
    """Every point that the explorer found, also those of series that are not drawn."""
    found = explore(asked_of(request.GET))
    return _csv(f"{found.question.metric.name}-by-{found.question.grain}", csv_rows(found))


@page
def telemetry_hits(_request: HttpRequest) -> HttpResponse:
    """The hit rate of the last 30 days as data for plotly."""
    first, last = _days()
    return JsonResponse(time_charts.hit_rate(hit_rate_by_day(first, last), first, last))


@page
def telemetry_hits_csv(_request: HttpRequest) -> HttpResponse:
    rows = [[day.day, day.rows, day.known, day.hits, day.rate] for day in hit_rate_by_day(*_days())]
    return _csv("hit-rate-by-day", [["day", "rows", "known", "hits", "rate"], *rows])


@action
def telemetry_retention(request: HttpRequest) -> HttpResponse:
    """Take away what the dry run shows. Needs a meta-user and a reason."""
    actor = actor_of(request)
    actor.require(Role.META_USER)
    reason = request.POST.get("reason", "").strip()
    if not reason:
        raise InvalidInput(_("Say why these rows may go; the change log keeps it."), details={"field": "reason"})
    until = time.monotonic() + APPLY_SECONDS
    report = retention_apply(actor=actor, reason=reason, go_on=lambda: time.monotonic() < until)
    tell = messages.success if report.complete else messages.warning
    tell(request, storage.done_sentence(report))
    return HttpResponseRedirect(reverse("pages:telemetry") + "?plan=1#storage")


def _sentence(error: InvalidInput) -> str:
    return f"{capfirst(error.message).rstrip('.')}."


def _days() -> tuple[date, date]:
    today = datetime.now(UTC).date()
    return today - timedelta(days=DAYS - 1), today


def _minutes(text: str) -> int:
    if text not in {str(number) for number in MINUTES}:
        raise InvalidInput(_("Choose one of the spans: 15 minutes, 1, 6 or 24 hours."), details={"field": "minutes"})
    return int(text)


def _csv(name: str, rows: Iterable[Iterable[Any]]) -> HttpResponse:
    answer = HttpResponse(content_type="text/csv; charset=utf-8")
    answer["Content-Disposition"] = f'attachment; filename="{name}.csv"'
    csv.writer(answer).writerows(rows)
    return answer
