"""Impact factors: what each may be, how far without a person, and what a meta-user changes of that."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime
from typing import Any

from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.utils import timezone
from django.utils.translation import gettext as _

from contracts.doors import actor_of
from kernel.errors import InvalidInput, NotFound
from selflearn_site.pages.headline import factor_news, factors_news
from selflearn_site.pages.page import LIVE_SLOW, action, back, page, show
from selflearn_site.pages.said import term
from selflearn_site.pages.selectors import factors as selectors
from selflearn_site.pages.views.parameter_history import moment_read
from selflearn_site.templatetags.pages import clock, setting
from tuner.factor_services import factor_change, factor_freeze, factor_reset, factor_thaw
from tuner.registry import factor as registered

LIMITS = ("auto_low", "auto_high", "step", "cooldown_cycles")


@page
def factors(request: HttpRequest) -> HttpResponse:
    rows = selectors.rows()
    context = {
        "headline": factors_news(
            frozen=sum(row.state.now.frozen for row in rows), changed=sum(row.bounded for row in rows)
        ),
        "rows": rows,
    }
    return show(request, "pages/factors.html", context, live=LIVE_SLOW)


@page
def factor(request: HttpRequest, key: str) -> HttpResponse:
    """One factor, by key or alias."""
    row = selectors.row(registered(key).key)
    now, edits = row.state.now, selectors.history(registered(key).key)
    context: dict[str, Any] = {
        "headline": factor_news(
            title=term(now.title),
            value=setting(row.value),
            frozen=now.frozen,
            until=clock(now.frozen_until) if now.frozen_until else "",
        ),
        "row": row,
        "numeric": now.type in ("int", "float"),
        "history": edits,
        "frozen_why": next((edit.entry.reason for edit in edits if edit.froze), ""),
    }
    return show(request, "pages/factor.html", context)


@action
def factor_do(request: HttpRequest, key: str, verb: str) -> HttpResponse:
    """Freeze, thaw, bound, reset: each with a reason, and only on what the person looked at."""
    order = _ORDERS.get(verb)
    if order is None:
        raise NotFound(_("There is nothing here."))
    common: dict[str, Any] = {
        "key": key,
        "reason": request.POST.get("reason", ""),
        "actor": actor_of(request),
        "expected": request.POST.get("seen") or None,
    }
    messages.success(request, order(request, common))
    return back(request, "pages:factors")


def _freeze(request: HttpRequest, common: dict[str, Any]) -> str:
    factor_freeze(until=_until(request.POST.get("until", "").strip()), **common)
    return _("Frozen: nobody changes this factor until it is thawed.")


def _thaw(_request: HttpRequest, common: dict[str, Any]) -> str:
    factor_thaw(**common)
    return _("Thawed: this factor may be changed again.")


def _bound(request: HttpRequest, common: dict[str, Any]) -> str:
    """Fields that the form does not have stay as they are; an empty one is as the registry has it."""
    given: dict[str, Any] = {name: _number(name, request.POST[name]) for name in LIMITS if name in request.POST}
    if "manual" in request.POST:
        given["manual"] = {"yes": True, "no": False}.get(request.POST["manual"])
    factor_change(values=given, **common)
    return _("The limits hold from now on.")


def _reset(_request: HttpRequest, common: dict[str, Any]) -> str:
    factor_reset(**common)
    return _("Everything of this factor is as the registry has it.")


_ORDERS: dict[str, Callable[[HttpRequest, dict[str, Any]], str]] = {
    "freeze": _freeze,
    "thaw": _thaw,
    "bound": _bound,
    "reset": _reset,
}


def _until(text: str) -> datetime | None:
    if not text:
        return None
    at = moment_read(text)
    if at is None:
        raise InvalidInput(_("“%(text)s” is no date and time.") % {"text": text[:40]}, details={"field": "until"})
    if at <= timezone.now():
        raise InvalidInput(_("The end of a freeze lies ahead."), details={"field": "until"})
    return at


def _number(name: str, text: str) -> float | int | None:
    """With a decimal point or comma. Raises `InvalidInput`."""
    text = text.strip().replace(",", ".")
    if not text:
        return None
    try:
        return int(text) if name == "cooldown_cycles" else float(text)
    except ValueError:
        raise InvalidInput(_("“%(text)s” is no number.") % {"text": text[:40]}, details={"field": name}) from None
