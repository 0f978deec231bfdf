"""Connections that are kept between requests: for the web process alone.

Under ASGI each request has a thread of its own, so a connection that Django keeps would never be used again, and a new
one costs many times what a request asks of it. Row-level security holds over the pool: role and user end with each
transaction (tests/maas/test_isolation_load.py).
"""

from __future__ import annotations

from typing import Final

from django.conf import settings
from django.db import connections

MOST: Final = 20
"""Connections to each database; a request that finds none waits."""
WAIT_SECONDS: Final = 5.0


def connections_pool() -> None:
    """From now on this process keeps connections to both databases. Opens none yet.

    Not for commands: a stopped embedded server is started by the first connection, which here would wait first.
    """
    for alias in settings.DATABASES:
        chosen = connections.settings[alias]
        chosen["CONN_HEALTH_CHECKS"] = True  # one that a restarted server has closed is not handed out
        chosen["OPTIONS"]["pool"] = {"min_size": 1, "max_size": MOST, "timeout": WAIT_SECONDS}
