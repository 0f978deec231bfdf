"""A MaaS that answers from a dictionary: remembers what it was told, finds nothing, answers no run twice."""

from __future__ import annotations

import threading
import uuid
from collections.abc import Callable

from contracts.maas import RunAnswer, RunRequest
from kernel.canonical import derive_uuid


class FakeMaas:
    """Follows the `MaasClient` protocol as far as the emulator uses it. `fail` names runs that end FAILED, `forget`
    statements that leave no memory, `before` is called with each request before it is answered, `reply` words the
    answer."""

    def __init__(
        self,
        *,
        fail: Callable[[RunRequest], bool] = lambda _: False,
        forget: Callable[[RunRequest], bool] = lambda _: False,
        before: Callable[[RunRequest], None] = lambda _: None,
        reply: Callable[[RunRequest], str] = lambda request: f"heard: {request.query}",
    ):
        self._reply = reply
        self._fail, self._forget, self._before = fail, forget, before
        self._lock = threading.Lock()
        self.asked: list[RunRequest] = []
        self.answers: dict[uuid.UUID, RunAnswer] = {}

    def ask(self, request: RunRequest) -> RunAnswer:
        assert request.run_id is not None
        self._before(request)
        with self._lock:
            self.asked.append(request)
            return self.answers.setdefault(request.run_id, self._answer(request))

    def submit(self, request: RunRequest) -> uuid.UUID:
        return self.ask(request).run_id

    def wait(self, run_id: uuid.UUID, *, user_id: uuid.UUID, timeout: float) -> RunAnswer:
        return self.answers[run_id]

    def feedback(self, run_id: uuid.UUID, *, user_id: uuid.UUID, score: int, comment: str = "") -> None:
        raise AssertionError("the emulator gives no feedback yet")

    def _answer(self, request: RunRequest) -> RunAnswer:
        assert request.run_id is not None
        if self._fail(request):
            return RunAnswer(run_id=request.run_id, status="FAILED", answer=None, error="made to fail")
        remembered = not self._forget(request)
        return RunAnswer(
            run_id=request.run_id,
            status="COMPLETED",
            answer=self._reply(request),
            memory_id=derive_uuid("fake-memory", request.run_id) if remembered else None,
        )
