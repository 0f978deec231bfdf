"""Experiments: the list, one of them with its evidence, replay and export."""

from __future__ import annotations

from django.contrib import messages
from django.db.models import Count, Q
from django.http import HttpRequest, HttpResponse, JsonResponse
from django.utils.translation import gettext as _

from contracts.metric import METRICS
from experiments.domain.lifecycle import ExperimentStatus
from experiments.models import Experiment
from selflearn_site.pages import headline as headlines
from selflearn_site.pages.page import LIVE_SLOW, action, back, page, show
from selflearn_site.pages.selectors.cases import cases
from selflearn_site.pages.selectors.discoveries import met, streams
from selflearn_site.pages.selectors.experiments import experiment_list, experiment_view
from selflearn_site.pages.selectors.lists import paged
from selflearn_site.pages.selectors.standing import short
from teacher.services import verdict_replay


@page
def experiments(request: HttpRequest) -> HttpResponse:
    counts = Experiment.objects.aggregate(
        total=Count("id"),
        applied=Count("id", filter=Q(status=ExperimentStatus.APPLIED)),
        running=Count("id", filter=Q(status=ExperimentStatus.RUNNING)),
        waiting=Count("id", filter=Q(status=ExperimentStatus.ANALYZED)),
    )
    rows = experiment_list()
    status, factor = request.GET.get("status", ""), request.GET.get("factor", "")
    if status:
        rows = rows.filter(status=status)
    if factor:
        rows = rows.filter(factor=factor)
    context = {
        "headline": headlines.experiments_news(**counts),
        "rows": paged(request, rows),
        "statuses": [item.value for item in ExperimentStatus],
        "factors": list(Experiment.objects.order_by("factor").values_list("factor", flat=True).distinct()),
        "chosen": {"status": status, "factor": factor},
        "streams": streams(),
    }
    return show(request, "pages/experiments.html", context, live=LIVE_SLOW)


@page
def experiment(request: HttpRequest, slug: str) -> HttpResponse:
    view = experiment_view(slug)
    metric = METRICS[view.experiment.metric].source or view.experiment.metric
    headline = headlines.experiment_news(
        metric=short(view.experiment.metric),
        status=view.experiment.status,
        verdict=view.result.verdict if view.result else "",
        decision=view.experiment.decision,
        change=view.change,
        version=view.version,
    )
    context = {
        "headline": headline,
        "view": view,
        "experiment": view.experiment,
        "result": view.result,
        "met": met(slug),
        "cases": cases(view.experiment, metric=metric) if view.result else None,
    }
    return show(request, "pages/experiment.html", context, live=None if view.result else LIVE_SLOW)


@action
def experiment_replay(request: HttpRequest, slug: str) -> HttpResponse:
    """Compute the stored verdict again, and say whether it is the same."""
    replay = verdict_replay(slug=slug)
    if replay.identical:
        messages.success(request, _("Replayed from its stored samples: the verdict is the same, to the last byte."))
    else:
        messages.error(request, _("The replay differs: %(what)s") % {"what": replay.difference})
    return back(request, "pages:experiments")


@page
def experiment_export(_request: HttpRequest, slug: str) -> HttpResponse:
    """Spec, verdict, samples' hash and golden figures as JSON."""
    view = experiment_view(slug)
    result = view.result
    body = {
        "experiment_id": slug,
        "status": view.experiment.status,
        "factor": view.experiment.factor,
        "from": view.experiment.from_value,
        "to": view.experiment.to_value,
        "spec": view.experiment.spec,
        "decision": view.experiment.decision,
        "decision_reason": view.experiment.decision_reason,
        "evaluation": result.evaluation if result else None,
        "recommendation": result.recommendation if result else None,
        "golden": result.golden if result else None,
        "samples_hash": result.samples_hash if result else None,
        "engine_version": result.engine_version if result else None,
        "judge_version": result.judge_version if result else None,
    }
    answer = JsonResponse(body, json_dumps_params={"indent": 2, "ensure_ascii": False})
    answer["Content-Disposition"] = f'attachment; filename="{slug}.json"'
    return answer
