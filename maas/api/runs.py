# ruff: noqa: ARG001 - ninja calls every route with `request`
"""The MaaS entrypoint over HTTP, for real clients and the emulator alike."""

import uuid
from typing import Any

from django.http import HttpRequest
from ninja import Router, Schema, Status
from ninja.params import P, QueryEx

from contracts.maas import RunAnswer, RunRequest
from kernel.errors import NotFound
from maas import selectors, services
from maas.access import as_service
from maas.domain.lifecycle import RunStatus

LONGEST_WAIT = 30.0
"""Seconds; below what proxies usually cut."""

router = Router(tags=["maas"])


class RunAccepted(Schema):
    request_id: uuid.UUID
    status: str


class RunOut(RunAnswer):
    request_id: uuid.UUID
    settled: bool
    """Nothing of the run changes any more; the memory that it leaves is written."""


class FeedbackIn(Schema):
    score: int
    comment: str = ""
    user_id: uuid.UUID | None = None


class FeedbackOut(Schema):
    request_id: uuid.UUID
    score: int


@router.post("/maas/runs", response={202: RunAccepted}, summary="Ask the memory service")
def run_create(request: HttpRequest, body: RunRequest) -> Status[dict[str, Any]]:
    """Accepts the query; the orchestrator answers it. `run_id` makes it idempotent: given twice it is one run."""
    run_id = services.run_submit(request=body)
    answer, _ = selectors.run_answer(run_id=run_id, user_id=body.user_id)
    return Status(202, {"request_id": run_id, "status": answer.status})


@router.get("/maas/runs/{uuid:run_id}", response=RunOut, summary="A run, and its answer once it is there")
def run_get(
    request: HttpRequest,
    run_id: uuid.UUID,
    wait: QueryEx[float, P(ge=0, le=LONGEST_WAIT, description="seconds to wait for the run to settle")] = 0,
    user_id: QueryEx[uuid.UUID | None, P(description="whose run it is; of another user's nothing is told")] = None,
) -> dict[str, Any]:
    answer, settled = selectors.run_wait(run_id=run_id, user_id=user_id or _user_of(run_id), timeout=wait)
    if not settled and answer.status == RunStatus.COMPLETED:
        # Clients take COMPLETED for the end; until the memory is written there is more to come.
        answer = answer.model_copy(update={"status": RunStatus.RESPONDING.value})
    return {**answer.model_dump(), "request_id": run_id, "settled": settled}


@router.post("/maas/runs/{uuid:run_id}/feedback", response=FeedbackOut, summary="What the user thinks of the answer")
def run_feedback(request: HttpRequest, run_id: uuid.UUID, body: FeedbackIn) -> dict[str, Any]:
    """1 to 5; a later word replaces the earlier one."""
    user_id = body.user_id or _user_of(run_id)
    services.feedback_record(run_id=run_id, user_id=user_id, score=body.score, comment=body.comment)
    return {"request_id": run_id, "score": body.score}


def _user_of(run_id: uuid.UUID) -> uuid.UUID:
    """For a client that keeps only the run's id, as the mission's address has it."""
    with as_service() as cursor:
        cursor.execute("SELECT user_id FROM pipeline_runs WHERE id = %s", [run_id])
        row = cursor.fetchone()
    if row is None:
        raise NotFound("there is no such run", details={"run_id": str(run_id)})
    return uuid.UUID(str(row[0]))
