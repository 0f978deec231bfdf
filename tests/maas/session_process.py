"""Plays a test session, to be killed: `python -m tests.maas.session_process DATABASE SESSION QUERY asking|answered`.

At the step that asks QUERY it says "hanging" and stays there: before the step is asked, or when it is answered and its
result is not kept yet.
"""

from __future__ import annotations

import os
import sys
import time
import uuid


def main(database: str, session: str, query: str, where: str) -> None:
    os.environ["DJANGO_SETTINGS_MODULE"] = "selflearn_site.settings"
    import django

    django.setup()
    from django.conf import settings
    from django.db import connections

    settings.MAAS_PARAMETER_PROVIDER = ""
    connections["maas"].settings_dict["NAME"] = database
    from contracts.maas import RunAnswer, RunRequest
    from maas.client import InProcessClient
    from maas.test_runner.sessions import session_play

    class Hanging(InProcessClient):
        def ask(self, request: RunRequest) -> RunAnswer:
            if (request.query, where) == (query, "asking"):
                hang()
            answer = super().ask(request)
            if request.query == query:
                hang()
            return answer

    session_play(session_id=uuid.UUID(session), client=Hanging())


def hang() -> None:
    sys.stdout.write("hanging\n")
    sys.stdout.flush()
    while True:
        time.sleep(60)


if __name__ == "__main__":
    main(*sys.argv[1:])
