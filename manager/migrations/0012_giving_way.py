"""Attempts at a part of an upkeep cycle; campaigns give way to real users by the switch that upkeep has."""

from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [("manager", "0011_changes_per_day")]

    operations = [
        migrations.AddField(
            model_name="upkeepcycle",
            name="attempts",
            field=models.PositiveSmallIntegerField(default=0, help_text="How often the part at hand was begun."),
        ),
        migrations.AlterField(
            model_name="upkeepschedule",
            name="yields",
            field=models.BooleanField(
                default=True, help_text="Whether upkeep and campaigns of background workers give way to real users."
            ),
        ),
    ]
