"""`manage.py orchestrate` on a test database: `python -m tests.maas.orchestrator_process DATABASE [STAGE AFTER]`.

With a STAGE it waits for a line before it starts. It lets AFTER runs pass through the stage; the next ones stay inside
it, and with the first of them it says "inside", to be killed.
"""

from __future__ import annotations

import itertools
import os
import sys
import time
from typing import Any


def main(database: str, stage: str = "", after: str = "0") -> None:
    os.environ["DJANGO_SETTINGS_MODULE"] = "selflearn_site.settings"
    import django

    django.setup()
    from django.conf import settings
    from django.core.management import call_command
    from django.db import connections

    settings.MAAS_PARAMETER_PROVIDER = ""
    connections.settings["maas"]["NAME"] = database  # threads open connections of their own from these
    if stage:
        stay_inside(stage, int(after))
        sys.stdin.readline()
    call_command("orchestrate", "--json", "--workers", "3")


def stay_inside(stage: str, after: int) -> None:
    from maas import stages

    step, passed = stages.STEPS[stage], itertools.count()

    def stay(run: Any) -> None:
        number = next(passed)
        if number < after:
            step(run)
            return
        if number == after:
            sys.stdout.write("inside\n")
            sys.stdout.flush()
        while True:
            time.sleep(60)

    stages.STEPS = {**stages.STEPS, stage: stay}


if __name__ == "__main__":
    main(*sys.argv[1:])
