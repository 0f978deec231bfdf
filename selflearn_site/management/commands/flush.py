"""`flush` as the owner of the tables."""

from __future__ import annotations

from django.core.management.commands import flush

from selflearn_site.management.owner import AsOwner


class Command(AsOwner, flush.Command):
    pass
