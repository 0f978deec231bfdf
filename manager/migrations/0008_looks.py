"""How often an experiment may look at its result, and how long it may take."""

from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [("manager", "0007_screening_steps")]

    operations = [
        migrations.AddField(
            model_name="policy",
            name="looks_per_experiment",
            field=models.PositiveIntegerField(
                default=1,
                help_text="How often an experiment looks at its result, the end included. More looks may end it early "
                "and save money; each spends some of its significance. Parts of fewer than 50 questions are not made.",
            ),
        ),
        migrations.AddField(
            model_name="policy",
            name="experiment_hours",
            field=models.FloatField(
                default=0.0,
                help_text="Hours after its start, pauses included, when an experiment closes as inconclusive; 0: never.",
            ),
        ),
        migrations.AddConstraint(
            model_name="policy",
            constraint=models.CheckConstraint(
                condition=models.Q(("looks_per_experiment__gte", 1), ("looks_per_experiment__lte", 20)),
                name="looks_are_one_to_twenty",
            ),
        ),
        migrations.AddConstraint(
            model_name="policy",
            constraint=models.CheckConstraint(
                condition=models.Q(("experiment_hours__gte", 0)), name="experiment_hours_are_not_negative"
            ),
        ),
    ]
