"""Judges: how far people agree with them, blind labelling of what they judged, and where both differ."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from django.contrib import messages
from django.core.paginator import Paginator
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.urls import reverse
from django.utils import timezone
from django.utils.dateparse import parse_datetime
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from contracts.actor import Role
from contracts.doors import actor_of, may
from kernel.errors import InvalidInput
from manager.services.judging import judging_current
from manager.services.policy import agreement_rule
from selflearn_site.pages.page import action, page, show
from selflearn_site.pages.selectors.judges import (
    difference_rows,
    differences,
    differences_news,
    judge_incidents,
    judge_views,
    judges_news,
    pair_rows,
)
from teacher.calibration.labelling import (
    LONGEST,
    SIZE,
    Offered,
    case_get,
    case_label,
    case_next,
    label_undo,
    round_draw,
)
from teacher.calibration.models import ANSWERS, CalibrationRound
from teacher.calibration.rejudging import labelled_judge
from teacher.calibration.selectors import versions

SKIPPED = "judges_skipped"
MOST_SKIPPED = 500
PER_PAGE = 20
ASKED = (
    ("relevance", gettext_lazy("Are the memories that were found about the question?"),
     gettext_lazy("Yes, when at least one of them helps to answer it.")),
    ("context", gettext_lazy("Does the answer use these memories?"),
     gettext_lazy("Yes, when something that it says comes from them.")),
    ("hallucination", gettext_lazy("Does the answer claim what the context does not support, or what is wrong?"),
     gettext_lazy("Saying that one does not know is no claim. One such claim is enough for yes.")),
)  # fmt: skip


@page
def judges(request: HttpRequest) -> HttpResponse:
    rule = agreement_rule()
    views = judge_views(rule)
    context = {
        "headline": judges_news(views),
        "judges": views,
        "rule": rule,
        "pairs": pair_rows(),
        "incidents": judge_incidents(),
        "size": SIZE,
        "drawn": CalibrationRound.objects.exists(),
    }
    return show(request, "pages/judges.html", context)


@action
def judges_draw(request: HttpRequest) -> HttpResponse:
    """Draw a round of cases of one judge, and begin to label."""
    made = round_draw(actor=actor_of(request), judge_version=request.POST.get("judge") or None)
    request.session.pop(SKIPPED, None)
    messages.success(request, _("%(n)s cases are drawn.") % {"n": made.size})
    return redirect("pages:judges_label")


@action
def judges_rejudge(request: HttpRequest) -> HttpResponse:
    """Let the judge of the policy judge what people have labelled, for at most the money of one batch."""
    actor_of(request).require(Role.OPERATOR)
    n = labelled_judge(judging=judging_current())
    messages.success(request, _("%(n)s labelled cases were judged now.") % {"n": n})
    return redirect("pages:judges")


@page
def judges_label(request: HttpRequest) -> HttpResponse:
    """One case at a time; POST labels it. What a judge said of it stands nowhere on this page."""
    actor = actor_of(request)
    actor.require(Role.OPERATOR)
    problem = ""
    if request.method == "POST":
        case_id = _number(request.POST.get("case", ""))
        try:
            case_label(actor=actor, case_id=case_id, answers=_answers(request), seconds=_seconds(request))
            return redirect("pages:judges_label")
        except InvalidInput as error:
            problem = error.message
            offered: Offered | None = case_get(actor=actor, case_id=case_id)
    elif request.GET.get("case"):
        offered = case_get(actor=actor, case_id=_number(request.GET["case"]))
    else:
        offered = case_next(actor=actor, skipped=frozenset(_skipped(request)))
    context = _label_page(request, offered, problem)
    return show(request, "pages/judges_label.html", context, status=422 if problem else 200)


def _label_page(request: HttpRequest, offered: Offered | None, problem: str) -> dict[str, Any]:
    newest = CalibrationRound.objects.order_by("-id").first()
    if offered is None:
        done = newest is not None
        said = _("Every case of this round is labelled.") if done else _("No cases are drawn yet.")
        return {"headline": said, "offered": None, "done": done, "size": SIZE, "judges": versions()}
    said = _("%(done)s of %(size)s") % {"done": offered.done, "size": offered.size}
    asked = ASKED if offered.content.found else ASKED[-1:]
    return {
        "headline": _("What do you say of this answer?"),
        "offered": offered,
        "content": offered.content,
        "progress": said,
        "asked": [(name, title, hint, request.POST.get(name, "")) for name, title, hint in asked],
        "answers": ANSWERS,
        "seen": timezone.now().isoformat(),
        "problem": problem,
    }


@action
def judges_skip(request: HttpRequest) -> HttpResponse:
    """Not now: the case comes again after the others."""
    actor_of(request).require(Role.OPERATOR)
    number = _number(request.POST.get("case", ""))
    request.session[SKIPPED] = [*(case for case in _skipped(request) if case != number), number][-MOST_SKIPPED:]
    return redirect("pages:judges_label")


@action
def judges_undo(request: HttpRequest) -> HttpResponse:
    case_id = label_undo(actor=actor_of(request))
    messages.success(request, _("Your last label is taken back."))
    return redirect(f"{reverse('pages:judges_label')}?case={case_id}")


@page
def judges_differences(request: HttpRequest) -> HttpResponse:
    """Where people and one judge version differ. Who labels sees the cases that they have labelled themselves."""
    version = request.GET.get("judge", "")
    blind = may(request, Role.OPERATOR)
    found = differences(version, labelled_by=actor_of(request).label if blind else None)
    shown = Paginator(found, PER_PAGE).get_page(request.GET.get("page"))
    context = {
        "headline": differences_news(len(found), version),
        "version": version,
        "blind": blind,
        "rows": shown,
        "shown": difference_rows(list(shown)),
    }
    return show(request, "pages/judges_differences.html", context)


def _answers(request: HttpRequest) -> dict[str, str]:
    return {name: request.POST[name] for name, _title, _hint in ASKED if name in request.POST}


def _number(text: str) -> int:
    if not text.isdecimal() or len(text) > 18:
        raise InvalidInput("a case is named by its number", details={"field": "case"})
    return int(text)


def _seconds(request: HttpRequest) -> float:
    """Since the page was shown; the browser brings the moment back. Not told, or nonsense: no time at all."""
    try:
        seen: datetime | None = parse_datetime(request.POST.get("seen", ""))
    except ValueError:
        seen = None
    if seen is None or timezone.is_naive(seen):
        return 0.0
    return min(max((timezone.now() - seen).total_seconds(), 0.0), LONGEST)


def _skipped(request: HttpRequest) -> list[int]:
    kept = request.session.get(SKIPPED, [])
    return [case for case in kept if isinstance(case, int)]
