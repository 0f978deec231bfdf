# ruff: noqa: ARG001 - ninja calls every route with `request`
"""The MaaS entrypoint over HTTP, for real clients and the emulator alike."""

import uuid
from typing import Any

from django.http import HttpRequest
from ninja import Router, Schema, Status
from ninja.params import P, QueryEx
from pydantic import Field

from contracts.doors import actor_of
from contracts.maas import RunAnswer, RunRequest
from kernel.errors import NotFound
from maas import helpfulness, selectors, services
from maas.access import as_service
from maas.domain.lifecycle import RunStatus

LONGEST_WAIT = 30.0
"""Seconds; below what proxies usually cut."""

router = Router(tags=["maas"])


class RunAccepted(Schema):
    """The query is kept; the answer comes later."""

    request_id: uuid.UUID = Field(description="The run: ask for it at `/maas/runs/{run_id}`.")
    status: str = Field(
        description="How far the run is: NEW, unless the same `run_id` was given before.",
        json_schema_extra={"enum": [status.value for status in RunStatus]},
    )


class RunOut(RunAnswer):
    """A run as it stands."""

    request_id: uuid.UUID = Field(description="The same as `run_id`.")
    settled: bool = Field(
        description="Nothing of the run changes any more: it is answered and its memory is written, or it failed."
    )


class FeedbackIn(Schema, extra="forbid"):
    """What the user thinks of an answer."""

    score: int = Field(
        description="1 is useless, 5 is perfect. From 4 on the memories that the answer used count as helpful.",
        json_schema_extra={"minimum": 1, "maximum": 5},
        examples=[5],
    )
    comment: str = Field(default="", description="In the user's own words.")
    user_id: uuid.UUID | None = Field(
        default=None, description="Whose run it is; another user's is not found. Left out: the run's own user."
    )


class FeedbackOut(Schema):
    """The feedback as it is kept."""

    request_id: uuid.UUID = Field(description="The run.")
    score: int = Field(description="From 1 to 5.")


class FoundRightIn(Schema, extra="forbid"):
    """Answers that turned out to be right."""

    run_ids: list[uuid.UUID] = Field(min_length=1, max_length=helpfulness.MOST_AT_ONCE, description="Their runs.")


class FoundRightOut(Schema):
    """What became of it."""

    new: int = Field(description="Runs of which this was not known yet.")


def _errors(never: tuple[int, ...] = (), **said: str) -> dict[str, Any]:
    """What the document says of a route's errors: those that it never gives, and what a status means there."""
    return {
        "x-never": [str(status) for status in never],
        "responses": {name.removeprefix("s"): {"description": text} for name, text in said.items()},
    }


@router.post(
    "/maas/runs",
    response={202: RunAccepted},
    operation_id="run_create",
    summary="Ask the memory service",
    openapi_extra=_errors(
        never=(404,),
        s409="`run_id` belongs to another query or user",
        s422="The query is empty or too long, or a field is unknown or wrong; `details` names it",
    ),
)
def run_create(request: HttpRequest, body: RunRequest) -> Status[dict[str, Any]]:
    """Accepts the query; the orchestrator answers it. `run_id` makes it idempotent: given twice it is one run.

    Telling and asking are the same call: what the user tells is remembered once the run is settled, and is found by
    later queries of this user in any thread. `pinned_version` and `experiment` need the role operator.
    """
    run_id = services.run_submit(request=body, actor=actor_of(request))
    answer, _ = selectors.run_answer(run_id=run_id, user_id=body.user_id)
    return Status(202, {"request_id": run_id, "status": answer.status})


@router.get(
    "/maas/runs/{uuid:run_id}",
    response=RunOut,
    operation_id="run_get",
    summary="A run, and its answer once it is there",
    openapi_extra=_errors(never=(400, 409), s404="There is no such run, or it is another user's"),
)
def run_get(
    request: HttpRequest,
    run_id: uuid.UUID,
    wait: QueryEx[float, P(ge=0, le=LONGEST_WAIT, description="seconds to wait for the run to settle")] = 0,
    user_id: QueryEx[uuid.UUID | None, P(description="whose run it is; of another user's nothing is told")] = None,
) -> dict[str, Any]:
    """As it stands; with `wait` as soon as it is settled, or as it stands when the time is over: then ask again."""
    answer, settled = selectors.run_wait(run_id=run_id, user_id=user_id or _user_of(run_id), timeout=wait)
    if not settled and answer.status == RunStatus.COMPLETED:
        # Clients take COMPLETED for the end; until the memory is written there is more to come.
        answer = answer.model_copy(update={"status": RunStatus.RESPONDING.value})
    return {**answer.model_dump(), "request_id": run_id, "settled": settled}


@router.post(
    "/maas/runs/{uuid:run_id}/feedback",
    response=FeedbackOut,
    operation_id="run_feedback",
    summary="What the user thinks of the answer",
    openapi_extra=_errors(
        s404="There is no such run, or it is another user's",
        s409="The run has no answer",
        s422="The score is not from 1 to 5, or a field is wrong; `details` names it",
    ),
)
def run_feedback(request: HttpRequest, run_id: uuid.UUID, body: FeedbackIn) -> dict[str, Any]:
    """1 to 5; a later word replaces the earlier one."""
    user_id = body.user_id or _user_of(run_id)
    services.feedback_record(run_id=run_id, user_id=user_id, score=body.score, comment=body.comment)
    return {"request_id": run_id, "score": body.score}


@router.post(
    "/maas/answers/found-right",
    response=FoundRightOut,
    operation_id="answers_found_right",
    summary="Which answers turned out to be right",
    openapi_extra=_errors(never=(404, 409)),
)
def answers_found_right(request: HttpRequest, body: FoundRightIn) -> dict[str, int]:
    """Needs the role operator. The memories that those answers used count as helpful, once a run, however often it is
    told. Runs that are unknown, failed, or of evaluation mode are passed over."""
    return {"new": helpfulness.answers_found_right(run_ids=body.run_ids, actor=actor_of(request))}


def _user_of(run_id: uuid.UUID) -> uuid.UUID:
    """For a client that keeps only the run's id, as the mission's address has it."""
    with as_service() as cursor:
        cursor.execute("SELECT user_id FROM pipeline_runs WHERE id = %s", [run_id])
        row = cursor.fetchone()
    if row is None:
        raise NotFound("there is no such run", details={"run_id": str(run_id)})
    return uuid.UUID(str(row[0]))
