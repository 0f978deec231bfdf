"""Tables of the Emulator: batches, their dialogues, their turns."""

import django.contrib.postgres.fields
import django.db.models.deletion
from django.db import migrations, models


class Migration(migrations.Migration):
    initial = True

    dependencies = []

    operations = [
        migrations.CreateModel(
            name="EmulationBatch",
            fields=[
                ("id", models.UUIDField(primary_key=True, serialize=False)),
                ("batch", models.CharField(max_length=200, unique=True)),
                ("plan", models.JSONField()),
                ("dataset", models.CharField(max_length=100)),
                ("split", models.CharField(max_length=20)),
                ("experiment", models.CharField(blank=True, default="", max_length=200)),
                ("variant", models.CharField(blank=True, default="", max_length=100)),
                ("status", models.CharField(default="pending", max_length=20)),
                ("stop_requested", models.BooleanField(default=False)),
                ("error", models.TextField(blank=True, default="")),
                ("dialogues_total", models.PositiveIntegerField()),
                ("turns_total", models.PositiveIntegerField()),
                ("queries_total", models.PositiveIntegerField()),
                ("turns_done", models.PositiveIntegerField(default=0)),
                ("turns_failed", models.PositiveIntegerField(default=0)),
                ("statements_unremembered", models.PositiveIntegerField(default=0)),
                ("dialogues_done", models.PositiveIntegerField(default=0)),
                ("dialogues_invalid", models.PositiveIntegerField(default=0)),
                ("created_by", models.CharField(max_length=200)),
                ("created_at", models.DateTimeField(auto_now_add=True)),
                ("started_at", models.DateTimeField(null=True)),
                ("finished_at", models.DateTimeField(null=True)),
            ],
            options={
                "db_table": "emulation_batches",
                "verbose_name_plural": "emulation batches",
                "ordering": ("-created_at",),
                "indexes": [models.Index(fields=["experiment", "variant"], name="emulations_of_experiment")],
                "constraints": [
                    models.CheckConstraint(
                        condition=models.Q(("status__in", ["pending", "running", "completed", "stopped", "failed"])),
                        name="emulation_batch_status_is_known",
                    ),
                    models.CheckConstraint(
                        condition=models.Q(("turns_done__lte", models.F("turns_total"))),
                        name="emulation_batch_plays_no_more_turns_than_planned",
                    ),
                ],
            },
        ),
        migrations.CreateModel(
            name="EmulationDialogue",
            fields=[
                ("id", models.UUIDField(primary_key=True, serialize=False)),
                ("dialogue", models.CharField(max_length=300)),
                ("example", models.CharField(max_length=300)),
                ("user_id", models.UUIDField()),
                ("thread_id", models.UUIDField()),
                ("scenario", models.CharField(max_length=200)),
                ("scenario_variant", models.BigIntegerField()),
                ("cluster", models.CharField(max_length=200)),
                ("split", models.CharField(max_length=20)),
                ("dataset", models.CharField(max_length=100)),
                ("language", models.CharField(blank=True, default="", max_length=10)),
                ("ordinal", models.PositiveIntegerField()),
                ("is_valid", models.BooleanField(default=True)),
                ("invalid_reason", models.CharField(blank=True, default="", max_length=300)),
                ("finished_at", models.DateTimeField(null=True)),
                (
                    "batch",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.CASCADE,
                        related_name="dialogues",
                        to="emulator.emulationbatch",
                    ),
                ),
            ],
            options={
                "db_table": "emulation_dialogues",
                "ordering": ("batch_id", "user_id", "ordinal", "dialogue"),
            },
        ),
        migrations.CreateModel(
            name="EmulationTurn",
            fields=[
                (
                    "id",
                    models.UUIDField(
                        help_text="The run's id: it depends on batch, dialogue and position alone.",
                        primary_key=True,
                        serialize=False,
                    ),
                ),
                ("position", models.PositiveIntegerField()),
                ("text", models.TextField()),
                ("simulated_at", models.DateTimeField()),
                (
                    "event_ids",
                    django.contrib.postgres.fields.ArrayField(
                        base_field=models.CharField(max_length=200), blank=True, default=list, size=None
                    ),
                ),
                ("memory_id", models.UUIDField(null=True)),
                ("run_status", models.CharField(blank=True, default="", max_length=20)),
                ("answer_excerpt", models.CharField(blank=True, default="", max_length=500)),
                ("error", models.TextField(blank=True, default="")),
                ("finished_at", models.DateTimeField(null=True)),
                ("query_id", models.CharField(blank=True, default="", max_length=200)),
                ("query_kind", models.CharField(blank=True, default="", max_length=20)),
                ("category", models.CharField(blank=True, default="", max_length=20)),
                ("difficulty", models.CharField(blank=True, default="", max_length=20)),
                ("should_retrieve", models.BooleanField(null=True)),
                (
                    "expects",
                    django.contrib.postgres.fields.ArrayField(
                        base_field=models.CharField(max_length=200), blank=True, default=list, size=None
                    ),
                ),
                (
                    "expected_memory_ids",
                    django.contrib.postgres.fields.ArrayField(
                        base_field=models.UUIDField(), blank=True, default=list, size=None
                    ),
                ),
                (
                    "key_facts",
                    django.contrib.postgres.fields.ArrayField(
                        base_field=models.TextField(), blank=True, default=list, size=None
                    ),
                ),
                (
                    "forbidden",
                    django.contrib.postgres.fields.ArrayField(
                        base_field=models.TextField(), blank=True, default=list, size=None
                    ),
                ),
                ("truth_excluded", models.CharField(blank=True, default="", max_length=300)),
                (
                    "batch",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.CASCADE, related_name="turns", to="emulator.emulationbatch"
                    ),
                ),
                (
                    "dialogue",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.CASCADE,
                        related_name="turns",
                        to="emulator.emulationdialogue",
                    ),
                ),
            ],
            options={
                "db_table": "emulation_turns",
                "ordering": ("dialogue_id", "position"),
            },
        ),
        migrations.AddConstraint(
            model_name="emulationdialogue",
            constraint=models.UniqueConstraint(
                fields=("batch", "dialogue"), name="emulation_dialogue_is_once_in_its_batch"
            ),
        ),
        migrations.AddConstraint(
            model_name="emulationdialogue",
            constraint=models.CheckConstraint(
                condition=models.Q(
                    ("is_valid", True), models.Q(("invalid_reason", ""), _negated=True), _connector="OR"
                ),
                name="emulation_dialogue_is_invalid_for_a_reason",
            ),
        ),
        migrations.AddConstraint(
            model_name="emulationdialogue",
            constraint=models.CheckConstraint(
                condition=models.Q(("split__in", ["train", "validation"])), name="emulation_dialogue_is_never_golden"
            ),
        ),
        migrations.AddIndex(
            model_name="emulationturn",
            index=models.Index(
                condition=models.Q(("finished_at__isnull", True)), fields=["batch"], name="emulation_turns_unsaid"
            ),
        ),
        migrations.AddConstraint(
            model_name="emulationturn",
            constraint=models.UniqueConstraint(
                fields=("dialogue", "position"), name="emulation_turn_has_one_place_in_its_dialogue"
            ),
        ),
        migrations.AddConstraint(
            model_name="emulationturn",
            constraint=models.CheckConstraint(
                condition=models.Q(("query_id", ""), ("event_ids__len", 0), _connector="OR"),
                name="emulation_turn_states_or_asks",
            ),
        ),
    ]
