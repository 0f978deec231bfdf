"""The openai SDK's client for one endpoint, and what is common to chat and embeddings. Imported only when called."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any, TypeVar

from kernel.errors import DomainError
from kernel.secrets import hide_in
from llm.errors import MalformedOutput
from llm.openai_retry import Attempts, Backoff

Returned = TypeVar("Returned")


class Endpoint:
    """One client for one endpoint: made at the first call, shared by threads, and told what the server refuses."""

    def __init__(self, *, api_key: str, base_url: str | None, attempts: int, backoff: Backoff):
        self._api_key = api_key
        self._base_url = base_url
        self._attempts = attempts
        self._backoff = backoff
        self._client: Any = None
        self._lock = threading.Lock()

    def client(self) -> Any:
        with self._lock:
            if self._client is None:
                import openai

                self._client = openai.OpenAI(
                    api_key=self._api_key, base_url=self._base_url or None, max_retries=0, timeout=30.0
                )
            return self._client

    def call(self, request: Callable[[Any, float], Returned], *, timeout: float) -> Returned:
        """`request(client, seconds for this try)`, tried again on 408, 409, 429, 5xx, broken and late connections.

        An error never says the key, though the endpoint may have repeated it: the error is stored and shown."""
        try:
            return Attempts(limit=self._attempts, timeout=timeout, backoff=self._backoff).run(
                lambda seconds: request(self.client(), seconds)
            )
        except DomainError as error:
            error.message = hide_in(error.message, [self._api_key])
            error.args = (error.message,)
            error.details = {
                name: hide_in(value, [self._api_key]) if isinstance(value, str) else value
                for name, value in error.details.items()
            }
            raise


@contextmanager
def as_malformed(meaning: str) -> Iterator[None]:
    """A server may send any JSON, which the SDK lets through: what trips over it is malformed output."""
    try:
        yield
    except (AttributeError, TypeError, LookupError, ValueError) as error:
        raise MalformedOutput(meaning, details={"why": str(error)[:200]}) from error
