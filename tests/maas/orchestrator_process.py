"""`manage.py orchestrate` on a test database: `python -m tests.maas.orchestrator_process DATABASE`."""

from __future__ import annotations

import os
import sys


def main(database: str) -> None:
    os.environ["DJANGO_SETTINGS_MODULE"] = "selflearn_site.settings"
    import django

    django.setup()
    from django.conf import settings
    from django.core.management import call_command
    from django.db import connections

    settings.MAAS_PARAMETER_PROVIDER = ""
    connections.settings["maas"]["NAME"] = database  # threads open connections of their own from these
    call_command("orchestrate", "--json", "--workers", "3")


if __name__ == "__main__":
    main(*sys.argv[1:])
