"""A worker process for tests: `python -m tests.maas.worker DATABASE ACTION RUN USER [STAGE]`.

`claim`: says "ready", waits for a line, claims, says "won" or "lost". `hang`: claims and carries on up to STAGE, says
"hanging" inside it and stays there, to be killed.
"""

from __future__ import annotations

import os
import sys
import time
import uuid
from typing import NoReturn


def say(word: str) -> None:
    sys.stdout.write(word + "\n")
    sys.stdout.flush()


def hang(*_args: object, **_kwargs: object) -> NoReturn:
    say("hanging")
    while True:
        time.sleep(60)


def main(database: str, action: str, run_text: str, user_text: str, stage: str = "") -> None:
    os.environ["DJANGO_SETTINGS_MODULE"] = "selflearn_site.settings"
    import django

    django.setup()
    from django.conf import settings
    from django.db import connections

    settings.MAAS_PARAMETER_PROVIDER = ""
    connections["maas"].settings_dict["NAME"] = database
    from maas import pipeline, stages
    from maas.claims import claim

    run_id, user_id = uuid.UUID(run_text), uuid.UUID(user_text)
    if action == "claim":
        connections["maas"].ensure_connection()
        say("ready")
        sys.stdin.readline()
        say("won" if claim(run_id, user_id) else "lost")
        return
    stages.STEPS = {**stages.STEPS, stage: hang}
    run = claim(run_id, user_id)
    assert run is not None
    pipeline.carry_on(run)


if __name__ == "__main__":
    main(*sys.argv[1:])
