"""Cases that were drawn for people, and what people said of them."""

import django.db.models.deletion
from django.db import migrations, models
from django.db.models.functions import Now

ANSWERS = [("yes", "yes"), ("no", "no"), ("unclear", "cannot tell")]


def grant(_apps, schema_editor):
    """Rounds and cases are never changed; of a label only its end is written, and none is deleted."""
    runtime = schema_editor.quote_name(schema_editor.connection.settings_dict["RUNTIME_ROLE"])
    for table, rights in (
        ("calibration_rounds", "SELECT, INSERT"),
        ("calibration_cases", "SELECT, INSERT"),
        ("case_labels", "SELECT, INSERT, UPDATE (ended_at)"),
    ):
        schema_editor.execute(f"REVOKE ALL ON public.teacher_{table} FROM PUBLIC")
        schema_editor.execute(f"REVOKE ALL ON public.teacher_{table} FROM {runtime}")
        schema_editor.execute(f"GRANT {rights} ON public.teacher_{table} TO {runtime}")
        schema_editor.execute(f"GRANT USAGE ON SEQUENCE public.teacher_{table}_id_seq TO {runtime}")


class Migration(migrations.Migration):
    dependencies = [("teacher", "0002_judges")]
    operations = [
        migrations.CreateModel(
            name="CalibrationRound",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                ("judge_version", models.TextField()),
                (
                    "seed",
                    models.BigIntegerField(help_text="The same seed draws the same cases from the same judged runs."),
                ),
                ("frame", models.JSONField()),
                ("size", models.PositiveIntegerField()),
                ("drawn_by", models.TextField()),
                ("drawn_at", models.DateTimeField(db_default=Now())),
            ],
            options={"db_table": "teacher_calibration_rounds", "ordering": ["-id"]},
        ),
        migrations.CreateModel(
            name="CalibrationCase",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                (
                    "position",
                    models.PositiveIntegerField(help_text="The order in which everybody is offered the cases, from 1."),
                ),
                ("run_id", models.UUIDField()),
                (
                    "content_hash",
                    models.CharField(help_text="of question, context, answer and known truth", max_length=64),
                ),
                ("stratum", models.CharField(max_length=6)),
                ("category", models.TextField()),
                ("language", models.TextField()),
                (
                    "round",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.CASCADE,
                        related_name="cases",
                        to="teacher.calibrationround",
                    ),
                ),
            ],
            options={
                "db_table": "teacher_calibration_cases",
                "ordering": ["round_id", "position"],
                "indexes": [models.Index(fields=["content_hash"], name="calibration_cases_by_content")],
                "constraints": [
                    models.UniqueConstraint(fields=("round", "position"), name="one_calibration_case_per_place"),
                    models.UniqueConstraint(fields=("round", "content_hash"), name="one_calibration_case_per_content"),
                ],
            },
        ),
        migrations.CreateModel(
            name="CaseLabel",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                ("content_hash", models.CharField(max_length=64)),
                ("run_id", models.UUIDField()),
                ("labeller", models.TextField(help_text="e.g. person:anna")),
                ("hallucination", models.CharField(choices=ANSWERS, max_length=7)),
                ("context", models.CharField(blank=True, choices=ANSWERS, max_length=7)),
                ("relevance", models.CharField(blank=True, choices=ANSWERS, max_length=7)),
                ("seconds", models.FloatField(help_text="from seeing the case to its label")),
                ("labelled_at", models.DateTimeField(db_default=Now())),
                ("ended_at", models.DateTimeField(blank=True, help_text="NULL: it stands", null=True)),
            ],
            options={
                "db_table": "teacher_case_labels",
                "ordering": ["id"],
                "indexes": [models.Index(fields=["labeller", "-id"], name="case_labels_by_labeller")],
                "constraints": [
                    models.UniqueConstraint(
                        condition=models.Q(("ended_at__isnull", True)),
                        fields=("content_hash", "labeller"),
                        name="one_standing_label_per_person_and_case",
                    ),
                    models.CheckConstraint(
                        condition=models.Q(
                            ("hallucination__in", ["yes", "no", "unclear"]),
                            ("context__in", ["", "yes", "no", "unclear"]),
                            ("relevance__in", ["", "yes", "no", "unclear"]),
                        ),
                        name="label_answers_are_known",
                    ),
                    models.CheckConstraint(
                        condition=models.Q(("seconds__gte", 0)), name="labelling_takes_no_negative_time"
                    ),
                ],
            },
        ),
        migrations.RunPython(grant, migrations.RunPython.noop),
    ]
