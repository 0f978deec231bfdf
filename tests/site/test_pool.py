"""The web process keeps its connections between requests."""

from __future__ import annotations

from copy import deepcopy

import pytest
from django.db import connections

from selflearn_site.database.backend.base import DatabaseWrapper
from selflearn_site.database.pool import connections_pool

pytestmark = pytest.mark.django_db(databases=["default", "maas"])


@pytest.mark.parametrize("alias", ["default", "maas"])
def test_connections__of_ten_requests_in_turn__are_kept(alias: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(connections, "settings", deepcopy(connections.settings))
    connections_pool()
    monkeypatch.setattr(DatabaseWrapper, "_connection_pools", {})
    wrapper = DatabaseWrapper(connections.settings[alias], alias)
    wrapper.inc_thread_sharing()
    sessions = []
    try:
        for _ in range(10):
            with wrapper.cursor() as cursor:
                cursor.execute("SELECT pg_backend_pid()")
                sessions.append(cursor.fetchone()[0])
            wrapper.close()
    finally:
        wrapper.close_pool()
    assert len(set(sessions)) <= 2  # the first request may be served before the pool's own first connection
