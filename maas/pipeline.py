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
from maas.claims import TAKEOVER_LIMIT, LeaseLost, Run, fail, hand_back, put_off, renew
from maas.domain.lifecycle import BY_STATUS, FINAL

log = structlog.get_logger(__name__)

MAX_TRIES = 3
BACKOFF_SECONDS = 0.25
"""Wait before the second try; doubled for the third, each with up to as much again at random."""
HOPELESS = (ModelRefused, RuleViolated, NotFound)
"""The same request will fail again."""


class GivenUp(Exception):
    """The run was tried again and taken over too often; something about it kills its workers."""


class _PutOff(Exception):
    """The run rests until its next try."""

    def __init__(self, seconds: float):
        super().__init__(seconds)
        self.seconds = seconds


def carry_on(run: Run, *, patient: bool = True, stopping: Callable[[], bool] = lambda: False) -> float | None:
    """Work on `run` from where it stands until it is settled, or until another worker has it.

    Between tries of a stage a patient worker waits; another one lets go of the run and gets back the seconds until its
    next try. Once `stopping` says so, the run is handed back at the end of its stage. Every error ends in the run's row
    (FAILED with its reason) and not in the caller's hands, unless the database itself cannot be reached.
    """
    try:
        if run.lost_workers > TAKEOVER_LIMIT:
            _give_up(run, GivenUp(f"given up after {run.lost_workers} lost workers"))
        while (step := _step_of(run)) is not None:
            if stopping():
                hand_back(run)
                return None
            if not _with_tries(run, step, patient=patient):
                return None
    except _PutOff as rest:
        return rest.seconds
    except LeaseLost:
        log.info("lease_lost", run_id=str(run.id), status=run.status.value)
    return None


def _step_of(run: Run) -> str | None:
    """What is to be done next. None: the run is settled."""
    if run.status in FINAL:
        return "archive" if run.needs_archive else None
    return BY_STATUS[run.status].name


def _with_tries(run: Run, name: str, *, patient: bool) -> bool:
    """Up to MAX_TRIES of one step with growing pauses, those of earlier workers counted. False: given up."""
    while True:
        try:
            stages.STEPS[name](run)
            return True
        except LeaseLost:
            raise
        except Exception as error:
            attempt = run.stage_tries.get(name, 0) + 1
            log.warning("stage_failed", run_id=str(run.id), status=run.status.value, attempt=attempt, error=str(error))
            _mend_connection()
            if attempt >= MAX_TRIES or isinstance(error, HOPELESS):
                _give_up(run, error)
                return False
            pause = BACKOFF_SECONDS * 2 ** (attempt - 1)
            pause *= 1 + random.random()  # noqa: S311  jitter, so that many runs do not return at once
            if not patient:
                put_off(run, name, error, seconds=pause)
                raise _PutOff(pause) from error
            renew(run, name, error)
            time.sleep(pause)


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
