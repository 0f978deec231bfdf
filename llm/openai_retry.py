"""Retries under one deadline, and the SDK's errors in this project's words."""

from __future__ import annotations

import math
import random
import time
from collections.abc import Callable, Mapping
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from typing import NamedTuple, TypeVar

from kernel.errors import DomainError
from llm.errors import MalformedOutput, ModelRefused, ModelTimeout, ModelUnavailable

Returned = TypeVar("Returned")

_AGAIN = frozenset({408, 409, 425, 429})


class Backoff(NamedTuple):
    """Seconds before the second try, doubled for each further one, up to `longest`; jittered downwards by half."""

    first: float = 0.5
    longest: float = 8.0

    def seconds(self, tried: int) -> float:
        whole = min(self.longest, self.first * math.pow(2, tried - 1))
        return whole * (0.5 + random.random() / 2)  # noqa: S311 - spreads callers, guards nothing


class _Failure(NamedTuple):
    error: DomainError
    again: bool
    wait: float | None = None
    """Seconds that the server asked for."""


class Attempts:
    """At most `limit` tries within `timeout` seconds in all."""

    def __init__(
        self,
        *,
        limit: int,
        timeout: float,
        backoff: Backoff,
        clock: Callable[[], float] = time.monotonic,
        sleep: Callable[[float], None] = time.sleep,
    ):
        self._limit = limit
        self._backoff = backoff
        self._clock = clock
        self._sleep = sleep
        self._deadline = clock() + timeout

    def run(self, attempt: Callable[[float], Returned]) -> Returned:
        """`attempt(seconds)` until it returns. Raises what the last failure means (`llm.errors`)."""
        for tried in range(1, self._limit + 1):
            left = self._deadline - self._clock()
            try:
                return attempt(max(left / (self._limit - tried + 1), 0.001))
            except Exception as raised:
                failure = _failure(raised)
                wait = self._backoff.seconds(tried) if failure.wait is None else failure.wait
                late = self._clock() + wait >= self._deadline
                if not failure.again or tried == self._limit or late:
                    raise failure.error from raised
                self._sleep(wait)
        raise ModelUnavailable("No attempt was allowed")


def _retry_after(headers: Mapping[str, str]) -> float | None:
    """Seconds that the server asks to wait: told as a number or as a date. None when it asks for none."""
    told = headers.get("retry-after", "")
    try:
        return max(0.0, float(told))
    except ValueError:
        pass
    try:
        moment = parsedate_to_datetime(told)
    except ValueError:
        return None
    aware = moment if moment.tzinfo else moment.replace(tzinfo=UTC)
    return max(0.0, (aware - datetime.now(UTC)).total_seconds())


def _failure(raised: Exception) -> _Failure:
    """What an exception means. What is no failure of a model's call is raised as it is."""
    import openai

    if isinstance(raised, DomainError):  # of malformed output a fresh sample may be well formed
        return _Failure(raised, again=isinstance(raised, MalformedOutput), wait=0.0)
    if isinstance(raised, openai.APIStatusError):
        return _of_status(raised.status_code, str(raised.code or ""), raised.message, raised.response.headers)
    meanings: tuple[tuple[type[Exception], DomainError, bool], ...] = (
        (openai.APITimeoutError, ModelTimeout("The model did not answer in time"), True),
        (openai.APIResponseValidationError, ModelUnavailable("The endpoint's response cannot be read"), True),
        (openai.APIConnectionError, ModelUnavailable("The model's endpoint cannot be reached"), True),
        (openai.OpenAIError, ModelRefused(f"The model's client refuses the request: {raised}"[:500]), False),
        (ValueError, ModelUnavailable("The endpoint's response is not JSON"), True),  # a 200 with a broken body
    )
    for kind, error, again in meanings:
        if isinstance(raised, kind):
            return _Failure(error, again)
    raise raised


def _of_status(status: int, code: str, message: str, headers: Mapping[str, str]) -> _Failure:
    details = {"status": status, "code": code}
    if code == "insufficient_quota":
        return _Failure(ModelRefused("The account's quota is spent", details=details), again=False)
    if status in _AGAIN or status >= 500:
        text = "The endpoint limits the rate" if status == 429 else f"The endpoint failed with status {status}"
        return _Failure(ModelUnavailable(text, details=details), again=True, wait=_retry_after(headers))
    return _Failure(ModelRefused(f"The endpoint refuses the request: {message}"[:500], details=details), again=False)
