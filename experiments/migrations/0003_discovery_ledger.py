"""The ledger of false discoveries over the experiments on one data set's validation questions."""

from django.db import migrations, models


def grant(_apps, schema_editor):
    """Rows are added and read; a level that was spent stays spent."""
    runtime = schema_editor.quote_name(schema_editor.connection.settings_dict["RUNTIME_ROLE"])
    schema_editor.execute("REVOKE ALL ON public.discovery_ledger FROM PUBLIC")
    schema_editor.execute(f"REVOKE ALL ON public.discovery_ledger FROM {runtime}")
    schema_editor.execute(f"GRANT SELECT, INSERT ON public.discovery_ledger TO {runtime}")
    schema_editor.execute(f"GRANT USAGE ON SEQUENCE public.discovery_ledger_id_seq TO {runtime}")


class Migration(migrations.Migration):
    dependencies = [("experiments", "0002_golden_guards")]

    operations = [
        migrations.CreateModel(
            name="DiscoveryEntry",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                ("stream", models.CharField(max_length=80)),
                ("place", models.PositiveIntegerField(help_text="Counted from 1 inside the stream.")),
                (
                    "experiment",
                    models.CharField(help_text="The experiment's slug.", max_length=120, unique=True),
                ),
                (
                    "p_value",
                    models.FloatField(help_text="Of the change being better; 1 when nothing could be tested."),
                ),
                (
                    "untested",
                    models.TextField(blank=True, help_text="Why nothing could be tested; empty when it was."),
                ),
                ("level", models.FloatField(help_text="What p had to be at most.")),
                ("discovery", models.BooleanField()),
                ("candidate", models.BooleanField(help_text="Whether p was low enough to cost nothing.")),
                ("spent", models.FloatField()),
                ("left", models.FloatField()),
                ("next_level", models.FloatField(help_text="What the next experiment's p has to be at most.")),
                ("entered_at", models.DateTimeField(auto_now_add=True)),
            ],
            options={
                "verbose_name_plural": "ledger of false discoveries",
                "db_table": "discovery_ledger",
                "ordering": ["stream", "place"],
                "constraints": [
                    models.UniqueConstraint(fields=("stream", "place"), name="one_entry_per_place_of_a_stream"),
                    models.CheckConstraint(
                        condition=models.Q(("p_value__gte", 0), ("p_value__lte", 1)), name="ledger_p_is_a_p"
                    ),
                ],
            },
        ),
        migrations.RunPython(grant, migrations.RunPython.noop),
    ]
