"""Approvals: what waits, what was decided, and the two answers."""

from __future__ import annotations

import uuid

from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.utils.translation import gettext as _

from contracts.doors import actor_of
from manager.domain.lifecycle import ApprovalStatus
from manager.models import Approval
from manager.services.approvals import approval_reject
from manager.services.decisions import approval_decide
from selflearn_site.pages.headline import approvals_news
from selflearn_site.pages.page import LIVE_SLOW, action, back, page, show
from selflearn_site.pages.selectors.home import approvals_waiting
from selflearn_site.pages.selectors.lists import paged
from selflearn_site.pages.selectors.prunings import prunings_waiting_count


@page
def approvals(request: HttpRequest) -> HttpResponse:
    waiting, prunings = approvals_waiting(limit=100), prunings_waiting_count()
    decided = Approval.objects.exclude(status=ApprovalStatus.PENDING).select_related("experiment", "campaign")
    context = {
        "headline": approvals_news(len(waiting) + prunings),
        "prunings": prunings,
        "requests": waiting,
        "decided": paged(request, decided.order_by("-decided_at", "-created_at")),
    }
    return show(request, "pages/approvals.html", context, live=LIVE_SLOW)


@action
def approval_approve(request: HttpRequest, approval_id: uuid.UUID) -> HttpResponse:
    """Applied at once; or, when another version has become active since, after golden was asked anew."""
    approval = approval_decide(
        approval_id=approval_id,
        actor=actor_of(request),
        comment=request.POST.get("comment", "").strip(),
        seen=request.POST.get("seen", ""),
    )
    what = {"param": approval.proposal["param"], "version": approval.applied_version}
    if approval.status == ApprovalStatus.APPLIED:
        messages.success(request, _("%(param)s is approved and in force: version %(version)s is active.") % what)
    elif approval.kind == "start":
        messages.success(request, _("The experiment on %(param)s is approved; the next cycle starts it.") % what)
    else:
        messages.warning(
            request,
            _(
                "%(param)s is approved. Another version has become active since it was tested, so the golden set is "
                "asked anew in the background; then it is applied, or void with the reason."
            )
            % what,
        )
    return back(request, "pages:approvals")


@action
def approval_refuse(request: HttpRequest, approval_id: uuid.UUID) -> HttpResponse:
    approval = approval_reject(
        approval_id=approval_id, actor=actor_of(request), comment=request.POST.get("comment", "")
    )
    messages.success(request, _("%(param)s is rejected; nothing changes.") % {"param": approval.proposal["param"]})
    return back(request, "pages:approvals")
