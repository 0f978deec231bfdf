"""Tables of the Sensor. The two big ones become partitioned in 0002."""

import uuid

import django.contrib.postgres.fields
import django.db.models.functions.datetime
from django.db import migrations, models


class Migration(migrations.Migration):
    initial = True

    dependencies = []

    operations = [
        migrations.CreateModel(
            name="CaptureCursor",
            fields=[
                ("name", models.TextField(primary_key=True, serialize=False)),
                ("position", models.DateTimeField(help_text="NULL: nothing read yet", null=True)),
                ("moved_at", models.DateTimeField(db_default=django.db.models.functions.datetime.Now())),
            ],
            options={
                "db_table": "sensor_cursor",
            },
        ),
        migrations.CreateModel(
            name="LedgerEntry",
            fields=[
                (
                    "pk",
                    models.CompositePrimaryKey(
                        "run_id", "stage", blank=True, editable=False, primary_key=True, serialize=False
                    ),
                ),
                ("run_id", models.UUIDField()),
                ("stage", models.TextField()),
                ("occurred_at", models.DateTimeField()),
            ],
            options={
                "db_table": "sensor_ledger",
            },
        ),
        migrations.CreateModel(
            name="RunJudgement",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                ("run_id", models.UUIDField()),
                ("judge_version", models.TextField()),
                ("repeat", models.SmallIntegerField(default=0, help_text="0 counts; others are history only")),
                ("retrieval_relevant", models.BooleanField(null=True)),
                ("context_utilized", models.BooleanField(null=True)),
                ("hallucination_detected", models.BooleanField(null=True)),
                (
                    "reasons",
                    django.contrib.postgres.fields.ArrayField(base_field=models.TextField(), default=list, size=None),
                ),
                ("recorded_at", models.DateTimeField(db_default=django.db.models.functions.datetime.Now())),
                ("applied_at", models.DateTimeField(null=True)),
            ],
            options={
                "db_table": "sensor_judgements",
                "indexes": [
                    models.Index(
                        condition=models.Q(("applied_at__isnull", True)), fields=["run_id"], name="judgements_to_apply"
                    )
                ],
                "constraints": [
                    models.UniqueConstraint(
                        fields=("run_id", "judge_version", "repeat"), name="one_judgement_per_run_version_and_repeat"
                    )
                ],
            },
        ),
        migrations.CreateModel(
            name="RunTruth",
            fields=[
                ("run_id", models.UUIDField(primary_key=True, serialize=False)),
                ("example_id", models.TextField()),
                ("batch", models.TextField()),
                ("dataset", models.TextField()),
                ("split", models.TextField()),
                ("cluster", models.TextField()),
                ("should_retrieve", models.BooleanField()),
                (
                    "expected_ids",
                    django.contrib.postgres.fields.ArrayField(base_field=models.UUIDField(), default=list, size=None),
                ),
                (
                    "key_facts",
                    django.contrib.postgres.fields.ArrayField(base_field=models.TextField(), default=list, size=None),
                ),
                (
                    "forbidden",
                    django.contrib.postgres.fields.ArrayField(base_field=models.TextField(), default=list, size=None),
                ),
                ("category", models.TextField()),
                ("difficulty", models.TextField()),
                ("asked_at", models.DateTimeField(null=True)),
                ("recorded_at", models.DateTimeField(db_default=django.db.models.functions.datetime.Now())),
                ("applied_at", models.DateTimeField(null=True)),
            ],
            options={
                "db_table": "sensor_ground_truths",
                "indexes": [
                    models.Index(
                        condition=models.Q(("applied_at__isnull", True)), fields=["run_id"], name="truths_to_apply"
                    )
                ],
            },
        ),
        migrations.CreateModel(
            name="SensorEvent",
            fields=[
                ("id", models.UUIDField(default=uuid.uuid4, primary_key=True, serialize=False)),
                ("pipeline_run_id", models.UUIDField()),
                ("user_id", models.UUIDField()),
                ("client_kind", models.TextField()),
                ("mode", models.TextField()),
                ("experiment", models.TextField(help_text="slug; NULL in production", null=True)),
                ("variant", models.TextField(null=True)),
                ("cycle_type", models.TextField()),
                ("thread_id", models.UUIDField(null=True)),
                ("seed", models.BigIntegerField(null=True)),
                ("query", models.TextField()),
                (
                    "keywords",
                    django.contrib.postgres.fields.ArrayField(base_field=models.TextField(), default=list, size=None),
                ),
                ("context", models.TextField(null=True)),
                ("context_tokens", models.IntegerField(null=True)),
                ("answer", models.TextField(null=True)),
                (
                    "found_ids",
                    django.contrib.postgres.fields.ArrayField(
                        base_field=models.UUIDField(), default=list, help_text="best first", size=None
                    ),
                ),
                (
                    "found_scores",
                    django.contrib.postgres.fields.ArrayField(
                        base_field=models.FloatField(null=True),
                        default=list,
                        help_text="of found_ids, in their order",
                        size=None,
                    ),
                ),
                (
                    "used_ids",
                    django.contrib.postgres.fields.ArrayField(
                        base_field=models.UUIDField(),
                        help_text="memories that entered the context",
                        null=True,
                        size=None,
                    ),
                ),
                ("memory_id", models.UUIDField(help_text="the memory that this run left", null=True)),
                ("batch", models.TextField(help_text="ground truth from here on; NULL until it arrives", null=True)),
                ("dataset", models.TextField(null=True)),
                ("split", models.TextField(null=True)),
                ("example_id", models.TextField(null=True)),
                ("cluster", models.TextField(null=True)),
                ("category", models.TextField(null=True)),
                ("difficulty", models.TextField(null=True)),
                ("should_retrieve", models.BooleanField(null=True)),
                (
                    "expected_ids",
                    django.contrib.postgres.fields.ArrayField(base_field=models.UUIDField(), null=True, size=None),
                ),
                (
                    "key_facts",
                    django.contrib.postgres.fields.ArrayField(base_field=models.TextField(), null=True, size=None),
                ),
                (
                    "forbidden",
                    django.contrib.postgres.fields.ArrayField(base_field=models.TextField(), null=True, size=None),
                ),
                ("parameter_version", models.IntegerField(null=True)),
                ("model", models.TextField(null=True)),
                ("status", models.TextField()),
                ("error_type", models.TextField(null=True)),
                ("error_message", models.TextField(null=True)),
                ("retry_count", models.IntegerField(default=0)),
                ("asked_at", models.DateTimeField(help_text="in the user's own time, which may be simulated")),
                ("started_at", models.DateTimeField(help_text="real clock; the month decides the partition")),
                ("ended_at", models.DateTimeField()),
                ("latency_ms", models.DecimalField(decimal_places=3, max_digits=14)),
                ("prompt_tokens", models.IntegerField(null=True)),
                ("completion_tokens", models.IntegerField(null=True)),
                ("total_cost_usd", models.DecimalField(decimal_places=8, max_digits=14, null=True)),
                ("memories_found", models.IntegerField()),
                ("memories_used", models.IntegerField(null=True)),
                ("avg_memory_age_days", models.FloatField(null=True)),
                ("tag_overlap_score", models.FloatField(null=True)),
                (
                    "isolation_ok",
                    models.BooleanField(help_text="NULL: a memory is gone, its owner cannot be told", null=True),
                ),
                ("judge_version", models.TextField(null=True)),
                ("retrieval_relevant", models.BooleanField(null=True)),
                ("context_utilized", models.BooleanField(null=True)),
                ("hallucination_detected", models.BooleanField(null=True)),
                (
                    "judge_reasons",
                    django.contrib.postgres.fields.ArrayField(base_field=models.TextField(), null=True, size=None),
                ),
                (
                    "feedback_score",
                    models.SmallIntegerField(help_text="1 to 5, if given before the run was captured", null=True),
                ),
                ("captured_at", models.DateTimeField()),
            ],
            options={
                "db_table": "sensor_events",
                "indexes": [
                    models.Index(fields=["pipeline_run_id"], name="events_by_run"),
                    models.Index(fields=["batch", "variant"], name="events_by_batch_and_variant"),
                    models.Index(fields=["experiment", "variant", "split"], name="events_by_experiment"),
                    models.Index(fields=["captured_at"], name="events_by_capture"),
                    models.Index(fields=["parameter_version"], name="events_by_version"),
                ],
            },
        ),
        migrations.CreateModel(
            name="TelemetryEvent",
            fields=[
                ("id", models.UUIDField(default=uuid.uuid4, primary_key=True, serialize=False)),
                ("pipeline_id", models.UUIDField(null=True)),
                ("experiment_id", models.UUIDField(null=True)),
                ("experiment", models.TextField(null=True)),
                ("variant", models.CharField(max_length=50, null=True)),
                ("cycle_type", models.CharField(max_length=20, null=True)),
                (
                    "created_at",
                    models.DateTimeField(
                        db_default=django.db.models.functions.datetime.Now(),
                        help_text="when the run settled, by the real clock",
                    ),
                ),
                ("stage", models.CharField(max_length=50, null=True)),
                ("latency_ms", models.DecimalField(decimal_places=3, max_digits=14, null=True)),
                ("memories_found", models.IntegerField(null=True)),
                ("memories_used", models.IntegerField(null=True)),
                (
                    "hit_rate",
                    models.BooleanField(help_text="an expected memory was found; NULL without expectations", null=True),
                ),
                ("avg_memory_age_days", models.FloatField(null=True)),
                ("tag_overlap_score", models.FloatField(null=True)),
                ("prompt_tokens", models.IntegerField(null=True)),
                ("completion_tokens", models.IntegerField(null=True)),
                ("total_cost_usd", models.DecimalField(decimal_places=8, max_digits=14, null=True)),
                ("retrieval_relevant", models.BooleanField(null=True)),
                ("context_utilized", models.BooleanField(null=True)),
                ("hallucination_detected", models.BooleanField(null=True)),
                ("retry_count", models.IntegerField(db_default=0, default=0)),
                ("error_type", models.CharField(max_length=100, null=True)),
                ("user_id", models.UUIDField(null=True)),
                ("isolation_ok", models.BooleanField(db_default=True, default=True, null=True)),
                ("parameter_version", models.IntegerField(null=True)),
            ],
            options={
                "db_table": "telemetry_events",
                "indexes": [
                    models.Index(fields=["experiment_id", "variant"], name="idx_telemetry_experiment"),
                    models.Index(fields=["cycle_type", "created_at"], name="idx_telemetry_cycle"),
                    models.Index(fields=["pipeline_id"], name="idx_telemetry_pipeline"),
                    models.Index(fields=["created_at"], name="idx_telemetry_created"),
                ],
                "constraints": [
                    models.CheckConstraint(
                        condition=models.Q(("cycle_type__in", ["micro", "macro", "deep", "online"])), name="valid_cycle"
                    )
                ],
            },
        ),
    ]
