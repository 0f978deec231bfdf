"""The same client over HTTP, for a student that runs elsewhere (`MAAS_URL`, `MAAS_TOKEN`)."""

from __future__ import annotations

import json
import time
import urllib.error
import urllib.parse
import urllib.request
import uuid
from typing import Any

from contracts.maas import RunAnswer, RunRequest
from kernel import errors
from maas.domain.lifecycle import FINAL

ANSWER_TIMEOUT_SECONDS = 120.0
LONGEST_WAIT_SECONDS = 20.0
"""One long poll; below what proxies usually cut."""
CALL_TIMEOUT_SECONDS = 10.0

_ERRORS: dict[str, type[errors.DomainError]] = {
    kind.code: kind
    for kind in (
        errors.InvalidInput,
        errors.RuleViolated,
        errors.NotFound,
        errors.IllegalTransition,
        errors.NotAuthorised,
        errors.Conflict,
        errors.Unavailable,
    )
}


class HttpClient:
    """Speaks `/api/v1/maas/runs`. Holds no connection, so threads may share it."""

    def __init__(self, base_url: str, *, token: str = ""):
        if urllib.parse.urlsplit(base_url).scheme not in ("http", "https"):
            raise errors.InvalidInput("MAAS_URL begins with http:// or https://", details={"field": "MAAS_URL"})
        self._base = base_url.rstrip("/") + "/api/v1/maas/runs"
        self._token = token

    def submit(self, request: RunRequest) -> uuid.UUID:
        body = request.model_dump(mode="json", exclude_none=True)
        return uuid.UUID(self._call("POST", "", body=body)["request_id"])

    def wait(self, run_id: uuid.UUID, *, user_id: uuid.UUID, timeout: float) -> RunAnswer:
        deadline = time.monotonic() + timeout
        while True:
            left = max(deadline - time.monotonic(), 0)
            wait = min(left, LONGEST_WAIT_SECONDS)
            query = urllib.parse.urlencode({"wait": f"{wait:.1f}", "user_id": str(user_id)})
            data = self._call("GET", f"/{run_id}?{query}", timeout=wait + CALL_TIMEOUT_SECONDS)
            if data["status"] in FINAL:
                return RunAnswer.model_validate({name: data[name] for name in RunAnswer.model_fields if name in data})
            if left <= 0:
                raise errors.Unavailable(f"no answer within {timeout:g} s", details={"run_id": str(run_id)})

    def ask(self, request: RunRequest) -> RunAnswer:
        run_id = self.submit(request)
        return self.wait(run_id, user_id=request.user_id, timeout=ANSWER_TIMEOUT_SECONDS)

    def feedback(self, run_id: uuid.UUID, *, user_id: uuid.UUID, score: int, comment: str = "") -> None:
        self._call("POST", f"/{run_id}/feedback", body={"user_id": str(user_id), "score": score, "comment": comment})

    def _call(
        self, method: str, path: str, *, body: dict[str, Any] | None = None, timeout: float = CALL_TIMEOUT_SECONDS
    ) -> dict[str, Any]:
        """One request. Raises the domain error that the student names, or `Unavailable`."""
        headers = {"Accept": "application/json", "Content-Type": "application/json"}
        if self._token:
            headers["Authorization"] = f"Bearer {self._token}"
        data = None if body is None else json.dumps(body).encode()
        request = urllib.request.Request(self._base + path, data=data, headers=headers, method=method)  # noqa: S310  http(s)
        try:
            with urllib.request.urlopen(request, timeout=timeout) as response:  # noqa: S310  checked at the start
                answer = json.load(response) if response.status != 204 else {}
        except urllib.error.HTTPError as error:
            raise _domain_error(error) from error
        except (OSError, ValueError) as error:
            raise errors.Unavailable(f"the memory service does not answer: {error}") from error
        if not isinstance(answer, dict):
            raise errors.Unavailable("the memory service answers in a shape that is not its own")
        return answer


def _domain_error(error: urllib.error.HTTPError) -> errors.DomainError:
    try:
        told = json.load(error)["error"]
        kind = _ERRORS.get(told["code"], errors.Unavailable)
        return kind(str(told["message"]), details=told.get("details") or {}, code=str(told["code"]))
    except (ValueError, KeyError, TypeError):
        return errors.Unavailable(f"the memory service answers {error.code} {error.reason}")
