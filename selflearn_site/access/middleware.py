"""Puts `find_actor` on each request, so that doors of lower rooms can ask who is there without importing the site."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from functools import partial
from typing import Any

from asgiref.sync import iscoroutinefunction, markcoroutinefunction
from django.http import HttpRequest, HttpResponseBase

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
