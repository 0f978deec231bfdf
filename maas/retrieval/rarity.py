"""How rare the words of a query are among the memories of the person who asks."""

from __future__ import annotations

import uuid
from datetime import datetime

from llm.text import content_words
from maas.access import Statement, act_for

MOST_WORDS = 40

_SHARES = """
WITH asked AS MATERIALIZED (
  SELECT w AS word, plainto_tsquery('pg_catalog.russian'::regconfig, w) AS sought FROM unnest(%(words)s::text[]) AS w
)
SELECT a.word, coalesce(avg((m.tsv @@ a.sought)::int), 0)::float8
FROM asked AS a LEFT JOIN lsm_storage AS m ON m.simulated_at <= coalesce(%(until)s, clock_timestamp())
WHERE numnode(a.sought) > 0 GROUP BY a.word
"""


def document_frequency(*, user_id: uuid.UUID, query: str, until: datetime | None) -> dict[str, float]:
    """Content word of the query as written → share (0–1) of the user's memories until then that hold it, in any form.

    Words that the full-text search leaves out are missing; without memories every share is 0.
    """
    words = list(dict.fromkeys(content_words(query)))[:MOST_WORDS]
    if not words:
        return {}
    (outcome,) = act_for(user_id, Statement(_SHARES, {"words": words, "until": until}))
    shares = dict(outcome.rows)
    return {word: round(shares[word], 4) for word in words if word in shares}
