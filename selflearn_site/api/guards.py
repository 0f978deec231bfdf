"""What stands before every route: limits of size and depth, how often one may call, and requests sent twice.

Around the router, so that no room can forget it. The router itself still decides who may call.
"""

from __future__ import annotations

import random
import re
from collections.abc import Callable
from functools import wraps
from typing import Any

from django.conf import settings
from django.core.exceptions import RequestDataTooBig
from django.db import InterfaceError, OperationalError
from django.http import HttpRequest, HttpResponse, HttpResponseBase
from django.http.request import UnreadablePostError

from contracts.actor import Actor
from contracts.etags import tag_matches
from kernel.errors import DomainError, NotAuthorised
from selflearn_site.access.idempotency import key_answer, key_claim, key_release, keys_forget, request_digest
from selflearn_site.access.models import IdempotencyKey
from selflearn_site.access.rate import Rate, rate_take
from selflearn_site.access.roles import actor_of
from selflearn_site.access.services import token_actor
from selflearn_site.api.errors import database_lost, error_response, status_of

DEEPEST = 64
"""Levels of lists and objects in a body; ours have at most ten."""
REFUSED_LIMIT = 60
"""Wrong or missing logins a minute from one address."""
_FREE = ("/api/v1/health",)
_OWN_READING = ("/api/v1/telemetry",)
"""Routes that read up to 10 MB themselves, and are idempotent by event."""
_NESTING = re.compile(rb'"(?:[^"\\]|\\.)*"|[\[\]{}]', re.DOTALL)

View = Callable[..., HttpResponseBase]


def guarded(view: View) -> View:
    """A route's view behind the guards."""

    @wraps(view)
    def wrapped(request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponseBase:
        if request.path in _FREE:
            return view(request, *args, **kwargs)
        try:
            actor = _caller(request)
            address = request.META.get("REMOTE_ADDR", "")
            subject = actor.label if actor else f"address:{address}"
            rate = rate_take(subject=subject, limit=settings.SELFLEARN_API_RATE)
            response = _refused_for_rate(rate) if rate.exceeded else _limited(view, request, actor, args, kwargs)
            if response.status_code == 401:
                refused = rate_take(subject=f"refused:{address}", limit=REFUSED_LIMIT)
                if refused.exceeded:
                    rate, response = refused, _refused_for_rate(refused)
        except (OperationalError, InterfaceError) as error:
            return database_lost(request, error)
        if request.method in ("GET", "HEAD") and response.status_code == 200 and _known(request, response):
            response = HttpResponse(status=304, headers={"ETag": response.headers["ETag"]})
        for name, value in rate.headers.items():
            response.headers[name] = value
        return response

    return wrapped


def _known(request: HttpRequest, response: HttpResponseBase) -> bool:
    """Whether the caller has just this already."""
    asked, tag = request.headers.get("If-None-Match"), response.headers.get("ETag")
    return bool(asked and tag and tag_matches(asked, tag, weak=True))


def _limited(
    view: View, request: HttpRequest, actor: Actor | None, args: tuple[Any, ...], kwargs: dict[str, Any]
) -> HttpResponseBase:
    if request.method in ("GET", "HEAD", "OPTIONS") or request.path.startswith(_OWN_READING):
        return view(request, *args, **kwargs)
    try:
        body = request.body
    except RequestDataTooBig:
        most = settings.DATA_UPLOAD_MAX_MEMORY_SIZE
        return error_response(413, "TOO_LARGE", f"the body is larger than {most} bytes", {"field": "body"})
    except UnreadablePostError:
        return error_response(400, "INVALID_INPUT", "the body ended before it was complete", {"field": "body"})
    if depth_exceeds(body, DEEPEST):
        message = f"the body is nested deeper than {DEEPEST} levels"
        return error_response(422, "INVALID_INPUT", message, {"field": "body"})
    key = request.headers.get("Idempotency-Key")
    if key is None or actor is None or request.method != "POST":
        return view(request, *args, **kwargs)
    return _once(view, request, actor, key, body, args, kwargs)


def _once(
    view: View,
    request: HttpRequest,
    actor: Actor,
    key: str,
    body: bytes,
    args: tuple[Any, ...],
    kwargs: dict[str, Any],
) -> HttpResponseBase:
    """The first request with a key is done; every later one gets its answer."""
    digest = request_digest(method="POST", address=request.get_full_path(), body=body)
    try:
        row, first = key_claim(actor=actor.label, key=key, digest=digest)
    except DomainError as error:
        return error_response(status_of(error), error.code, error.message, error.details)
    if not first:
        return _again(row)
    try:
        response = view(request, *args, **kwargs)
    except BaseException:
        key_release(row=row)
        raise
    if _final(response):
        content_type = response.headers.get("Content-Type", "application/json")
        headers = {"Content-Type": content_type}
        if "ETag" in response.headers:
            headers["ETag"] = response.headers["ETag"]
        key_answer(row=row, status=response.status_code, headers=headers, body=response.content)  # type: ignore[attr-defined]  # no stream: see _final
    else:
        key_release(row=row)
    if random.random() < 0.01:  # noqa: S311 - housekeeping now and then, by whoever comes
        keys_forget()
    return response


def _final(response: HttpResponseBase) -> bool:
    """Whether this is what the request came to. After a refusal of the caller or a failure of ours one tries again."""
    return not response.streaming and response.status_code < 500 and response.status_code not in (401, 403, 429)


def _again(row: IdempotencyKey) -> HttpResponse:
    response = HttpResponse(bytes(row.body), status=row.status, headers=row.headers)
    response.headers["Idempotent-Replayed"] = "true"
    return response


def depth_exceeds(body: bytes, most: int) -> bool:
    """Whether JSON text nests deeper than `most`, without parsing it: the parser would run out of stack."""
    if body.count(b"[") + body.count(b"{") <= most:
        return False
    depth = 0
    for match in _NESTING.finditer(body):
        sign = match[0]
        if sign in (b"[", b"{"):
            depth += 1
            if depth > most:
                return True
        elif sign in (b"]", b"}"):
            depth -= 1
    return False


def _caller(request: HttpRequest) -> Actor | None:
    """Who calls, as the router will find too. None: nobody that is known; the router says so."""
    scheme, _, token = request.headers.get("Authorization", "").partition(" ")
    if scheme.lower() == "bearer":
        actor = token_actor(token.strip()) if token else None
        request._selflearn_token = (token.strip(), actor)  # type: ignore[attr-defined]  # read by TokenAuth
        return actor
    if settings.SESSION_COOKIE_NAME not in request.COOKIES:
        return None
    try:
        return actor_of(request)
    except NotAuthorised:
        return None


def _refused_for_rate(rate: Rate) -> HttpResponse:
    message = f"more than {rate.limit} requests in a minute; try again in {rate.reset_seconds} s"
    details = {"limit": rate.limit, "retry_after_seconds": rate.reset_seconds}
    return error_response(429, "TOO_MANY_REQUESTS", message, details)
