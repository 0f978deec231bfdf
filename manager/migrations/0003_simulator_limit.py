"""How many dialogues of simulated users may be invalid before a cycle stops."""

from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [("manager", "0004_golden_looks")]

    operations = [
        migrations.AddField(
            model_name="policy",
            name="max_invalid_dialogues",
            field=models.FloatField(
                default=0.1,
                help_text="Share of a cycle's dialogues of simulated users that may be invalid; with more the cycle "
                "stops.",
            ),
        ),
        migrations.AddConstraint(
            model_name="policy",
            constraint=models.CheckConstraint(
                condition=models.Q(max_invalid_dialogues__gte=0, max_invalid_dialogues__lte=1),
                name="max_invalid_dialogues_is_a_share",
            ),
        ),
    ]
