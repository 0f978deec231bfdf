"""A process of a soak's campaign: `python -m benchmarks.soak_campaign_process ROLE DEFAULT MAAS LEASE [CAMPAIGN]`.

ROLE is `worker` (advances the campaign to its end, as `learn` does) or `orchestrator` (as `manage.py orchestrate`).
DEFAULT and MAAS are names of databases; LEASE (seconds) is that of cycles and of runs, so that what a killed process
held is free soon.
"""

from __future__ import annotations

import os
import sys
import uuid


def main(role: str, default: str, maas: str, lease: str, campaign: str = "") -> None:
    os.environ["DJANGO_SETTINGS_MODULE"] = "selflearn_site.settings"
    import django

    django.setup()
    from django.conf import settings
    from django.core.management import call_command
    from django.db import connections

    settings.MANAGER_LEASE_SECONDS = float(lease)
    connections.settings["default"]["NAME"] = default  # threads open connections of their own from these
    connections.settings["maas"]["NAME"] = maas
    from maas import claims, stages

    for module in (claims, stages):
        vars(module)["LEASE_SECONDS"] = float(lease)
    if role == "orchestrator":
        call_command("orchestrate", "--workers", "2")
        return
    from maas.client import get_client
    from manager.foreground import campaign_follow

    campaign_follow(campaign_id=uuid.UUID(campaign), client=get_client())


if __name__ == "__main__":
    main(*sys.argv[1:])
