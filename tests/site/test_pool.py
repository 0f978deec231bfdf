"""The web process keeps its connections between requests."""

from __future__ import annotations

from copy import deepcopy

import pytest
from django.db import connections

from selflearn_site.database.backend.base import DatabaseWrapper
from selflearn_site.database.pool import connections_pool

pytestmark = pytest.mark.django_db(databases=["default", "maas"])


@pytest.mark.parametrize("alias", ["default", "maas"])
def test_connection__closed_at_the_end_of_a_request__is_the_same_session_in_the_next(
    alias: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(connections, "settings", deepcopy(connections.settings))
    connections_pool()
    wrapper = DatabaseWrapper(connections.settings[alias], f"{alias}-pooled")
    wrapper.inc_thread_sharing()
    sessions = []
    try:
        for _ in range(2):
            with wrapper.cursor() as cursor:
                cursor.execute("SELECT pg_backend_pid()")
                sessions.append(cursor.fetchone()[0])
            wrapper.close()
    finally:
        wrapper.close_pool()
    assert sessions[0] == sessions[1]
