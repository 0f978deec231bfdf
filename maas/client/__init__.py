"""The student's public door for the rest of the house: queries, answers, feedback, imported memories.

`get_client()` gives one that works in this process on the same tables and claims as the orchestrator, or, when
`MAAS_URL` is set, one that speaks HTTP to a student elsewhere. Clients may be shared by threads; each thread has its
own database connection, and closes it when it ends (`django.db.connections.close_all()`).
"""

from __future__ import annotations

import os
import time
import uuid
from collections.abc import Sequence
from datetime import datetime
from functools import cache
from typing import TYPE_CHECKING, Protocol

from django.conf import settings
from django.db import IntegrityError, OperationalError

from contracts.actor import Actor
from contracts.maas import FoundMemory, MemoryQuality, NewMemory, RunAnswer, RunRequest, SafetyFinding, StudentCounts
from kernel.errors import RuleViolated, Unavailable
from maas import helpfulness, maintenance, safety, selectors, services
from maas import memories as memory_writes
from maas.access import act_for
from maas.claims import Run, claim, claim_statement, claimed, lost_race
from maas.domain.lifecycle import RunStatus
from maas.pipeline import carry_on
from maas.prompts import keeping

if TYPE_CHECKING:
    from maas.http_client import HttpClient

ANSWER_TIMEOUT_SECONDS = 120.0
_POLL_SECONDS = (0.01, 0.25)
"""First and longest pause while another worker has the run."""


class MaasClient(Protocol):
    """What whoever uses the student may ask of it."""

    def submit(self, request: RunRequest) -> uuid.UUID:
        """Hand in a query. Raises `InvalidInput`, `Conflict` (the run id belongs to another request), `Unavailable`."""
        ...

    def wait(self, run_id: uuid.UUID, *, user_id: uuid.UUID, timeout: float) -> RunAnswer:
        """The settled run: COMPLETED and archived, or FAILED. Raises `NotFound`, `Unavailable` after `timeout` s."""
        ...

    def ask(self, request: RunRequest) -> RunAnswer:
        """`submit` and `wait`. The same `run_id` twice gives the same answer, answered once."""
        ...

    def feedback(self, run_id: uuid.UUID, *, user_id: uuid.UUID, score: int, comment: str = "") -> None:
        """What the user thinks of the answer, 1 to 5. Raises `InvalidInput`, `NotFound`, `IllegalTransition`."""
        ...


class InProcessClient:
    """Drives the stages itself, through the claims that the orchestrator uses; whoever claims first does the work."""

    def submit(self, request: RunRequest) -> uuid.UUID:
        return services.run_submit(request=request)

    def ask(self, request: RunRequest) -> RunAnswer:
        run_id = request.run_id or uuid.uuid4()
        run = self._submitted_and_claimed(request, run_id)
        if run is not None:
            carry_on(run)
            if (answer := _answer_of(run)) is not None:
                return answer
        return self.wait(run_id, user_id=request.user_id, timeout=ANSWER_TIMEOUT_SECONDS)

    def wait(self, run_id: uuid.UUID, *, user_id: uuid.UUID, timeout: float) -> RunAnswer:
        deadline = time.monotonic() + timeout
        pause, longest = _POLL_SECONDS
        while True:
            answer, settled = selectors.run_answer(run_id=run_id, user_id=user_id)
            if settled:
                return answer
            if self._work_on(run_id, user_id):
                continue
            if time.monotonic() >= deadline:
                raise Unavailable(f"no answer within {timeout:g} s", details={"run_id": str(run_id)})
            time.sleep(min(pause, max(deadline - time.monotonic(), 0)))
            pause = min(pause * 1.5, longest)

    def feedback(self, run_id: uuid.UUID, *, user_id: uuid.UUID, score: int, comment: str = "") -> None:
        services.feedback_record(run_id=run_id, user_id=user_id, score=score, comment=comment)

    @staticmethod
    def _submitted_and_claimed(request: RunRequest, run_id: uuid.UUID) -> Run | None:
        """Submit, and take the run in the same transaction when nothing stands before it."""
        query = services.query_of(request)
        insert = services.insert_statement(request, run_id, query)
        try:
            _, outcome = act_for(request.user_id, insert, claim_statement(run_id, query=query))
            run = claimed(outcome)
        except (IntegrityError, OperationalError) as error:
            if not lost_race(error):
                raise
            run = None  # another worker took a run of this user at the same moment
        if run is None:  # hand it in, if it is not there yet, and check that it is the same request
            services.run_submit(request=request.model_copy(update={"run_id": run_id}))
        return run

    @staticmethod
    def _work_on(run_id: uuid.UUID, user_id: uuid.UUID) -> bool:
        """Take the run or one that stands before it. False: others have them."""
        for candidate in (run_id, *selectors.runs_before(run_id=run_id, user_id=user_id)):
            run = claim(candidate, user_id)
            if run is not None:
                carry_on(run)
                return True
        return False


