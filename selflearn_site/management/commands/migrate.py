"""`migrate` as the owner of the tables."""

from __future__ import annotations

from django.core.management.commands import migrate

from selflearn_site.management.owner import AsOwner


class Command(AsOwner, migrate.Command):
    pass
