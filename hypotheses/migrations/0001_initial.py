import uuid

import django.contrib.postgres.fields
import django.db.models.deletion
import django.utils.timezone
from django.db import migrations, models


class Migration(migrations.Migration):
    initial = True

    dependencies = [
        ("goals", "0001_initial"),
    ]

    operations = [
        migrations.CreateModel(
            name="Hypothesis",
            fields=[
                ("id", models.UUIDField(default=uuid.uuid4, editable=False, primary_key=True, serialize=False)),
                ("name", models.TextField()),
                ("description", models.TextField(blank=True, default="")),
                (
                    "status",
                    models.TextField(
                        choices=[
                            ("planned", "planned"),
                            ("running", "running"),
                            ("confirmed", "confirmed"),
                            ("rejected", "rejected"),
                            ("inconclusive", "inconclusive"),
                        ],
                        default="planned",
                    ),
                ),
                ("created_at", models.DateTimeField(default=django.utils.timezone.now)),
                ("updated_at", models.DateTimeField(default=django.utils.timezone.now)),
                (
                    "related_experiments",
                    django.contrib.postgres.fields.ArrayField(
                        base_field=models.TextField(), blank=True, default=list, size=None
                    ),
                ),
                (
                    "tags",
                    django.contrib.postgres.fields.ArrayField(
                        base_field=models.TextField(), blank=True, default=list, size=None
                    ),
                ),
                ("factor", models.TextField()),
                ("from_value", models.JSONField()),
                ("to_value", models.JSONField()),
                ("base_version", models.IntegerField()),
                ("metric", models.TextField()),
                ("direction", models.TextField(choices=[("increase", "increase"), ("decrease", "decrease")])),
                ("rationale", models.TextField(blank=True, default="")),
                ("expected_effect", models.FloatField(blank=True, null=True)),
                ("needs_approval", models.BooleanField(default=False)),
                ("next_steps", models.JSONField(blank=True, default=list)),
                ("resolved_at", models.DateTimeField(blank=True, null=True)),
                (
                    "campaign",
                    models.ForeignKey(
                        blank=True,
                        null=True,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="hypotheses",
                        to="goals.campaign",
                    ),
                ),
            ],
            options={
                "verbose_name_plural": "hypotheses",
                "db_table": "experiment_hypotheses",
                "ordering": ["created_at", "id"],
                "indexes": [
                    models.Index(fields=["campaign", "status"], name="hypotheses_by_campaign_status"),
                    models.Index(fields=["factor", "created_at"], name="hypotheses_by_factor"),
                ],
                "constraints": [
                    models.UniqueConstraint(
                        fields=("campaign", "factor", "to_value", "base_version", "metric"),
                        name="hypothesis_is_registered_once_per_base_version",
                        nulls_distinct=False,
                    ),
                    models.CheckConstraint(
                        condition=models.Q(
                            ("status__in", ["planned", "running", "confirmed", "rejected", "inconclusive"])
                        ),
                        name="hypothesis_status_is_known",
                    ),
                    models.CheckConstraint(
                        condition=models.Q(("direction__in", ["increase", "decrease"])),
                        name="hypothesis_direction_is_known",
                    ),
                ],
            },
        ),
    ]
