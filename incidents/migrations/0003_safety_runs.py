"""One row each time that the safety checks are made, with its progress."""

import uuid

import django.db.models.deletion
import django.db.models.functions.datetime
from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [
        ("incidents", "0002_safety_results"),
    ]

    operations = [
        migrations.CreateModel(
            name="SafetyRun",
            fields=[
                ("id", models.UUIDField(default=uuid.uuid4, editable=False, primary_key=True, serialize=False)),
                (
                    "state",
                    models.TextField(
                        choices=[
                            ("queued", "queued"),
                            ("running", "running"),
                            ("completed", "completed"),
                            ("failed", "failed"),
                        ],
                        default="queued",
                    ),
                ),
                ("slot", models.PositiveSmallIntegerField(default=1, null=True, unique=True)),
                ("started_by", models.TextField()),
                ("done", models.PositiveSmallIntegerField(default=0)),
                ("planned", models.PositiveSmallIntegerField(default=0)),
                ("label", models.TextField(blank=True, default="")),
                ("error", models.TextField(blank=True, default="")),
                ("started_at", models.DateTimeField(db_default=django.db.models.functions.datetime.Now())),
                ("finished_at", models.DateTimeField(blank=True, null=True)),
            ],
            options={
                "db_table": "safety_runs",
                "ordering": ("-started_at", "-id"),
                "constraints": [
                    models.CheckConstraint(
                        condition=models.Q(("state__in", ["queued", "running", "completed", "failed"])),
                        name="safety_run_state_is_known",
                    ),
                    models.CheckConstraint(
                        condition=models.Q(
                            models.Q(("finished_at__isnull", True), ("slot", 1)),
                            models.Q(("finished_at__isnull", False), ("slot", None)),
                            _connector="OR",
                        ),
                        name="safety_run_slot_is_free_at_the_end",
                    ),
                ],
            },
        ),
        migrations.AddField(
            model_name="safetyresult",
            name="run",
            field=models.ForeignKey(
                null=True, on_delete=django.db.models.deletion.CASCADE, related_name="results", to="incidents.safetyrun"
            ),
        ),
    ]
