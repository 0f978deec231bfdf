"""Chat models for tests: the offline engine that fails when told to, and counts."""

from __future__ import annotations

from typing import Any

from llm.factory import get_chat_model
from llm.protocol import ChatResult


class FlakyModel:
    """Fails the first `failures` calls of task `task` with `error`, then works as the offline engine does."""

    name = "flaky"
    is_offline = True

    def __init__(self, *, task: str, failures: int, error: Exception):
        self.task, self.failures, self.error = task, failures, error
        self.calls = 0

    def complete(self, **call: Any) -> ChatResult:
        if call["task"] == self.task:
            self.calls += 1
            if self.calls <= self.failures:
                raise self.error
        return get_chat_model().complete(**call)
