"""A freeze of one factor may end by itself."""

from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [("tuner", "0005_rollback_inside_hard_ranges")]

    operations = [
        migrations.AddField(
            model_name="factorsetting",
            name="frozen_until",
            field=models.DateTimeField(
                blank=True, help_text="Empty: until somebody thaws it.", null=True, verbose_name="frozen until"
            ),
        ),
        migrations.AddConstraint(
            model_name="factorsetting",
            constraint=models.CheckConstraint(
                condition=models.Q(
                    ("frozen_until__isnull", True),
                    models.Q(("frozen", True), ("frozen__isnull", False)),
                    _connector="OR",
                ),
                name="only_a_freeze_has_an_end",
            ),
        ),
    ]
