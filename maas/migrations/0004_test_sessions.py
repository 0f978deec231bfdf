"""Sessions of the Test Runner, and what a result of one holds."""

import uuid

import django.contrib.postgres.fields
import django.core.validators
import django.db.models.deletion
import django.db.models.functions.datetime
from django.db import migrations, models

GRANTS = """
REVOKE ALL ON public.test_sessions FROM PUBLIC;
GRANT SELECT ON public.test_sessions TO maas_app, maas_request;
GRANT SELECT, INSERT, UPDATE, DELETE ON public.test_sessions TO maas_service;
"""


class Migration(migrations.Migration):
    dependencies = [("maas", "0003_vectors_and_consent")]

    operations = [
        migrations.CreateModel(
            name="TestSession",
            fields=[
                ("id", models.UUIDField(default=uuid.uuid4, primary_key=True, serialize=False)),
                ("started_by", models.TextField()),
                (
                    "scenarios",
                    django.contrib.postgres.fields.ArrayField(base_field=models.TextField(), size=None),
                ),
                ("script", models.JSONField()),
                ("steps", models.PositiveIntegerField()),
                (
                    "status",
                    models.TextField(
                        choices=[
                            ("planned", "Planned"),
                            ("running", "Running"),
                            ("finished", "Finished"),
                            ("stopped", "Stopped"),
                            ("failed", "Failed"),
                        ],
                        default="planned",
                    ),
                ),
                ("error", models.TextField(blank=True, db_default="", default="")),
                ("created_at", models.DateTimeField(db_default=django.db.models.functions.datetime.Now())),
                ("started_at", models.DateTimeField(null=True)),
                ("finished_at", models.DateTimeField(null=True)),
            ],
            options={
                "db_table": "test_sessions",
                "indexes": [models.Index(fields=["-created_at"], name="sessions_newest_first")],
                "constraints": [
                    models.CheckConstraint(
                        condition=models.Q(("status__in", ["planned", "running", "finished", "stopped", "failed"])),
                        name="session_status_is_known",
                    ),
                    models.CheckConstraint(
                        condition=models.Q(
                            models.Q(("status", "failed"), _negated=True),
                            models.Q(("error", ""), _negated=True),
                            _connector="OR",
                        ),
                        name="failed_session_has_a_reason",
                    ),
                ],
            },
        ),
        migrations.RunSQL(GRANTS, migrations.RunSQL.noop),
        migrations.AlterField(
            model_name="testdialog",
            name="step",
            field=models.PositiveIntegerField(validators=[django.core.validators.MinValueValidator(1)]),
        ),
        migrations.AlterField(
            model_name="testrun",
            name="dialog",
            field=models.ForeignKey(
                null=True, on_delete=django.db.models.deletion.SET_NULL, related_name="runs", to="maas.testdialog"
            ),
        ),
        # Backwards: a result whose step is gone has no place in the older table.
        migrations.RunSQL(migrations.RunSQL.noop, "DELETE FROM public.test_runs WHERE dialog_id IS NULL;"),
        migrations.AddField(
            model_name="testrun",
            name="session",
            field=models.ForeignKey(
                null=True, on_delete=django.db.models.deletion.CASCADE, related_name="runs", to="maas.testsession"
            ),
        ),
        migrations.AddField(model_name="testrun", name="position", field=models.PositiveIntegerField(null=True)),
        migrations.AddField(
            model_name="testrun", name="error", field=models.TextField(blank=True, db_default="", default="")
        ),
        migrations.AddField(model_name="testrun", name="latency_ms", field=models.FloatField(null=True)),
        migrations.AddField(
            model_name="testrun", name="model", field=models.TextField(blank=True, db_default="", default="")
        ),
        migrations.AddField(model_name="testrun", name="parameter_version", field=models.IntegerField(null=True)),
        migrations.AddConstraint(
            model_name="testrun",
            constraint=models.UniqueConstraint(fields=("session", "position"), name="one_result_per_session_and_step"),
        ),
        migrations.AddConstraint(
            model_name="testrun",
            constraint=models.UniqueConstraint(fields=("session", "dialog"), name="one_result_per_session_and_dialog"),
        ),
    ]
