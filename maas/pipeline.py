"""A claimed run through its stages, to the end. The in-process client and the orchestrator both call `carry_on`.

A stage asks the model without holding a transaction, then writes its result and takes the next stage in one. A worker
that lost its lease meanwhile writes nothing.
"""

from __future__ import annotations

import random
import time
from collections.abc import Callable

import structlog
from django.db import connections

from kernel.errors import NotFound, RuleViolated
from llm.errors import ModelRefused
from maas import stages
from maas.access import ALIAS
from maas.claims import TAKEOVER_LIMIT, LeaseLost, Run, fail, renew
from maas.domain.lifecycle import BY_STATUS, FINAL

log = structlog.get_logger(__name__)

MAX_TRIES = 3
BACKOFF_SECONDS = 0.25
"""Wait before the second try; doubled for the third, each with up to as much again at random."""
HOPELESS = (ModelRefused, RuleViolated, NotFound)
"""The same request will fail again."""


class GivenUp(Exception):
    """The run was tried again and taken over too often; something about it kills its workers."""


def carry_on(run: Run) -> None:
    """Work on `run` from where it stands until it is settled, or until another worker has it.

    Every error ends in the run's row (FAILED with its reason) and not in the caller's hands, unless the database itself
    cannot be reached.
    """
    try:
        if run.retry_count > TAKEOVER_LIMIT:
            _give_up(run, GivenUp(f"given up after {run.retry_count} tries and lost workers"))
        while run.status not in FINAL:
            if not _with_tries(run, stages.STEPS[BY_STATUS[run.status].name]):
                return
        if run.needs_archive:
            _with_tries(run, stages.STEPS["archive"])
    except LeaseLost:
        log.info("lease_lost", run_id=str(run.id), status=run.status.value)


def _with_tries(run: Run, step: Callable[[Run], None]) -> bool:
    """Up to MAX_TRIES of one step with growing pauses. False: the run has ended without this step."""
    for attempt in range(1, MAX_TRIES + 1):
        try:
            step(run)
            return True
        except LeaseLost:
            raise
        except Exception as error:
            log.warning("stage_failed", run_id=str(run.id), status=run.status.value, attempt=attempt, error=str(error))
            _mend_connection()
            if attempt == MAX_TRIES or isinstance(error, HOPELESS):
                _give_up(run, error)
                return False
            renew(run, error)
            pause = BACKOFF_SECONDS * 2 ** (attempt - 1)
            time.sleep(pause * (1 + random.random()))  # noqa: S311  jitter, so that many runs do not return at once
    return False


def _give_up(run: Run, error: Exception) -> None:
    """An answer that is there stands, whatever became of its memory."""
    if run.status in FINAL:
        stages.settle_without_memory(run, error)
    else:
        fail(run, error)


def _mend_connection() -> None:
    """A connection that broke is closed, so that the next statement opens a new one."""
    connection = connections[ALIAS]
    if not connection.in_atomic_block:
        connection.close_if_unusable_or_obsolete()
