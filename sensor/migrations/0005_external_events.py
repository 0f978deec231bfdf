"""Which events of a MaaS that runs elsewhere were taken, so that each is taken once."""

from django.db import migrations, models
from django.db.models.functions import Now


def grant(_apps, schema_editor):
    """An event is taken, or let go again in the transaction that took it; it never becomes another one."""
    runtime = schema_editor.quote_name(schema_editor.connection.settings_dict["RUNTIME_ROLE"])
    schema_editor.execute("REVOKE ALL ON public.sensor_external_events FROM PUBLIC")
    schema_editor.execute(f"REVOKE ALL ON public.sensor_external_events FROM {runtime}")
    schema_editor.execute(f"GRANT SELECT, INSERT, DELETE ON public.sensor_external_events TO {runtime}")


class Migration(migrations.Migration):
    dependencies = [("sensor", "0004_rollups")]

    operations = [
        migrations.CreateModel(
            name="ExternalEvent",
            fields=[
                ("event_id", models.UUIDField(primary_key=True, serialize=False)),
                ("run_id", models.UUIDField()),
                ("source", models.TextField(help_text="who sent it")),
                ("received_at", models.DateTimeField(db_default=Now())),
            ],
            options={
                "db_table": "sensor_external_events",
                "indexes": [models.Index(fields=["run_id"], name="external_events_by_run")],
            },
        ),
        migrations.RunPython(grant, migrations.RunPython.noop),
    ]
