"""The student's tables live in `maas`, all others in `default`; nothing joins them but ids."""

from __future__ import annotations

from typing import Any

from django.db.models import Model

STUDENT_APP = "maas"


def alias_of(app_label: str) -> str:
    return "maas" if app_label == STUDENT_APP else "default"


class TwoDatabases:
    def db_for_read(self, model: type[Model], **hints: Any) -> str:  # noqa: ARG002  Django's signature
        return alias_of(model._meta.app_label)

    def db_for_write(self, model: type[Model], **hints: Any) -> str:  # noqa: ARG002  Django's signature
        return alias_of(model._meta.app_label)

    def allow_relation(self, obj1: Model, obj2: Model, **hints: Any) -> bool:  # noqa: ARG002  Django's signature
        return alias_of(obj1._meta.app_label) == alias_of(obj2._meta.app_label)

    def allow_migrate(self, db: str, app_label: str, **hints: Any) -> bool:  # noqa: ARG002  Django's signature
        return db == alias_of(app_label)
