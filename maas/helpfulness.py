"""Which memories helped: those that an answer used which its user rated well, or which was found right."""

from __future__ import annotations

import uuid
from collections.abc import Sequence

from contracts.actor import Actor, Role
from kernel.errors import InvalidInput
from maas.access import as_service

MOST_AT_ONCE = 1000
HELPFUL_FROM = 4
"""Of 1 to 5: from here on a person's word makes the used memories helpful."""

# One statement: a run counts once, however often and by however many callers it is told of. A run that its user has
# rated well has counted already. Evaluation leaves no trace in the counters, so it leaves none here either.
_FOUND_RIGHT = """
WITH told AS (
  UPDATE pipeline_runs SET found_right_at = clock_timestamp()
  WHERE id = ANY(%s) AND status = 'COMPLETED' AND mode = 'dialogue' AND found_right_at IS NULL
  RETURNING used_memory_ids, coalesce(feedback_score, 0) < %s AS uncounted
), helped AS (
  SELECT memory, count(*) AS times FROM told, unnest(used_memory_ids) AS memory WHERE uncounted GROUP BY memory
), counted AS (
  UPDATE lsm_storage SET times_helpful = times_helpful + helped.times FROM helped WHERE id = helped.memory
)
SELECT count(*) FROM told
"""


def answers_found_right(*, run_ids: Sequence[uuid.UUID], actor: Actor) -> int:
    """Count the memories that these answers used as helpful, once a run. Returns how many runs were new.

    Runs that are unknown, failed, or of evaluation mode change nothing. Raises `NotAuthorised` below operator,
    `InvalidInput` for more than `MOST_AT_ONCE`.
    """
    actor.require(Role.OPERATOR)
    if len(run_ids) > MOST_AT_ONCE:
        raise InvalidInput(f"at most {MOST_AT_ONCE} runs at once", details={"field": "run_ids"})
    with as_service() as cursor:
        cursor.execute(_FOUND_RIGHT, [list(dict.fromkeys(run_ids)), HELPFUL_FROM])
        return int(cursor.fetchone()[0])
