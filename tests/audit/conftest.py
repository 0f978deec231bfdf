from __future__ import annotations

from collections.abc import Callable
from typing import LiteralString

import pytest
from django.conf import settings
from django.db import connection

from selflearn_site.database.launcher import EmbeddedServer


@pytest.fixture
def as_superuser(transactional_db: None) -> Callable[..., None]:
    """Run one statement with all of PostgreSQL's rights, as an attacker with the server's password would."""
    if not connection.settings_dict.get("EMBEDDED"):
        pytest.skip("only the embedded server gives tests a superuser")

    def run(statement: LiteralString, *args: object) -> None:
        server = EmbeddedServer(settings.SELFLEARN_VAR_DIR)
        with server.connect(dbname=connection.settings_dict["NAME"]) as superuser:
            superuser.execute(statement, args)

    return run
