"""Puts `find_actor` on each request, so that doors of lower rooms can ask who is there without importing the site."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from functools import partial
from typing import Any

from asgiref.sync import iscoroutinefunction, markcoroutinefunction
from django.http import HttpRequest, HttpResponseBase
from django.utils.deprecation import MiddlewareMixin

from selflearn_site.access.roles import actor_of


class ActorMiddleware:
    """After `AuthenticationMiddleware`. Looks nothing up by itself."""

    sync_capable = True
    async_capable = True

    def __init__(self, get_response: Callable[[HttpRequest], Any]):
        self.get_response = get_response
        if iscoroutinefunction(get_response):
            markcoroutinefunction(self)

    def __call__(self, request: HttpRequest) -> HttpResponseBase | Awaitable[HttpResponseBase]:
        request.find_actor = partial(actor_of, request)  # type: ignore[attr-defined]  # what contracts.doors reads
        answer: HttpResponseBase | Awaitable[HttpResponseBase] = self.get_response(request)
        return answer


# unfold runs Alpine, which evaluates expressions in attributes, and writes inline scripts and styles.
# What stays shut: code from elsewhere, plugins, frames, forms that post elsewhere, another base.
ADMIN_POLICY = (
    "default-src 'self'; script-src 'self' 'unsafe-inline' 'unsafe-eval'; style-src 'self' 'unsafe-inline'; "
    "img-src 'self' data: blob:; font-src 'self' data:; object-src 'none'; base-uri 'self'; form-action 'self'; "
    "frame-ancestors 'none'"
)
DATA_POLICY = "default-src 'none'; frame-ancestors 'none'"


class PolicyMiddleware(MiddlewareMixin):
    """A content policy on every answer that has none of its own: pages set a stricter one (`pages/page.py`)."""

    def process_response(self, request: HttpRequest, response: HttpResponseBase) -> HttpResponseBase:
        html = response.headers.get("Content-Type", "").startswith("text/html")
        if request.path.startswith("/api/") and html and not request.path.endswith("/docs"):
            html = False
        response.headers.setdefault("Content-Security-Policy", ADMIN_POLICY if html else DATA_POLICY)
        response.headers.setdefault("Permissions-Policy", "camera=(), geolocation=(), microphone=()")
        return response
