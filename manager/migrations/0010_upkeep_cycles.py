"""Micro, macro and deep cycles, which belong to no campaign, and when they come."""

import uuid

from django.db import migrations, models

import manager.domain.lifecycle


class Migration(migrations.Migration):
    dependencies = [
        ("manager", "0009_parallel_experiments"),
    ]

    operations = [
        migrations.CreateModel(
            name="UpkeepCycle",
            fields=[
                ("id", models.UUIDField(default=uuid.uuid4, editable=False, primary_key=True, serialize=False)),
                (
                    "type",
                    models.CharField(choices=[("micro", "micro"), ("macro", "macro"), ("deep", "deep")], max_length=10),
                ),
                (
                    "state",
                    models.CharField(
                        choices=[
                            ("running", "running"),
                            ("paused", "paused"),
                            ("completed", "completed"),
                            ("stopped", "stopped"),
                            ("failed", "failed"),
                        ],
                        default=manager.domain.lifecycle.UpkeepState["RUNNING"],
                        max_length=12,
                    ),
                ),
                (
                    "slot",
                    models.PositiveSmallIntegerField(
                        default=1, help_text="1 until it has ended: there is one at a time.", null=True, unique=True
                    ),
                ),
                ("dataset", models.CharField(max_length=50)),
                (
                    "version",
                    models.PositiveIntegerField(help_text="Parameter version that its questions are asked under."),
                ),
                ("started_by", models.CharField(max_length=100)),
                ("reason", models.TextField()),
                ("stop_requested", models.BooleanField(default=False)),
                ("paused_since", models.DateTimeField(blank=True, null=True)),
                ("findings", models.JSONField(default=dict)),
                ("progress", models.JSONField(default=dict)),
                ("error", models.TextField(blank=True)),
                ("lease_owner", models.CharField(blank=True, max_length=80)),
                ("lease_until", models.DateTimeField(blank=True, null=True)),
                ("created_at", models.DateTimeField(auto_now_add=True)),
                ("finished_at", models.DateTimeField(blank=True, null=True)),
            ],
            options={
                "db_table": "upkeep_cycles",
                "ordering": ["-created_at"],
                "constraints": [
                    models.CheckConstraint(
                        condition=models.Q(("state__in", ["running", "paused", "completed", "stopped", "failed"])),
                        name="upkeep_state_is_known",
                    ),
                    models.CheckConstraint(
                        condition=models.Q(
                            models.Q(("finished_at__isnull", True), ("slot", 1)),
                            models.Q(("finished_at__isnull", False), ("slot", None)),
                            _connector="OR",
                        ),
                        name="upkeep_slot_is_free_at_the_end",
                    ),
                ],
            },
        ),
        migrations.CreateModel(
            name="UpkeepSchedule",
            fields=[
                ("id", models.PositiveSmallIntegerField(default=1, editable=False, primary_key=True, serialize=False)),
                ("enabled", models.BooleanField(default=True, help_text="Off: upkeep by command only.")),
                (
                    "micro_idle_minutes",
                    models.PositiveIntegerField(default=5, help_text="Idle time before a micro cycle."),
                ),
                (
                    "macro_idle_minutes",
                    models.PositiveIntegerField(default=60, help_text="Idle time before a macro cycle."),
                ),
                (
                    "macro_cron",
                    models.CharField(blank=True, help_text="Macro cycles at these times too.", max_length=100),
                ),
                (
                    "deep_cron",
                    models.CharField(
                        blank=True, default="0 3 * * *", help_text="Times of deep cycles.", max_length=100
                    ),
                ),
                ("yields", models.BooleanField(default=True, help_text="Whether upkeep gives way to real users.")),
                (
                    "quiet_seconds",
                    models.PositiveIntegerField(
                        default=60, help_text="Without a request for so long, work that was paused goes on."
                    ),
                ),
                (
                    "micro_questions",
                    models.PositiveIntegerField(default=20, help_text="Train questions of a micro cycle."),
                ),
                ("dataset", models.CharField(default="bundled", help_text="Whose questions are asked.", max_length=50)),
                ("created_at", models.DateTimeField(auto_now_add=True)),
            ],
            options={
                "db_table": "upkeep_schedules",
                "constraints": [
                    models.CheckConstraint(condition=models.Q(("id", 1)), name="there_is_one_upkeep_schedule"),
                    models.CheckConstraint(
                        condition=models.Q(
                            ("macro_idle_minutes__gte", 1),
                            ("micro_idle_minutes__gte", 1),
                            ("micro_questions__gte", 1),
                            ("quiet_seconds__gte", 1),
                        ),
                        name="upkeep_times_are_positive",
                    ),
                ],
            },
        ),
    ]
