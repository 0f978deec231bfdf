"""A worker on a test database: `python -m tests.manager.campaign_process DEFAULT MAAS CAMPAIGN LEASE CYCLE STATE DONE`.

Advances the campaign. Once the step STATE of CYCLE has done DONE pieces of work, each thread stays inside the next
answer that it works on; the process says "hanging", to be killed. Without that it says "ended" at the end.
"""

from __future__ import annotations

import os
import sys
import threading
import time
import uuid
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from manager.models import Cycle


def main(default: str, maas: str, campaign: str, lease: str, number: str, state: str, done: str) -> None:
    os.environ["DJANGO_SETTINGS_MODULE"] = "selflearn_site.settings"
    import django

    django.setup()
    from django.conf import settings
    from django.db import connections

    settings.MANAGER_LEASE_SECONDS = float(lease)
    connections.settings["default"]["NAME"] = default  # threads open connections of their own from these
    connections.settings["maas"]["NAME"] = maas
    from maas import stages
    from maas.client import get_client
    from manager.foreground import campaign_follow

    respond, reached = stages.STEPS["response"], threading.Event()

    def show(cycle: Cycle, progress: dict[str, Any]) -> None:
        if (cycle.number, cycle.state) == (int(number), state) and progress["done"] >= int(done):
            reached.set()

    def answer(*arguments: Any, **named: Any) -> Any:
        if not reached.is_set():
            return respond(*arguments, **named)
        sys.stdout.write("hanging\n")
        sys.stdout.flush()
        while True:
            time.sleep(60)

    stages.STEPS = {**stages.STEPS, "response": answer}
    campaign_follow(campaign_id=uuid.UUID(campaign), client=get_client(), show=show)
    sys.stdout.write("ended\n")


if __name__ == "__main__":
    main(*sys.argv[1:])
