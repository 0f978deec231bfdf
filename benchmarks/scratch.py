"""Databases of a benchmark's own, made from the migrations and dropped afterwards."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import ExitStack, contextmanager

from django.conf import settings
from django.db import connections

from maas import parameters, prompts
from maas.access import ALIAS


@contextmanager
def scratch_student(name: str) -> Iterator[None]:
    """The alias `maas` points to a new, migrated database `bench_{name}` meanwhile; the real one is not touched.

    The student works alone in it, on its own defaults.
    """
    connection = connections[ALIAS]
    real, provider = connection.settings_dict["NAME"], settings.MAAS_PARAMETER_PROVIDER
    connection.settings_dict.setdefault("TEST", {})["NAME"] = f"bench_{name}"
    settings.MAAS_PARAMETER_PROVIDER = ""
    parameters.forget()
    prompts.forget()
    connection.creation.create_test_db(verbosity=0, autoclobber=True, serialize=False)
    try:
        yield
    finally:
        connection.close()
        connection.creation.destroy_test_db(real, verbosity=0)
        settings.MAAS_PARAMETER_PROVIDER = provider
        parameters.forget()
        prompts.forget()


@contextmanager
def scratch_databases(name: str) -> Iterator[dict[str, str]]:
    """Both aliases point to new, migrated and seeded databases `bench_{name}…` meanwhile. Yields their names."""
    names = {"default": f"bench_{name}", ALIAS: f"bench_{name}_{ALIAS}"}
    with ExitStack() as stack:
        for alias, own in names.items():
            connection = connections[alias]
            connection.settings_dict.setdefault("TEST", {})["NAME"] = own
            real = connection.settings_dict["NAME"]
            connection.creation.create_test_db(verbosity=0, autoclobber=True, serialize=False)
            stack.callback(_drop, alias, real)
        parameters.forget()
        prompts.forget()
        stack.callback(parameters.forget)
        stack.callback(prompts.forget)
        yield names


def _drop(alias: str, real: str) -> None:
    connections[alias].close()
    connections[alias].creation.destroy_test_db(real, verbosity=0)
