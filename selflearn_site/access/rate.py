"""How often a caller may call: a fixed window per caller, counted in the database by one statement.

Django's database cache reads and then writes, so two processes would lose counts of each other; this cannot.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

from django.db import connection

_TAKE = """
INSERT INTO api_rate_windows AS w (subject, began_at, count) VALUES (%(subject)s, clock_timestamp(), 1)
ON CONFLICT (subject) DO UPDATE SET
  began_at = CASE WHEN w.began_at <= clock_timestamp() - %(window)s * interval '1 second'
                  THEN clock_timestamp() ELSE w.began_at END,
  count = CASE WHEN w.began_at <= clock_timestamp() - %(window)s * interval '1 second' THEN 1
               ELSE least(w.count, 2000000000) + 1 END
RETURNING count, extract(epoch FROM began_at + %(window)s * interval '1 second' - clock_timestamp())
"""
WINDOW_SECONDS = 60


@dataclass(frozen=True)
class Rate:
    """Where a caller stands in its window."""

    limit: int
    used: int
    reset_seconds: int

    @property
    def exceeded(self) -> bool:
        return self.used > self.limit

    @property
    def headers(self) -> dict[str, str]:
        """Of every answer; `Retry-After` of a refusal alone."""
        shown = {
            "X-RateLimit-Limit": str(self.limit),
            "X-RateLimit-Remaining": str(max(self.limit - self.used, 0)),
            "X-RateLimit-Reset": str(self.reset_seconds),
        }
        return shown | ({"Retry-After": str(self.reset_seconds)} if self.exceeded else {})


def rate_take(*, subject: str, limit: int, window: int = WINDOW_SECONDS) -> Rate:
    """Count one call of `subject`, and say where it stands. A refused call counts too."""
    with connection.cursor() as cursor:
        cursor.execute(_TAKE, {"subject": subject[:250], "window": window})
        used, left = cursor.fetchone()
    return Rate(limit=limit, used=used, reset_seconds=max(1, math.ceil(left)))
