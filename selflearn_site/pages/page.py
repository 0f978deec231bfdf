"""What every page has: a signed-in person with a role, the navigation, strict headers, and errors said in place."""

from __future__ import annotations

from collections.abc import Callable
from functools import wraps
from typing import Any

from django.conf import settings
from django.contrib import messages
from django.contrib.auth.views import redirect_to_login
from django.db import InterfaceError, OperationalError
from django.http import HttpRequest, HttpResponse, HttpResponseBase, HttpResponseNotAllowed, HttpResponseRedirect
from django.shortcuts import render, resolve_url
from django.utils import timezone
from django.utils.http import url_has_allowed_host_and_scheme

from contracts.actor import Role
from contracts.doors import actor_of, may
from kernel.errors import DomainError, NotAuthorised, Unavailable
from selflearn_site.api.errors import status_of
from selflearn_site.pages.selectors.navigation import navigation

View = Callable[..., HttpResponseBase]

# Scripts, fonts and data come from here alone. Styles may stand in the page because plotly writes its own.
CSP = (
    "default-src 'self'; img-src 'self' data: blob:; style-src 'self' 'unsafe-inline'; object-src 'none'; "
    "base-uri 'self'; form-action 'self'; frame-ancestors 'none'"
)
LIVE_FAST, LIVE_SLOW = 1500, 15000
"""How often a page looks for news, in ms: while something runs, and else."""


def page(view: View) -> View:
    """A page for people with a role. Refusals of the domain become pages with a sentence, never a 500."""

    @wraps(view)
    def wrapped(request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponseBase:
        if not request.user.is_authenticated:
            return redirect_to_login(request.get_full_path(), resolve_url(settings.LOGIN_URL))
        try:
            actor_of(request).require(Role.VIEWER)
            answer = view(request, *args, **kwargs)
        except DomainError as error:
            answer = _refused(request, error)
        except (OperationalError, InterfaceError):
            answer = _refused(request, Unavailable("the database cannot be reached now"))
        answer["Content-Security-Policy"] = CSP
        answer["Cache-Control"] = "no-store"
        return answer

    return wrapped


def action(view: View) -> View:
    """A click that changes something: POST only. What the domain refuses is said on the page it came from."""

    @wraps(view)
    def wrapped(request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponseBase:
        if request.method != "POST":
            return HttpResponseNotAllowed(["POST"])
        try:
            return view(request, *args, **kwargs)
        except NotAuthorised:
            raise
        except DomainError as error:
            messages.error(request, error.message)
            return back(request)

    return page(wrapped)


def back(request: HttpRequest, default: str = "pages:home") -> HttpResponse:
    """To the page that the click came from (`next`), if it is one of ours."""
    wanted = request.POST.get("next", "")
    ours = url_has_allowed_host_and_scheme(wanted, allowed_hosts={request.get_host()})
    return HttpResponseRedirect(wanted if ours and wanted else resolve_url(default))


def show(
    request: HttpRequest, template: str, context: dict[str, Any], *, status: int = 200, live: int | None = None
) -> HttpResponse:
    """Render a page with the navigation. `live`: look for news every so many ms."""
    whole = {
        "nav": navigation(),
        "actor": actor_of(request),
        "may_operate": may(request, Role.OPERATOR),
        "may_decide": may(request, Role.META_USER),
        "as_of": timezone.now(),
        "live": live,
        **context,
    }
    return render(request, template, whole, status=status)


def _refused(request: HttpRequest, error: DomainError) -> HttpResponse:
    context = {"error": error, "status": status_of(error), "forbidden": isinstance(error, NotAuthorised)}
    return render(request, "pages/refused.html", context, status=status_of(error))
