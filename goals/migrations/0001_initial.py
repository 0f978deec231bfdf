import uuid

import django.db.models.deletion
import django.utils.timezone
from django.db import migrations, models


class Migration(migrations.Migration):
    initial = True

    dependencies = []

    operations = [
        migrations.CreateModel(
            name="LearningGoal",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                ("text", models.TextField()),
                ("language", models.TextField(choices=[("ru", "ru"), ("en", "en")])),
                ("translation", models.JSONField()),
                ("targets", models.JSONField(default=list)),
                ("constraints", models.JSONField(default=list)),
                ("allowed_impacts", models.JSONField(default=list)),
                ("forbidden_impacts", models.JSONField(default=list)),
                (
                    "autonomy",
                    models.TextField(
                        choices=[("full_auto", "full_auto"), ("semi_auto", "semi_auto"), ("manual", "manual")],
                        default="semi_auto",
                    ),
                ),
                ("budget", models.JSONField(default=dict)),
                ("priority", models.IntegerField(default=100, help_text="Smaller comes first.")),
                (
                    "status",
                    models.TextField(
                        choices=[("active", "active"), ("achieved", "achieved"), ("closed", "closed")], default="active"
                    ),
                ),
                ("created_by", models.TextField()),
                ("created_at", models.DateTimeField(default=django.utils.timezone.now)),
                ("updated_at", models.DateTimeField(default=django.utils.timezone.now)),
            ],
            options={
                "db_table": "learning_goals",
                "ordering": ["priority", "id"],
                "indexes": [models.Index(fields=["status", "priority"], name="learning_goals_by_status")],
                "constraints": [
                    models.CheckConstraint(
                        condition=models.Q(("status__in", ["active", "achieved", "closed"])),
                        name="learning_goal_status_is_known",
                    ),
                    models.CheckConstraint(
                        condition=models.Q(("autonomy__in", ["full_auto", "semi_auto", "manual"])),
                        name="learning_goal_autonomy_is_known",
                    ),
                    models.CheckConstraint(
                        condition=models.Q(("language__in", ["ru", "en"])), name="learning_goal_language_is_known"
                    ),
                ],
            },
        ),
        migrations.CreateModel(
            name="Campaign",
            fields=[
                ("id", models.UUIDField(default=uuid.uuid4, editable=False, primary_key=True, serialize=False)),
                ("number", models.PositiveIntegerField(help_text="How people name the campaign: 1, 2, 3, …")),
                ("dataset", models.TextField()),
                (
                    "autonomy",
                    models.TextField(
                        choices=[("full_auto", "full_auto"), ("semi_auto", "semi_auto"), ("manual", "manual")]
                    ),
                ),
                ("max_cycles", models.PositiveIntegerField()),
                ("dialogues_per_cycle", models.PositiveIntegerField()),
                ("seed", models.BigIntegerField()),
                (
                    "status",
                    models.TextField(
                        choices=[
                            ("planned", "planned"),
                            ("running", "running"),
                            ("paused", "paused"),
                            ("completed", "completed"),
                            ("stopped", "stopped"),
                            ("failed", "failed"),
                        ],
                        default="planned",
                    ),
                ),
                ("end_reason", models.TextField(blank=True, default="")),
                ("metrics_before", models.JSONField(blank=True, null=True)),
                ("metrics_after", models.JSONField(blank=True, null=True)),
                ("golden_before", models.JSONField(blank=True, null=True)),
                ("golden_after", models.JSONField(blank=True, null=True)),
                ("start_version", models.IntegerField(blank=True, null=True)),
                ("end_version", models.IntegerField(blank=True, null=True)),
                ("tokens", models.BigIntegerField(default=0)),
                ("cost_usd", models.DecimalField(decimal_places=6, default=0, max_digits=14)),
                ("started_at", models.DateTimeField(blank=True, null=True)),
                ("finished_at", models.DateTimeField(blank=True, null=True)),
                ("created_by", models.TextField()),
                ("created_at", models.DateTimeField(default=django.utils.timezone.now)),
                ("updated_at", models.DateTimeField(default=django.utils.timezone.now)),
                (
                    "goal",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT, related_name="campaigns", to="goals.learninggoal"
                    ),
                ),
            ],
            options={
                "db_table": "campaigns",
                "ordering": ["-number"],
                "indexes": [
                    models.Index(fields=["status"], name="campaigns_by_status"),
                    models.Index(fields=["goal", "status"], name="campaigns_by_goal_and_status"),
                ],
                "constraints": [
                    models.UniqueConstraint(fields=("number",), name="campaign_number_is_unique"),
                    models.CheckConstraint(
                        condition=models.Q(
                            ("status__in", ["planned", "running", "paused", "completed", "stopped", "failed"])
                        ),
                        name="campaign_status_is_known",
                    ),
                    models.CheckConstraint(
                        condition=models.Q(("autonomy__in", ["full_auto", "semi_auto", "manual"])),
                        name="campaign_autonomy_is_known",
                    ),
                    models.CheckConstraint(
                        condition=models.Q(
                            models.Q(
                                ("finished_at__isnull", False), ("status__in", ["completed", "failed", "stopped"])
                            ),
                            models.Q(
                                models.Q(("status__in", ["completed", "failed", "stopped"]), _negated=True),
                                ("finished_at__isnull", True),
                            ),
                            _connector="OR",
                        ),
                        name="campaign_has_end_time_exactly_when_ended",
                    ),
                    models.CheckConstraint(
                        condition=models.Q(("dialogues_per_cycle__gte", 1), ("max_cycles__gte", 1)),
                        name="campaign_has_cycles_and_dialogues",
                    ),
                    models.CheckConstraint(
                        condition=models.Q(("cost_usd__gte", 0), ("tokens__gte", 0)),
                        name="campaign_totals_never_negative",
                    ),
                ],
            },
        ),
    ]
