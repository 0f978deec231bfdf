"""A worker on a test database: `python -m tests.manager.campaign_process DEFAULT MAAS CAMPAIGN LEASE STATE DONE`.

Advances the campaign. Once a step in STATE has done DONE pieces of work it says "hanging" and stays there, to be
killed; without that it says "ended" at the campaign's end.
"""

from __future__ import annotations

import os
import sys
import time
import uuid
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from manager.models import Cycle


def main(default: str, maas: str, campaign: str, lease: str, state: str, done: str) -> None:
    os.environ["DJANGO_SETTINGS_MODULE"] = "selflearn_site.settings"
    import django

    django.setup()
    from django.conf import settings
    from django.db import connections

    settings.MANAGER_LEASE_SECONDS = float(lease)
    connections.settings["default"]["NAME"] = default  # threads open connections of their own from these
    connections.settings["maas"]["NAME"] = maas
    from maas.client import get_client
    from manager.foreground import campaign_follow

    def show(cycle: Cycle, progress: dict[str, Any]) -> None:
        if cycle.state == state and progress["done"] >= int(done):
            sys.stdout.write("hanging\n")
            sys.stdout.flush()
            while True:
                time.sleep(60)

    campaign_follow(campaign_id=uuid.UUID(campaign), client=get_client(), show=show)
    sys.stdout.write("ended\n")


if __name__ == "__main__":
    main(*sys.argv[1:])
