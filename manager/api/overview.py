# ruff: noqa: ARG001 - ninja calls every route with `request`
"""Cycles, metrics and reports."""

import uuid
from datetime import datetime
from typing import Any, Literal

from django.db.models import QuerySet
from django.http import HttpRequest, HttpResponse
from django.utils.translation import get_language, override
from ninja import Router, Schema
from ninja.pagination import paginate

from contracts.metric import METRICS, MetricDefinition
from experiments.models import EvaluationPass
from goals.selectors import campaign as campaign_get
from kernel.errors import NotFound
from manager.domain.lifecycle import CycleState
from manager.models import Cycle, Report
from manager.reports import html, markdown
from manager.reports.cycle import cycle_content, cycle_of
from teacher.aggregator import metrics_aggregate

router = Router(tags=["overview"])


class CycleOut(Schema):
    id: uuid.UUID
    campaign_id: uuid.UUID
    number: int
    type: str
    state: str
    resume_state: str
    outcome: str
    outcome_text: str
    error: str
    progress: dict[str, Any]
    created_at: datetime
    finished_at: datetime | None


class MeasuredOut(Schema):
    batch: str
    dataset: str
    split: str
    arms: dict[str, int]
    finished_at: datetime
    n: int
    metrics: dict[str, float | None]
    """None: no run of the pass has a value."""
    counts: dict[str, int]
    by_category: dict[str, dict[str, float | None]]


class MetricsOut(Schema):
    catalogue: list[MetricDefinition]
    measured: MeasuredOut | None
    """The newest monitoring pass; None before the first."""


class ReportBrief(Schema):
    campaign_id: uuid.UUID
    campaign: int
    headline: str
    updated_at: datetime

    @staticmethod
    def resolve_campaign(report: Report) -> int:
        return report.campaign.number

    @staticmethod
    def resolve_headline(report: Report) -> str:
        return markdown.headline(report.content)


class ReportOut(ReportBrief):
    content: dict[str, Any]


class CycleReportOut(Schema):
    campaign_id: uuid.UUID
    campaign: int
    cycle: int
    headline: str
    content: dict[str, Any]


ReportForm = Literal["json", "md", "html"]


@router.get("/cycles", response=list[CycleOut], summary="Cycles, newest first", tags=["cycles"])
@paginate(sort=("created_at", "number", "finished_at"))
def cycles(request: HttpRequest, campaign: uuid.UUID | None = None, state: CycleState | None = None) -> QuerySet[Cycle]:
    wanted = {"campaign_id": campaign, "state": state}
    return Cycle.objects.filter(**{name: value for name, value in wanted.items() if value})


@router.get("/cycles/{uuid:cycle_id}", response=CycleOut, summary="One cycle", tags=["cycles"])
def cycle(request: HttpRequest, cycle_id: uuid.UUID) -> Cycle:
    found = Cycle.objects.filter(id=cycle_id).first()
    if found is None:
        raise NotFound(f"there is no cycle {cycle_id}", details={"cycle": str(cycle_id)})
    return found


@router.get("/metrics", response=MetricsOut, summary="The catalogue, and what was measured last", tags=["metrics"])
def metrics(
    request: HttpRequest, dataset: str | None = None, split: Literal["validation", "golden"] = "validation"
) -> dict[str, Any]:
    passes = EvaluationPass.objects.filter(purpose="monitor", split=split, finished_at__isnull=False)
    last = (passes.filter(dataset=dataset) if dataset else passes).order_by("-finished_at").first()
    return {"catalogue": list(METRICS.values()), "measured": _measured(last) if last else None}


def _measured(last: EvaluationPass) -> dict[str, Any]:
    found = metrics_aggregate(batch=last.batch).to_json()
    place = {name: getattr(last, name) for name in ("batch", "dataset", "split", "arms", "finished_at")}
    return place | {name: found[name] for name in ("n", "metrics", "counts", "by_category")}


@router.get("/reports", response=list[ReportBrief], summary="Reports, newest first", tags=["reports"])
@paginate(sort=("updated_at",))
def reports(request: HttpRequest) -> QuerySet[Report]:
    return Report.objects.select_related("campaign").order_by("-updated_at")


@router.get("/reports/{campaign_id}", response=ReportOut, summary="A campaign's report", tags=["reports"])
def report(
    request: HttpRequest, campaign_id: str, format: ReportForm = "json", lang: Literal["en", "ru"] | None = None
) -> Report | HttpResponse:
    """By number or uuid of the campaign; as data, Markdown or HTML. `lang` says in which language; without it the
    request's own (`Accept-Language`). Data is the same in each."""
    campaign = campaign_get(campaign_id)
    found = Report.objects.select_related("campaign").filter(campaign=campaign).first()
    if found is None:
        raise NotFound(f"campaign {campaign.number} has no report yet", details={"campaign": campaign.number})
    return _written(found.content, format, lang) or found


@router.get(
    "/reports/{campaign_id}/cycles/{int:number}",
    response=CycleReportOut,
    summary="The report of one cycle of a campaign",
    tags=["reports"],
)
def cycle_report(
    request: HttpRequest,
    campaign_id: str,
    number: int,
    format: ReportForm = "json",
    lang: Literal["en", "ru"] | None = None,
) -> dict[str, Any] | HttpResponse:
    """What this cycle tried, what won and lost and why, what it cost, and the gaps that it left. Made when it is asked
    for: what was decided on since stands in it too."""
    campaign = campaign_get(campaign_id)
    content = cycle_content(campaign, cycle_of(campaign, number))
    found = {
        "campaign_id": campaign.pk,
        "campaign": campaign.number,
        "cycle": number,
        "headline": markdown.headline(content),
        "content": content,
    }
    return _written(content, format, lang) or found


def _written(content: dict[str, Any], form: ReportForm, lang: str | None) -> HttpResponse | None:
    """A report as text, in the language that was asked for. None: it is wanted as data."""
    if form == "json":
        return None
    with override(lang or get_language()):
        if form == "md":
            return HttpResponse(markdown.render(content), content_type="text/markdown; charset=utf-8")
        answer = HttpResponse(html.render(content), content_type="text/html; charset=utf-8")
        answer["Content-Disposition"] = 'attachment; filename="report.html"'
        return answer
