"""What steps were seen to do: the knowledge of the designer, refined by screening and experiments."""

from django.db import migrations, models
from django.db.models.functions import Now


def grant(_apps, schema_editor):
    """What was seen is never changed nor deleted."""
    runtime = schema_editor.quote_name(schema_editor.connection.settings_dict["RUNTIME_ROLE"])
    schema_editor.execute("REVOKE ALL ON public.teacher_step_observations FROM PUBLIC")
    schema_editor.execute(f"REVOKE ALL ON public.teacher_step_observations FROM {runtime}")
    schema_editor.execute(f"GRANT SELECT, INSERT ON public.teacher_step_observations TO {runtime}")
    schema_editor.execute(f"GRANT USAGE ON SEQUENCE public.teacher_step_observations_id_seq TO {runtime}")


class Migration(migrations.Migration):
    dependencies = [("teacher", "0003_calibration")]
    operations = [
        migrations.CreateModel(
            name="StepObservation",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                (
                    "source",
                    models.CharField(choices=[("screening", "screening"), ("experiment", "experiment")], max_length=10),
                ),
                ("reference", models.TextField(help_text="the experiment's slug, or the name of the screening")),
                ("metric", models.TextField()),
                ("factor", models.TextField()),
                ("move", models.TextField(help_text="up, down, or the value that it goes to")),
                ("from_value", models.JSONField()),
                ("to_value", models.JSONField()),
                ("gain", models.FloatField()),
                (
                    "error",
                    models.FloatField(help_text="standard error of the gain, by clusters where questions share them"),
                ),
                ("n", models.PositiveIntegerField(help_text="pairs of answers")),
                ("dataset", models.TextField()),
                ("base_version", models.PositiveIntegerField()),
                ("observed_at", models.DateTimeField(db_default=Now())),
            ],
            options={"db_table": "teacher_step_observations"},
        ),
        migrations.AddConstraint(
            model_name="stepobservation",
            constraint=models.UniqueConstraint(
                fields=["reference", "metric", "factor", "to_value"], name="one_observation_per_occasion_and_metric"
            ),
        ),
        migrations.AddConstraint(
            model_name="stepobservation",
            constraint=models.CheckConstraint(
                condition=models.Q(("error__gte", 0)), name="observation_error_is_not_negative"
            ),
        ),
        migrations.AddConstraint(
            model_name="stepobservation",
            constraint=models.CheckConstraint(
                condition=models.Q(("source__in", ["screening", "experiment"])), name="observation_source_is_known"
            ),
        ),
        migrations.AddIndex(
            model_name="stepobservation",
            index=models.Index(fields=["factor", "metric", "move"], name="observations_by_step"),
        ),
        migrations.RunPython(grant, migrations.RunPython.noop),
    ]
