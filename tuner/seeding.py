"""Version 1 and the tuner's state: the registry's defaults, written once."""

from __future__ import annotations

from typing import Any

from django.db import DEFAULT_DB_ALIAS, connection

from tuner import database
from tuner.factor_services import settings_seed
from tuner.models import FactorSetting
from tuner.registry import DEFAULTS, FROM_SETTINGS


def parameters_seed() -> bool:
    """Write version 1 unless there is one; True when it was written. Safe to run any number of times."""
    return database.seed({key: value for key, value in DEFAULTS.items() if key not in FROM_SETTINGS})


def seed_after_migrate(*, using: str, **_kwargs: Any) -> None:
    """`post_migrate`: also after a flush, and not before the function exists (migrating one app alone)."""
    if using != DEFAULT_DB_ALIAS:
        return
    with connection.cursor() as cursor:
        cursor.execute("SELECT to_regprocedure('public.seed_parameters(jsonb, text)') IS NOT NULL")
        ready = cursor.fetchone()[0]
    if ready:
        parameters_seed()
    if FactorSetting._meta.db_table in connection.introspection.table_names():
        settings_seed()
