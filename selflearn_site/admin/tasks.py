"""django-q's own admin pages in the house's dress."""

from __future__ import annotations

from django.contrib import admin
from django_q import admin as q
from django_q.models import Failure, OrmQ, Schedule, Success
from unfold.admin import ModelAdmin

for _model in (Schedule, Success, Failure, OrmQ):
    if admin.site.is_registered(_model):
        admin.site.unregister(_model)


@admin.register(Schedule)
class ScheduleAdmin(q.ScheduleAdmin, ModelAdmin):
    pass


@admin.register(Success)
class SuccessAdmin(q.TaskAdmin, ModelAdmin):
    pass


@admin.register(Failure)
class FailureAdmin(q.FailAdmin, ModelAdmin):
    pass


@admin.register(OrmQ)
class QueueAdmin(q.QueueAdmin, ModelAdmin):
    pass
