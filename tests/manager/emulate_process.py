"""`manage.py emulate` on test databases: `python -m tests.manager.emulate_process DATABASES ARGUMENTS…`.

Says "turn N" after each turn.
"""

from __future__ import annotations

import json
import os
import sys
from typing import Any


def main(databases: str, *arguments: str) -> None:
    os.environ["DJANGO_SETTINGS_MODULE"] = "selflearn_site.settings"
    import django

    django.setup()
    from django.db import connections

    for alias, name in json.loads(databases).items():
        connections.settings[alias]["NAME"] = name
    from django.core.management import execute_from_command_line

    from emulator.services import emulation_run
    from manager.services import playing

    def speaking(**given: Any) -> Any:
        def show(progress: Any) -> None:
            sys.stdout.write(f"turn {progress.turns_done}\n")
            sys.stdout.flush()

        return emulation_run(**{**given, "on_progress": show})

    vars(playing)["emulation_run"] = speaking
    execute_from_command_line(["manage.py", "emulate", *arguments])


if __name__ == "__main__":
    main(*sys.argv[1:])
