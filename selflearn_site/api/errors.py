"""The one shape of an error, `{"error": {"code", "message", "details"}}`, and the only place with HTTP status codes."""

from __future__ import annotations

import logging
from collections.abc import Mapping
from typing import Any

from django.core.exceptions import ValidationError as FieldError
from django.db import DataError, InterfaceError, OperationalError
from django.http import Http404, HttpRequest, HttpResponse, JsonResponse
from ninja import NinjaAPI
from ninja.errors import HttpError, ValidationError

from kernel import errors
from llm.errors import MalformedOutput, ModelRefused

logger = logging.getLogger(__name__)

STATUS: dict[type[errors.DomainError], int] = {
    errors.NotAuthorised: 403,
    errors.NotFound: 404,
    errors.Conflict: 409,
    errors.Stale: 412,
    errors.IllegalTransition: 409,
    errors.RuleViolated: 422,
    errors.Unavailable: 503,
    MalformedOutput: 502,
    ModelRefused: 502,
    errors.DomainError: 400,
}
"""By the nearest class: `InvalidInput` is a `RuleViolated`."""

_CODES = {
    400: "INVALID_INPUT",
    401: "NOT_AUTHENTICATED",
    403: "NOT_AUTHORISED",
    404: "NOT_FOUND",
    405: "METHOD_NOT_ALLOWED",
    413: "TOO_LARGE",
    415: "UNSUPPORTED_MEDIA_TYPE",
    429: "TOO_MANY_REQUESTS",
}


def error_response(
    status: int,
    code: str,
    message: str,
    details: Mapping[str, Any] | None = None,
    headers: Mapping[str, str] | None = None,
) -> JsonResponse:
    body = {"error": {"code": code, "message": message, "details": dict(details or {})}}
    return JsonResponse(body, status=status, headers=headers)


def not_found(request: HttpRequest) -> JsonResponse:
    """For addresses under `/api/v1/` that no router knows."""
    return error_response(404, "NOT_FOUND", "there is nothing at this address", {"path": request.path})


def status_of(error: errors.DomainError) -> int:
    return next(STATUS[kind] for kind in type(error).__mro__ if kind in STATUS)


def handlers_add(api: NinjaAPI) -> None:
    """Every way in which a call may fail, in the one shape."""
    handlers: dict[type[Exception], Any] = {
        errors.DomainError: _domain,
        ValidationError: _request_invalid,
        FieldError: _field_invalid,
        HttpError: _http,
        Http404: lambda request, _error: not_found(request),
        OperationalError: database_lost,
        InterfaceError: database_lost,
        DataError: _data_invalid,
        Exception: _unexpected,
    }
    for kind, handler in handlers.items():
        api.add_exception_handler(kind, handler)


def _domain(_request: HttpRequest, error: errors.DomainError) -> HttpResponse:
    headers = {"ETag": error.details["etag"]} if isinstance(error, errors.Stale) else None
    return error_response(status_of(error), error.code, error.message, error.details, headers)


def _request_invalid(_request: HttpRequest, error: ValidationError) -> HttpResponse:
    """Names each field; the values stay out, they may be secrets."""
    fields = [{"field": ".".join(map(str, item["loc"])), "message": item["msg"]} for item in error.errors]
    message = "; ".join(f"{item['field']}: {item['message']}" for item in fields[:3])
    return error_response(422, errors.InvalidInput.code, message, {"fields": fields})


def _field_invalid(_request: HttpRequest, error: FieldError) -> HttpResponse:
    wrong = error.message_dict if hasattr(error, "error_dict") else {"": error.messages}
    fields = [{"field": name, "message": " ".join(texts)} for name, texts in wrong.items()]
    return error_response(422, errors.InvalidInput.code, "; ".join(error.messages), {"fields": fields})


def _http(_request: HttpRequest, error: HttpError) -> HttpResponse:
    code = _CODES.get(error.status_code, "HTTP_ERROR")
    headers = {"WWW-Authenticate": "Bearer"} if error.status_code == 401 else None
    return error_response(error.status_code, code, str(error), headers=headers)


def database_lost(_request: HttpRequest, error: Exception) -> HttpResponse:
    logger.error("the database cannot be reached", exc_info=error)
    return error_response(
        503, errors.Unavailable.code, "the database cannot be reached now", headers={"Retry-After": "5"}
    )


def _data_invalid(_request: HttpRequest, error: DataError) -> HttpResponse:
    logger.info("a value does not fit its column", exc_info=error)
    return error_response(422, errors.InvalidInput.code, "a value is out of the range that can be stored")


def _unexpected(request: HttpRequest, error: Exception) -> HttpResponse:
    """What happened stands in the log under the request's id; the caller gets the id alone."""
    request_id = request.META.get("SELFLEARN_REQUEST_ID", "")
    logger.error("unexpected error in %s %s", request.method, request.path, exc_info=error)
    return error_response(500, "INTERNAL_ERROR", "something went wrong on our side", {"request_id": request_id})
