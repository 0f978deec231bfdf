"""Logs are structured, carry the request's id and hide secrets."""

from __future__ import annotations

import json
import logging

import structlog
from django.http import HttpRequest, HttpResponse
from django.test import RequestFactory

from selflearn_site.logs import RequestIdMiddleware, hide_secrets, logging_settings


def _format(record: logging.LogRecord) -> dict[str, object]:
    settings = logging_settings(debug=False, level="INFO")["formatters"]["structured"]
    formatter = structlog.stdlib.ProcessorFormatter(
        processors=settings["processors"], foreign_pre_chain=settings["foreign_pre_chain"]
    )
    line: dict[str, object] = json.loads(formatter.format(record))
    return line


def _record(message: str) -> logging.LogRecord:
    return logging.LogRecord("room", logging.WARNING, __file__, 1, message, (), None)


def test_log_line__in_production__is_json_with_level_and_time() -> None:
    line = _format(_record("что-то случилось"))
    assert (line["event"], line["level"], line["logger"]) == ("что-то случилось", "warning", "room")
    assert "timestamp" in line


def test_hide_secrets__keys_that_speak_of_one__lose_their_value() -> None:
    event = {"event": "x", "api_key": "k", "Authorization": "Bearer t", "DATABASE_URL": "u:p@h", "user": "anna"}
    shown = hide_secrets(None, "info", event)
    assert shown == {"event": "x", "api_key": "***", "Authorization": "***", "DATABASE_URL": "***", "user": "anna"}


def _answer(given: str | None) -> tuple[str, str]:
    seen: list[str] = []

    def view(_request: HttpRequest) -> HttpResponse:
        seen.append(str(_format(_record("inside"))["request_id"]))
        return HttpResponse()

    request = RequestFactory().get("/", headers={"X-Request-ID": given} if given else {})
    response = RequestIdMiddleware(view)(request)
    assert isinstance(response, HttpResponse)
    return seen[0], response.headers["X-Request-ID"]


def test_request_id__given_by_the_caller__is_kept_in_logs_and_answer() -> None:
    assert _answer("abc-1") == ("abc-1", "abc-1")


def test_request_id__absent_or_malformed__is_made() -> None:
    logged, answered = _answer("a b\tc" * 40)
    assert logged == answered
    assert len(answered) == 32
