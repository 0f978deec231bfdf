"""Experiments: the list, one of them with its evidence, replay and export."""

from __future__ import annotations

from typing import Any

from django.contrib import messages
from django.db.models import Count, Q
from django.http import HttpRequest, HttpResponse, JsonResponse
from django.shortcuts import redirect
from django.utils.translation import gettext as _

from contracts.doors import actor_of
from contracts.metric import METRICS
from experiments.domain.lifecycle import ExperimentStatus
from experiments.models import Experiment
from experiments.selectors import experiment_by_slug
from experiments.spec_text import mapping_write, spec_write
from goals.models import Campaign
from kernel.errors import DomainError, InvalidInput, NotAuthorised
from manager.services.experiment_closing import experiment_stop
from manager.services.importing import spec_import
from selflearn_site.pages import headline as headlines
from selflearn_site.pages.looks_chart import looks_figure
from selflearn_site.pages.page import LIVE_SLOW, action, back, page, show
from selflearn_site.pages.selectors.cases import cases
from selflearn_site.pages.selectors.discoveries import met, streams
from selflearn_site.pages.selectors.experiments import considered_of, experiment_list, experiment_view, look_lines
from selflearn_site.pages.selectors.lists import paged
from selflearn_site.pages.selectors.standing import short
from selflearn_site.pages.selectors.standing_tests import standing
from teacher.services import verdict_replay

_EXAMPLE = {
    "type": "experiment_spec",
    "experiment_id": "top_k_3_vs_2",
    "variants": [
        {"name": "baseline", "params": {"retrieval.top_k": 3}},
        {"name": "variant", "params": {"retrieval.top_k": 2}},
    ],
    "success_criteria": [
        {"metric": "retrieval_precision", "direction": "increase", "min_delta": 0.01},
        {"metric": "retrieval_recall", "direction": "no_large_drop", "max_delta": -0.03},
    ],
}


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
        "standing": standing(),
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
        broken=view.broken,
    )
    context = {
        "headline": headline,
        "view": view,
        "considered": considered_of(view.experiment),
        "experiment": view.experiment,
        "result": view.result,
        "met": met(slug),
        "look_lines": look_lines(view.look_points, view.experiment.metric),
        "stoppable": view.experiment.status in (ExperimentStatus.PLANNED, ExperimentStatus.RUNNING),
        "cases": cases(view.experiment, metric=metric) if view.result else None,
    }
    return show(request, "pages/experiment.html", context, live=None if view.result else LIVE_SLOW)


@page
def experiment_looks(_request: HttpRequest, slug: str) -> HttpResponse:
    view = experiment_view(slug)
    sizes = view.experiment.look_sizes
    horizon = sizes[-1] if sizes else view.experiment.planned_n
    return JsonResponse(looks_figure(view.look_points, metric=view.experiment.metric, horizon=horizon))


@action
def experiment_halt(request: HttpRequest, slug: str) -> HttpResponse:
    """Close it before its verdict. Its campaign goes on."""
    experiment_stop(slug=slug, actor=actor_of(request), reason=request.POST.get("reason", ""))
    messages.success(
        request, _("The experiment is stopped, and decides nothing. What was run of it stays; its campaign goes on.")
    )
    return back(request, "pages:experiments")


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
def experiment_new(request: HttpRequest) -> HttpResponse:
    """A spec written by hand (YAML or JSON): checked, with every error by its path, and planned."""
    context: dict[str, Any] = {"headline": _("Which experiment do you want to plan?"), "form": request.POST}
    if request.method == "POST":
        try:
            done = spec_import(
                text=request.POST.get("spec", ""),
                actor=actor_of(request),
                campaign=_number(request.POST.get("campaign", "")),
                because=request.POST.get("because", ""),
            )
        except NotAuthorised:
            raise
        except DomainError as error:
            context["errors"] = error.details.get("errors") or [{"path": "", "message": error.message}]
        else:
            told = "; ".join(done.notes)
            messages.success(
                request, _("It is planned, and waits for its start under Approvals. %(notes)s") % {"notes": told}
            )
            return redirect("pages:experiment", done.experiment.slug)
    context["campaigns"] = Campaign.objects.filter(status__in=["running", "paused"]).order_by("-number")
    context["example"] = spec_write(_EXAMPLE)
    return show(request, "pages/experiment_new.html", context, status=422 if context.get("errors") else 200)


def _number(text: str) -> int | None:
    if not text:
        return None
    if not text.isdecimal():
        raise InvalidInput(f"a campaign is named by its number, not {text!r}", details={"field": "campaign"})
    return int(text)


@page
def experiment_spec(_request: HttpRequest, slug: str, form: str) -> HttpResponse:
    """The spec alone, as YAML or JSON that can be imported again."""
    text = spec_write(experiment_by_slug(slug).spec, form=form)
    return _file(text, f"{slug}.spec.{form}")


def _file(text: str, name: str) -> HttpResponse:
    kind = "application/json" if name.endswith(".json") else "application/yaml"
    answer = HttpResponse(text, content_type=f"{kind}; charset=utf-8")
    answer["Content-Disposition"] = f'attachment; filename="{name}"'
    return answer


@page
def experiment_export(_request: HttpRequest, slug: str, form: str = "json") -> HttpResponse:
    """Spec, verdict, samples' hash and golden figures as JSON or YAML."""
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
    return _file(mapping_write(body, form=form), f"{slug}.{form}")
