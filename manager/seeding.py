"""The policy row and the schedules that keep campaigns going; written once, also after a flush."""

from __future__ import annotations

from typing import Any

from django.db import DEFAULT_DB_ALIAS, connection
from django.db.models import Model

SCHEDULES = {
    "campaigns nobody works on": ("manager.tasks.unattended_pick_up", 1),
    "upkeep cycles": ("manager.tasks.upkeep_tick", 1),
    "degradation on live traffic": ("manager.tasks.degradation_watch", 5),
    "notifications": ("notifications.tasks.notifications_send", 1),
    "old notifications": ("notifications.tasks.notifications_forget", 60),
    "old task history": ("manager.tasks.history_prune", 60),
}
"""Name → task, minutes between its runs."""


def seed_after_migrate(*, using: str, **_kwargs: Any) -> None:
    """`post_migrate`: does nothing until the tables of this room and of django-q2 are there as of today."""
    if using != DEFAULT_DB_ALIAS:
        return
    tables = set(connection.introspection.table_names())
    if not {"policies", "policy_versions", "django_q_schedule"} <= tables:
        return
    from django_q.models import Schedule

    from manager.models import Policy, PolicyVersion
    from manager.services.policy import policy_current

    if not all(_is_of_today(model) for model in (Policy, PolicyVersion)):
        return  # migrations went back to an earlier state; today's models cannot read it

    policy_current()
    for name, (task, minutes) in SCHEDULES.items():
        Schedule.objects.get_or_create(
            name=name, defaults={"func": task, "schedule_type": Schedule.MINUTES, "minutes": minutes}
        )


def _is_of_today(model: type[Model]) -> bool:
    """Whether the table has the columns of the model, no more and no fewer."""
    with connection.cursor() as cursor:
        described = connection.introspection.get_table_description(cursor, model._meta.db_table)
    return {column.name for column in described} == {field.column for field in model._meta.concrete_fields}
