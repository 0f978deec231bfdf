"""Parameters in force, their history, rollback and freeze."""

from __future__ import annotations

from typing import Any

from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.utils.translation import gettext as _

from contracts.doors import actor_of
from kernel.errors import InvalidInput, NotFound
from manager.services.safety import rollback_order
from selflearn_site.pages.headline import parameters_news
from selflearn_site.pages.page import LIVE_SLOW, action, back, page, show
from selflearn_site.pages.selectors import parameters as selectors
from selflearn_site.templatetags.pages import clock
from tuner.fitness import rollback_plan
from tuner.models import TunerState
from tuner.selectors import version_get, versions_diff
from tuner.services import parameters_freeze, parameters_unfreeze


@page
def parameters(request: HttpRequest) -> HttpResponse:
    rows, versions = selectors.activations()
    frozen = TunerState.objects.filter(frozen=True).first()
    newest = rows[0] if rows else None
    plan = rollback_plan()
    context = {
        "headline": parameters_news(
            version=newest.version if newest else None, since=clock(newest.at) if newest else "", frozen=bool(frozen)
        ),
        "factors": selectors.factor_rows(rows, versions),
        "history": selectors.activation_rows(rows, versions),
        "active": versions[newest.version] if newest else None,
        "back_to": plan.target,
        "passed_over": sorted(plan.skipped),
        "frozen": frozen,
        "compared": _compared(request.GET.get("from", "").strip(), request.GET.get("to", "").strip()),
        "known": sorted(versions.values(), key=lambda item: -item.version),
    }
    return show(request, "pages/parameters.html", context, live=LIVE_SLOW)


def _compared(before: str, after: str) -> dict[str, Any]:
    """Two versions that a person asked for, beside each other; `problem`: why that cannot be told."""
    asked: dict[str, Any] = {"from": before, "to": after}
    if not before and not after:
        return asked
    numbers = [text.lstrip("v") for text in (before, after)]
    if not all(number.isdecimal() and len(number) < 10 for number in numbers):
        return asked | {"problem": _("Name two versions by their numbers.")}
    one, other = map(int, numbers)
    try:
        changes = versions_diff(one, other)
    except NotFound as error:
        return asked | {"problem": _("There is no version %(version)s.") % {"version": error.details["version"]}}
    both = [version_get(one), version_get(other)]
    return asked | {"before": both[0], "after": both[1], "both": both, "changes": changes}


@action
def rollback(request: HttpRequest) -> HttpResponse:
    """To the last stable version; the version that the person saw as active must still be it."""
    seen = request.POST.get("active", "")
    change = rollback_order(
        reason=_reason(request), actor=actor_of(request), expected_active=int(seen) if seen.isdecimal() else None
    )
    said = {"left": change.previous_version, "now": change.version}
    messages.success(request, _("Version %(left)s is rolled back: version %(now)s is active.") % said)
    for number in change.passed_over:
        messages.warning(
            request,
            _("Version %(number)s was passed over: it holds a value that is impossible by now.") % {"number": number},
        )
    return back(request, "pages:parameters")


@action
def freeze(request: HttpRequest) -> HttpResponse:
    parameters_freeze(actor=actor_of(request), reason=_reason(request))
    messages.success(request, _("Changes are frozen; only a rollback is still possible."))
    return back(request, "pages:parameters")


@action
def unfreeze(request: HttpRequest) -> HttpResponse:
    parameters_unfreeze(actor=actor_of(request), reason=_reason(request))
    messages.success(request, _("Changes are possible again."))
    return back(request, "pages:parameters")


def _reason(request: HttpRequest) -> str:
    reason = request.POST.get("reason", "").strip()
    if not reason:
        raise InvalidInput(_("This needs a reason; it is kept in the change log."), details={"field": "reason"})
    return reason
