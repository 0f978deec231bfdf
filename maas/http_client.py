"""The same client over HTTP, for a student that runs elsewhere (`MAAS_URL`, `MAAS_TOKEN`)."""

from __future__ import annotations

import time
import urllib.parse
import uuid
from collections.abc import Sequence
from typing import Any

from contracts.maas import NewMemory, RunAnswer, RunRequest
from kernel import errors
from maas.domain.lifecycle import FINAL
from maas.http_calls import CALL_TIMEOUT_SECONDS, LOST_SECONDS, PATIENCE_SECONDS, Calls

ANSWER_TIMEOUT_SECONDS = 120.0
LONGEST_WAIT_SECONDS = 20.0
"""One long poll; below what proxies usually cut."""
IMPORT_CHUNK = 500
IMPORT_TIMEOUT_SECONDS = 120.0
"""An import embeds what it takes."""


class HttpClient:
    """Speaks `/api/v1/maas`. Threads may share it: they share its connections, and how fast it may go.

    Being told to slow down (429, 503) is obeyed and is no error until it has lasted `patience` s for one call; a lost
    connection is tried again for `lost` s. Every call is safe to repeat: runs and memories are known by their ids.
    """

    def __init__(
        self, base_url: str, *, token: str = "", patience: float = PATIENCE_SECONDS, lost: float = LOST_SECONDS
    ):
        if urllib.parse.urlsplit(base_url).scheme not in ("http", "https"):
            raise errors.InvalidInput("MAAS_URL begins with http:// or https://", details={"field": "MAAS_URL"})
        self._calls = Calls(base_url.rstrip("/") + "/api/v1/maas", token=token, patience=patience, lost=lost)

    @property
    def at_once(self) -> int:
        """How many calls may be under way now; fewer while the service asks to slow down."""
        return self._calls.pace.limit

    def submit(self, request: RunRequest) -> uuid.UUID:
        run_id = request.run_id or uuid.uuid4()  # a submit that is sent twice is one run
        body = request.model_copy(update={"run_id": run_id}).model_dump(mode="json", exclude_none=True)
        return uuid.UUID(self._calls.call("POST", "/runs", body=body).data["request_id"])

    def wait(self, run_id: uuid.UUID, *, user_id: uuid.UUID, timeout: float) -> RunAnswer:
        deadline = time.monotonic() + timeout
        while True:
            left = max(deadline - time.monotonic(), 0)
            wait = min(left, LONGEST_WAIT_SECONDS)
            query = urllib.parse.urlencode({"wait": f"{wait:.1f}", "user_id": str(user_id)})
            reply = self._calls.call("GET", f"/runs/{run_id}?{query}", timeout=wait + CALL_TIMEOUT_SECONDS)
            data = reply.data
            if data["status"] in FINAL:
                return RunAnswer.model_validate({name: data[name] for name in RunAnswer.model_fields if name in data})
            deadline += reply.held  # the service was not asked meanwhile: that is no slowness of its answer
            if left <= 0:
                raise errors.Unavailable(f"no answer within {timeout:g} s", details={"run_id": str(run_id)})

    def ask(self, request: RunRequest) -> RunAnswer:
        run_id = self.submit(request)
        return self.wait(run_id, user_id=request.user_id, timeout=ANSWER_TIMEOUT_SECONDS)

    def feedback(self, run_id: uuid.UUID, *, user_id: uuid.UUID, score: int, comment: str = "") -> None:
        body = {"user_id": str(user_id), "score": score, "comment": comment}
        self._calls.call("POST", f"/runs/{run_id}/feedback", body=body)

    def memories_import(self, memories: Sequence[NewMemory]) -> int:
        """As `maas.client.memories_import`. Raises `InvalidInput` for a row that is refused; rows beside it stay."""
        added = 0
        for start in range(0, len(memories), IMPORT_CHUNK):
            rows = [item.model_dump(mode="json") for item in memories[start : start + IMPORT_CHUNK]]
            reply = self._calls.call(
                "POST", "/memories/import", body={"memories": rows}, timeout=IMPORT_TIMEOUT_SECONDS
            )
            added += int(reply.data["imported"])
            if refused := reply.data["errors"]:
                first: dict[str, Any] = refused[0]
                raise errors.InvalidInput(
                    f"{len(refused)} memories are refused; row {start + first['row']}: {first['message']}",
                    details={"errors": refused},
                )
        return added

    def answers_found_right(self, run_ids: Sequence[uuid.UUID]) -> int:
        body = {"run_ids": [str(run_id) for run_id in run_ids]}
        return int(self._calls.call("POST", "/answers/found-right", body=body).data["new"])

    def memories_count(self, *, user_id: uuid.UUID) -> int:
        query = urllib.parse.urlencode({"user_id": str(user_id), "limit": 1})
        return int(self._calls.call("GET", f"/memories?{query}").data["count"])
