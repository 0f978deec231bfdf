"""`/api/v1`: one NinjaAPI with the routers of all rooms."""

from __future__ import annotations

from collections.abc import Callable
from functools import wraps
from typing import Any

from django.http import HttpRequest, HttpResponseBase
from django.urls import URLPattern, URLResolver
from ninja import NinjaAPI
from ninja.openapi.schema import OpenAPISchema

from audit.api import router as audit
from experiments.api import router as experiments
from goals.api import router as goals
from hypotheses.api import router as hypotheses
from incidents.api import router as incidents
from maas.api import routers as maas
from manager.api import routers as manager
from notifications.api import router as notifications
from selflearn_site.access.scopes import scope_of
from selflearn_site.api.auth import AUTH
from selflearn_site.api.errors import error_response, handlers_add
from selflearn_site.api.events import router as events
from selflearn_site.api.guards import guarded
from selflearn_site.api.health import router as health
from selflearn_site.api.me import router as me
from sensor.api import router as sensor
from tuner.api import router as tuner
from tuner.api_factors import router as factors

_ERRORS = {
    "400": "The body is no JSON",
    "401": "Not signed in, or the token is unknown, expired or revoked",
    "403": "The role does not allow this, or the token lacks the scope (`x-scope`), or the CSRF token is missing",
    "404": "There is no such thing",
    "409": "Somebody else changed it first, or its state does not allow this",
    "412": "It was changed since the caller looked (`If-Match`); `details.etag` is its tag now",
    "413": "The body is too large",
    "422": "The input is wrong or breaks a rule; `details` names the field or the rule",
    "429": "Too many requests in this minute; `Retry-After` says when to go on",
    "500": "Something went wrong on our side; `details.request_id` finds it in the logs",
    "503": "A dependency cannot be reached now",
}
_WITH_LOGIN = {"401", "403"}
_ERROR_SCHEMA = {
    "type": "object",
    "required": ["error"],
    "properties": {
        "error": {
            "type": "object",
            "required": ["code", "message", "details"],
            "properties": {
                "code": {"type": "string", "examples": ["INVALID_INPUT"]},
                "message": {"type": "string"},
                "details": {"type": "object", "additionalProperties": True},
            },
        }
    },
}


class Api(NinjaAPI):
    def get_openapi_schema(self, **kwargs: Any) -> OpenAPISchema:
        """Every operation documents the one shape of an error.

        A route says in `openapi_extra` what a status means there (`responses`) and which it never gives (`x-never`).
        """
        schema = super().get_openapi_schema(**kwargs)
        known = schema.setdefault("components", {}).setdefault("schemas", {})
        known["Error"] = _ERROR_SCHEMA
        known.pop("PageInput", None)  # nothing refers to it: its fields are parameters of each list
        prefix = str(kwargs.get("path_prefix", ""))
        for path, methods in schema["paths"].items():
            for method, operation in methods.items():
                _conditions(operation)
                operation["responses"] = _responses(operation)
                needed = scope_of(method.upper(), path.removeprefix(prefix.rstrip("/")))
                if needed is not None and "security" in operation:
                    operation["x-scope"] = needed
        return schema

    def _get_urls(self) -> list[URLResolver | URLPattern]:
        urls = super()._get_urls()
        for pattern in urls:
            if isinstance(pattern, URLPattern):
                pattern.callback = guarded(_method_refused_in_shape(pattern.callback))
        return urls


def _conditions(operation: dict[str, Any]) -> None:
    """What `contracts.etags` does, said in the document."""
    gives, takes = operation.pop("x-etag", False), operation.pop("x-if-match", False)
    if not takes:
        operation["x-never"] = [*operation.get("x-never", ()), "412"]
    asked = ("If-Match", "the ETag that it was seen with") if takes else ("If-None-Match", "304 while it has this ETag")
    if takes or (gives and "304" not in map(str, operation["responses"])):
        name, description = asked
        parameter = {"in": "header", "name": name, "required": False, "schema": {"type": "string"}}
        operation.setdefault("parameters", []).append(parameter | {"description": description})
    if gives:
        tag = {"ETag": {"schema": {"type": "string"}, "description": "changes with the content"}}
        for status, response in operation["responses"].items():
            if str(status) in ("200", "201"):
                response["headers"] = tag
        if not takes:
            operation["responses"].setdefault("304", {"description": "It still has the ETag of `If-None-Match`"})


def _responses(operation: dict[str, Any]) -> dict[str, Any]:
    """Those of the route, and the errors that it may give. A status is a text: ninja's numbers beside it would stand
    twice in the document."""
    content = {"application/json": {"schema": {"$ref": "#/components/schemas/Error"}}}
    never = set(operation.pop("x-never", ()))
    if "security" not in operation:
        never |= _WITH_LOGIN
    if "requestBody" not in operation:
        never |= {"400", "413"}
    found: dict[str, Any] = {}
    for status, response in operation["responses"].items():
        found[str(status)] = {**found.get(str(status), {}), **response}
    for status, description in _ERRORS.items():
        if status in found:
            found[status].setdefault("content", content)
        elif status not in never:
            found[status] = {"description": description, "content": content}
    return dict(sorted(found.items()))


def _method_refused_in_shape(view: Callable[..., HttpResponseBase]) -> Callable[..., HttpResponseBase]:
    """ninja answers a wrong method in plain text, past all handlers."""

    @wraps(view)
    def shaped(request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponseBase:
        response = view(request, *args, **kwargs)
        if response.status_code == 405:
            allowed = response.headers.get("Allow", "")
            message = f"{request.method} is not possible here; allowed: {allowed}"
            return error_response(405, "METHOD_NOT_ALLOWED", message, headers={"Allow": allowed})
        return response

    return shaped


api = Api(
    title="Selflearn",
    version="1",
    description="Everything that a page can do, a program can do. Sign in by session, or by "
    "`Authorization: Bearer <token>` (`manage.py create_token`).",
    auth=AUTH,
    urls_namespace="api",
)
handlers_add(api)
for _router in (
    health,
    me,
    events,
    *manager,
    goals,
    experiments,
    hypotheses,
    tuner,
    factors,
    audit,
    incidents,
    notifications,
    *maas,
    sensor,
):
    api.add_router("", _router)
