"""How many changes the system may apply by itself within a day."""

from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [("manager", "0010_upkeep_cycles")]

    operations = [
        migrations.AddField(
            model_name="policy",
            name="changes_per_day",
            field=models.PositiveIntegerField(
                default=5,
                help_text="Changes that the system applies by itself within 24 hours; beyond them each waits for a "
                "person. 0: every change waits. Rollbacks do not count.",
            ),
        ),
    ]