def _answer_of(run: Run) -> RunAnswer | None:
    """The answer of a run that this worker brought to its end, without reading it back. None: read the row."""
    if run.status is not RunStatus.COMPLETED or run.needs_archive or run.found is None:
        return None
    return RunAnswer(
        run_id=run.id,
        status=run.status.value,
        answer=run.answer,
        found=tuple(
            FoundMemory(
                memory_id=item.memory_id,
                score=item.score,
                relevance=item.relevance,
                recency=item.recency,
                text=item.text,
                created_at=item.simulated_at,
            )
            for item in run.found
        ),
        memory_id=run.memory_id,
        parameter_version=run.parameters.version if run.parameters else None,
    )


@cache
def _in_process() -> InProcessClient:
    return InProcessClient()


@cache
def _over_http(url: str, token: str, patience: float, process: int) -> HttpClient:  # noqa: ARG001  part of the key
    """One for all threads of a process: they share connections, and how fast the service lets them go."""
    from maas.http_client import HttpClient

    return HttpClient(url, token=token, patience=patience)


def _elsewhere() -> HttpClient | None:
    """The client of a student elsewhere; None when it is this process. Connections do not survive a fork."""
    if not settings.MAAS_URL:
        return None
    return _over_http(settings.MAAS_URL, settings.MAAS_TOKEN, settings.MAAS_PATIENCE_SECONDS, os.getpid())


def get_client() -> MaasClient:
    """By `settings.MAAS_URL`: empty is this process."""
    return _elsewhere() or _in_process()


def memories_import(memories: Sequence[NewMemory]) -> int:
    """Add memories of existing histories, once per `memory_id`. Returns how many are new. Raises `InvalidInput`."""
    elsewhere = _elsewhere()
    return elsewhere.memories_import(memories) if elsewhere else memory_writes.memories_import(memories=memories)


def memories_of(*, user_id: uuid.UUID, before: datetime, limit: int = 300) -> list[selectors.Remembered]:
    """The user's memories of what was said before a moment, newest first: for a person who names expected ones."""
    return selectors.memories_of(user_id=user_id, before=before, limit=limit)


def memories_count(*, user_id: uuid.UUID) -> int:
    """How many memories the user has."""
    elsewhere = _elsewhere()
    return elsewhere.memories_count(user_id=user_id) if elsewhere else selectors.memories_count(user_id=user_id)


def answers_found_right(*, run_ids: Sequence[uuid.UUID], actor: Actor) -> int:
    """Tell the student which answers were found right, so that the memories behind them count as helpful, once a run.

    Returns how many of them were new. Evaluation runs leave no trace and are passed over.
    """
    elsewhere = _elsewhere()
    total, most = 0, helpfulness.MOST_AT_ONCE
    for start in range(0, len(run_ids), most):
        part = run_ids[start : start + most]
        total += (
            elsewhere.answers_found_right(part)
            if elsewhere
            else helpfulness.answers_found_right(run_ids=part, actor=actor)
        )
    return total


def prompt_create(*, role: str, version: str, template: str, description: str) -> int:
    """Add a version of an agent's prompt. Raises as `maas.prompts.keeping.prompt_create`."""
    only_here()
    return keeping.prompt_create(role=role, version=version, template=template, description=description)


def prompt_texts(*, role: str) -> dict[str, str]:
    """Version to text of all prompts of a role, the oldest first."""
    only_here()
    return keeping.prompt_texts(role=role)


def users_real(*, user_ids: Sequence[uuid.UUID]) -> set[uuid.UUID]:
    """Those of them for whom a person, not an emulator, has ever talked to the student."""
    only_here()
    return maintenance.users_real(user_ids=user_ids)


def users_count(*, user_ids: Sequence[uuid.UUID]) -> StudentCounts:
    """How many runs, logs and memories these users have."""
    only_here()
    return maintenance.users_count(user_ids=user_ids)


def users_purge(*, user_ids: Sequence[uuid.UUID]) -> StudentCounts:
    """Delete synthetic users with all that is kept of them. Raises as `maas.maintenance.users_purge`."""
    only_here()
    return maintenance.users_purge(user_ids=user_ids)


def safety_checks() -> list[SafetyFinding]:
    """Tenant isolation by trying, row-level security, searches, personal data in error texts. Changes nothing."""
    only_here()
    return safety.safety_checks()


def last_real_request() -> datetime | None:
    """When a person last asked the student anything; None: never."""
    only_here()
    return maintenance.last_real_request()


def memories_embed() -> int:
    """Embed what the present embedder has not embedded. Returns how many. Interrupted, it goes on when called again."""
    only_here()
    return memory_writes.memories_embed()


def memories_quality() -> MemoryQuality:
    """How useful the memories are that searches have found so far."""
    only_here()
    return maintenance.memories_quality()


def only_here() -> None:
    """Deleting, upkeep and prompts are not offered over HTTP: whoever runs the student elsewhere does it there."""
    if settings.MAAS_URL:
        raise RuleViolated("the student runs elsewhere (MAAS_URL): do it there", details={"field": "MAAS_URL"})
