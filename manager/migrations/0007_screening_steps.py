"""How many candidate steps one cycle screens at most."""

from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [("manager", "0006_judge_agreement")]

    operations = [
        migrations.AddField(
            model_name="policy",
            name="screening_steps",
            field=models.PositiveIntegerField(
                default=40,
                help_text="Candidate steps that one cycle screens at most, the most promising first; "
                "the others come next.",
            ),
        ),
        migrations.AddConstraint(
            model_name="policy",
            constraint=models.CheckConstraint(
                condition=models.Q(("screening_steps__gte", 1)), name="a_step_is_screened_at_least"
            ),
        ),
    ]
