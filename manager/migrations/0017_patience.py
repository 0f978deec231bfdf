"""How long a campaign gives way to real users before it goes on for one step."""

from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [("manager", "0016_approval_reminders")]

    operations = [
        migrations.AddField(
            model_name="upkeepschedule",
            name="patience_hours",
            field=models.PositiveIntegerField(
                default=6, help_text="A campaign that has given way for longer goes on for one step. 0: never."
            ),
        ),
    ]
