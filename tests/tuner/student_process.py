"""`manage.py orchestrate` on test databases, with the Tuner's parameters: `student_process MAAS DEFAULT`."""

from __future__ import annotations

import os
import sys


def main(student: str, learning: str) -> None:
    os.environ["DJANGO_SETTINGS_MODULE"] = "selflearn_site.settings"
    import django

    django.setup()
    from django.conf import settings
    from django.core.management import call_command
    from django.db import connections

    settings.LAST_GOOD_PARAMETERS = None
    connections.settings["maas"]["NAME"] = student  # threads open connections of their own from these
    connections.settings["default"]["NAME"] = learning
    call_command("orchestrate", "--json", "--workers", "2")


if __name__ == "__main__":
    main(*sys.argv[1:])
