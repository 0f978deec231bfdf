"""People are reminded of decisions that wait: after how long, and when last."""

from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [("manager", "0015_pruning_proposals")]

    operations = [
        migrations.AddField(
            model_name="policy",
            name="approval_remind_hours",
            field=models.PositiveIntegerField(
                default=24,
                help_text="An approval that has waited so long is reminded of, then once a day. 0: never.",
                verbose_name="reminder of an approval",
            ),
        ),
        migrations.AddField(
            model_name="approval",
            name="reminded_at",
            field=models.DateTimeField(blank=True, null=True),
        ),
        migrations.AddField(
            model_name="approval",
            name="reminders",
            field=models.PositiveSmallIntegerField(default=0),
        ),
    ]
