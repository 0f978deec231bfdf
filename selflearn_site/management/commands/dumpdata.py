"""`dumpdata` as the owner of the tables."""

from __future__ import annotations

from django.core.management.commands import dumpdata

from selflearn_site.management.owner import AsOwner


class Command(AsOwner, dumpdata.Command):
    pass
