"""Experiments of two identical arms, apart from those that test something."""

from django.db import migrations, models


def grant(_apps, schema_editor):
    """A test is finished once; none is deleted."""
    runtime = schema_editor.quote_name(schema_editor.connection.settings_dict["RUNTIME_ROLE"])
    schema_editor.execute("REVOKE ALL ON public.standing_tests FROM PUBLIC")
    schema_editor.execute(f"REVOKE ALL ON public.standing_tests FROM {runtime}")
    schema_editor.execute(f"GRANT SELECT, INSERT ON public.standing_tests TO {runtime}")
    schema_editor.execute(
        f"GRANT UPDATE (looks, verdict, p_value, n, alike, finished_at) ON public.standing_tests TO {runtime}"
    )
    schema_editor.execute(f"GRANT USAGE ON SEQUENCE public.standing_tests_id_seq TO {runtime}")


class Migration(migrations.Migration):
    dependencies = [("experiments", "0005_looks")]

    operations = [
        migrations.CreateModel(
            name="StandingTest",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                ("slug", models.SlugField(max_length=120, unique=True)),
                ("dataset", models.CharField(max_length=50)),
                ("number", models.PositiveIntegerField(help_text="Counted from 1 for its data set.")),
                (
                    "metric",
                    models.CharField(help_text="The one target that the arms are compared on.", max_length=50),
                ),
                ("base_version", models.PositiveIntegerField(help_text="The parameter version of both arms.")),
                ("look_sizes", models.JSONField(default=list)),
                ("looks", models.JSONField(default=list, help_text="What each look before the end found.")),
                ("verdict", models.CharField(blank=True, max_length=12)),
                ("p_value", models.FloatField(blank=True, null=True)),
                ("n", models.PositiveIntegerField(default=0)),
                (
                    "alike",
                    models.PositiveIntegerField(
                        default=0, help_text="Pairs of the n in which both arms had the same value."
                    ),
                ),
                ("started_at", models.DateTimeField(auto_now_add=True)),
                ("finished_at", models.DateTimeField(blank=True, null=True)),
            ],
            options={
                "verbose_name": "standing A/A test",
                "db_table": "standing_tests",
                "ordering": ["-started_at"],
                "constraints": [
                    models.UniqueConstraint(
                        fields=("dataset", "number"), name="standing_test_number_once_per_data_set"
                    ),
                    models.CheckConstraint(
                        condition=models.Q(("verdict__in", ["", "winner", "loser", "inconclusive"])),
                        name="standing_verdict_is_known",
                    ),
                ],
            },
        ),
        migrations.RunPython(grant, migrations.RunPython.noop),
    ]
