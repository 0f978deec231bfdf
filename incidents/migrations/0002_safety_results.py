"""What each safety check found, and when."""

import django.db.models.functions.datetime
from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [("incidents", "0001_initial")]

    operations = [
        migrations.CreateModel(
            name="SafetyResult",
            fields=[
                ("id", models.BigAutoField(primary_key=True, serialize=False)),
                ("name", models.TextField()),
                ("ok", models.BooleanField(null=True)),
                ("detail", models.TextField()),
                ("checked_at", models.DateTimeField(db_default=django.db.models.functions.datetime.Now())),
                ("actor", models.TextField()),
            ],
            options={
                "db_table": "safety_results",
                "ordering": ("-id",),
                "indexes": [models.Index(fields=["name", "-id"], name="safety_results_by_name")],
            },
        ),
    ]
